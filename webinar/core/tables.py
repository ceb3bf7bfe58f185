"""The metadata that all tables share, and the tables of core: effects and audit."""

from sqlalchemy import BigInteger, Index, Integer, MetaData, String, Text, UniqueConstraint, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import JSON

# SQLite gives an automatic row id only to INTEGER; its integers have 64 bits all the same.
Sequence64 = BigInteger().with_variant(Integer, "sqlite")
Id = String(26)
Ms = BigInteger()


def plain(length: int) -> String:
    """Text that is ordered by code point on both databases, whatever the locale of the cluster."""
    return String(length).with_variant(String(length, collation="C"), "postgresql")


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


def _effects_that(name: str, condition: str) -> tuple[Index, ...]:
    where = text(condition)
    columns = ("kind", "due_at", "id")
    return (Index(f"ix_effects_{name}", *columns, sqlite_where=where, postgresql_where=where),)


class EffectRow(Base):
    """Something that is owed to the world at a time: a mail, a room, a recording."""

    __tablename__ = "effects"
    __table_args__ = (
        UniqueConstraint("key"),
        Index(
            "ix_effects_due",
            "kind",
            "due_at",
            "id",
            sqlite_where=text("state = 'owed'"),
            postgresql_where=text("state = 'owed'"),
        ),
        Index(
            "ix_effects_lease",
            "lease_until",
            sqlite_where=text("state = 'claimed'"),
            postgresql_where=text("state = 'claimed'"),
        ),
        Index("ix_effects_subject", "subject"),
        # What needs somebody is found at once, however much is owed and was done.
        *_effects_that("parked", "state = 'parked'"),
        *_effects_that("held", "state = 'held'"),
        *_effects_that("failing", "state = 'owed' AND attempts > 0"),
    )

    id: Mapped[int] = mapped_column(Sequence64, primary_key=True, autoincrement=True)
    key: Mapped[str] = mapped_column(String(160))
    kind: Mapped[str] = mapped_column(String(40))
    subject: Mapped[str] = mapped_column(String(80))
    payload: Mapped[dict[str, object]] = mapped_column(JSON, default=dict)
    due_at: Mapped[int] = mapped_column(Ms)
    state: Mapped[str] = mapped_column(String(12))
    lease_until: Mapped[int | None] = mapped_column(Ms)
    fence: Mapped[int] = mapped_column(BigInteger, default=0)
    worker: Mapped[str | None] = mapped_column(String(80))
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    nudged: Mapped[bool] = mapped_column(default=False)
    last_error: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[int] = mapped_column(Ms)
    finished_at: Mapped[int | None] = mapped_column(Ms)


class AuditRow(Base):
    """Who did what to what, and when; append-only. A lecture's timeline is read from here."""

    __tablename__ = "audit"
    __table_args__ = (Index("ix_audit_subject", "subject_kind", "subject_id", "id"),)

    id: Mapped[int] = mapped_column(Sequence64, primary_key=True, autoincrement=True)
    institution_id: Mapped[str | None] = mapped_column(Id)
    at: Mapped[int] = mapped_column(Ms)
    actor_kind: Mapped[str] = mapped_column(String(12))
    actor_id: Mapped[str | None] = mapped_column(Id)
    subject_kind: Mapped[str] = mapped_column(String(24))
    subject_id: Mapped[str] = mapped_column(String(40))
    action: Mapped[str] = mapped_column(String(48))
    fields: Mapped[dict[str, object]] = mapped_column(JSON, default=dict)


class ProcessRow(Base):
    """A running process of the service, its last sign of life and its clock's offset."""

    __tablename__ = "processes"

    name: Mapped[str] = mapped_column(String(80), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    started_at: Mapped[int] = mapped_column(Ms)
    seen_at: Mapped[int] = mapped_column(Ms)
    detail: Mapped[dict[str, object]] = mapped_column(JSON, default=dict)


class IdempotencyRow(Base):
    """The answer to a POST that carried an Idempotency-Key, so that a repeat gets the same one."""

    __tablename__ = "idempotency"
    __table_args__ = (Index("ix_idempotency_created_at", "created_at"),)

    owner: Mapped[str] = mapped_column(String(40), primary_key=True)
    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    request_digest: Mapped[str] = mapped_column(String(64))
    status: Mapped[int | None] = mapped_column(Integer)
    headers: Mapped[dict[str, str] | None] = mapped_column(JSON)
    body: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[int] = mapped_column(Ms)
