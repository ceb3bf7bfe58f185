"""What is said and shown in a room: stored first, then broadcast."""

from sqlalchemy import ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from webinar.core.tables import Base, Id, Ms, Sequence64


class ChatMessageRow(Base):
    __tablename__ = "chat_messages"
    __table_args__ = (
        UniqueConstraint("registration_id", "client_id"),
        Index("ix_chat_messages_lecture", "lecture_id", "id"),
    )

    id: Mapped[int] = mapped_column(Sequence64, primary_key=True, autoincrement=True)
    lecture_id: Mapped[str] = mapped_column(ForeignKey("lectures.id"))
    registration_id: Mapped[str] = mapped_column(ForeignKey("registrations.id"))
    # Chosen by the page, so that a repeated send is one message.
    client_id: Mapped[str] = mapped_column(String(40))
    text: Mapped[str] = mapped_column(Text)
    # The breakout room in which it was said; None: the chat of the whole lecture.
    room_id: Mapped[str | None] = mapped_column(Id)
    at: Mapped[int] = mapped_column(Ms)


class HandRow(Base):
    """A raised hand; the row goes when it is lowered."""

    __tablename__ = "hands"

    registration_id: Mapped[str] = mapped_column(ForeignKey("registrations.id"), primary_key=True)
    lecture_id: Mapped[str] = mapped_column(ForeignKey("lectures.id"), index=True)
    raised_at: Mapped[int] = mapped_column(Ms)


class ConsentRow(Base):
    """Somebody has read what is kept of them, or agreed to be recorded, before coming in."""

    __tablename__ = "consents"
    __table_args__ = (
        UniqueConstraint("registration_id", "kind", "version"),
        Index("ix_consents_person", "person_id"),
    )

    id: Mapped[int] = mapped_column(Sequence64, primary_key=True, autoincrement=True)
    lecture_id: Mapped[str] = mapped_column(ForeignKey("lectures.id"), index=True)
    registration_id: Mapped[str] = mapped_column(ForeignKey("registrations.id"))
    person_id: Mapped[str] = mapped_column(ForeignKey("persons.id"))
    # notice, recording
    kind: Mapped[str] = mapped_column(String(12))
    # Of the text that was shown, and the language in which it was.
    version: Mapped[int] = mapped_column(Integer)
    language: Mapped[str] = mapped_column(String(2))
    at: Mapped[int] = mapped_column(Ms)
