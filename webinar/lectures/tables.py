"""Lectures, their official windows, rooms and registrations."""

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from webinar.core.reason_rules import LONGEST_REASON
from webinar.core.tables import Base, Id, Ms, Sequence64

# Written out and not bound, here and in the index of these rooms alike, so that closed ones cost nothing.
STANDING = text("state <> 'closed'")


class LectureRow(Base):
    __tablename__ = "lectures"
    __table_args__ = (
        ForeignKeyConstraint(["policy_id", "policy_version"], ["policies.id", "policies.version"]),
        Index("ix_lectures_institution_starts_at", "institution_id", "starts_at", "id"),
        Index("ix_lectures_unit", "unit_id"),
        CheckConstraint("ends_at > starts_at", name="ends_after_start"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    institution_id: Mapped[str] = mapped_column(ForeignKey("units.id"))
    unit_id: Mapped[str] = mapped_column(ForeignKey("units.id"))
    title: Mapped[str] = mapped_column(String(200))
    description: Mapped[str] = mapped_column(Text, default="")
    # Wall time "2026-11-25T09:00" and IANA zone are what was agreed; the instants follow from them.
    starts_wall: Mapped[str] = mapped_column(String(16))
    ends_wall: Mapped[str] = mapped_column(String(16))
    zone: Mapped[str] = mapped_column(String(40))
    starts_at: Mapped[int] = mapped_column(Ms)
    ends_at: Mapped[int] = mapped_column(Ms)
    # Hundredths of a JP.
    jp: Mapped[int] = mapped_column(Integer)
    policy_id: Mapped[str] = mapped_column(Id)
    policy_version: Mapped[int] = mapped_column(Integer)
    recorded: Mapped[bool] = mapped_column(Boolean)
    capacity: Mapped[int | None] = mapped_column(Integer)
    # draft, scheduled, open, live, ended, final, archived, cancelled
    state: Mapped[str] = mapped_column(String(12))
    # Minutes the room opens before the start, and how long the lecture may overrun its end.
    open_before_s: Mapped[int] = mapped_column(Integer)
    overrun_s: Mapped[int] = mapped_column(Integer)
    # "schedule": live at the official start; "host": live when the host starts.
    live_by: Mapped[str] = mapped_column(String(8))
    # The present end, moved by "extend"; ends_at stays as it was scheduled.
    closes_at: Mapped[int] = mapped_column(Ms)
    # It ends when all its rooms have been empty for so long after the planned end; None: not for that.
    empty_after_s: Mapped[int | None] = mapped_column(Integer)
    # The same before the planned end, because the organiser chose so.
    empty_early: Mapped[bool] = mapped_column(Boolean, default=False)
    opened_at: Mapped[int | None] = mapped_column(Ms)
    live_at: Mapped[int | None] = mapped_column(Ms)
    ended_at: Mapped[int | None] = mapped_column(Ms)
    final_at: Mapped[int | None] = mapped_column(Ms)
    # A room tried out by an organiser: no invites, no hours, closed when it is left.
    trial: Mapped[bool] = mapped_column(Boolean, default=False)
    # SEQUENCE of the calendar invites (RFC 5546).
    sequence: Mapped[int] = mapped_column(Integer, default=0)
    version: Mapped[int] = mapped_column(Integer, default=1)
    created_by: Mapped[str | None] = mapped_column(Id)
    created_at: Mapped[int] = mapped_column(Ms)
    updated_at: Mapped[int] = mapped_column(Ms)


class WindowRow(Base):
    """The official window as an organiser fixed it; the newest counts, none means the schedule."""

    __tablename__ = "lecture_windows"

    id: Mapped[int] = mapped_column(Sequence64, primary_key=True, autoincrement=True)
    lecture_id: Mapped[str] = mapped_column(ForeignKey("lectures.id"), index=True)
    # [[start_ms, end_ms], …] in order, without overlap.
    spans: Mapped[list[list[int]]] = mapped_column(JSON)
    reason: Mapped[str] = mapped_column(String(LONGEST_REASON))
    set_by: Mapped[str | None] = mapped_column(Id)
    set_at: Mapped[int] = mapped_column(Ms)


class RegistrationRow(Base):
    """A person's seat in a lecture: as lecturer, participant or organiser."""

    __tablename__ = "registrations"
    __table_args__ = (
        UniqueConstraint("lecture_id", "person_id"),
        UniqueConstraint("seat"),
        UniqueConstraint("link_digest"),
        Index("ix_registrations_person", "person_id"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    institution_id: Mapped[str] = mapped_column(ForeignKey("units.id"))
    lecture_id: Mapped[str] = mapped_column(ForeignKey("lectures.id"))
    person_id: Mapped[str] = mapped_column(ForeignKey("persons.id"))
    # lecturer, participant, organiser
    role: Mapped[str] = mapped_column(String(12))
    # Random; the name of this seat on the media server, which others can see.
    seat: Mapped[str] = mapped_column(String(16))
    # registered, cancelled
    state: Mapped[str] = mapped_column(String(12))
    link_generation: Mapped[int] = mapped_column(Integer, default=1)
    link_digest: Mapped[str] = mapped_column(String(64))
    # Put out of the room by the host; stays out until let in again.
    removed_at: Mapped[int | None] = mapped_column(Ms)
    removed_reason: Mapped[str | None] = mapped_column(String(300))
    created_at: Mapped[int] = mapped_column(Ms)


class RoomRow(Base):
    """A room of a lecture on a media server; a lecture may have several."""

    __tablename__ = "rooms"
    __table_args__ = (
        UniqueConstraint("name"),
        # Those that are to be looked after, however many there ever were.
        Index(
            "ix_rooms_standing",
            "media_server",
            sqlite_where=STANDING,
            postgresql_where=STANDING,
        ),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    lecture_id: Mapped[str] = mapped_column(ForeignKey("lectures.id"), index=True)
    # main, breakout, second
    kind: Mapped[str] = mapped_column(String(12))
    # 0 is the main room, whose title is the lecture's.
    position: Mapped[int] = mapped_column(Integer, default=0)
    title: Mapped[str] = mapped_column(String(80), default="")
    # Whether it shall stand while the lecture is in session; `state` is how it does.
    needed: Mapped[bool] = mapped_column(Boolean, default=True)
    name: Mapped[str] = mapped_column(String(64))
    # wanted, open, closing, closed, lost
    state: Mapped[str] = mapped_column(String(8))
    media_server: Mapped[str] = mapped_column(String(40))
    # How many people were expected when it was placed there.
    expected: Mapped[int] = mapped_column(Integer, default=1, server_default="1")
    sid: Mapped[str | None] = mapped_column(String(40))
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    last_error: Mapped[str | None] = mapped_column(Text)
    opened_at: Mapped[int | None] = mapped_column(Ms)
    closed_at: Mapped[int | None] = mapped_column(Ms)
    # What the last look found: written only when it changes.
    occupied: Mapped[bool] = mapped_column(Boolean, default=False)
    left_at: Mapped[int | None] = mapped_column(Ms)


class RoomPlaceRow(Base):
    """Which room of a kind a seat was given; who has none chooses."""

    __tablename__ = "room_places"

    registration_id: Mapped[str] = mapped_column(ForeignKey("registrations.id"), primary_key=True)
    # breakout, second
    kind: Mapped[str] = mapped_column(String(12), primary_key=True)
    lecture_id: Mapped[str] = mapped_column(ForeignKey("lectures.id"), index=True)
    room_id: Mapped[str] = mapped_column(ForeignKey("rooms.id"))
