"""How long what is kept, where an institution chose another time than ours."""

from sqlalchemy import ForeignKey, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from webinar.core.tables import Base, Id, Ms


class RetentionRow(Base):
    __tablename__ = "retention"

    institution_id: Mapped[str] = mapped_column(ForeignKey("units.id"), primary_key=True)
    # What is kept: see `privacy.rules`.
    kind: Mapped[str] = mapped_column(String(20), primary_key=True)
    days: Mapped[int] = mapped_column(Integer)
    changed_by: Mapped[str | None] = mapped_column(Id)
    changed_at: Mapped[int] = mapped_column(Ms)
