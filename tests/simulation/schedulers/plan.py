"""What happens to the schedulers of a seed, decided beforehand: what is booked and changed, and who comes.
What breaks is in `faults.py`.

Instants are milliseconds from NINE; the same seed always gives the same plan.
"""

from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple

from tests.build import MINUTE, SECOND
from tests.simulation.scenario import Fault

FIRST_MS, LAST_MS = -2 * MINUTE, 5 * MINUTE
# For how long whoever is to die waits until it has in its hands what it is to die with.
AIMS_MS = 30 * SECOND


class Visit(NamedTuple):
    """Somebody comes into the room of a lecture and stays for so long. Who `vanishes` goes without a word;
    whose page is `loyal` dials the server that it lost again before it asks where the room is."""

    at: int
    lecture: int
    person: int
    stays_ms: int
    vanishes: bool
    loyal: bool


class Deed(NamedTuple):
    """Something that somebody does at the site; `size` in minutes, or the number of a person."""

    at: int
    does: str
    lecture: int
    size: int = 0


@dataclass(frozen=True, slots=True)
class Booked:
    """A lecture; `people` take part in it. One with checks is asked whether it is there; one with an
    `empty_after_s` ends by itself when nobody is in it."""

    booked_at: int
    starts_at: int
    minutes: int
    open_before_s: int
    overrun_s: int
    quiet_s: int
    live_by: str
    recorded: bool
    checks: int
    people: int
    empty_after_s: int | None
    empty_early: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """`skews` are by how many ms the clock of each scheduler is wrong, `site_skew` that of the site,
    `recorder_skews` those of the recorders.

    `deaf` is the share of wake-ups that are lost; mails to the addresses of `refused` are turned away.
    """

    seed: int
    skews: tuple[int, ...]
    site_skew: int
    servers: tuple[str, ...]
    recorder_skews: tuple[int, ...]
    lectures: tuple[Booked, ...]
    deeds: tuple[Deed, ...]
    visits: tuple[Visit, ...]
    deaf: float
    refused: frozenset[int]
    mail_takes_s: float
    faults: tuple[Fault, ...] = ()
    broken: frozenset[str] = field(default_factory=frozenset)

    @property
    def calm_at(self) -> int:
        """When nothing more is done and nothing more breaks."""
        ends = [deed.at for deed in self.deeds] + [fault.at + AIMS_MS + fault.lasts for fault in self.faults]
        ends += [visit.at for visit in self.visits]
        return max(*ends, *(lecture.booked_at for lecture in self.lectures), 0)


def plan(seed: int) -> Plan:
    """The plan of a seed, before anything breaks."""
    chance = Random(f"{seed}:schedulers")
    lectures = tuple(_lecture(chance) for _ in range(chance.choice((1, 2, 2, 3))))
    return Plan(
        seed=seed,
        skews=tuple(_skew(chance) for _ in range(chance.choice((2, 2, 2, 3, 4)))),
        site_skew=_skew(chance),
        servers=("a", "b", "c")[: chance.choice((1, 1, 2, 2, 3))],
        recorder_skews=tuple(
            _skew(chance) for _ in range(chance.choice((1, 2)) if any(x.recorded for x in lectures) else 0)
        ),
        lectures=lectures,
        deeds=_deeds(lectures, chance),
        visits=tuple(visit for number, x in enumerate(lectures) for visit in _visits(number, x, chance)),
        deaf=chance.choice((0.0, 0.0, 0.3, 1.0)),
        refused=frozenset({0}) if chance.random() < 0.2 else frozenset(),
        mail_takes_s=chance.choice((0.05, 0.05, 0.5, 4.0)),
    )


def _skew(chance: Random) -> int:
    return int(chance.uniform(-30, 30) * SECOND)


def _lecture(chance: Random) -> Booked:
    starts_at = chance.randrange(0, 3) * MINUTE
    return Booked(
        # One in five is booked when it should have its room already.
        booked_at=int(chance.uniform(-2, starts_at / MINUTE + chance.choice((-0.1, -0.1, 0.5))) * MINUTE),
        starts_at=starts_at,
        minutes=chance.choice((2, 2, 3)),
        open_before_s=chance.choice((0, 30, 60)),
        overrun_s=chance.choice((0, 10, 30)),
        quiet_s=chance.choice((5, 20, 60)),
        live_by=chance.choice(("schedule", "schedule", "host")),
        recorded=chance.random() < 0.2,
        checks=chance.choice((0, 0, 1, 2)),
        people=chance.choice((1, 2, 3, 6)),
        # Longer than a page needs to follow a room that was moved.
        empty_after_s=chance.choice((None, None, 30, 60)),
        empty_early=chance.random() < 0.6,
    )


def _visits(number: int, lecture: Booked, chance: Random) -> list[Visit]:
    """Most of those who have a seat come; some go at once, some stay beyond the end."""
    return [
        Visit(
            at=lecture.starts_at + int(chance.uniform(-1, lecture.minutes) * MINUTE),
            lecture=number,
            person=person,
            stays_ms=int(chance.choice((5, 40, 90, 400)) * SECOND * chance.uniform(0.7, 1.3)),
            vanishes=chance.random() < 0.3,
            loyal=chance.random() < 0.5,
        )
        for person in range(lecture.people)
        if chance.random() < 0.6
    ]


# What people do, with how often, and the sizes that it can have.
DOES: dict[str, tuple[int, tuple[int, ...]]] = {
    "move": (4, (-1, 1, 2, 3)),
    "extend": (3, (1, 2)),
    "cancel": (2, (0,)),
    "cancel and restore": (3, (0, 1, 2)),
    "end": (2, (0,)),
    "start": (1, (0,)),
    "retitle": (2, (0,)),
    "register": (2, (1, 2)),
    "unregister": (1, (0, 1)),
    "remove": (1, (0, 1)),
    "revoke": (1, (0, 1)),
    "resend": (1, (0,)),
    "sign in": (2, (0, 1)),
    "report": (2, (0,)),
    "contest": (2, (0, 1)),
    "hold mail": (1, (1, 2)),
}


def _deeds(lectures: tuple[Booked, ...], chance: Random) -> tuple[Deed, ...]:
    deeds = []
    for number, lecture in enumerate(lectures):
        last = lecture.starts_at + (lecture.minutes + 1) * MINUTE
        names = chance.choices(list(DOES), [often for often, _ in DOES.values()], k=chance.randrange(0, 5))
        for does in names:
            at = int(chance.uniform(lecture.booked_at + SECOND, last))
            deeds += _deed(at, does, number, chance)
    return tuple(sorted(deeds))


def _deed(at: int, does: str, lecture: int, chance: Random) -> list[Deed]:
    size = chance.choice(DOES[does][1])
    later = at + int(chance.choice((0.05, 2, 20, 60)) * SECOND)
    match does:
        case "cancel and restore":
            return [Deed(at, "cancel", lecture), Deed(later, "restore", lecture, size)]
        case "hold mail":
            return [Deed(at, "hold", lecture), Deed(at + size * MINUTE, "release", lecture)]
        case _:
            return [Deed(at, does, lecture, size)]
