"""How events are grouped on their way to the disk, and what the receiver's process needs."""

import asyncio
import subprocess
import sys
from collections.abc import Sequence

import pytest

from webinar.evidence.append import TURNS, StoreAway, WebhookLog
from webinar.evidence.append_rules import LARGEST_INTEGER, Row, row_of
from webinar.media.webhook import WebhookEvent


def an_event(number: int = 1, **more: object) -> WebhookEvent:
    fields = {
        "event_id": f"EV_{number}",
        "event": "participant_joined",
        "room_name": "lecture.main",
        "room_sid": "RM_1",
        "participant_sid": "PA_1",
        "identity": "seat.tab",
        "kind": "STANDARD",
        "joined_at_ms": 1,
        "created_at_s": 1,
        "disconnect_reason": "",
        "hidden": True,
        "body_sha256": "0" * 64,
    }
    return WebhookEvent(**(fields | more))  # type: ignore[arg-type]  # fields of the dataclass


class Disk:
    """A writer that commits when it is told to, and fails while it is broken."""

    def __init__(self) -> None:
        self.groups: list[list[str]] = []
        self.free = asyncio.Event()
        self.broken = False

    async def write(self, rows: Sequence[Row]) -> None:
        await self.free.wait()
        if self.broken:
            raise OSError
        self.groups.append([row.event_id for row in rows])

    async def ask(self) -> None:
        if self.broken:
            raise OSError

    async def close(self) -> None:
        self.free.set()


async def started(disk: Disk, wait_s: float = 3.0) -> WebhookLog:
    log = WebhookLog(disk, wait_s=wait_s)
    await log.start()
    return log


async def test_an_event_is_committed_at_once_when_idle_and_those_that_wait_together() -> None:
    disk = Disk()
    log = await started(disk)
    first = asyncio.create_task(log.append(an_event(1), 0))
    for _ in range(TURNS + 2):
        await asyncio.sleep(0)
    others = [asyncio.create_task(log.append(an_event(n), 0)) for n in (2, 3, 4)]
    await asyncio.sleep(0)
    assert not first.done()
    disk.free.set()
    await asyncio.gather(first, *others)
    assert disk.groups == [["EV_1"], ["EV_2", "EV_3", "EV_4"]]
    await log.close()


async def test_a_disk_that_fails_is_told_and_the_log_lives_on() -> None:
    disk = Disk()
    log = await started(disk)
    disk.free.set()
    disk.broken = True
    with pytest.raises(StoreAway):
        await log.append(an_event(1), 0)
    assert not await log.ready()
    disk.broken = False
    await log.append(an_event(1), 0)
    assert (disk.groups, await log.ready()) == ([["EV_1"]], True)
    await log.close()


async def test_nobody_waits_longer_than_a_few_seconds() -> None:
    disk = Disk()
    log = await started(disk, wait_s=0.05)
    with pytest.raises(StoreAway):
        await log.append(an_event(), 0)
    disk.free.set()
    await log.close()


async def test_who_waits_is_told_in_time_also_while_a_write_hangs() -> None:
    disk = Disk()
    log = await started(disk, wait_s=0.2)
    loop = asyncio.get_running_loop()
    began = loop.time()
    hanging = asyncio.create_task(log.append(an_event(1), 0))
    await asyncio.sleep(0.1)
    behind = asyncio.create_task(log.append(an_event(2), 0))
    told = await asyncio.gather(hanging, behind, return_exceptions=True)
    assert [type(one) for one in told] == [StoreAway, StoreAway]
    assert loop.time() - began < 1
    disk.free.set()
    await log.append(an_event(3), 0)
    await log.close()


async def test_closing_stores_what_waits_and_takes_nothing_more() -> None:
    disk = Disk()
    log = await started(disk)
    waiting = [asyncio.create_task(log.append(an_event(n), 0)) for n in range(3)]
    await asyncio.sleep(0)
    closing = asyncio.create_task(log.close())
    await asyncio.sleep(0)
    with pytest.raises(StoreAway):
        await log.append(an_event(9), 0)
    disk.free.set()
    await asyncio.gather(closing, *waiting)
    assert sorted(one for group in disk.groups for one in group) == ["EV_0", "EV_1", "EV_2"]


def test_a_row_is_what_every_database_takes() -> None:
    odd = an_event(room_name="r\x00" * 99, identity="\ud800", joined_at_ms=2**80, created_at_s=-(2**80))
    row = row_of(odd, 5)
    assert (row.room_name, row.identity) == ("r" * 64, "?")
    assert (row.joined_at_ms, row.created_at_s) == (LARGEST_INTEGER, -LARGEST_INTEGER)


def test_a_room_event_has_no_participant() -> None:
    row = row_of(an_event(event="room_started", participant_sid="", identity=""), 5)
    assert (row.participant_sid, row.identity, row.kind, row.reason) == (None, None, None, None)


def test_the_receiver_needs_only_media_evidence_and_core() -> None:
    """So that a deploy of the site, or a fault in it, loses no event."""
    code = "import sys, webinar.web.hooks; print(*sorted(m for m in sys.modules if m.startswith('webinar.')))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    nouns = {name.split(".")[1] for name in told.split()} - {"web"}
    assert nouns <= {"core", "media", "evidence"}
    assert {name for name in told.split() if name.startswith("webinar.web.")} == {"webinar.web.hooks"}
