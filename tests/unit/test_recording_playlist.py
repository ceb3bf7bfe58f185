"""The playlist of a recording, and the pieces of its stream."""

import pytest

from recordings.boxes import BoxSplitter
from recordings.playlist import Entry, Playlist, parse, part_of

NINE = 1_750_122_000_000


def entry(name: str, duration_ms: int = 4000, at: int = NINE) -> Entry:
    return Entry(name, duration_ms, at)


def box(kind: bytes, size: int = 0) -> bytes:
    return (8 + size).to_bytes(4, "big") + kind + bytes(size)


def test_a_growing_playlist_is_an_event_without_end() -> None:
    text = Playlist((entry("p0001-000000.m4s"),)).render()
    assert "#EXT-X-PLAYLIST-TYPE:EVENT" in text
    assert '#EXT-X-MAP:URI="p0001-init.mp4"' in text
    assert "#EXT-X-PROGRAM-DATE-TIME:2025-06-17T01:00:00.000Z\n#EXTINF:4.000,\np0001-000000.m4s\n" in text
    assert "ENDLIST" not in text


def test_an_ended_playlist_is_a_replay() -> None:
    text = Playlist((entry("p0001-000000.m4s"),), ended=True).render()
    assert "#EXT-X-PLAYLIST-TYPE:VOD" in text
    assert text.endswith("#EXT-X-ENDLIST\n")


def test_a_new_part_begins_with_a_discontinuity_and_its_own_init() -> None:
    lines = Playlist((entry("p0001-000000.m4s"), entry("p0003-000000.m4s"))).render().splitlines()
    assert lines.count("#EXT-X-DISCONTINUITY") == 1
    at = lines.index("#EXT-X-DISCONTINUITY")
    assert lines[at + 1] == '#EXT-X-MAP:URI="p0003-init.mp4"'


@pytest.mark.parametrize("ended", [True, False])
def test_what_is_written_can_be_read_back(ended: bool) -> None:
    playlist = Playlist(
        (entry("p0001-000000.m4s", 4001), entry("p0002-000000.m4s", 1234, NINE + 60_500)), ended=ended
    )
    assert parse(playlist.render()) == playlist
    assert playlist.duration_ms == 5235


def test_the_same_segment_twice_stands_once() -> None:
    once = Playlist((entry("p0001-000000.m4s"), entry("p0001-000001.m4s")))
    assert once.with_entry(entry("p0001-000000.m4s")) == once


def test_growing_after_the_end_reopens() -> None:
    assert not Playlist((entry("p0001-000000.m4s"),), ended=True).with_entry(entry("p0002-000000.m4s")).ended


def test_no_segment_is_longer_than_the_target() -> None:
    assert "#EXT-X-TARGETDURATION:6\n" in Playlist((entry("p0001-000000.m4s"),)).render()
    assert "#EXT-X-TARGETDURATION:10\n" in Playlist((entry("p0001-000000.m4s", 9001),)).render()


def test_something_else_is_no_playlist() -> None:
    with pytest.raises(ValueError, match="not a playlist"):
        parse("<html>")
    assert part_of("p0001-init.mp4") is None


def test_a_stream_is_cut_at_its_boxes_however_it_arrives() -> None:
    stream = box(b"ftyp", 20) + box(b"moov", 99) + box(b"moof", 5) + box(b"mdat", 300) + box(b"mfra", 4)
    whole, bytewise = BoxSplitter(), BoxSplitter()
    whole.write(stream)
    pieces = list(whole.pieces())
    assert pieces == [stream[:135], stream[135:456]]
    dripped = []
    for at in range(len(stream)):
        bytewise.write(stream[at : at + 1])
        dripped += bytewise.pieces()
    assert dripped == pieces
