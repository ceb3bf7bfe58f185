"""Named queries on chat and raised hands."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from webinar.classroom.tables import ChatMessageRow, HandRow
from webinar.core.database import insert_into
from webinar.lectures.tables import RegistrationRow
from webinar.people.tables import PersonRow


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """`at` in Unix ms; `seat`, `name` and `role` are the author's; `room` a breakout room's id."""

    id: int
    seat: str
    name: str
    role: str
    text: str
    at: int
    room: str | None


@dataclass(frozen=True, slots=True)
class Hand:
    seat: str
    name: str
    raised_at: int


def _messages() -> Any:
    return (
        select(
            ChatMessageRow.id,
            RegistrationRow.seat,
            PersonRow.name,
            RegistrationRow.role,
            ChatMessageRow.text,
            ChatMessageRow.at,
            ChatMessageRow.room_id,
        )
        .join(RegistrationRow, RegistrationRow.id == ChatMessageRow.registration_id)
        .join(PersonRow, PersonRow.id == RegistrationRow.person_id)
    )


async def messages(
    session: AsyncSession, lecture_id: str, *, room_id: str | None = None, after: int = 0, limit: int = 200
) -> list[ChatMessage]:
    """Messages of a breakout room, or of the lecture, that came after one, oldest first; the newest ones when
    nothing was seen yet."""
    query = _messages().where(ChatMessageRow.lecture_id == lecture_id, ChatMessageRow.room_id == room_id)
    if after:
        rows = await session.execute(
            query.where(ChatMessageRow.id > after).order_by(ChatMessageRow.id).limit(limit)
        )
        return [ChatMessage(*row) for row in rows]
    rows = await session.execute(query.order_by(ChatMessageRow.id.desc()).limit(limit))
    return [ChatMessage(*row) for row in reversed(rows.all())]


async def add_message(
    session: AsyncSession,
    *,
    lecture_id: str,
    registration_id: str,
    client_id: str,
    text: str,
    room_id: str | None,
    at: int,
) -> ChatMessage:
    """Store a message once, however often it is sent."""
    await session.execute(
        insert_into(session, ChatMessageRow)
        .values(
            lecture_id=lecture_id,
            registration_id=registration_id,
            client_id=client_id,
            text=text,
            room_id=room_id,
            at=at,
        )
        .on_conflict_do_nothing(index_elements=["registration_id", "client_id"])
    )
    row = await session.execute(
        _messages().where(
            ChatMessageRow.registration_id == registration_id, ChatMessageRow.client_id == client_id
        )
    )
    return ChatMessage(*row.one())


async def hands(session: AsyncSession, lecture_id: str) -> list[Hand]:
    """Raised hands, the longest waiting first."""
    rows = await session.execute(
        select(RegistrationRow.seat, PersonRow.name, HandRow.raised_at)
        .select_from(HandRow)
        .join(RegistrationRow, RegistrationRow.id == HandRow.registration_id)
        .join(PersonRow, PersonRow.id == RegistrationRow.person_id)
        .where(HandRow.lecture_id == lecture_id)
        .order_by(HandRow.raised_at)
    )
    return [Hand(*row) for row in rows]


async def raise_hand(session: AsyncSession, lecture_id: str, registration_id: str, at: int) -> None:
    await session.execute(
        insert_into(session, HandRow)
        .values(lecture_id=lecture_id, registration_id=registration_id, raised_at=at)
        .on_conflict_do_nothing(index_elements=["registration_id"])
    )


async def lower_hand(session: AsyncSession, registration_id: str) -> None:
    await session.execute(delete(HandRow).where(HandRow.registration_id == registration_id))


async def removed_seats(session: AsyncSession, lecture_id: str) -> list[str]:
    rows = await session.execute(
        select(RegistrationRow.seat).where(
            RegistrationRow.lecture_id == lecture_id, RegistrationRow.removed_at.is_not(None)
        )
    )
    return list(rows.scalars())
