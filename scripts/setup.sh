#!/bin/sh
# Installs what the service needs to run: Python packages, the built pages, the media server. Each step
# is skipped when nothing has changed since it was last done.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

PYTHON=${PYTHON:-python3}
NEEDED_MB=3000

check_tools() {
    command -v "$PYTHON" >/dev/null || fail "No Python: install Python 3.11 or newer (apt-get install python3 python3-venv), or set PYTHON=/path/to/python3"
    version=$("$PYTHON" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    at_least "$version" 3.11 || fail "Python $version is too old: install 3.11 or newer, or set PYTHON=/path/to/python3.11"
    command -v node >/dev/null || fail "No Node: install Node 20 (https://nodejs.org), it builds the pages"
    command -v npm >/dev/null || fail "No npm: install it with Node 20 (https://nodejs.org)"
    version=$(node --version | tr -d v)
    at_least "$version" 20.19 || fail "Node $version is too old: install Node 20.19 or newer (https://nodejs.org)"
    # Only who has to build the media server needs Go.
    if ! mediaserver/build.sh --check >/dev/null 2>&1; then
        command -v go >/dev/null || fail "No Go: install Go 1.26 (https://go.dev/dl), it builds the media server; or put livekit-server 1.13.5 on PATH"
        version=$(cd / && go env GOVERSION | sed 's/^go//')
        at_least "$version" 1.26 || fail "Go $version is too old: install Go 1.26 or newer (https://go.dev/dl)"
    fi
}

check_disk() {
    free=$(df -Pm . | awk 'NR == 2 { print $4 }')
    if [ ! -d .venv ] && [ "$free" -lt "$NEEDED_MB" ]; then
        fail "The disk of $(pwd) has $free MB left; the first installation needs $NEEDED_MB MB: make room and run it again"
    fi
}

check_venv() {
    "$PYTHON" -c 'import venv, ensurepip' 2>/dev/null && return
    apt "Python's venv (apt)" python3-venv
    "$PYTHON" -c 'import venv, ensurepip' 2>/dev/null || fail "$PYTHON cannot make virtual environments: install its venv module (apt-get install python3-venv)"
}

# Chained: inside a condition `set -e` has no effect.
install_python() {
    if ! .venv/bin/python -m pip --version; then
        rm -rf .venv && "$PYTHON" -m venv .venv || return 1
    fi
    pip="$(pwd)/.venv/bin/python -m pip install -q --disable-pip-version-check"
    $pip --require-hashes -r requirements.lock && $pip --no-deps --no-build-isolation -e . && compile
}

# Compiled once here, processes start in half the time.
compile() { .venv/bin/python -m compileall -q webinar scheduler recordings; }

install_pages() { (cd frontend && npm ci --no-audit --no-fund); }
build_pages() { (cd frontend && npm run build); }

check_tools
check_disk

# It takes the longest and needs the others for nothing, so it is built beside them; a group of its own, so
# that Ctrl-C ends all of it.
media=
if ! mediaserver/build.sh --check >/dev/null 2>&1; then
    media_from=$(now)
    setsid mediaserver/build.sh >"$LOGS/media-server.log" 2>&1 &
    media=$!
    trap 'kill -- "-$media" 2>/dev/null || true' EXIT
    trap 'exit 130' INT TERM
fi

wanted=$(digest requirements.lock pyproject.toml)
if ! unchanged python "$wanted" || ! [ -x .venv/bin/webinar ]; then
    check_venv
    step "Python packages" install_python
    stamp python "$wanted"
else
    compile
fi

wanted=$(digest frontend/package-lock.json)
if ! unchanged npm "$wanted" || ! [ -d frontend/node_modules ]; then
    step "Packages for the pages" install_pages
    stamp npm "$wanted"
fi

# The style sheet is made from the classes that the templates use.
wanted=$(digest frontend/src frontend/vite.config.ts frontend/package-lock.json templates)
if ! unchanged pages "$wanted" || ! [ -f webinar/web/static/built/manifest.json ]; then
    step "Pages" build_pages
    stamp pages "$wanted"
fi

if [ -n "$media" ]; then
    if [ -t 1 ]; then printf '  %-28s      …\r' "Media server"; fi
    if ! wait "$media"; then
        tail -n 15 "$LOGS/media-server.log" >&2
        fail "The media server was not built: $(advice "$LOGS/media-server.log") All of its output is in $LOGS/media-server.log"
    fi
    trap - EXIT
    say_step "Media server (beside these)" "$media_from"
fi
