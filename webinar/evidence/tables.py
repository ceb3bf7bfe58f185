"""Evidence of who was where: append-only facts, each with its source."""

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from webinar.core.tables import Base, Ms, Sequence64


class WebhookRow(Base):
    """A signed event of the media server. Named fields and the body's digest, never the body."""

    __tablename__ = "evidence_webhooks"
    __table_args__ = (UniqueConstraint("event_id"), Index("ix_evidence_webhooks_room", "room_name", "id"))

    id: Mapped[int] = mapped_column(Sequence64, primary_key=True, autoincrement=True)
    event_id: Mapped[str] = mapped_column(String(64))
    event: Mapped[str] = mapped_column(String(40))
    room_name: Mapped[str] = mapped_column(String(64))
    room_sid: Mapped[str] = mapped_column(String(40))
    participant_sid: Mapped[str | None] = mapped_column(String(40))
    identity: Mapped[str | None] = mapped_column(String(64))
    # standard, sip, egress, ingress, agent
    kind: Mapped[str | None] = mapped_column(String(12))
    # Unix ms of the participant's creation, by the media server's clock.
    joined_at_ms: Mapped[int | None] = mapped_column(Ms)
    # Whole seconds, by the media server's clock.
    created_at_s: Mapped[int] = mapped_column(BigInteger)
    reason: Mapped[str | None] = mapped_column(String(32))
    received_at: Mapped[int] = mapped_column(Ms)
    body_sha256: Mapped[str] = mapped_column(String(64))


class SweepRow(Base):
    """Who the media server said was in a room at an instant; one row a room and look."""

    __tablename__ = "evidence_sweeps"
    __table_args__ = (Index("ix_evidence_sweeps_room", "room_name", "id"),)

    id: Mapped[int] = mapped_column(Sequence64, primary_key=True, autoincrement=True)
    room_name: Mapped[str] = mapped_column(String(64))
    # None when the room was absent.
    room_sid: Mapped[str | None] = mapped_column(String(40))
    at: Mapped[int] = mapped_column(Ms)
    # [[identity, participant_sid, kind, joined_at_ms], …], those that are connected.
    participants: Mapped[list[list[object]]] = mapped_column(JSON)


class HeartbeatRow(Base):
    """Signs of life of a classroom page; one row a connection and minute."""

    __tablename__ = "evidence_heartbeats"
    __table_args__ = (Index("ix_evidence_heartbeats_lecture", "lecture_id"),)

    registration_id: Mapped[str] = mapped_column(ForeignKey("registrations.id"), primary_key=True)
    # <seat>.<tab>, the identity on the media server.
    identity: Mapped[str] = mapped_column(String(64), primary_key=True)
    # Which connection of that identity ("" when the page did not know): a page that comes back within the
    # same minute under the same identity must not hide when the first one fell silent.
    participant_sid: Mapped[str] = mapped_column(String(40), primary_key=True, default="")
    # Unix minutes, by our clock.
    minute: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    lecture_id: Mapped[str] = mapped_column(ForeignKey("lectures.id"))
    first_at: Mapped[int] = mapped_column(Ms)
    last_at: Mapped[int] = mapped_column(Ms)
    beats: Mapped[int] = mapped_column(Integer)
    visible: Mapped[int] = mapped_column(Integer)
    # When the page said that it is being left.
    left_at: Mapped[int | None] = mapped_column(Ms)
