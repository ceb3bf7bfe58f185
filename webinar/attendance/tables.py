"""Attendance as it was when the lecture became final.

Before that it is computed from the evidence whenever it is asked for: there is no counter to
drift.
"""

from sqlalchemy import JSON, ForeignKey, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from webinar.core.tables import Base, Ms


class AttendanceRow(Base):
    __tablename__ = "attendance"

    registration_id: Mapped[str] = mapped_column(ForeignKey("registrations.id"), primary_key=True)
    lecture_id: Mapped[str] = mapped_column(ForeignKey("lectures.id"), index=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("persons.id"))
    seconds: Mapped[int] = mapped_column(Integer)
    uncertainty_s: Mapped[int] = mapped_column(Integer)
    jp: Mapped[int] = mapped_column(Integer)
    # credited, not_credited, absent, doubtful
    state: Mapped[str] = mapped_column(String(12))
    # [[start_ms, end_ms, [sources], uncertainty_ms], …], also outside the official window
    intervals: Mapped[list[list[object]]] = mapped_column(JSON)
    # [[message, {field: number}], …], the clauses of the sentence that explains it
    why: Mapped[list[list[object]]] = mapped_column(JSON)
    rules_version: Mapped[int] = mapped_column(Integer)
    # The last rows of evidence that were looked at: {"webhooks": n, "sweeps": n, "heartbeats": ms}
    high_water: Mapped[dict[str, int]] = mapped_column(JSON)
    computed_at: Mapped[int] = mapped_column(Ms)
