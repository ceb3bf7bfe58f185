"""The attendance log of a lecture: a row for everybody registered, and those who came without a seat."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from webinar.attendance.credit_rules import Credit, Presence, State, credit, presence, seconds_in
from webinar.attendance.rules import Connection, connections
from webinar.evidence.rules import Evidence
from webinar.lectures.rules import Lecture, Registration, Window
from webinar.policies.rules import Policy


@dataclass(frozen=True, slots=True)
class Entry:
    """One registered person; `reconnects` are connections beyond the first of each device."""

    registration: Registration
    presence: Presence
    credit: Credit
    devices: int = 0
    reconnects: int = 0


@dataclass(frozen=True, slots=True)
class Stranger:
    """Somebody in the room whose seat is not (or no longer) registered; a former seat's name is known."""

    seat: str
    name: str | None
    presence: Presence
    seconds: int


@dataclass(frozen=True, slots=True)
class Summary:
    """How many people; `registered` is the sum of `came` and `absent`."""

    registered: int
    came: int
    absent: int
    credited: int
    doubtful: int


@dataclass(frozen=True, slots=True)
class AttendanceLog:
    """`provisional` until the lecture is final; `computed_at` says when these values were computed."""

    lecture: Lecture
    window: Window
    policy: Policy
    provisional: bool
    computed_at: int
    entries: tuple[Entry, ...]
    strangers: tuple[Stranger, ...] = ()
    high_water: Mapping[str, int] = field(default_factory=dict)

    @property
    def summary(self) -> Summary:
        absent = sum(entry.credit.seconds == 0 for entry in self.entries)
        return Summary(
            registered=len(self.entries),
            came=len(self.entries) - absent,
            absent=absent,
            credited=sum(entry.credit.jp > 0 for entry in self.entries),
            doubtful=sum(entry.credit.state is State.DOUBTFUL for entry in self.entries),
        )


def computed(
    lecture: Lecture,
    window: Window,
    policy: Policy,
    seats: Sequence[Registration],
    evidence: Evidence,
    now: int,
) -> AttendanceLog:
    """The log as the evidence has it; `seats` with the cancelled ones."""
    by_seat: dict[str, list[Connection]] = defaultdict(list)
    for one in connections(evidence, now):
        by_seat[one.seat].append(one)
    entries = []
    for registration in seats:
        if registration.active:
            mine = by_seat.pop(registration.seat, [])
            there = presence(mine)
            worth = credit(policy, lecture.jp, window, there, registration.role)
            devices = len({one.identity for one in mine})
            entries.append(Entry(registration, there, worth, devices, len(mine) - devices))
    names = {registration.seat: registration.name for registration in seats}
    return AttendanceLog(
        lecture=lecture,
        window=window,
        policy=policy,
        provisional=True,
        computed_at=now,
        entries=tuple(entries),
        strangers=tuple(
            _stranger(seat, names.get(seat), presence(found), window, policy)
            for seat, found in sorted(by_seat.items())
        ),
        high_water=evidence.high_water,
    )


def _stranger(seat: str, name: str | None, there: Presence, window: Window, policy: Policy) -> Stranger:
    return Stranger(seat, name, there, seconds_in(there, window, policy.grace_s)[0])
