#!/bin/sh
# Builds the pinned LiveKit server into mediaserver/bin/livekit-server (about 2.5 minutes the first
# time on two cores, seconds afterwards). Does nothing when that version is there, or is on PATH.
# With --check it only says, by its exit code, whether it is. With --storm it builds bin/webhook-storm
# instead, which the fault test of a storm of leaves sends its webhooks with.
set -eu

cd "$(dirname "$0")"
wanted=1.13.5
out=bin/livekit-server

if [ "${1:-}" = --storm ]; then
    mkdir -p bin
    CGO_ENABLED=0 exec go build -mod=readonly -buildvcs=false -o bin/webhook-storm ./storm
fi

is_wanted() {
    [ -n "$1" ] && [ -x "$1" ] && [ "$("$1" --version 2>/dev/null)" = "livekit-server version $wanted" ]
}

if is_wanted "$(command -v livekit-server || true)"; then
    echo "LiveKit server $wanted: the one on PATH is used"
    exit 0
fi
if is_wanted "$out"; then
    echo "LiveKit server $wanted: up to date"
    exit 0
fi
if [ "${1:-}" = --check ]; then
    exit 1
fi
if ! command -v go >/dev/null; then
    echo "LiveKit server $wanted cannot be built: install Go 1.26, or put livekit-server $wanted on PATH" >&2
    exit 1
fi

echo "LiveKit server $wanted: building, this takes some minutes the first time"
mkdir -p bin
# Built beside and moved into place, so that an interrupted build leaves nothing half done.
# Without C: the machine needs no compiler beside Go, and each builds the same.
CGO_ENABLED=0 go build -mod=readonly -buildvcs=false -o "$out.new" github.com/livekit/livekit-server/cmd/server
mv "$out.new" "$out"
is_wanted "$out" || { echo "the built LiveKit server is not version $wanted" >&2; exit 1; }
echo "LiveKit server $wanted: built"
