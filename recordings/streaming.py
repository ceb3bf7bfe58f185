"""Watching a lecture while it runs, without a seat in the room: the recording as it grows.

For phones that cannot bear a video call, and for more people than a room holds. Whoever watches was told
what is kept, like everybody who enters the room; each segment that is handed out is evidence.
"""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from recordings import store
from recordings.playlist import STREAM_SEGMENTS, Entry, stream
from recordings.rules import STREAMING, Recording, Segment
from webinar.classroom import consent, rules
from webinar.core.database import Database
from webinar.core.errors import NotFound, Refused, Unavailable
from webinar.core.grouped import Grouped
from webinar.evidence import fetched
from webinar.evidence.fetched import Fetch
from webinar.lectures.rules import Lecture, Registration

COLLECT_S = 0.25


class NoStream(Refused):
    """The lecture can be watched only in the room so far; the page asks again."""

    code = "no_stream"
    status = 409
    message = "The stream has not begun yet. This page shows it as soon as it does."


class FetchesAway(Unavailable):
    """That a segment was handed out cannot be kept; the player asks again."""

    code = "fetches_away"


async def watched(session: AsyncSession, lecture: Lecture, seat: Registration, now: int) -> Recording:
    """The recording that somebody may watch as it grows.

    Raises:
        NotRegistered, Removed, Cancelled, Ended, TooEarly: as for the room.
        NoticeUnread: they were not told yet what is kept. NoStream: nothing was recorded so far.
    """
    rules.require_welcome(lecture, seat, now)
    if not await consent.given(session, lecture, seat):
        raise consent.NoticeUnread
    recording = await store.of_lecture(session, lecture.id)
    if recording is None or recording.state not in STREAMING or not recording.duration_ms:
        raise NoStream
    return recording


async def playlist(session: AsyncSession, recording: Recording) -> str:
    """What a player asks for every few seconds."""
    newest, before, parts_before = await store.newest_segments(session, recording.id, STREAM_SEGMENTS)
    entries = [Entry(one.name, one.duration_ms, one.started_at) for one in newest]
    return stream(entries, before=before, parts_before=parts_before, ended=recording.ready)


async def part(session: AsyncSession, recording: Recording, name: str) -> Segment:
    """One file of the stream, to be read from storage under its key.

    Raises:
        NotFound: there is no such file.
    """
    found = await store.file(session, recording.id, name)
    if found is None:
        raise NotFound
    return found


class Fetches:
    """Keeps what was handed out to many viewers, together.

    Args:
        collect_s: the least time between two writes.
    """

    def __init__(self, database: Database, *, collect_s: float = COLLECT_S) -> None:
        self._database = database
        self._grouped = Grouped(self._stored, away=FetchesAway, collect_s=collect_s)

    async def tell(self, seat: Registration, segment: Segment, now: int) -> None:
        """Return after the commit; an init file shows nothing, and is no evidence.

        Raises:
            FetchesAway: it could not be stored.
        """
        if segment.duration_ms:
            shows = (segment.started_at, segment.started_at + segment.duration_ms)
            await self._grouped.tell(Fetch(seat.id, seat.lecture_id, *shows, now))

    async def close(self) -> None:
        """Store what waits."""
        await self._grouped.close()

    async def _stored(self, fetches: Sequence[Fetch]) -> Sequence[None]:
        async with self._database.writing() as session:
            await fetched.record(session, fetches)
        return [None] * len(fetches)
