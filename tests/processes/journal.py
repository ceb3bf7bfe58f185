"""A process that runs effects of kind `note` and keeps a journal of them; and the judge of journals.

Each line is written with one call to a file that all processes append to, so that their order is the
order in which things happened: `begin <effect> <fence> <pid>`, `end …`, and by whoever kills,
`killed - - <pid>`.

Run as a process it takes the database's URL, the lease in ms, the journal's path and how long a handler
takes in ms, at least and at most; it works until it is told to stop.
"""

import asyncio
import os
import random
import signal
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from webinar.core.clock import DatabaseClock, SystemClock
from webinar.core.database import Database
from webinar.core.effects import Done, Outcome
from webinar.core.effects_rules import Effect
from webinar.core.effects_runner import Runner
from webinar.core.wake import Wake


class Journal:
    """Appends lines; each is one write of its own."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def say(self, what: str, effect: str = "-", fence: str = "-", pid: int | None = None) -> None:
        os.write(self._file, f"{what} {effect} {fence} {pid or os.getpid()}\n".encode())


@dataclass(frozen=True, slots=True)
class Verdict:
    """How many effects were run at all, by two at once, and more than once (after a death)."""

    ran: int
    twice_at_once: int
    repeated: int


def judge(lines: Iterable[str]) -> Verdict:
    """Read a journal. Who was killed holds nothing from then on."""
    holders: dict[str, set[str]] = {}
    begun: Counter[str] = Counter()
    twice = 0
    for line in lines:
        what, effect, _, pid = line.split()
        if what == "begin":
            begun[effect] += 1
            held = holders.setdefault(effect, set())
            twice += bool(held)
            held.add(pid)
        elif what == "end":
            holders[effect].discard(pid)
        else:
            for held in holders.values():
                held.discard(pid)
    return Verdict(len(begun), twice, sum(count - 1 for count in begun.values()))


async def main(url: str, lease_ms: int, path: Path, takes_ms: tuple[float, float]) -> None:
    db, journal, stop = Database(url), Journal(path), asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)

    async def note(effect: Effect) -> Outcome:
        journal.say("begin", str(effect.id), str(effect.fence))
        await asyncio.sleep(random.uniform(*takes_ms) / 1000)
        journal.say("end", str(effect.id), str(effect.fence))
        return Done()

    wake = Wake(db)
    await wake.start()
    clock = DatabaseClock(SystemClock())
    places = dict.fromkeys(("note",), 64)
    runner = Runner(db, {"note": note}, clock, lease_ms=lease_ms, freed=wake.ring, places=places)
    while not stop.is_set():
        due = await runner.step()
        await wake.wait(0.5 if due is None else min(0.5, max(0.0, (due - clock.now()) / 1000)))
    await runner.close()
    await wake.close()
    await db.close()


if __name__ == "__main__":
    url, lease, path, least, most = sys.argv[1:]
    asyncio.run(main(url, int(lease), Path(path), (float(least), float(most))))
