"""What happens to a lecture's room on the media server, and what the audit trail says of it.

Every change asks that the room is still as it was read: two schedulers may look at one lecture when
the first one's lease has run out, and the second change then finds nothing to do.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy.ext.asyncio import AsyncSession

from webinar.core import audit
from webinar.core.audit import SYSTEM, Line
from webinar.lectures import service, store
from webinar.lectures.rules import Lecture, Room, RoomState
from webinar.media.port import MediaUnavailable


@dataclass(frozen=True, slots=True)
class Made:
    """The media server has the room, as it was read, under this SID."""

    lecture: Lecture
    room: Room
    sid: str

    @property
    def stood(self) -> bool:
        """A lecture that was cancelled and restored, or moved by a little, finds its room still open."""
        return self.room.state is RoomState.OPEN

    def after(self, now: int) -> Room:
        return replace(
            self.room if self.stood else self.room.after("open"),
            sid=self.sid,
            opened_at=self.room.opened_at or now,
            attempts=0,
            last_error=None,
            closed_at=None,
        )


async def opened(session: AsyncSession, made: Sequence[Made], now: int) -> Sequence[Made]:
    """These rooms stand, and their lectures are open from now on, if they were not; answers those that were
    still as they had been read."""
    changed = await store.change_rooms(session, [(one.room, one.after(now)) for one in made])
    fresh = [one for one in made if one.room.id in changed]
    await audit.record_many(
        session, [_opened_line(one) for one in fresh if not one.stood], at=now, actor=SYSTEM
    )
    await store.open_scheduled(session, sorted(one.lecture.id for one in fresh), now)
    return fresh


def _opened_line(made: Made) -> Line:
    again = made.room.state is RoomState.LOST
    said = {"room": made.room.name, "title": made.room.title, "again": again, "tries": made.room.attempts + 1}
    return Line(("lecture", made.lecture.id), "room_opened", made.lecture.institution_id, said)


async def failed(session: AsyncSession, room: Room, error: str) -> bool:
    """The media server did not do what we asked; the lecture's page shows why and how often."""
    return await store.change_room(session, room, replace(room, attempts=room.attempts + 1, last_error=error))


async def unreachable(session: AsyncSession, found: Sequence[Room], error: str | None) -> None:
    """Their media server is away, or back without an error; whether the rooms still stand is not known."""
    changes = [(room, replace(room, last_error=error)) for room in found if room.last_error != error]
    if changes:
        await store.change_rooms(session, changes)


async def lost(session: AsyncSession, gone: Sequence[tuple[Lecture, Room]], now: int) -> Sequence[Room]:
    """The media server has the rooms no longer, or others of the same name, or is given up: they are owed at
    once. Answers those that were still as they had been read."""
    changes = [(room, replace(room.after("lose"), attempts=0)) for _, room in gone]
    changed = await store.change_rooms(session, changes)
    fresh = [(lecture, room) for lecture, room in gone if room.id in changed]
    lines = [
        Line(
            ("lecture", lecture.id),
            "room_lost",
            lecture.institution_id,
            {"room": room.name, "title": room.title},
        )
        for lecture, room in fresh
    ]
    await audit.record_many(session, lines, at=now, actor=SYSTEM)
    for ident in sorted({lecture.id for lecture, _ in fresh}):
        await service.owe_reconciling(session, ident, now)
    return [room for _, room in fresh]


async def moved(session: AsyncSession, to: Sequence[tuple[Lecture, Room, str]], now: int) -> None:
    """Rooms that stood on one media server are opened on another."""
    lines = [
        Line(
            ("lecture", lecture.id),
            "room_moved",
            lecture.institution_id,
            {"room": room.name, "title": room.title, "before": room.media_server, "after": server},
        )
        for lecture, room, server in to
    ]
    await audit.record_many(session, lines, at=now, actor=SYSTEM)


async def closing(session: AsyncSession, room: Room) -> Room | None:
    """It is to be closed; None when somebody else changed it in the meantime."""
    if room.state is RoomState.CLOSING:
        return room
    after = replace(room.after("close"), attempts=0, last_error=None)
    return after if await store.change_room(session, room, after) else None


async def closed(session: AsyncSession, lecture: Lecture, room: Room, now: int) -> bool:
    """The media server has ended it, and everybody is out; of one that never stood nothing is told."""
    after = replace(room.after("closed"), closed_at=now, attempts=0, last_error=None)
    if not await store.change_room(session, room, after):
        return False
    if room.has_stood:
        await service.note(session, lecture, "room_closed", now=now, room=room.name, title=room.title)
    return True


async def missed(session: AsyncSession, lecture: Lecture, main: Room | None, now: int) -> None:
    """Its time has passed, and it had no room: nobody could be let in. `error` is why the media server made
    none, "" where nobody asked it to."""
    tried = main is not None and main.attempts > 0
    # Of a server that has come back by now the error is forgotten, but not that it was tried.
    error = (main.last_error or MediaUnavailable.code) if main is not None and tried else ""
    await service.note(session, lecture, "missed", now=now, due_at=lecture.opens_at, error=error)
