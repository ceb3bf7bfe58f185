"""Files that take long to make: made in the background, fetched once they are there."""

from sqlalchemy import JSON, ForeignKey, Index, Integer, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from webinar.core.tables import Base, Id, Ms


class ReportRow(Base):
    __tablename__ = "reports"
    __table_args__ = (Index("ix_reports_lecture", "lecture_id"), Index("ix_reports_expires_at", "expires_at"))

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    institution_id: Mapped[str] = mapped_column(ForeignKey("units.id"))
    lecture_id: Mapped[str | None] = mapped_column(ForeignKey("lectures.id"))
    # pdf, xlsx, csv
    kind: Mapped[str] = mapped_column(String(8))
    # What was asked for: language, filters, unit.
    wish: Mapped[dict[str, object]] = mapped_column(JSON)
    asked_by: Mapped[str | None] = mapped_column(Id)
    # wanted, making, ready, failed
    state: Mapped[str] = mapped_column(String(12))
    done: Mapped[int] = mapped_column(Integer, default=0)
    total: Mapped[int] = mapped_column(Integer, default=0)
    file_name: Mapped[str] = mapped_column(String(200), default="")
    content: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_at: Mapped[int] = mapped_column(Ms)
    finished_at: Mapped[int | None] = mapped_column(Ms)
    expires_at: Mapped[int] = mapped_column(Ms)
