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
    # Share of the lecture's JP that these roles can earn by the same rule, in percent.
    lecturer_percent: Mapped[int] = mapped_column(Integer, default=100, server_default="100")
    organiser_percent: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    # Written for the release before, which still reads it; goes with the release after.
    lecturer_earns: Mapped[bool] = mapped_column(Boolean, default=True)
    quiet_period_s: Mapped[int] = mapped_column(Integer, default=86_400)
    # Presence checks asked in a lecture, how many have to be answered, and the seconds to answer one.
    checks: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    checks_needed: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    check_s: Mapped[int] = mapped_column(Integer, default=120, server_default="120")
    # What a minute of replay is worth in percent of one in the room, and for how many days after the end.
    replay_percent: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    replay_days: Mapped[int] = mapped_column(Integer, default=7, server_default="7")
    created_by: Mapped[str | None] = mapped_column(Id)
    created_at: Mapped[int] = mapped_column(Ms)
