"""What breaks in the world of a seed, decided beforehand."""

from collections.abc import Callable
from dataclasses import replace
from random import Random

from tests.build import MINUTE, SECOND
from tests.simulation.scenario import Fault
from tests.simulation.schedulers.plan import FIRST_MS, LAST_MS, Plan
from tests.simulation.schedulers.plan import plan as unbroken

MEDIA = "media."
"""What the name of a media server is preceded by where something breaks."""
KILL_WITH = "kill with "
"""What precedes the kind of the effect that a scheduler dies with in its hands."""
KINDS = ("lecture", "sweep", "announce", "invite", "tally", "remove", "check", "report", "mail", "contest")


def plan(seed: int) -> Plan:
    """A fifth of the seeds runs smoothly but for the clocks, the others suffer up to four kinds of faults."""
    planned, chance = unbroken(seed), Random(f"{seed}:broken")
    kinds = {name: breaks for name, breaks in FAULTS.items() if breaks(planned, Random(0))}
    how_many = chance.choices((0, 1, 2, 3, 4), weights=(20, 30, 25, 15, 10))[0]
    often = [OFTEN.get(name, 1) for name in kinds]
    for name in dict.fromkeys(chance.choices(list(kinds), often, k=how_many)):
        faults = (*planned.faults, *kinds[name](planned, chance))
        planned = replace(planned, faults=faults, broken=planned.broken | {name})
    return replace(planned, faults=tuple(sorted(planned.faults)))


def _at(chance: Random) -> int:
    return int(chance.uniform(FIRST_MS, LAST_MS))


def _at_work(planned: Plan, chance: Random) -> int:
    """Mostly when much is due: a lecture is booked, opens, begins, ends or is settled."""
    if chance.random() < 0.3:
        return _at(chance)
    lecture = chance.choice(planned.lectures)
    ends_at = lecture.starts_at + lecture.minutes * MINUTE
    moments = (
        lecture.booked_at, lecture.starts_at - lecture.open_before_s * SECOND, lecture.starts_at,
        ends_at + lecture.overrun_s * SECOND, ends_at + (lecture.overrun_s + lecture.quiet_s) * SECOND,
    )  # fmt: skip
    return max(FIRST_MS, chance.choice(moments) + int(chance.uniform(-0.3, 1) * SECOND))


def _in_session(planned: Plan, chance: Random) -> int:
    lecture = chance.choice(planned.lectures)
    opens_at = lecture.starts_at - lecture.open_before_s * SECOND
    return int(chance.uniform(opens_at, lecture.starts_at + lecture.minutes * MINUTE))


def _somebody(planned: Plan, chance: Random) -> str:
    return f"scheduler{chance.randrange(len(planned.skews))}"


def _lasting(what: str, whom: str, *seconds: float) -> Callable[[Plan, Random], list[Fault]]:
    def breaks(_: Plan, chance: Random) -> list[Fault]:
        return [Fault(_at(chance), what, whom, int(chance.choice(seconds) * SECOND), chance.randrange(0, 60))]

    return breaks


def _server(what: str, *seconds: float) -> Callable[[Plan, Random], list[Fault]]:
    """One media server, or now and then all of them at once; mostly while a lecture is in session."""

    def breaks(planned: Plan, chance: Random) -> list[Fault]:
        at, lasts = _in_session(planned, chance), int(chance.choice(seconds) * SECOND)
        names = planned.servers if chance.random() < 0.15 else (chance.choice(planned.servers),)
        return [Fault(at, what, MEDIA + name, lasts) for name in names]

    return breaks


def _killed(planned: Plan, chance: Random) -> list[Fault]:
    """It dies at some await after an instant, once or again and again, and is back after a while."""
    return [
        Fault(_at_work(planned, chance), "kill", _somebody(planned, chance),
              int(chance.choice((0.2, 2, 10, 40)) * SECOND), chance.randrange(0, 40))
        for _ in range(chance.choice((1, 2, 4)))
    ]  # fmt: skip


