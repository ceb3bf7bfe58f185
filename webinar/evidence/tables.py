"""Evidence of who was where: append-only facts, each with its source."""

from sqlalchemy import JSON, BigInteger, Boolean, ForeignKey, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from webinar.core.tables import Base, Id, Ms, Sequence64


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
    __table_args__ = (Index("ix_evidence_heartbeats_lecture", "lecture_id", "minute"),)

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


class PresenceCheckRow(Base):
    """A question "still here?" at a moment that nobody was told of before."""

    __tablename__ = "presence_checks"
    __table_args__ = (UniqueConstraint("lecture_id", "number"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    lecture_id: Mapped[str] = mapped_column(ForeignKey("lectures.id"))
    # 1, 2, 3 … in the order of their moments.
    number: Mapped[int] = mapped_column(Integer)
    due_at: Mapped[int] = mapped_column(Ms)
    # When it was really asked, and until when it could be answered; None while it was not.
    asked_at: Mapped[int | None] = mapped_column(Ms)
    closes_at: Mapped[int | None] = mapped_column(Ms)


class AnswerRow(Base):
    """An answer to a presence check. Who was asked and did not answer is known from the check itself."""

    __tablename__ = "evidence_answers"
    __table_args__ = (Index("ix_evidence_answers_lecture", "lecture_id"),)

    check_id: Mapped[str] = mapped_column(ForeignKey("presence_checks.id"), primary_key=True)
    registration_id: Mapped[str] = mapped_column(ForeignKey("registrations.id"), primary_key=True)
    lecture_id: Mapped[str] = mapped_column(ForeignKey("lectures.id"))
    identity: Mapped[str] = mapped_column(String(64))
    answered_at: Mapped[int] = mapped_column(Ms)
    # click; speaking: who speaks is not asked
    how: Mapped[str] = mapped_column(String(12))


class ReplayBeatRow(Base):
    """What of a recording was really played; one row a player and minute."""

    __tablename__ = "evidence_replays"
    __table_args__ = (Index("ix_evidence_replays_lecture", "lecture_id", "minute"),)

    registration_id: Mapped[str] = mapped_column(ForeignKey("registrations.id"), primary_key=True)
    # Random, of one opening of the player.
    player: Mapped[str] = mapped_column(String(32), primary_key=True)
    # Unix minutes, by our clock.
    minute: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    lecture_id: Mapped[str] = mapped_column(ForeignKey("lectures.id"))
    recording_id: Mapped[str] = mapped_column(ForeignKey("recordings.id"))
    # [[from_ms, to_ms], …]: which instants of the lecture were shown, in order and apart.
    spans: Mapped[list[list[int]]] = mapped_column(JSON)
    first_at: Mapped[int] = mapped_column(Ms)
    last_at: Mapped[int] = mapped_column(Ms)
    beats: Mapped[int] = mapped_column(Integer)


class SegmentRow(Base):
    """Segments of a lecture that were handed out to a viewer; one row a viewer and minute."""

    __tablename__ = "evidence_segments"
    __table_args__ = (Index("ix_evidence_segments_lecture", "lecture_id", "minute"),)

    registration_id: Mapped[str] = mapped_column(ForeignKey("registrations.id"), primary_key=True)
    minute: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    lecture_id: Mapped[str] = mapped_column(ForeignKey("lectures.id"))
    first_at: Mapped[int] = mapped_column(Ms)
    last_at: Mapped[int] = mapped_column(Ms)
    segments: Mapped[int] = mapped_column(Integer)
    # The instants of the lecture that the first of them begins with and the last ends with.
    from_at: Mapped[int] = mapped_column(Ms)
    to_at: Mapped[int] = mapped_column(Ms)


class RetiredRow(Base):
    """Evidence whose time was over: what is left is how much it was, and its digest."""

    __tablename__ = "retired_evidence"

    lecture_id: Mapped[str] = mapped_column(ForeignKey("lectures.id"), primary_key=True)
    # evidence: webhooks, sweeps, answers, segments; heartbeats
    kind: Mapped[str] = mapped_column(String(12), primary_key=True)
    rows: Mapped[int] = mapped_column(Integer)
    # Of what was retired, as `evidence.digest` computes it; and whether it was still what was settled with.
    sha256: Mapped[str] = mapped_column(String(64))
    matched: Mapped[bool] = mapped_column(Boolean)
    retired_at: Mapped[int] = mapped_column(Ms)
