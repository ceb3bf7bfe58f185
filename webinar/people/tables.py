"""Institutions, units, people, roles, and the ways to sign in."""

from sqlalchemy import (
    JSON,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from webinar.core.reason_rules import LONGEST_REASON
from webinar.core.tables import Base, Id, Ms, Sequence64, plain


class UnitRow(Base):
    """A unit of the tree. An institution is a root unit: its institution_id is its own id."""

    __tablename__ = "units"
    __table_args__ = (UniqueConstraint("institution_id", "code"), Index("ix_units_path", "path"))

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    institution_id: Mapped[str] = mapped_column(ForeignKey("units.id"))
    parent_id: Mapped[str | None] = mapped_column(ForeignKey("units.id"))
    # Ids from the root down, each followed by a slash, so that a subtree is one prefix.
    path: Mapped[str] = mapped_column(plain(400))
    code: Mapped[str] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(String(200))
    # Only a root has one; "the year" of the institution's hours is counted in it.
    zone: Mapped[str | None] = mapped_column(String(40))
    # Only a root has one: the target of JP a year in hundredths where `year_targets` names none.
    year_target: Mapped[int | None] = mapped_column(Integer)
    created_at: Mapped[int] = mapped_column(Ms)


class PersonRow(Base):
    __tablename__ = "persons"
    __table_args__ = (
        UniqueConstraint("email"),
        UniqueConstraint("nip"),
        Index("ix_persons_institution_name", "institution_id", "sort_name", "id"),
        Index("ix_persons_unit", "unit_id"),
        # Everything that the hours of a whole institution ask of its people, unit by unit.
        Index("ix_persons_by_unit", "institution_id", "unit_id", "deactivated_at", "employment", "id"),
        CheckConstraint("email = lower(email)", name="email_lower"),
    )

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    institution_id: Mapped[str] = mapped_column(ForeignKey("units.id"))
    unit_id: Mapped[str] = mapped_column(ForeignKey("units.id"))
    name: Mapped[str] = mapped_column(String(200))
    # Lower-cased name, for search and for an order that is the same on both databases.
    sort_name: Mapped[str] = mapped_column(plain(200))
    email: Mapped[str | None] = mapped_column(String(254))
    phone: Mapped[str | None] = mapped_column(String(32))
    nip: Mapped[str | None] = mapped_column(String(18))
    # pns, pppk or other (an expert from outside).
    employment: Mapped[str] = mapped_column(String(8))
    zone: Mapped[str] = mapped_column(String(40))
    language: Mapped[str] = mapped_column(String(2))
    password_hash: Mapped[str | None] = mapped_column(String(200))
    deactivated_at: Mapped[int | None] = mapped_column(Ms)
    version: Mapped[int] = mapped_column(Integer, default=1)
    created_at: Mapped[int] = mapped_column(Ms)


class NipRow(Base):
    """Every NIP a person ever had (a PPPK who becomes a PNS gets another)."""

    __tablename__ = "person_nips"

    id: Mapped[int] = mapped_column(Sequence64, primary_key=True, autoincrement=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("persons.id"), index=True)
    nip: Mapped[str] = mapped_column(String(18))
    since: Mapped[int] = mapped_column(Ms)


class RoleRow(Base):
    """A role reaches from its unit down the tree."""

    __tablename__ = "roles"

    person_id: Mapped[str] = mapped_column(ForeignKey("persons.id"), primary_key=True)
    role: Mapped[str] = mapped_column(String(16), primary_key=True)
    unit_id: Mapped[str] = mapped_column(ForeignKey("units.id"), primary_key=True)
    granted_at: Mapped[int] = mapped_column(Ms)


class SessionRow(Base):
    """A signed-in browser. The cookie holds a secret, the table its digest."""

    __tablename__ = "sessions"
    __table_args__ = (Index("ix_sessions_person", "person_id"), Index("ix_sessions_expires_at", "expires_at"))

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("persons.id"))
    created_at: Mapped[int] = mapped_column(Ms)
    seen_at: Mapped[int] = mapped_column(Ms)
    expires_at: Mapped[int] = mapped_column(Ms)
    user_agent: Mapped[str] = mapped_column(String(200), default="")


class SignInTokenRow(Base):
    """A link in a mail: to sign in, or to set a new password. Used once."""

    __tablename__ = "sign_in_tokens"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("persons.id"), index=True)
    purpose: Mapped[str] = mapped_column(String(12))
    created_at: Mapped[int] = mapped_column(Ms)
    expires_at: Mapped[int] = mapped_column(Ms)
    used_at: Mapped[int | None] = mapped_column(Ms)


