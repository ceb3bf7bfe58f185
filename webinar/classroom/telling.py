"""What everybody in a room is told of the lecture itself: its state, its end, its breaks."""

from sqlalchemy.ext.asyncio import AsyncSession

from webinar.classroom import service
from webinar.core.audit import Actor
from webinar.core.database import Database
from webinar.lectures import changes
from webinar.lectures.change_rules import breaks_of
from webinar.lectures.rules import IN_SESSION, Lecture, Window
from webinar.media.port import RoomMedia

TOPIC = "lecture"


def state_of(lecture: Lecture, window: Window) -> dict[str, object]:
    """As the room's page reads it; instants in Unix ms, `breaks` of the official time in order."""
    return {
        "state": lecture.state.value,
        "starts_at": lecture.starts_at,
        "ends_at": lecture.closes_at,
        "breaks": [list(span) for span in breaks_of(window)],
    }


async def tell(
    database: Database, media: RoomMedia, lecture: Lecture, window: Window, *, reason: str = ""
) -> None:
    """Tell the rooms at once; whoever misses it finds it when the page asks how they stand."""
    more = {"reason": reason} if reason else {}
    await service.broadcast(database, media, lecture.id, TOPIC, {**state_of(lecture, window), **more})


async def tell_inside(
    database: Database, media: RoomMedia, before: Lecture, after: Lecture, window: Window, *, reason: str = ""
) -> None:
    """Tell the rooms of a change, if one stands open before or after it: else nobody is inside."""
    if before.state in IN_SESSION or after.state in IN_SESSION:
        await tell(database, media, after, window, reason=reason)


async def change_lecturers(
    session: AsyncSession, lecture: Lecture, person_ids: list[str], *, now: int, actor: Actor, link_key: bytes
) -> Lecture:
    """Who lectures; whoever does no longer is put out of a room that stands open."""
    after, gone = await changes.change_lecturers(
        session, lecture, person_ids, now=now, actor=actor, link_key=link_key
    )
    if after.state in IN_SESSION:
        for seat in gone:
            await service.owe_removal(session, seat, now)
    return after
