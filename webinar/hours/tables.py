"""The ledger of learning hours: append-only, chained by digests, one chain an institution."""

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from webinar.core.tables import Base, Ms, Sequence64


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
    # credit; later adjustment
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
