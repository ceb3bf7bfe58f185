"""Recordings and their files; the bytes are in the storage, under keys made of these ids."""

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from webinar.core.tables import Base, Id, Ms


class RecordingRow(Base):
    __tablename__ = "recordings"
    __table_args__ = (Index("ix_recordings_state", "state"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    institution_id: Mapped[str] = mapped_column(ForeignKey("units.id"))
    lecture_id: Mapped[str] = mapped_column(ForeignKey("lectures.id"), unique=True)
    # wanted, recording, paused (no space), finishing, ready, failed, withdrawn
    state: Mapped[str] = mapped_column(String(12))
    worker: Mapped[str | None] = mapped_column(String(80))
    lease_until: Mapped[int | None] = mapped_column(Ms)
    fence: Mapped[int] = mapped_column(BigInteger, default=0)
    started_at: Mapped[int | None] = mapped_column(Ms)
    ended_at: Mapped[int | None] = mapped_column(Ms)
    duration_ms: Mapped[int] = mapped_column(BigInteger, default=0)
    bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    last_error: Mapped[str | None] = mapped_column(Text)
    published_at: Mapped[int | None] = mapped_column(Ms)
    expires_at: Mapped[int | None] = mapped_column(Ms)


class RecordingFileRow(Base):
    """An init segment or a media segment, in order."""

    __tablename__ = "recording_files"
    __table_args__ = (UniqueConstraint("recording_id", "name"),)

    recording_id: Mapped[str] = mapped_column(ForeignKey("recordings.id"), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True)
    # init, segment
    kind: Mapped[str] = mapped_column(String(8))
    name: Mapped[str] = mapped_column(String(40))
    duration_ms: Mapped[int] = mapped_column(Integer)
    bytes: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64))
    # Unix ms of the first frame.
    starts_at: Mapped[int] = mapped_column(Ms)
