"""What an edition takes over from its series, and what it keeps of its own. Pure.

An edition remembers what the series last gave it (`given`). Where the lecture is different now, it was
changed alone. A change of all that follow goes field by field: what was changed alone stays, the rest
follows. The time is one field: start, end and zone go together.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from webinar.core.errors import IllegalMove, Invalid, Refused
from webinar.lectures.change_rules import PLAIN, TIME
from webinar.lectures.rules import WALL_FORMAT, Lecture, LectureState

# Who lectures stands in registrations, so that it is compared apart.
LECTURERS = "lecturer_ids"
# Beside the fields, in what is owed: the reason it is called off, and who asked.
CANCELLED, BY = "cancelled", "by"
GROUPS: tuple[tuple[str, ...], ...] = (TIME, *((name,) for name in (*PLAIN, LECTURERS)))
# Of editions that were given their fields before there was a rule for empty rooms.
EMPTY_ROOMS_STAY = {"empty_after_s": None, "empty_early": False}
# A lecture that has begun goes its own way.
CHANGEABLE = frozenset({LectureState.DRAFT, LectureState.SCHEDULED, LectureState.OPEN})
FARTHEST_SHIFT = 31

Fields = Mapping[str, Any]


class MemberState(StrEnum):
    JOINING = "joining"
    JOINED = "joined"
    LEAVING = "leaving"
    LEFT = "left"


_M = MemberState
MEMBER_MOVES: Mapping[tuple[MemberState, str], MemberState] = {
    (_M.JOINING, "seated"): _M.JOINED,
    (_M.JOINING, "leave"): _M.LEAVING,
    (_M.JOINED, "leave"): _M.LEAVING,
    (_M.LEAVING, "gone"): _M.LEFT,
    (_M.LEAVING, "join"): _M.JOINING,
    (_M.LEFT, "join"): _M.JOINING,
}


def member_after(state: MemberState, move: str) -> MemberState:
    """Raises IllegalMove where the state does not allow the move."""
    after = MEMBER_MOVES.get((state, move))
    if after is None:
        raise IllegalMove(state=state.value, move=move)
    return after


@dataclass(frozen=True, slots=True)
class Series:
    """`rule` is an RRULE without its end, `first_wall` what it counts from; see `series/tables.py`."""

    id: str
    institution_id: str
    unit_id: str
    unit_path: str
    title: str
    rule: str
    first_wall: str
    skips_holidays: bool
    shift_days: int
    version: int
    created_at: int


@dataclass(frozen=True, slots=True)
class Edition:
    """A lecture of a series. `wanted` is what a change of all that follow asks for and is still owed."""

    series_id: str
    number: int
    slot: str
    given: Fields
    wanted: Fields | None
    lecture: Lecture
    lecturer_ids: tuple[str, ...]

    @property
    def base(self) -> Fields:
        """What the series gives it, with what is owed."""
        owed = {name: value for name, value in (self.wanted or {}).items() if name not in {CANCELLED, BY}}
        return {**self.given, **owed}

    @property
    def own(self) -> tuple[str, ...]:
        """The fields that were changed alone; "starts_wall" stands for the time."""
        present = present_of(self.lecture, self.lecturer_ids)
        return tuple(group[0] for group in GROUPS if not _same(group, self.given, present))

    @property
    def changeable(self) -> bool:
        return self.lecture.state in CHANGEABLE


@dataclass(frozen=True, slots=True)
class Slot:
    """An edition that is still to be made; `refused` says why it could not be: sources with their fields."""

    number: int
    slot: str
    asked_by: tuple[str, str | None]
    refused: tuple[tuple[str, Fields], ...] | None = None


def reasons(refused: Refused) -> list[list[Any]]:
    """Why something was refused, as it is kept: each message with its fields."""
    if isinstance(refused, Invalid):
        return [[error.message, dict(error.fields)] for error in refused.errors]
    return [[refused.message, dict(refused.fields)]]


def present_of(lecture: Lecture, lecturer_ids: Iterable[str]) -> dict[str, Any]:
    """What a lecture is now, in the fields of a series."""
    now = {name: getattr(lecture, name) for name in (*TIME, *PLAIN)}
    return {**now, LECTURERS: sorted(lecturer_ids)}


def of_lecture(fields: Fields) -> dict[str, Any]:
    """Those of the fields that stand in the lecture itself; who lectures has seats."""
    return {name: value for name, value in fields.items() if name in (*TIME, *PLAIN)}


def followed(given: Fields, present: Fields, wanted: Fields) -> tuple[dict[str, Any], dict[str, Any]]:
    """What of a change an edition takes over, and what the series has given it from now on."""
    taken: dict[str, Any] = {}
    for group in GROUPS:
        if any(name in wanted for name in group) and _same(group, given, present):
            taken.update({name: wanted[name] for name in group if name in wanted})
    named = {name: value for name, value in wanted.items() if name not in {CANCELLED, BY}}
    return taken, {**given, **named}


def _same(group: Sequence[str], one: Fields, other: Fields) -> bool:
    return all(one.get(name) == other.get(name) for name in group)


def changed(before: Fields, after: Fields) -> dict[str, Any]:
    """The fields of `after` that differ, the time as a whole."""
    return {
        name: after[name]
        for group in GROUPS
        if any(name in after and after[name] != before.get(name) for name in group)
        for name in group
        if name in after
    }


def days_between(before: Fields, after: Fields) -> int:
    """By how many days the start was moved.

    Raises:
        Invalid: too far for all that follow.
    """
    days = (_read(after["starts_wall"]).date() - _read(before["starts_wall"]).date()).days
    if abs(days) > FARTHEST_SHIFT:
        raise Invalid.at(
            "starts_wall", "All that follow can be moved by at most %(most)s days.", most=FARTHEST_SHIFT
        )
    return days


def moved(base: Fields, wanted: Fields, days: int) -> dict[str, Any]:
    """A change as it reads for another edition: its own day moved by as many, at the new time of day."""
    if "starts_wall" not in wanted:
        return dict(wanted)
    length = _read(wanted["ends_wall"]) - _read(wanted["starts_wall"])
    day = _read(base["starts_wall"]).date() + timedelta(days=days)
    start = datetime.combine(day, _read(wanted["starts_wall"]).time())
    return {**wanted, "starts_wall": written(start), "ends_wall": written(start + length)}


def on_slot(base: Fields, slot: str, shift_days: int) -> dict[str, Any]:
    """What an edition is given at a slot of the rule: everything else as in the one before."""
    length = _read(base["ends_wall"]) - _read(base["starts_wall"])
    day = _read(slot).date() + timedelta(days=shift_days)
    start = datetime.combine(day, _read(base["starts_wall"]).time())
    return {**base, "starts_wall": written(start), "ends_wall": written(start + length)}


def written(wall: datetime) -> str:
    return wall.strftime(WALL_FORMAT)


def _read(wall: str) -> datetime:
    return datetime.strptime(wall, WALL_FORMAT)  # noqa: DTZ007 - a wall time has no zone


# --- growth ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Growth:
    """Figures of one edition, and by how much they differ from those of the last one that was held.

    None where there is nothing to tell yet.
    """

    number: int
    registered: int
    came: int | None
    credited: int | None
    more_registered: int | None = None
    more_came: int | None = None
    more_credited: int | None = None


def growth(figures: Sequence[Growth], cancelled: frozenset[int]) -> list[Growth]:
    """Each edition beside the last one before it; those that were called off are passed over."""
    found: list[Growth] = []
    last: Growth | None = None
    for one in figures:
        if one.number in cancelled or last is None:
            found.append(one)
        else:
            found.append(
                Growth(
                    one.number,
                    one.registered,
                    one.came,
                    one.credited,
                    _more(one.registered, last.registered),
                    _more(one.came, last.came),
                    _more(one.credited, last.credited),
                )
            )
        last = last if one.number in cancelled else one
    return found


def _more(now: int | None, before: int | None) -> int | None:
    return None if now is None or before is None else now - before
