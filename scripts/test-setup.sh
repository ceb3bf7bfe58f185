#!/bin/sh
# Installs what the tests need beside the service: Chromium, PostgreSQL, OpenSMTPD.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

scripts/setup.sh

missing=
command -v chromium >/dev/null || missing="$missing chromium"
[ -n "$(find /usr/lib/postgresql -path '*/bin/initdb' 2>/dev/null)" ] || command -v initdb >/dev/null || missing="$missing postgresql"
[ -x /usr/sbin/smtpd ] || missing="$missing opensmtpd"
# shellcheck disable=SC2086  # a list of packages
if [ -n "$missing" ]; then
    apt "System packages for tests" $missing
fi
