"""A million webhooks that are forged or broken, with good ones in between, against the real receiver.

The receiver is a process of its own on PostgreSQL with fsync; the requests come as bytes over 32 connections
from `tests/forgeries.py`, every kind of it by turns. One in fifty is good, and each good one is sent twice.
To reach: nothing forged is answered 2xx, nothing at all 5xx, and the table holds each good event once and
nothing else.
"""

import argparse
import asyncio
import json
import os
import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import uvloop
from sqlalchemy import select

from bench.webhook import serving
from tests.forgeries import ALL, good
from tests.servers.postgres import postgres
from tests.wire import CUT, Wire
from webinar.core.database import Database
from webinar.evidence.tables import WebhookRow
from webinar.migrations import upgrade

EVENTS, CONNECTIONS, GOOD_EVERY = 1_000_000, 32, 50
# Bodies of 64 KB and more take most of the time; they come this much more seldom than the others.
LARGE_SHARE = 0.02


@dataclass
class Told:
    """Answers by kind of request: `forged[name][status]`, and those of the good ones."""

    forged: dict[str, Counter[int]] = field(default_factory=dict)
    good: Counter[int] = field(default_factory=Counter)
    sent_good: set[str] = field(default_factory=set)


def figure(name: str, value: float, unit: str, to_reach: float | None, **settings: object) -> None:
    settings["load_average"] = round(os.getloadavg()[0], 1)
    line = {"name": name, "value": round(value, 1), "unit": unit, "to_reach": to_reach, "better": "lower"}
    print(json.dumps(line | {"settings": settings}), flush=True)


def kinds(chance: random.Random) -> Iterator[str]:
    """Names of makers without end; every one comes, the large ones seldom."""
    sizes = {name: len(make("EV_x", chance)) for name, make in ALL.items()}
    while True:
        for name, size in sizes.items():
            if size < 8_000 or chance.random() < LARGE_SHARE:
                yield name


async def line(port: int, number: int, count: int, told: Told) -> None:
    chance, wire = random.Random(number), Wire(port)
    names = kinds(chance)
    for turn in range(count):
        if turn % GOOD_EVERY == GOOD_EVERY - 1:
            ident = f"EV_{number}_{turn // (2 * GOOD_EVERY)}"
            told.sent_good.add(ident)
            told.good[await wire.send(good(ident))] += 1
        else:
            name = next(names)
            status = await wire.send(ALL[name](f"EV_bad_{number}_{turn}", chance))
            told.forged.setdefault(name, Counter())[status] += 1
    wire.close()


async def run(port: int, events: int) -> Told:
    told = Told()
    await asyncio.gather(*(line(port, number, events // CONNECTIONS, told) for number in range(CONNECTIONS)))
    return told


async def stored(url: str) -> Sequence[str]:
    db = Database(url)
    async with db.reading() as session:
        found = (await session.scalars(select(WebhookRow.event_id))).all()
    await db.close()
    return found


def report(told: Told, rows: Sequence[str], seconds: float) -> None:
    every = sum(told.forged.values(), Counter[int]())
    told_all = every + told.good
    settings = {
        "events": told_all.total(),
        "kinds": len(told.forged),
        "good_sent": told.good.total(),
        "good_events": len(told.sent_good),
        "refused_by_status": dict(sorted(every.items())),
        "seconds": round(seconds),
    }
    accepted = sum(count for status, count in every.items() if 200 <= status < 300)
    figure("forged_accepted", accepted, "events", 0, **settings)
    figure("forged_answered_5xx", sum(n for s, n in told_all.items() if s >= 500), "events", 0)
    figure("forged_cut_without_answer", every[CUT], "events", None)
    figure("good_refused", told.good.total() - told.good[200], "events", 0)
    figure("good_not_stored", len(told.sent_good - set(rows)), "events", 0)
    figure("rows_beyond_the_good", len(rows) - len(told.sent_good & set(rows)), "rows", 0)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--events", type=int, default=EVENTS)
    events = arguments.parse_args().events
    with postgres(fsync=True) as server:
        url = asyncio.run(server.create("bench"))
        asyncio.run(upgrade(url))
        with serving("--serve", url) as port:
            began = time.perf_counter()
            told = uvloop.run(run(port, events))
            seconds = time.perf_counter() - began
        report(told, asyncio.run(stored(url)), seconds)


if __name__ == "__main__":
    main()
