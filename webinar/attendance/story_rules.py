"""Everything that the sources said about one person in a lecture, as a list that a person can read.

Nothing is left out, but what repeats itself is one item: looks that saw the same, minutes in which the page
lived in the same way. Instants in Unix ms.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from webinar.attendance.check_rules import Asked
from webinar.attendance.interval_rules import Span, union
from webinar.evidence.rules import Beats, Event, Evidence, Segments, Sweep

MINUTE_MS = 60_000
# Beats of neighbouring minutes are one stretch unless so much lies between them.
APART_MS = 90_000


class Source(StrEnum):
    WEBHOOK = "webhook"
    SWEEP = "sweep"
    HEARTBEAT = "heartbeat"
    CHECK = "check"
    REPLAY = "replay"
    SEGMENT = "segment"


class What(StrEnum):
    JOINED = "joined"
    LEFT = "left"
    ABORTED = "aborted"
    ROOM_BEGAN = "room_began"
    ROOM_ENDED = "room_ended"
    SEEN = "seen"
    NOT_SEEN = "not_seen"
    NO_ROOM = "no_room"
    VISIBLE = "visible"
    HIDDEN = "hidden"
    GOODBYE = "goodbye"
    ASKED = "asked"
    ANSWERED = "answered"
    MISSED = "missed"
    WATCHED = "watched"
    FETCHED = "fetched"


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that was said. `count` of looks, minutes, beats or segments from `at` to `until`.

    `device` is the tab's part of the identity on the media server; `spans` are instants of the lecture.
    """

    at: int
    until: int
    source: Source
    what: What
    device: str = ""
    count: int = 1
    reason: str = ""
    spans: tuple[Span, ...] = field(default=())


def story(evidence: Evidence, seat: str, asked: Sequence[Asked]) -> list[Item]:
    """All of it in the order of time.

    Args:
        evidence: what tells of this person, and of the rooms (whose first events are somebody else's).
        asked: the presence checks that the person was asked.
    """
    items = [
        *_events(evidence.events, seat),
        *_looks(evidence.sweeps),
        *_beats(evidence.beats),
        *_checks(evidence, asked),
        *_watched(evidence),
        *_fetched(evidence.segments),
    ]
    return sorted(items, key=lambda item: (item.at, item.until, item.source, item.what))


def tab_of(identity: str) -> str:
    """Which device or tab: the part of `<seat>.<tab>` that tells two of them apart."""
    return identity.partition(".")[2]


_EVENTS: Mapping[str, What] = {
    "participant_joined": What.JOINED,
    "participant_left": What.LEFT,
    "participant_connection_aborted": What.ABORTED,
    "room_started": What.ROOM_BEGAN,
    "room_finished": What.ROOM_ENDED,
}


def _events(events: Iterable[Event], seat: str) -> Iterator[Item]:
    for event in events:
        what = _EVENTS.get(event.event)
        of_room = what in {What.ROOM_BEGAN, What.ROOM_ENDED}
        if what is None or not (of_room or (event.identity or "").startswith(f"{seat}.")):
            continue
        at = event.created_at_s * 1000
        if what is What.JOINED and event.joined_at_ms:
            at = event.joined_at_ms
        yield Item(at, at, Source.WEBHOOK, what, tab_of(event.identity or ""), reason=event.reason or "")


def _looks(sweeps: Iterable[Sweep]) -> Iterator[Item]:
    """Looks one after another that saw the same devices, or nobody, are one."""
    found: list[Item] = []
    for look in sorted(sweeps, key=lambda one: one.at):
        devices = ", ".join(sorted({tab_of(seen.identity) for seen in look.participants}))
        what = What.SEEN if devices else What.NOT_SEEN if look.room_sid else What.NO_ROOM
        found.append(Item(look.at, look.at, Source.SWEEP, what, devices))
    return _folded(found, lambda one, other: True)


def _beats(beats: Iterable[Beats]) -> Iterator[Item]:
    """Stretches of a device in which the page was seen, or hidden, minute after minute."""
    by_device: dict[str, list[Item]] = {}
    for row in sorted(beats, key=lambda one: (one.identity, one.first_at)):
        what = What.VISIBLE if row.visible * 2 >= row.beats else What.HIDDEN
        device = tab_of(row.identity)
        item = Item(row.first_at, row.last_at, Source.HEARTBEAT, what, device, row.beats)
        by_device.setdefault(device, []).append(item)
        if row.left_at is not None:
            yield Item(row.left_at, row.left_at, Source.HEARTBEAT, What.GOODBYE, device)
    for items in by_device.values():
        yield from _folded(items, _near)


def _near(one: Item, other: Item) -> bool:
    return other.at - one.until <= APART_MS


def _folded(items: Iterable[Item], joins: Callable[[Item, Item], bool]) -> Iterator[Item]:
    last: Item | None = None
    for item in items:
        if last is None:
            last = item
        elif (last.what, last.device) == (item.what, item.device) and joins(last, item):
            last = replace(last, until=max(last.until, item.until), count=last.count + item.count)
        else:
            yield last
            last = item
    if last is not None:
        yield last


def _checks(evidence: Evidence, asked: Sequence[Asked]) -> Iterator[Item]:
    how = {answer.answered_at: answer for answer in evidence.answers}
    for check in asked:
        yield Item(check.asked_at, check.closes_at, Source.CHECK, What.ASKED, count=check.number)
        at = check.closes_at if check.answered_at is None else check.answered_at
        what = What.MISSED if check.answered_at is None else What.ANSWERED
        answer = how.get(at)
        device, reason = (tab_of(answer.identity), answer.how) if answer else ("", "")
        yield Item(at, at, Source.CHECK, what, device, check.number, reason)


def _watched(evidence: Evidence) -> Iterator[Item]:
    """One item for each opening of the player."""
    players: dict[str, list[tuple[int, int, Sequence[Span]]]] = {}
    for row in evidence.replays:
        players.setdefault(row.player, []).append((row.first_at, row.last_at, row.spans))
    for rows in players.values():
        shown = tuple(union(span for _, _, spans in rows for span in spans))
        at, until = min(row[0] for row in rows), max(row[1] for row in rows)
        yield Item(at, until, Source.REPLAY, What.WATCHED, count=len(rows), spans=shown)


def _fetched(segments: Iterable[Segments]) -> Iterator[Item]:
    items = [
        Item(row.first_at, row.last_at, Source.SEGMENT, What.FETCHED, count=row.segments)
        for row in sorted(segments, key=lambda one: one.first_at)
    ]
    return _folded(items, _near)
