"""Attendance policies: immutable versions. A lecture pins one when it is booked."""

from sqlalchemy import Boolean, ForeignKey, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from webinar.core.tables import Base, Id, Ms


class PolicyRow(Base):
    __tablename__ = "policies"

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    version: Mapped[int] = mapped_column(Integer, primary_key=True)
    institution_id: Mapped[str] = mapped_column(ForeignKey("units.id"))
    name: Mapped[str] = mapped_column(String(120))
    # threshold or proportional
    kind: Mapped[str] = mapped_column(String(16))
    # Share of the official window in percent, for kind threshold.
    threshold_percent: Mapped[int | None] = mapped_column(Integer)
    minutes_per_jp: Mapped[int] = mapped_column(Integer, default=45)
    tolerance_s: Mapped[int] = mapped_column(Integer, default=300)
    grace_s: Mapped[int] = mapped_column(Integer, default=0)
    lecturer_earns: Mapped[bool] = mapped_column(Boolean, default=True)
    quiet_period_s: Mapped[int] = mapped_column(Integer, default=86_400)
    created_at: Mapped[int] = mapped_column(Ms)
