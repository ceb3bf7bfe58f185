"""What may be left at the end, and what must not have happened on the way.

It looks only at the database's rows, the rooms of the media server and the mails that the mail server took.
"""

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import pairwise

from tests.simulation.schedulers import reels
from tests.simulation.schedulers.parts import Taken
from tests.simulation.schedulers.world import STANDING, World

# From a look into a room to what follows from it: a lease at most.
LOOKED_MS = 15_000
SETTLED = frozenset({"final", "cancelled"})
# What happens once in a life that is not restored or extended, and what each of these begins anew.
ONCE = {"went_live": ("restored", "extended", "rescheduled"), "ended": ("restored", "extended"), "final": ()}

ANEW = frozenset({"restored", "extended", "rescheduled"})


@dataclass(slots=True)
class Verdict:
    """`violations` in words; how many mails went out, and how many of them a second time."""

    violations: list[str] = field(default_factory=list)
    claims: int = 0
    takeovers: int = 0
    mails: int = 0
    repeats: int = 0
    late_ms: Counter[int] = field(default_factory=Counter)
    deaths: Counter[str] = field(default_factory=Counter)
    moves: int = 0
    stays: int = 0
    segments: int = 0


async def judge(world: World) -> Verdict:
    watcher = world.watcher
    verdict = Verdict([*watcher.violations, *world.trouble], watcher.claims, watcher.takeovers)
    verdict.deaths = world.deaths
    verdict.stays = sum(len(visitor.stays) for visitor in world.visitors)
    if not world.plan.broken:
        verdict.late_ms = watcher.late_ms
    with closing(sqlite3.connect(world.disk.path)) as rows:
        _effects(world, rows, verdict)
        _lectures(world, rows, verdict)
        _timelines(rows, verdict)
        _invites(world, rows, verdict)
        _reports(rows, verdict)
        _empty_ends(world, rows, verdict)
        [[verdict.moves]] = rows.execute("SELECT count(*) FROM audit WHERE action = 'room_moved'")
        [[verdict.segments]] = rows.execute("SELECT count(*) FROM recording_files WHERE kind = 'segment'")
        reels.judge(world, rows, verdict.violations)
    _mails(world, verdict)
    for server in world.servers:
        for room in await server.list_rooms():
            verdict.violations.append(f"room {room.name} stands open on {server.name} at the end")
    return verdict


def _effects(world: World, rows: sqlite3.Connection, verdict: Verdict) -> None:
    """Done, skipped with a reason, or parked with an error; some are owed again, later."""
    now = world.now()
    for key, kind, state, due_at, error in rows.execute(
        "SELECT key, kind, state, due_at, last_error FROM effects"
    ):
        later = state == "owed" and kind in STANDING and due_at > now
        if not (state == "done" or later or (state in {"skipped", "parked"} and error)):
            verdict.violations.append(f"effect {key} is {state}, due in {due_at - now} ms: {error}")


def _lectures(world: World, rows: sqlite3.Connection, verdict: Verdict) -> None:
    for ident, state, closes_at in rows.execute("SELECT id, state, closes_at FROM lectures"):
        if state not in SETTLED:
            verdict.violations.append(f"lecture {ident} is {state}, closed at {closes_at - world.now()} ms")
    for name, state in rows.execute("SELECT name, state FROM rooms"):
        if state != "closed":
            verdict.violations.append(f"room {name} is {state} in the database")


def _timelines(rows: sqlite3.Connection, verdict: Verdict) -> None:
    lines: dict[str, list[str]] = defaultdict(list)
    for subject, action in rows.execute(
        "SELECT subject_id, action FROM audit WHERE subject_kind = 'lecture' ORDER BY id"
    ):
        lines[subject].append(action)
    for lecture_id, actions in lines.items():
        for once, anew in ONCE.items():
            count, most = actions.count(once), 1 + sum(actions.count(name) for name in anew)
            if count > most:
                verdict.violations.append(f"{lecture_id} {once} {count} times: {actions}")
        # A room that was wanted anew, and that the media server did not make in time, is closed all the same.
        rooms = [action for action in actions if action.startswith("room_") or action in ANEW]
        for before, after in pairwise(rooms):
            if before == after == "room_opened" or before == after == "room_closed":
                verdict.violations.append(f"{lecture_id} {before} twice in a row: {actions}")


