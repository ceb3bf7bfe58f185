"""Cutting a fragmented MP4 stream into its init segment and its fragments (ISO/IEC 14496-12, section 4.2)."""

from collections.abc import Iterator
from dataclasses import dataclass, field

_HEADER = 8


@dataclass(slots=True)
class BoxSplitter:
    """Takes bytes as a muxer writes them; gives what is complete.

    The first piece given is the init segment (`ftyp` and `moov`), each later one a fragment (`moof` and
    `mdat`). The index that a muxer writes at its end (`mfra`) is left out: a playlist does its work.
    """

    _bytes: bytearray = field(default_factory=bytearray)
    _piece: bytearray = field(default_factory=bytearray)

    def write(self, data: bytes) -> int:
        """What a muxer calls; gives the number of bytes taken."""
        self._bytes += data
        return len(data)

    def pieces(self) -> Iterator[bytes]:
        """The pieces that have become complete since the last call."""
        while (box := self._next_box()) is not None:
            kind = box[4:8]
            if kind == b"mfra":
                continue
            self._piece += box
            if kind in (b"moov", b"mdat"):
                yield bytes(self._piece)
                self._piece.clear()

    def _next_box(self) -> bytes | None:
        if len(self._bytes) < _HEADER:
            return None
        length = int.from_bytes(self._bytes[:4], "big")
        if length < _HEADER:
            raise ValueError("a box of a live stream must say its length")
        if len(self._bytes) < length:
            return None
        box = bytes(self._bytes[:length])
        del self._bytes[:length]
        return box