def _killed_with(planned: Plan, chance: Random) -> list[Fault]:
    """Whichever holds an effect of a kind dies at some await while it does; others may in their turn."""
    kind, at = chance.choice(KINDS), _at_work(planned, chance)
    return [
        Fault(at, KILL_WITH + kind, f"scheduler{number}", int(chance.choice((0.2, 2, 10, 40)) * SECOND),
              chance.randrange(0, 20))
        for number in range(len(planned.skews))
    ]  # fmt: skip


def _all_killed(planned: Plan, chance: Random) -> list[Fault]:
    at, lasts = _at(chance), int(chance.choice((2, 30, 120)) * SECOND)
    return [Fault(at, "kill", f"scheduler{n}", lasts, 0) for n in range(len(planned.skews))]


def _hangs(planned: Plan, chance: Random) -> list[Fault]:
    """It stands still, mostly for longer than its leases, and then goes on."""
    return [
        Fault(_at_work(planned, chance), "hang", _somebody(planned, chance),
              int(chance.choice((3, 20, 40)) * SECOND), chance.randrange(0, 80))
        for _ in range(chance.choice((1, 2)))
    ]  # fmt: skip


def _clock_jumps(planned: Plan, chance: Random) -> list[Fault]:
    size = int(chance.choice((-1, 1)) * chance.uniform(2, 30) * SECOND)
    return [Fault(_at(chance), "clock", _somebody(planned, chance), 0, size)]


def _drains(planned: Plan, chance: Random) -> list[Fault]:
    """Settings are changed and changed back: schedulers are started again with them one after the other."""
    if len(planned.servers) == 1:
        return []
    server = MEDIA + chance.choice(planned.servers)
    return [Fault(_at(chance), "drain", server, int(chance.choice((40, 120)) * SECOND))]


def _cut_off(planned: Plan, chance: Random) -> list[Fault]:
    """One scheduler does not reach a media server that others reach; `size` is the number of the server."""
    number = chance.randrange(len(planned.servers))
    return [
        Fault(_at(chance), "cut", _somebody(planned, chance), int(chance.choice((8, 60)) * SECOND), number)
    ]


def _recorder(what: str, *seconds: float) -> Callable[[Plan, Random], list[Fault]]:
    def breaks(planned: Plan, chance: Random) -> list[Fault]:
        return [
            Fault(int(chance.uniform(0, LAST_MS)), what,
                  f"recorder{chance.randrange(len(planned.recorder_skews))}",
                  int(chance.choice(seconds) * SECOND), chance.randrange(0, 200))
            for _ in range(chance.choice((1, 2)) if planned.recorder_skews else 0)
        ]  # fmt: skip

    return breaks


def _shelf(what: str, *seconds: float) -> Callable[[Plan, Random], list[Fault]]:
    def breaks(planned: Plan, chance: Random) -> list[Fault]:
        at, lasts = int(chance.uniform(0, LAST_MS)), int(chance.choice(seconds) * SECOND)
        return [Fault(at, what, "shelf", lasts)] if planned.recorder_skews else []

    return breaks


FAULTS: dict[str, Callable[[Plan, Random], list[Fault]]] = {
    "scheduler killed": _killed,
    "scheduler killed at work": _killed_with,
    "all schedulers killed": _all_killed,
    "scheduler hangs": _hangs,
    "clock jumps": _clock_jumps,
    "scheduler cut off": _cut_off,
    "site killed": _lasting("kill", "site", 0.5, 5),
    "media server dies": _server("crash", 0.5, 5, 40, 90),
    "media server away": _server("away", 1, 10, 60),
    "media server refuses": _server("refuse", 5, 30),
    "media server drains": _drains,
    "database away": _lasting("away", "database", 1, 8, 30),
    "database restarts": _lasting("crash", "database", 0.1, 3),
    "mail away": _lasting("away", "mail", 5, 30, 60),
    "mail slow": _lasting("slow", "mail", 20, 60),
    "recorder killed": _recorder("kill", 0.5, 5, 40),
    "recorder hangs": _recorder("hang", 5, 30),
    "storage away": _shelf("away", 5, 40),
    "storage full": _shelf("full", 5, 40),
}
OFTEN = {"scheduler killed": 3, "scheduler killed at work": 6, "media server dies": 3, "media server away": 2}
"""How much more often than once some of them happen."""
