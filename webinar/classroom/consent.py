"""Before somebody comes in they are told what is kept of them, and agree to being recorded.

The version belongs to the text on the page before the room (templates/classroom/texts.html): whoever
changes what it says raises it, and everybody is told again.
"""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from webinar.classroom.tables import ConsentRow
from webinar.core.database import insert_into
from webinar.core.errors import Refused
from webinar.lectures.rules import Lecture, Registration

NOTICE_VERSION = 1
NOTICE, RECORDING = "notice", "recording"


class NoticeUnread(Refused):
    """The page shows the notice, and sends its version with the next admission."""

    code = "notice_unread"
    status = 428
    message = "Please read what is noted and recorded, then enter the room."


def kinds(lecture: Lecture) -> tuple[str, ...]:
    """What has to be agreed to before coming into a lecture."""
    return (NOTICE, RECORDING) if lecture.recorded else (NOTICE,)


async def given(session: AsyncSession, lecture: Lecture, seat: Registration) -> bool:
    """Whether everything was agreed to, in the present version of the text."""
    found = await session.scalars(
        select(ConsentRow.kind).where(
            ConsentRow.registration_id == seat.id, ConsentRow.version == NOTICE_VERSION
        )
    )
    return set(kinds(lecture)) <= set(found)


async def give(
    session: AsyncSession, lecture: Lecture, seat: Registration, *, version: object, language: str, now: int
) -> None:
    """Record that the notice was shown and the room entered; twice is once.

    Raises:
        NoticeUnread: it was not the present text.
    """
    # True would equal 1.
    if type(version) is not int or version != NOTICE_VERSION:
        raise NoticeUnread
    for kind in kinds(lecture):
        await session.execute(
            insert_into(session, ConsentRow)
            .values(
                lecture_id=lecture.id,
                registration_id=seat.id,
                person_id=seat.person_id,
                kind=kind,
                version=NOTICE_VERSION,
                language=language,
                at=now,
            )
            .on_conflict_do_nothing(index_elements=["registration_id", "kind", "version"])
        )
