#!/bin/sh
# Installs what is missing, then runs everything on this machine. PORT and DATA say where.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

PORT=${PORT:-8080}
DATA=${DATA:-./data}

case $PORT in
'' | *[!0-9]*) fail "PORT=$PORT is no port: give a number, for example PORT=8081 make up" ;;
esac
# Told before anything is installed: a long wait that ends in this would be unkind.
if command -v python3 >/dev/null && ! python3 scripts/port_is_free.py "$PORT"; then
    fail "Port $PORT is in use by another program: stop that one, or choose another port, for example PORT=$((PORT + 1)) make up"
fi

scripts/setup.sh
# With make, or whatever called this, the supervisor ends, too.
tie=
if command -v setpriv >/dev/null; then tie="setpriv --pdeathsig TERM --"; fi
exec $tie .venv/bin/webinar up --port "$PORT" --data "$DATA"
