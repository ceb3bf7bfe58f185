"""The ledger of learning hours: append-only, chained by digests, one chain an institution."""

from sqlalchemy import (
    JSON,
    BigInteger,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from webinar.core.reason_rules import LONGEST_REASON
from webinar.core.tables import Base, Id, Ms, Sequence64


class LedgerRow(Base):
    __tablename__ = "ledger"
    __table_args__ = (
        UniqueConstraint("institution_id", "number"),
        # A person is credited once for a lecture, whatever happens twice.
        UniqueConstraint("key"),
        Index("ix_ledger_person_year", "person_id", "year"),
        Index("ix_ledger_lecture", "lecture_id"),
    )

    id: Mapped[int] = mapped_column(Sequence64, primary_key=True, autoincrement=True)
    institution_id: Mapped[str] = mapped_column(ForeignKey("units.id"))
    # 1, 2, 3 … within the institution, without a hole.
    number: Mapped[int] = mapped_column(BigInteger)
    key: Mapped[str] = mapped_column(String(120))
    person_id: Mapped[str] = mapped_column(ForeignKey("persons.id"))
    lecture_id: Mapped[str] = mapped_column(ForeignKey("lectures.id"))
    # Year of the official start in the institution's zone.
    year: Mapped[int] = mapped_column(Integer)
    # credit, adjustment
    kind: Mapped[str] = mapped_column(String(12))
    # Hundredths of a JP that this entry adds.
    jp: Mapped[int] = mapped_column(Integer)
    # Everything that the value follows from; its RFC 8785 bytes are what is chained.
    body: Mapped[dict[str, object]] = mapped_column(JSON)
    at: Mapped[int] = mapped_column(Ms)
    previous_digest: Mapped[str] = mapped_column(String(64))
    digest: Mapped[str] = mapped_column(String(64))


class LedgerHeadRow(Base):
    """The end of an institution's chain; locked by whoever appends."""

    __tablename__ = "ledger_heads"

    institution_id: Mapped[str] = mapped_column(ForeignKey("units.id"), primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger)
    digest: Mapped[str] = mapped_column(String(64))


class HourTotalRow(Base):
    """What the ledger adds up to for a person and year: written with each entry, checked by verifying."""

    __tablename__ = "hour_totals"
    __table_args__ = (
        # Where a page of a list that is ordered by JP begins.
        Index("ix_hour_totals_institution", "institution_id", "year", "jp", "person_id"),
        # Tens of thousands are looked up for a page: SQLite finds the whole row by its key.
        {"sqlite_with_rowid": False},
    )

    person_id: Mapped[str] = mapped_column(ForeignKey("persons.id"), primary_key=True)
    year: Mapped[int] = mapped_column(Integer, primary_key=True)
    institution_id: Mapped[str] = mapped_column(ForeignKey("units.id"))
    jp: Mapped[int] = mapped_column(Integer)
    entries: Mapped[int] = mapped_column(Integer)


class AdjustmentRow(Base):
    """A value that somebody changed, and why. Undo is another one; nothing is ever rewritten."""

    __tablename__ = "adjustments"
    __table_args__ = (
        UniqueConstraint("id"),
        # What was taken back cannot be taken back twice, whoever else clicks.
        UniqueConstraint("undoes"),
        Index("ix_adjustments_lecture", "lecture_id"),
        Index("ix_adjustments_registration", "registration_id", "number"),
        Index("ix_adjustments_batch", "batch_id"),
    )

    # The newest of a registration counts.
    number: Mapped[int] = mapped_column(Sequence64, primary_key=True, autoincrement=True)
    id: Mapped[str] = mapped_column(Id)
    institution_id: Mapped[str] = mapped_column(ForeignKey("units.id"))
    lecture_id: Mapped[str] = mapped_column(ForeignKey("lectures.id"))
    registration_id: Mapped[str] = mapped_column(ForeignKey("registrations.id"))
    person_id: Mapped[str] = mapped_column(ForeignKey("persons.id"))
    # Hundredths of a JP.
    before_jp: Mapped[int] = mapped_column(Integer)
    after_jp: Mapped[int] = mapped_column(Integer)
    reason: Mapped[str] = mapped_column(String(LONGEST_REASON))
    # None: the service itself, by the policy (a replay that was watched in time).
    author_id: Mapped[str | None] = mapped_column(Id)
    at: Mapped[int] = mapped_column(Ms)
    # One deed on many people.
    batch_id: Mapped[str] = mapped_column(Id)
    undoes: Mapped[str | None] = mapped_column(Id)
    list_id: Mapped[str | None] = mapped_column(ForeignKey("attendance_lists.id"))
    contest_id: Mapped[str | None] = mapped_column(ForeignKey("contests.id"))


class ContestRow(Base):
    """A participant does not agree; an organiser decides, with a reason."""

    __tablename__ = "contests"
    __table_args__ = (
        Index("ix_contests_lecture", "lecture_id"),
        Index("ix_contests_person", "person_id"),
        Index(
            "uq_contests_open",
            "registration_id",
            unique=True,
            sqlite_where=sql("state = 'open'"),
            postgresql_where=sql("state = 'open'"),
        ),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    institution_id: Mapped[str] = mapped_column(ForeignKey("units.id"))
    lecture_id: Mapped[str] = mapped_column(ForeignKey("lectures.id"))
    registration_id: Mapped[str] = mapped_column(ForeignKey("registrations.id"))
    person_id: Mapped[str] = mapped_column(ForeignKey("persons.id"))
    text: Mapped[str] = mapped_column(Text)
    # open, accepted, refused, withdrawn
    state: Mapped[str] = mapped_column(String(12))
    # The value that was not agreed with, hundredths of a JP.
    jp: Mapped[int] = mapped_column(Integer)
    opened_at: Mapped[int] = mapped_column(Ms)
    decided_at: Mapped[int | None] = mapped_column(Ms)
    decided_by: Mapped[str | None] = mapped_column(Id)
    decision: Mapped[str | None] = mapped_column(Text)


class AttendanceListRow(Base):
    """A list of people who sat together at one screen, as it was handed in; credited by adjustments."""

    __tablename__ = "attendance_lists"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    institution_id: Mapped[str] = mapped_column(ForeignKey("units.id"))
    lecture_id: Mapped[str] = mapped_column(ForeignKey("lectures.id"), index=True)
    author_id: Mapped[str | None] = mapped_column(Id)
    reason: Mapped[str] = mapped_column(String(LONGEST_REASON))
    file_name: Mapped[str] = mapped_column(String(200))
    content_type: Mapped[str] = mapped_column(String(100))
    # The attachment, at most 2 MB; None when its time was over.
    content: Mapped[bytes | None] = mapped_column(LargeBinary)
    sha256: Mapped[str] = mapped_column(String(64))
    # Who was on it, as registrations: [[registration_id, start_ms, end_ms], …].
    people: Mapped[list[list[object]]] = mapped_column(JSON)
    created_at: Mapped[int] = mapped_column(Ms)


class YearTargetRow(Base):
    """What people of a kind of employment have to learn in a year, and the most that counts."""

    __tablename__ = "year_targets"

    institution_id: Mapped[str] = mapped_column(ForeignKey("units.id"), primary_key=True)
    # pns, pppk, other
    employment: Mapped[str] = mapped_column(String(8), primary_key=True)
    # Hundredths of a JP; beyond `most` hours are recorded and shown as beyond it.
    target: Mapped[int] = mapped_column(Integer)
    most: Mapped[int | None] = mapped_column(Integer)
    changed_by: Mapped[str | None] = mapped_column(Id)
    changed_at: Mapped[int] = mapped_column(Ms)
