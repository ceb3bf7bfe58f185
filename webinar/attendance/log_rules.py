"""The attendance log of a lecture: a row for everybody registered, and those who came without a seat."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from webinar.attendance.check_rules import Checks
from webinar.attendance.connection_rules import Connection
from webinar.attendance.counted_rules import replay_deadline, watched_before
from webinar.attendance.credit_rules import Credit, Presence, State, credit, presence, seconds_in
from webinar.attendance.interval_rules import Span
from webinar.attendance.rules import connections
from webinar.evidence.rules import Check, Evidence, Replay
from webinar.lectures.rules import Lecture, Registration, Seat, Window
from webinar.policies.rules import Policy


@dataclass(frozen=True, slots=True)
class Entry:
    """One registered person; `reconnects` are connections beyond the first of each device in each room."""

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
    """How many people; `registered` is the sum of `came` and `absent`.

    Of those who came, `by_replay` only watched the replay.
    """

    registered: int
    came: int
    absent: int
    credited: int
    doubtful: int
    by_replay: int = 0


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
            by_replay=sum(0 < entry.credit.seconds == entry.credit.replay_seconds for entry in self.entries),
        )


@dataclass(frozen=True, slots=True)
class Person:
    """What somebody's credit follows from, beside lecture and policy."""

    presence: Presence
    role: Seat
    checks: Checks


Credits = Callable[[Policy, int, Window, Sequence[Person]], Sequence[Credit]]


def one_by_one(policy: Policy, jp: int, window: Window, people: Sequence[Person]) -> list[Credit]:
    """What each of them earns in a lecture worth `jp` hundredths."""
    return [credit(policy, jp, window, one.presence, one.role, one.checks) for one in people]


def computed(
    lecture: Lecture,
    window: Window,
    policy: Policy,
    seats: Sequence[Registration],
    evidence: Evidence,
    now: int,
    *,
    credits: Credits = one_by_one,
    known: Iterable[Connection] | None = None,
) -> AttendanceLog:
    """The log as the evidence has it; `seats` with the cancelled ones.

    Args:
        credits: another way to the same credits, for many people.
        known: the connections of this evidence until `now`, where they are known already.
    """
    by_seat: dict[str, list[Connection]] = defaultdict(list)
    for one in connections(evidence, now) if known is None else known:
        by_seat[one.seat].append(one)
    told = _told(evidence, replay_deadline(policy, window))
    active = [registration for registration in seats if registration.active]
    found = [by_seat.pop(registration.seat, []) for registration in active]
    people = [_person(registration, mine, told) for registration, mine in zip(active, found, strict=True)]
    worth = credits(policy, lecture.jp, window, people)
    entries = [_entry(*each) for each in zip(active, found, people, worth, strict=True)]
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


@dataclass(frozen=True, slots=True)
class _Told:
    """What is known by registration beside the connections."""

    checks: tuple[Check, ...]
    answers: Mapping[str, Mapping[str, int]]
    watched: Mapping[str, tuple[Span, ...]]


def _told(evidence: Evidence, deadline: int) -> _Told:
    answers: dict[str, dict[str, int]] = defaultdict(dict)
    for answer in evidence.answers:
        first = answers[answer.registration_id].get(answer.check_id, answer.answered_at)
        answers[answer.registration_id][answer.check_id] = min(first, answer.answered_at)
    replays: dict[str, list[Replay]] = defaultdict(list)
    for row in evidence.replays:
        replays[row.registration_id].append(row)
    watched = {whose: watched_before(rows, deadline) for whose, rows in replays.items()}
    return _Told(evidence.checks, answers, watched)


def _person(registration: Registration, mine: Sequence[Connection], told: _Told) -> Person:
    return Person(
        presence(mine, told.watched.get(registration.id, ())),
        registration.role,
        Checks(told.checks, told.answers.get(registration.id, {})),
    )


def _entry(registration: Registration, mine: Sequence[Connection], person: Person, worth: Credit) -> Entry:
    there = person.presence
    return Entry(
        registration,
        there,
        worth,
        devices=len({one.identity for one in mine}),
        reconnects=len(mine) - len({(one.room_name, one.identity) for one in mine}),
    )


def _stranger(seat: str, name: str | None, there: Presence, window: Window, policy: Policy) -> Stranger:
    return Stranger(seat, name, there, seconds_in(there, window, policy.grace_s)[0])
