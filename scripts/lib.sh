# Steps with one line each, and errors that say what to do. For `. scripts/lib.sh` in a POSIX shell.

LOGS=build/logs
STAMPS=build/stamps
mkdir -p "$LOGS" "$STAMPS"

now() { date +%s.%N; }

say_step() { # name, start
    awk -v name="$1" -v from="$2" -v to="$(now)" 'BEGIN { printf "  %-28s%7.1f s%s\n", name, to - from, "" }'
}

fail() {
    printf '\n%s\n' "$*" >&2
    exit 1
}

# step NAME COMMAND…: runs it quietly; its output is in build/logs, and its end is shown when it fails.
step() {
    name=$1
    shift
    log="$LOGS/$(printf '%s' "$name" | tr -cs 'A-Za-z0-9' '-').log"
    from=$(now)
    # A name at once on a terminal, so that a long step is not silence.
    if [ -t 1 ]; then printf '  %-28s      …\r' "$name"; fi
    if ! "$@" >"$log" 2>&1; then
        printf '  %-28s failed\n\n' "$name"
        tail -n 15 "$log" >&2
        fail "$name failed: $(advice "$log") All of its output is in $log"
    fi
    say_step "$name" "$from"
}

advice() {
    if grep -qiE 'no space left|ENOSPC' "$1"; then
        echo "the disk is full: make room and run it again."
    elif grep -qiE 'could not resolve|ENOTFOUND|EAI_AGAIN|network is unreachable|connection (refused|timed out)|no route to host' "$1"; then
        echo "a package server cannot be reached: check the network (or the proxy) and run it again."
    else
        echo "see above."
    fi
}

# digest PATH…: one digest over the content of files and folders.
digest() {
    find "$@" -type f -not -path '*/node_modules/*' -print0 2>/dev/null | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -d' ' -f1
}

# unchanged STAMP DIGEST: whether the step was done for exactly this.
unchanged() { [ "$(cat "$STAMPS/$1" 2>/dev/null)" = "$2" ]; }
stamp() { printf '%s\n' "$2" >"$STAMPS/$1"; }

# at_least HAVE WANTED: versions with dots.
at_least() { [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n1)" = "$2" ]; }

# apt NAME PACKAGE…: a step that installs system packages; without the right to, it says who has to.
apt() {
    name=$1
    shift
    command -v apt-get >/dev/null || fail "Missing: $*. Install them with this system's package manager, then run it again."
    rise=
    if [ "$(id -u)" -ne 0 ]; then
        rise="sudo -n"
        $rise true 2>/dev/null || fail "Missing system packages, and this is not root. Run: sudo apt-get update && sudo apt-get install -y --no-install-recommends $*"
    fi
    step "$name" apt_install "$@"
}

apt_install() {
    $rise apt-get update -q && $rise env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@"
}
