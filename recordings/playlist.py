"""The playlist of a recording: pure text, RFC 8216 with fragmented MP4 (version 7).

A recording has parts: one for each time a recorder started (or paused), since each has clocks and codecs of
its own. Segments are named `p<part>-<number>`, and a part's `init` holds what a player needs to read it.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

SEGMENT_MS = 4000
_TARGET_S = 6
"""Longer than a segment is meant to be, since it must not change later and a starved recorder cuts late."""
CODECS = "avc1.42c01f,mp4a.40.2"
PEAK_BITRATE = 2_600_000
INDEX = "index.m3u8"
MASTER = "master.m3u8"
STREAM_SEGMENTS = 15
"""How many of the newest segments a live stream names: a minute, so that its list stays small."""
PART_PREFIX = len("p0001")
"""Names of one part begin with the same letters, so many of them."""
_SEGMENT_NAME = re.compile(r"p(\d{4})-(\d{6})\.m4s")


def init_name(part: int) -> str:
    return f"p{part:04d}-init.mp4"


def segment_name(part: int, number: int) -> str:
    return f"p{part:04d}-{number:06d}.m4s"


def part_of(name: str) -> int | None:
    """The part of a segment by its name; None for another file."""
    found = _SEGMENT_NAME.fullmatch(name)
    return int(found[1]) if found else None


@dataclass(frozen=True, slots=True)
class Entry:
    """One segment in the playlist; `started_at` is the instant of its first picture, Unix ms."""

    name: str
    duration_ms: int
    started_at: int

    @property
    def part(self) -> int:
        part = part_of(self.name)
        if part is None:
            raise ValueError("no segment has such a name")
        return part


@dataclass(frozen=True, slots=True)
class Playlist:
    """The segments of a recording in order; `ended` once nothing will be added."""

    entries: tuple[Entry, ...] = ()
    ended: bool = False

    @property
    def duration_ms(self) -> int:
        return sum(entry.duration_ms for entry in self.entries)

    def with_entry(self, entry: Entry) -> "Playlist":
        """Grown by one segment; growing again by the same changes nothing."""
        if any(entry.name == known.name for known in reversed(self.entries)):
            return self
        return replace(self, entries=(*self.entries, entry), ended=False)

    def render(self) -> str:
        lines = [
            "#EXTM3U",
            "#EXT-X-VERSION:7",
            f"#EXT-X-TARGETDURATION:{_target_s(self.entries)}",
            "#EXT-X-MEDIA-SEQUENCE:0",
            f"#EXT-X-PLAYLIST-TYPE:{'VOD' if self.ended else 'EVENT'}",
            "#EXT-X-INDEPENDENT-SEGMENTS",
            *_entry_lines(self.entries),
        ]
        if self.ended:
            lines.append("#EXT-X-ENDLIST")
        return "\n".join(lines) + "\n"


def _target_s(entries: Iterable[Entry]) -> int:
    return max([_TARGET_S, *(-(-entry.duration_ms // 1000) for entry in entries)])


def _entry_lines(entries: Iterable[Entry]) -> Iterator[str]:
    part = None
    for entry in entries:
        if entry.part != part:
            if part is not None:
                yield "#EXT-X-DISCONTINUITY"
            part = entry.part
            yield f'#EXT-X-MAP:URI="{init_name(part)}"'
        # On each segment, so that a replay can be set beside the attendance to the second.
        yield f"#EXT-X-PROGRAM-DATE-TIME:{_rfc3339(entry.started_at)}"
        yield f"#EXTINF:{entry.duration_ms / 1000:.3f},"
        yield entry.name


def master() -> str:
    """The playlist a player opens: it names the codecs, so that a browser need not guess."""
    return (
        "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-INDEPENDENT-SEGMENTS\n"
        f'#EXT-X-STREAM-INF:BANDWIDTH={PEAK_BITRATE},CODECS="{CODECS}",RESOLUTION=1280x720,FRAME-RATE=15.000\n'
        f"{INDEX}\n"
    )


def stream(entries: Sequence[Entry], *, before: int, parts_before: int, ended: bool) -> str:
    """The playlist of a live stream: the newest segments, in order.

    Args:
        before: how many segments came before these.
        parts_before: how many parts came before the part of the first of these.
    """
    lines = [
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        f"#EXT-X-TARGETDURATION:{_target_s(entries)}",
        f"#EXT-X-MEDIA-SEQUENCE:{before}",
        f"#EXT-X-DISCONTINUITY-SEQUENCE:{parts_before}",
        "#EXT-X-INDEPENDENT-SEGMENTS",
        *_entry_lines(entries),
    ]
    if ended:
        lines.append("#EXT-X-ENDLIST")
    return "\n".join(lines) + "\n"


def parse(text: str) -> Playlist:
    """Reads back what `render` wrote.

    Raises:
        ValueError: it is not a playlist of ours.
    """
    lines = text.splitlines()
    if not lines or lines[0] != "#EXTM3U":
        raise ValueError("not a playlist")
    entries: list[Entry] = []
    started_at = duration_ms = 0
    for line in lines:
        tag, _, value = line.partition(":")
        if tag == "#EXT-X-PROGRAM-DATE-TIME":
            started_at = round(datetime.fromisoformat(value).timestamp() * 1000)
        elif tag == "#EXTINF":
            duration_ms = round(float(value.rstrip(",")) * 1000)
        elif line and not line.startswith("#"):
            entries.append(Entry(line, duration_ms, started_at))
    return Playlist(tuple(entries), ended="#EXT-X-ENDLIST" in lines)


def _rfc3339(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
