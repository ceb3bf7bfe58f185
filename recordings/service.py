"""What can be done about recordings: want, stop, report, finish, replay."""

from sqlalchemy.ext.asyncio import AsyncSession

from recordings import store
from recordings.playlist import Entry, Playlist
from recordings.rules import PAUSING, RecorderState, Recording, Segment
from webinar.core.errors import NotFound
from webinar.lectures import service as lectures
from webinar.lectures import store as lecture_store
from webinar.lectures.rules import Lecture
from webinar.people.access import Scope


async def want(session: AsyncSession, lecture: Lecture) -> None:
    """Have the lecture recorded from now on; one that was recorded already is continued."""
    recording = await store.of_lecture(session, lecture.id, to_change=True)
    if recording is None:
        await store.add(session, lecture.institution_id, lecture.id)
    elif recording.may("want"):
        await store.change(
            session, recording, state=recording.after("want").state.value, ended_at=None, published_at=None
        )


async def stop(session: AsyncSession, lecture_id: str) -> None:
    """Have the recording finished; one that is, or was never wanted, is as good."""
    recording = await store.of_lecture(session, lecture_id, to_change=True)
    if recording is not None and recording.may("stop"):
        await store.change(session, recording, state=recording.after("stop").state.value)


async def report(session: AsyncSession, mine: Recording, state: RecorderState, now: int) -> None:
    """What a recorder says of itself; what changes is on the lecture's timeline."""
    recording = await _held(session, mine)
    if recording is None:
        return
    move = "start" if state is RecorderState.RECORDING else "pause" if state in PAUSING else ""
    if not recording.may(move):
        return
    error = state.value if state in PAUSING else None
    if await store.change(session, recording, state=recording.after(move).state.value, last_error=error):
        await _note(session, recording, "recording_paused" if error else "recording_started", now)


async def finished(session: AsyncSession, mine: Recording, lost_ms: int, now: int) -> None:
    """A recorder has written the end; a recording of nothing has failed."""
    recording = await _held(session, mine)
    if recording is None or not recording.may("complete"):
        return
    move = "complete" if recording.duration_ms else "fail"
    await store.change(
        session,
        recording,
        state=recording.after(move).state.value,
        ended_at=now,
        published_at=now if recording.duration_ms else None,
        last_error=None if recording.duration_ms and not lost_ms else f"lost {lost_ms} ms",
    )
    await _note(session, recording, "recording_ready" if move == "complete" else "recording_failed", now)


async def replay(session: AsyncSession, scope: Scope, lecture_id: str, now: int) -> Recording:
    """The recording of a lecture, for those who were registered, its lecturers and its organisers.

    Raises:
        NotFound: there is none to replay, or not for them.
    """
    await lecture_store.get(session, scope, lecture_id)
    recording = await store.of_lecture(session, lecture_id)
    if recording is None or not recording.playable(now):
        raise NotFound
    return recording


async def replay_file(session: AsyncSession, scope: Scope, lecture_id: str, name: str, now: int) -> Segment:
    """One file of a replay, to be read from storage under its key.

    Raises:
        NotFound: there is no such file, or not for them.
    """
    recording = await replay(session, scope, lecture_id, now)
    found = await store.file(session, recording.id, name)
    if found is None:
        raise NotFound
    return found


async def playlist(session: AsyncSession, recording: Recording) -> str:
    """The playlist of a recording as the database knows it."""
    files = await store.files(session, recording.id)
    entries = [Entry(f.name, f.duration_ms, f.started_at) for f in files if f.duration_ms]
    return Playlist(tuple(entries), ended=recording.ready).render()


async def _held(session: AsyncSession, mine: Recording) -> Recording | None:
    recording = await store.find(session, mine.id, to_change=True)
    return recording if recording is not None and recording.fence == mine.fence else None


async def _note(session: AsyncSession, recording: Recording, action: str, now: int) -> None:
    lecture = await lecture_store.find(session, recording.lecture_id)
    if lecture is not None:
        await lectures.note(session, lecture, action, now=now)
