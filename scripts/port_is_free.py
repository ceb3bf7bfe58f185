"""Exit code 0 when nobody listens on the port of loopback that is given."""

import socket
import sys

with socket.socket() as probe:
    # As servers do: connections that were closed a moment ago do not hold the port.
    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        probe.bind(("127.0.0.1", int(sys.argv[1])))
    except (OSError, OverflowError):
        sys.exit(1)