class AttemptRow(Base):
    """A wrong try: at a password, a join link or an API key; kept for the limits only."""

    __tablename__ = "attempts"
    __table_args__ = (Index("ix_attempts_bucket_at", "bucket", "at"), Index("ix_attempts_at", "at"))

    id: Mapped[int] = mapped_column(Sequence64, primary_key=True, autoincrement=True)
    # What is counted: "account:<digest>", "address:<prefix>", "link:<prefix>".
    bucket: Mapped[str] = mapped_column(String(80))
    at: Mapped[int] = mapped_column(Ms)


class DeviceRow(Base):
    """A browser from which a person has signed in before; exempt from the account's own limit."""

    __tablename__ = "devices"
    __table_args__ = (Index("ix_devices_person", "person_id"), Index("ix_devices_seen_at", "seen_at"))

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("persons.id"), primary_key=True)
    seen_at: Mapped[int] = mapped_column(Ms)


class ApiKeyRow(Base):
    __tablename__ = "api_keys"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    institution_id: Mapped[str] = mapped_column(ForeignKey("units.id"))
    name: Mapped[str] = mapped_column(String(100))
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    scopes: Mapped[list[str]] = mapped_column(JSON)
    created_at: Mapped[int] = mapped_column(Ms)
    expires_at: Mapped[int | None] = mapped_column(Ms)
    revoked_at: Mapped[int | None] = mapped_column(Ms)
    used_at: Mapped[int | None] = mapped_column(Ms)


class ImportRow(Base):
    """An import of people: checked, then written in short transactions, then perhaps undone."""

    __tablename__ = "imports"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    institution_id: Mapped[str] = mapped_column(ForeignKey("units.id"))
    author_id: Mapped[str | None] = mapped_column(Id)
    file_name: Mapped[str] = mapped_column(String(200))
    # checked, writing, done, undoing, undone, failed
    state: Mapped[str] = mapped_column(String(12))
    # The checked rows, compressed JSON lines; removed a week after the import ended.
    content: Mapped[bytes | None] = mapped_column(LargeBinary)
    rows: Mapped[int] = mapped_column(Integer)
    written: Mapped[int] = mapped_column(Integer, default=0)
    created: Mapped[int] = mapped_column(Integer, default=0)
    updated: Mapped[int] = mapped_column(Integer, default=0)
    # What was wrong, row by row, as shown to the author.
    problems: Mapped[list[dict[str, object]]] = mapped_column(JSON, default=list)
    # Counts of the check and of the undoing, options, and the first rows, as the preview shows them.
    summary: Mapped[dict[str, object]] = mapped_column(JSON, default=dict)
    created_at: Mapped[int] = mapped_column(Ms)
    finished_at: Mapped[int | None] = mapped_column(Ms)


class ImportChangeRow(Base):
    """What an import did to one person, and what was there before; this makes it undoable."""

    __tablename__ = "import_changes"
    __table_args__ = (Index("ix_import_changes_person", "person_id"),)

    import_id: Mapped[str] = mapped_column(ForeignKey("imports.id"), primary_key=True)
    row: Mapped[int] = mapped_column(Integer, primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("persons.id"))
    # None when the import created the person.
    before: Mapped[dict[str, object] | None] = mapped_column(JSON)
    version_after: Mapped[int] = mapped_column(Integer)


class ExemptionRow(Base):
    """Somebody is exempt for a time: out of denominators and reminders, never out of the records."""

    __tablename__ = "exemptions"
    __table_args__ = (Index("ix_exemptions_person", "person_id"),)

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    institution_id: Mapped[str] = mapped_column(ForeignKey("units.id"), index=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("persons.id"))
    reason: Mapped[str] = mapped_column(String(LONGEST_REASON))
    # ISO dates in the institution's zone, both included.
    starts_on: Mapped[str] = mapped_column(String(10))
    ends_on: Mapped[str] = mapped_column(String(10))
    created_by: Mapped[str | None] = mapped_column(Id)
    created_at: Mapped[int] = mapped_column(Ms)
    # Taken back: as if it had never been, but still on record.
    ended_by: Mapped[str | None] = mapped_column(Id)
    ended_at: Mapped[int | None] = mapped_column(Ms)
