"""What happens in the lecture of a seed, decided beforehand: who comes when, and what breaks.

Instants are milliseconds from the official start; the same seed always gives the same scenario.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from random import Random
from typing import NamedTuple

from tests.build import SECOND

LARGE_EVERY = 500
MOST_PEOPLE, LARGE_PEOPLE = 30, 300


class Act(NamedTuple):
    """What a device does at an instant; see `people.Device`."""

    at: int
    does: str


Script = tuple[Act, ...]


@dataclass(frozen=True, slots=True)
class Somebody:
    """A person: what kind of participant, a script for each device, and how the pages behave.

    `goodbye` is whether the page manages to say that it is left, `rejoins` whether the client goes back
    with its old token after a crash (or asks the site for a new one).
    """

    kind: str
    devices: tuple[Script, ...]
    goodbye: bool = True
    rejoins: bool = True


class Fault(NamedTuple):
    """Something that breaks at an instant, for so long; `size` is a number of awaits or milliseconds."""

    at: int
    what: str
    whom: str = ""
    lasts: int = 0
    size: int = 0


@dataclass(frozen=True, slots=True)
class Scenario:
    """A lecture. `loses`, `doubles` and `delays` are shares of the webhooks that this happens to."""

    seed: int
    window_ms: int
    opens_before_ms: int
    overrun_ms: int
    quiet_ms: int
    grace_s: int
    kind: str
    jp: int
    percent: int
    minutes_per_jp: int
    tolerance_s: int
    people: tuple[Somebody, ...]
    faults: tuple[Fault, ...] = ()
    loses: float = 0.0
    doubles: float = 0.0
    delays: float = 0.0
    list_age_ms: int = 0
    ends_early_at: int | None = None
    patient_notifier: bool = True
    broken: frozenset[str] = field(default_factory=frozenset)

    @property
    def faultless(self) -> bool:
        return not self.broken


def scenario(seed: int) -> Scenario:
    """The scenario of a seed."""
    chance = Random(f"{seed}:lecture")
    large = seed % LARGE_EVERY == 0
    count = LARGE_PEOPLE if large else 2 + int((MOST_PEOPLE - 1) * chance.random() ** 7)
    window_s = chance.choice((75, 90)) if count > 12 else chance.randrange(75, 196, 15)
    planned = Scenario(
        seed=seed,
        window_ms=window_s * SECOND,
        opens_before_ms=chance.choice((15, 25, 40)) * SECOND,
        overrun_ms=chance.choice((10, 20, 30)) * SECOND,
        quiet_ms=chance.choice((5, 10, 20)) * SECOND,
        grace_s=chance.choice((0, 0, 0, 20, 60)),
        kind=chance.choice(("threshold", "proportional")),
        jp=chance.choice((100, 200, 250, 300)),
        percent=chance.choice((50, 75, 80, 100)),
        minutes_per_jp=chance.choice((1, 2, 3)),
        tolerance_s=chance.choice((0, 30, 300)),
        people=(),
        ends_early_at=int(window_s * SECOND * chance.uniform(0.5, 1.0)) if chance.random() < 0.1 else None,
        patient_notifier=chance.random() < 0.5,
    )
    people = tuple(_somebody(Random(f"{seed}:person:{n}"), planned, large) for n in range(count))
    return _with_faults(replace(planned, people=people), Random(f"{seed}:faults"))


# People.


def _somebody(chance: Random, lecture: Scenario, large: bool) -> Somebody:
    kind = chance.choices(list(KINDS), weights=[weight for weight, _ in KINDS.values()])[0]
    if large and kind in {"two devices", "stranger"}:
        kind = "whole"
    devices = KINDS[kind][1](chance, lecture)
    return Somebody(kind, devices, goodbye=chance.random() < 0.8, rejoins=chance.random() < 0.5)


def _within(chance: Random, lecture: Scenario, first: float, last: float) -> int:
    """An instant between two shares of the window."""
    return int(lecture.window_ms * chance.uniform(first, last))


def _arrival(chance: Random, lecture: Scenario) -> int:
    """Around the start, most before it."""
    return int(chance.uniform(-lecture.opens_before_ms - 10 * SECOND, 5 * SECOND))


def _whole(chance: Random, lecture: Scenario) -> tuple[Script, ...]:
    """To the end, or until everybody is put out."""
    join = Act(_arrival(chance, lecture), "join")
    if chance.random() < 0.5:
        return ((join,),)
    return ((join, Act(lecture.window_ms + int(chance.uniform(-5, 15) * SECOND), "leave")),)


def _part(chance: Random, lecture: Scenario) -> tuple[Script, ...]:
    first, last = sorted(_within(chance, lecture, -0.1, 1.1) for _ in range(2))
    return ((Act(first, "join"), Act(last, "leave")),)


def _twice(chance: Random, lecture: Scenario) -> tuple[Script, ...]:
    at = sorted(_within(chance, lecture, -0.1, 1.1) for _ in range(4))
    return (tuple(Act(instant, does) for instant, does in zip(at, ["join", "leave"] * 2, strict=True)),)


def _dropped(chance: Random, lecture: Scenario) -> tuple[Script, ...]:
    return ((Act(_arrival(chance, lecture), "join"), Act(_within(chance, lecture, 0.1, 1.0), "vanish")),)


def _dropped_and_back(chance: Random, lecture: Scenario) -> tuple[Script, ...]:
    gone = _within(chance, lecture, 0.1, 0.8)
    back = gone + int(chance.uniform(2, 45) * SECOND)
    return ((Act(_arrival(chance, lecture), "join"), Act(gone, "vanish"), Act(back, "join")),)


def _reloading(chance: Random, lecture: Scenario) -> tuple[Script, ...]:
    at = sorted(_within(chance, lecture, 0.05, 0.95) for _ in range(chance.randint(1, 3)))
    does = chance.choice(("reload", "hard reload"))
    return ((Act(_arrival(chance, lecture), "join"), *(Act(instant, does) for instant in at)),)


def _two_devices(chance: Random, lecture: Scenario) -> tuple[Script, ...]:
    scripts = [chance.choice((_whole, _part, _dropped, _reloading))(chance, lecture)[0] for _ in range(2)]
    return tuple(scripts)


def _resuming(chance: Random, lecture: Scenario) -> tuple[Script, ...]:
    gone = _within(chance, lecture, 0.1, 0.9)
    back = gone + int(chance.uniform(2, 14) * SECOND)
    return ((Act(_arrival(chance, lecture), "join"), Act(gone, "vanish"), Act(back, "resume")),)


def _asleep(chance: Random, lecture: Scenario) -> tuple[Script, ...]:
    sleeps = _within(chance, lecture, 0.0, 0.7)
    later = _within(chance, lecture, 0.7, 1.1)
    return ((Act(_arrival(chance, lecture), "join"), Act(sleeps, "sleep"),
             Act(later, chance.choice(("wake", "leave", "vanish")))),)  # fmt: skip


def _aborting(chance: Random, lecture: Scenario) -> tuple[Script, ...]:
    first, last = sorted(_within(chance, lecture, 0.0, 0.9) for _ in range(2))
    later = (Act(last, "join"),) if chance.random() < 0.5 else ()
    return ((Act(first, "abort"), *later),)


def _outside(chance: Random, lecture: Scenario) -> tuple[Script, ...]:
    if chance.random() < 0.5:
        before = -lecture.opens_before_ms + 5 * SECOND
        return ((Act(before, "join"), Act(int(chance.uniform(before + 10_000, -500)), "leave")),)
    after = lecture.window_ms + int(chance.uniform(0.5, 10) * SECOND)
    return ((Act(after, "join"), Act(after + int(chance.uniform(3, 30) * SECOND), "leave")),)


def _absent(_chance: Random, _lecture: Scenario) -> tuple[Script, ...]:
    return ()


KINDS: dict[str, tuple[int, Callable[[Random, Scenario], tuple[Script, ...]]]] = {
    "whole": (20, _whole),
    "part": (14, _part),
    "twice": (8, _twice),
    "dropped": (8, _dropped),
    "dropped and back": (10, _dropped_and_back),
    "reloading": (8, _reloading),
    "two devices": (8, _two_devices),
    "resuming": (6, _resuming),
    "asleep": (8, _asleep),
    "aborting": (4, _aborting),
    "outside": (5, _outside),
    "absent": (4, _absent),
    "stranger": (3, _part),
}


# Faults.


def _with_faults(lecture: Scenario, chance: Random) -> Scenario:
    """A quarter of the lectures runs smoothly, half suffers one kind of fault, the rest several."""
    how_many = chance.choices((0, 1, 2, 3), weights=(25, 50, 15, 10))[0]
    for name in chance.sample(list(FAULTS), how_many):
        lecture = FAULTS[name](lecture, chance)
        lecture = replace(lecture, broken=lecture.broken | {name})
    return replace(lecture, faults=tuple(sorted(lecture.faults)))


def _at(lecture: Scenario, chance: Random) -> int:
    return int(chance.uniform(-lecture.opens_before_ms, lecture.window_ms + lecture.overrun_ms))


def _also(lecture: Scenario, *faults: Fault) -> Scenario:
    return replace(lecture, faults=(*lecture.faults, *faults))


def _killed(process: str) -> Callable[[Scenario, Random], Scenario]:
    """It dies at some await after an instant, once or again and again, and is back after a while."""

    def kill(lecture: Scenario, chance: Random) -> Scenario:
        for _ in range(chance.choice((1, 1, 1, 3))):
            size, lasts = chance.randrange(0, 60), int(chance.choice((0.2, 2, 10, 40)) * SECOND)
            lecture = _also(lecture, Fault(_at(lecture, chance), "kill", process, lasts, size))
        return lecture

    return kill


def _media_dies(lecture: Scenario, chance: Random) -> Scenario:
    what, lasts = chance.choice(("crash", "terminate")), int(chance.choice((0.5, 3, 15, 40)) * SECOND)
    return _also(lecture, Fault(_at(lecture, chance), what, "media", lasts))


def _database_away(lecture: Scenario, chance: Random) -> Scenario:
    lasts = int(chance.choice((1, 8, 30)) * SECOND)
    return _also(lecture, Fault(_at(lecture, chance), "away", "database", lasts))


def _database_crashes(lecture: Scenario, chance: Random) -> Scenario:
    lasts = int(chance.choice((0.1, 3)) * SECOND)
    return _also(lecture, Fault(_at(lecture, chance), "crash", "database", lasts, chance.randrange(0, 60)))


def _clock_jumps(lecture: Scenario, chance: Random) -> Scenario:
    whom = chance.choice(("web", "scheduler", "media", "hooks"))
    size = int(chance.choice((-1, 1)) * chance.uniform(2, 40) * SECOND)
    return _also(lecture, Fault(_at(lecture, chance), "clock", whom, 0, size))


FAULTS: dict[str, Callable[[Scenario, Random], Scenario]] = {
    "webhooks lost": lambda lecture, chance: replace(lecture, loses=chance.choice((0.1, 0.5, 1.0))),
    "webhooks doubled": lambda lecture, chance: replace(lecture, doubles=chance.choice((0.2, 1.0))),
    "webhooks delayed": lambda lecture, chance: replace(lecture, delays=chance.choice((0.2, 0.6))),
    "old lists": lambda lecture, chance: replace(lecture, list_age_ms=int(chance.uniform(500, 4_000))),
    "web killed": _killed("web"),
    "hooks killed": _killed("hooks"),
    "scheduler killed": _killed("scheduler"),
    "media server died": _media_dies,
    "database away": _database_away,
    "database crashed": _database_crashes,
    "clock jumped": _clock_jumps,
}
