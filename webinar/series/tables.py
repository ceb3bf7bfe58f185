"""Series of lectures, their numbered editions, and who is registered for all of them."""

from typing import Any

from sqlalchemy import JSON, Boolean, ForeignKey, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from webinar.core.tables import Base, Id, Ms


class SeriesRow(Base):
    __tablename__ = "series"
    __table_args__ = (Index("ix_series_institution", "institution_id", "created_at", "id"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    institution_id: Mapped[str] = mapped_column(ForeignKey("units.id"))
    unit_id: Mapped[str] = mapped_column(ForeignKey("units.id"))
    # As the newest change of "all that follow" left it.
    title: Mapped[str] = mapped_column(String(200))
    # RRULE (RFC 5545) without COUNT and UNTIL: how it ends is how many editions there are.
    rule: Mapped[str] = mapped_column(String(120))
    # The wall time "2026-11-25T09:00" that the rule counts from.
    first_wall: Mapped[str] = mapped_column(String(16))
    # Leaves out days that are national holidays.
    skips_holidays: Mapped[bool] = mapped_column(Boolean)
    # Days by which later changes have moved all that follow off the rule's own days.
    shift_days: Mapped[int] = mapped_column(Integer, default=0)
    version: Mapped[int] = mapped_column(Integer, default=1)
    created_by: Mapped[str | None] = mapped_column(Id)
    created_at: Mapped[int] = mapped_column(Ms)
    updated_at: Mapped[int] = mapped_column(Ms)


class EditionRow(Base):
    """Which edition of which series a lecture is."""

    __tablename__ = "series_editions"
    __table_args__ = (UniqueConstraint("series_id", "number"),)

    lecture_id: Mapped[str] = mapped_column(ForeignKey("lectures.id"), primary_key=True)
    series_id: Mapped[str] = mapped_column(ForeignKey("series.id"))
    number: Mapped[int] = mapped_column(Integer)
    # The wall time that the rule gave it; where the next one is counted from.
    slot: Mapped[str] = mapped_column(String(16))
    # What the series last gave it, by field. Where the lecture differs, it was changed alone.
    given: Mapped[dict[str, Any]] = mapped_column(JSON)
    # What a change of all that follow asks for and is not carried out yet; null for nothing.
    wanted: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))


class SlotRow(Base):
    """An edition that is still to be made, or could not be; gone in the transaction that makes it."""

    __tablename__ = "series_slots"

    series_id: Mapped[str] = mapped_column(ForeignKey("series.id"), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True)
    # The wall time that the rule gave it.
    slot: Mapped[str] = mapped_column(String(16))
    # (kind, id) of whoever asked for it, as the audit trail names them.
    asked_by: Mapped[list[Any]] = mapped_column(JSON)
    # Why it could not be made: gettext sources with their fields; null while it is still to be made.
    refused: Mapped[list[Any] | None] = mapped_column(JSON(none_as_null=True))


class MemberRow(Base):
    """Somebody registered for the whole series: gets a seat in each edition that lies ahead."""

    __tablename__ = "series_members"
    __table_args__ = (Index("ix_series_members_person", "person_id"),)

    series_id: Mapped[str] = mapped_column(ForeignKey("series.id"), primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("persons.id"), primary_key=True)
    # joining, joined, leaving, left
    state: Mapped[str] = mapped_column(String(8))
    changed_at: Mapped[int] = mapped_column(Ms)
