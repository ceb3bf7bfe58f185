"""The office hours of an institution, where they differ from the usual ones."""

from sqlalchemy import JSON, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from webinar.core.tables import Base, Id, Ms


class OfficeHoursRow(Base):
    """One row for an institution that has set its own; none means those of `rules.USUAL`."""

    __tablename__ = "office_hours"

    institution_id: Mapped[str] = mapped_column(ForeignKey("units.id"), primary_key=True)
    # Monday to Sunday, each [minute of the day, minute of the day] or null for a day off.
    days: Mapped[list[list[int] | None]] = mapped_column(JSON)
    set_by: Mapped[str | None] = mapped_column(Id)
    set_at: Mapped[int] = mapped_column(Ms)
