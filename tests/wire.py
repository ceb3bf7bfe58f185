"""Requests as bytes over raw connections, for what no HTTP client would send."""

import asyncio

CUT = 0
"""The status of a request whose connection ended before an answer came."""


class Wire:
    """One connection, made again whenever the other side has closed it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._lines: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def send(self, request: bytes) -> int:
        """The status of the answer, whose body is read and dropped."""
        if self._lines is None:
            self._lines = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._lines
        try:
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            size = _length(head)
            if size:
                await reader.readexactly(size)
        except (ConnectionError, asyncio.IncompleteReadError):
            self.close()
            return CUT
        # An answer with a body is the HTTP parser's own to what is no HTTP; it ends the connection, too.
        if size or b"connection: close" in head.lower():
            self.close()
        return int(head[9:12])

    def close(self) -> None:
        if self._lines is not None:
            self._lines[1].close()
            self._lines = None


def _length(head: bytes) -> int:
    _, found, rest = head.lower().partition(b"content-length: ")
    return int(rest.partition(b"\r\n")[0]) if found else 0