def _invites(world: World, rows: sqlite3.Connection, verdict: Verdict) -> None:
    """Whoever was told last knows the last version, and nobody was told anything twice."""
    mails: dict[str, list[Taken]] = defaultdict(list)
    for mail in world.post.taken:
        if mail.uid:
            mails[mail.uid].append(mail)
    over = {
        key.removeprefix("invite:")
        for (key,) in rows.execute("SELECT key FROM effects WHERE kind = 'invite' AND state = 'skipped'")
    }
    for ident, uid, sequence, method, state, sends in rows.execute(
        "SELECT registration_id, uid, sequence, method, state, sends FROM invites"
    ):
        told = mails.pop(uid, [])
        if state in {"owed", "deferred"} and ident not in over:
            verdict.violations.append(f"invite {uid} is {state}")
        if state == "accepted" and (not told or (told[-1].sequence, told[-1].method) != (sequence, method)):
            verdict.violations.append(f"invite {uid} {method} {sequence} was not told last: {told[-1:]}")
        if len({mail.message_id for mail in told}) > sends + 1:
            verdict.violations.append(f"invite {uid}: {len(told)} mails for {sends + 1} wishes")
        for before, after in pairwise(told):
            if (after.sequence, after.at) < (before.sequence, before.at):
                verdict.violations.append(f"invite {uid}: version {after.sequence} after {before.sequence}")


def _empty_ends(world: World, rows: sqlite3.Connection, verdict: Verdict) -> None:
    """Nobody is sent out of a room because nobody is in it."""
    for lecture_id, at in rows.execute("SELECT subject_id, at FROM audit WHERE action = 'left_empty'"):
        for visitor in world.visitors:
            for stay in visitor.stays:
                # Whoever is in is sent out by the end; who came after the last look was not seen.
                inside = stay.place.since + LOOKED_MS < at <= stay.until
                if stay.place.room == f"{lecture_id}.main" and inside:
                    verdict.violations.append(
                        f"{lecture_id} ended as empty at {at} with {visitor.name} in it"
                    )


def _reports(rows: sqlite3.Connection, verdict: Verdict) -> None:
    for ident, state in rows.execute("SELECT id, state FROM reports WHERE state <> 'ready'"):
        verdict.violations.append(f"report {ident} is {state}")


def _mails(world: World, verdict: Verdict) -> None:
    """A Message-ID comes again, with the same words, only where the write-back was kept from happening."""
    by_id: dict[str, list[Taken]] = defaultdict(list)
    for mail in world.post.taken:
        by_id[mail.message_id].append(mail)
    verdict.mails = len(world.post.taken)
    for message_id, mails in by_id.items():
        for before, after in pairwise(mails):
            verdict.repeats += 1
            if (before.to, before.says) != (after.to, after.says):
                verdict.violations.append(f"{message_id} says something else the second time")
            if not _excused(world.weather.disturbed, before, after):
                verdict.violations.append(f"{message_id} went out twice, at {before} and {after}")


def _excused(disturbed: Sequence[tuple[int, str]], first: Taken, second: Taken) -> bool:
    """Whether one of the two senders died or stood still, or the database did: the first could not write it
    back, or the second one had claimed it before, and goes on when its lease has passed to the first."""
    senders = {mail.sender.rpartition(".")[0] for mail in (first, second)}
    excuses = [f"{sender} {what}" for sender in senders for what in ("died", "hangs", "goes on")]
    return any(
        what.startswith((*excuses, "database"))
        for at, what in disturbed
        if first.at - 60_000 <= at <= second.at
    )
