"""What happens to the schedulers of a seed, decided beforehand: what is booked and changed, and what breaks.

Instants are milliseconds from NINE; the same seed always gives the same plan.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from random import Random
from typing import NamedTuple

from tests.build import MINUTE, SECOND
from tests.simulation.scenario import Fault

FIRST_MS, LAST_MS = -3 * MINUTE, 6 * MINUTE


class Deed(NamedTuple):
    """Something that somebody does at the site; `size` in minutes, or the number of a person."""

    at: int
    does: str
    lecture: int
    size: int = 0


@dataclass(frozen=True, slots=True)
class Booked:
    """A lecture; `people` take part in it. One with checks is asked whether it is there."""

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


@dataclass(frozen=True, slots=True)
class Plan:
    """`skews` are by how many ms the clock of each scheduler is wrong, `site_skew` that of the site.

    `deaf` is the share of wake-ups that are lost; mails to the addresses of `refused` are turned away.
    """

    seed: int
    skews: tuple[int, ...]
    site_skew: int
    lectures: tuple[Booked, ...]
    deeds: tuple[Deed, ...]
    deaf: float
    refused: frozenset[int]
    mail_takes_s: float
    faults: tuple[Fault, ...] = ()
    broken: frozenset[str] = field(default_factory=frozenset)

    @property
    def calm_at(self) -> int:
        """When nothing more is done and nothing more breaks."""
        ends = [deed.at for deed in self.deeds] + [fault.at + fault.lasts for fault in self.faults]
        return max(*ends, *(lecture.booked_at for lecture in self.lectures), 0)


def plan(seed: int) -> Plan:
    """The plan of a seed."""
    chance = Random(f"{seed}:schedulers")
    lectures = tuple(_lecture(chance) for _ in range(chance.choice((1, 2, 2, 3, 4))))
    planned = Plan(
        seed=seed,
        skews=tuple(int(chance.uniform(-30, 30) * SECOND) for _ in range(chance.choice((2, 2, 3, 4)))),
        site_skew=int(chance.uniform(-30, 30) * SECOND),
        lectures=lectures,
        deeds=_deeds(lectures, chance),
        deaf=chance.choice((0.0, 0.0, 0.3, 1.0)),
        refused=frozenset({0}) if chance.random() < 0.2 else frozenset(),
        mail_takes_s=chance.choice((0.05, 0.05, 0.5, 4.0)),
    )
    return _with_faults(planned, Random(f"{seed}:broken"))


def _lecture(chance: Random) -> Booked:
    starts_at = chance.randrange(0, 4) * MINUTE
    return Booked(
        # One in five is booked when it should have its room already.
        booked_at=int(chance.uniform(-3, starts_at / MINUTE + chance.choice((-0.1, -0.1, 0.5))) * MINUTE),
        starts_at=starts_at,
        minutes=chance.choice((2, 2, 3)),
        open_before_s=chance.choice((0, 30, 60)),
        overrun_s=chance.choice((0, 10, 30)),
        quiet_s=chance.choice((5, 20, 60)),
        live_by=chance.choice(("schedule", "schedule", "host")),
        recorded=chance.random() < 0.3,
        checks=chance.choice((0, 0, 1, 2)),
        people=chance.choice((1, 2, 3, 6)),
    )


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


# What breaks.


def _with_faults(planned: Plan, chance: Random) -> Plan:
    """A fifth of the seeds runs smoothly but for the clocks, the others suffer up to four kinds of faults."""
    how_many = chance.choices((0, 1, 2, 3, 4), weights=(20, 30, 25, 15, 10))[0]
    for name in chance.sample(list(FAULTS), how_many):
        faults = (*planned.faults, *FAULTS[name](planned, chance))
        planned = replace(planned, faults=faults, broken=planned.broken | {name})
    return replace(planned, faults=tuple(sorted(planned.faults)))


def _at(chance: Random) -> int:
    return int(chance.uniform(FIRST_MS, LAST_MS))


def _somebody(planned: Plan, chance: Random) -> str:
    return f"scheduler{chance.randrange(len(planned.skews))}"


def _lasting(what: str, whom: str, *seconds: float) -> Callable[[Plan, Random], list[Fault]]:
    def breaks(_: Plan, chance: Random) -> list[Fault]:
        return [Fault(_at(chance), what, whom, int(chance.choice(seconds) * SECOND), chance.randrange(0, 60))]

    return breaks


def _killed(planned: Plan, chance: Random) -> list[Fault]:
    """It dies at some await after an instant, once or again and again, and is back after a while."""
    return [
        Fault(_at(chance), "kill", _somebody(planned, chance),
              int(chance.choice((0.2, 2, 10, 40)) * SECOND), chance.randrange(0, 80))
        for _ in range(chance.choice((1, 2, 4)))
    ]  # fmt: skip


def _all_killed(planned: Plan, chance: Random) -> list[Fault]:
    at, lasts = _at(chance), int(chance.choice((2, 30, 120)) * SECOND)
    return [Fault(at, "kill", f"scheduler{n}", lasts, 0) for n in range(len(planned.skews))]


def _hangs(planned: Plan, chance: Random) -> list[Fault]:
    """It stands still, mostly for longer than its leases, and then goes on."""
    return [
        Fault(_at(chance), "hang", _somebody(planned, chance),
              int(chance.choice((3, 20, 40)) * SECOND), chance.randrange(0, 80))
        for _ in range(chance.choice((1, 2)))
    ]  # fmt: skip


def _clock_jumps(planned: Plan, chance: Random) -> list[Fault]:
    size = int(chance.choice((-1, 1)) * chance.uniform(2, 30) * SECOND)
    return [Fault(_at(chance), "clock", _somebody(planned, chance), 0, size)]


FAULTS: dict[str, Callable[[Plan, Random], list[Fault]]] = {
    "scheduler killed": _killed,
    "all schedulers killed": _all_killed,
    "scheduler hangs": _hangs,
    "clock jumps": _clock_jumps,
    "site killed": _lasting("kill", "site", 0.5, 5),
    "media server dies": _lasting("crash", "media", 0.5, 5, 40),
    "media server away": _lasting("away", "media", 1, 10, 60),
    "media server refuses": _lasting("refuse", "media", 5, 30),
    "database away": _lasting("away", "database", 1, 8, 30),
    "database restarts": _lasting("crash", "database", 0.1, 3),
    "mail away": _lasting("away", "mail", 5, 30, 60),
    "mail slow": _lasting("slow", "mail", 20, 60),
}
