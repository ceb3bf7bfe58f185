"""10,000 people leave one room within 2 s, told by the media server's own notifier to the real receiver.

`mediaserver/storm` sends the events through LiveKit's webhook package as it is pinned: first with the queue
that `webinar up` sets (`webinar/media/server.py`), then with LiveKit's defaults, which drop nine of ten. The
receiver is a process of its own on PostgreSQL with fsync. Afterwards two sweeps look at the room, as the
scheduler would, and the end of each stay is compared with when its person really left.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from bench.webhook import KEY, SECRET, serving
from tests.servers.postgres import postgres
from webinar.attendance.rules import connections
from webinar.core.database import Database
from webinar.evidence import store
from webinar.evidence.rules import SWEEP_MS
from webinar.evidence.tables import SweepRow, WebhookRow
from webinar.media.server import Ports, ServerOptions, configuration
from webinar.migrations import upgrade
from webinar.web.hooks import PATH

MEDIASERVER = Path(__file__).parents[1] / "mediaserver"
BINARY = MEDIASERVER / "bin" / "webhook-storm"
PEOPLE, OVER_S = 10_000, 2.0
ROOM, SID = "lecture.main", "RM_storm"
# A "left" is told in whole seconds; what is lost is found by a sweep.
SHARP_MS = 2_000


@dataclass(frozen=True)
class Stormed:
    """What the notifier said, and how many people's ends are off by more than they may be."""

    notifier: Mapping[str, Any]
    wrong_before: int
    wrong: int
    worst_ms: int


def figure(name: str, value: float, unit: str, to_reach: float | None, **settings: object) -> None:
    settings["load_average"] = round(os.getloadavg()[0], 1)
    line = {"name": name, "value": round(value, 1), "unit": unit, "to_reach": to_reach, "better": "lower"}
    print(json.dumps(line | {"settings": settings}), flush=True)


def our_queue() -> Mapping[str, Any]:
    """The notifier's queue as the configuration that we write sets it."""
    options = ServerOptions(Ports(1, 2, 3), {KEY: SECRET}, KEY, webhook_urls=("http://localhost",))
    found: Mapping[str, Any] = json.loads(configuration(options))["webhook"]["resource_url_notifier"]
    return found


def identity(number: int) -> str:
    return f"seat{number:05}.abcdefgh"


async def fill(db: Database, people: int, joined_at: int) -> None:
    """Everybody has come in a minute ago, and a sweep has just seen them all."""
    events = [
        {
            "event_id": f"EV_joined{number}",
            "event": "participant_joined",
            "room_name": ROOM,
            "room_sid": SID,
            "participant_sid": f"PA_{number}",
            "identity": identity(number),
            "kind": "standard",
            "joined_at_ms": joined_at,
            "created_at_s": joined_at // 1000,
            "received_at": joined_at,
            "body_sha256": "0" * 64,
        }
        for number in range(people)
    ]
    seen = [[identity(number), f"PA_{number}", "standard", joined_at] for number in range(people)]
    async with db.writing() as session:
        await session.execute(insert(WebhookRow), events)
        look = {"room_name": ROOM, "room_sid": SID, "at": int(time.time() * 1000), "participants": seen}
        await session.execute(insert(SweepRow), [look])


def storm(port: int, people: int, joined_at: int, queue: Mapping[str, Any]) -> Mapping[str, Any]:
    """Let everybody leave; what the notifier says of it."""
    command = [str(BINARY), "-url", f"http://127.0.0.1:{port}{PATH}", "-room", ROOM, "-sid", SID]
    command += ["-over", f"{OVER_S}s"]
    if queue:
        command += ["-max-depth", str(queue["max_depth"]), "-max-age", str(queue["max_age"])]
    lines = "\n".join(f"{identity(number)} PA_{number} {joined_at}" for number in range(people))
    environment = {"STORM_KEY": KEY, "STORM_SECRET": SECRET, "PATH": os.environ.get("PATH", "")}
    done = subprocess.run(
        command, input=lines, env=environment, stdout=subprocess.PIPE, text=True, check=True
    )
    told: Mapping[str, Any] = json.loads(done.stdout)
    return told


async def off(db: Database, people: int, began_ms: int, allowed_ms: int, now: int) -> tuple[int, int]:
    """How many are wrong: still inside, or gone at another instant than is allowed; and the worst's error."""
    async with db.reading() as session:
        evidence = await store.evidence_of(session, "none", [ROOM])
    ends = {one.identity: one.end for one in connections(evidence, now) if not one.open}
    left = {identity(n): began_ms + int(OVER_S * 1000 * n / people) for n in range(people)}
    errors = [abs(ends[who] - at) for who, at in left.items() if who in ends]
    return sum(error > allowed_ms for error in errors) + people - len(errors), max(errors, default=0)


async def sweep_twice(db: Database) -> int:
    """Two looks at an empty room, the second a sweep's interval after the first; the instant after them."""
    at = int(time.time() * 1000)
    async with db.writing() as session:
        for look in (at, at + SWEEP_MS):
            await store.record_sweep(session, room_name=ROOM, room_sid=SID, participants=[], at=look)
    return at + SWEEP_MS + 1


async def _prepared(url: str, people: int, joined_at: int) -> Database:
    await upgrade(url)
    db = Database(url)
    await fill(db, people, joined_at)
    return db


async def run(url: str, people: int, queue: Mapping[str, Any], allowed_ms: int) -> Stormed:
    """One storm on a fresh database."""
    joined_at = int(time.time() * 1000) - 60_000
    db = await _prepared(url, people, joined_at)
    with serving("--serve", url) as port:
        began_ms = int(time.time() * 1000)
        told = await asyncio.to_thread(storm, port, people, joined_at, queue)
        before, _ = await off(db, people, began_ms, allowed_ms, int(time.time() * 1000))
        wrong, worst = await off(db, people, began_ms, allowed_ms, await sweep_twice(db))
    await db.close()
    return Stormed(told, before, wrong, worst)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--people", type=int, default=PEOPLE)
    people = arguments.parse_args().people
    subprocess.run([MEDIASERVER / "build.sh", "--storm"], check=True, stdout=sys.stderr)
    with postgres(fsync=True) as server:
        for name, queue, allowed in (
            ("as_configured", our_queue(), SHARP_MS),
            ("by_default", {}, SWEEP_MS + SHARP_MS),
        ):
            url = asyncio.run(server.create(name))
            told = asyncio.run(run(url, people, queue, allowed))
            settings = {"queue": name, "people": people, "allowed_ms": allowed, **told.notifier}
            reach = 0 if queue else None
            figure(
                "storm_lost", told.notifier["sent"] - told.notifier["delivered"], "events", reach, **settings
            )
            figure("storm_wrong_before_the_sweep", told.wrong_before, "people", None, **settings)
            figure("storm_wrong_after_the_sweep", told.wrong, "people", 0, **settings)
            figure("storm_worst_error", told.worst_ms, "ms", None, **settings)


if __name__ == "__main__":
    main()
