"""Attendance as it was last computed from the evidence, and as it was when the lecture became final.

What is not final is a copy that spares computing it for each look: there is no counter to drift.
"""

from sqlalchemy import JSON, Boolean, ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from webinar.core.tables import Base, Ms, plain


class TallyRow(Base):
    """The header of a lecture's stored attendance: of what it was computed, and what it adds up to.

    Until it is final it may be thrown away at any time, with its rows: they are computed again.
    """

    __tablename__ = "tallies"

    lecture_id: Mapped[str] = mapped_column(ForeignKey("lectures.id"), primary_key=True)
    final: Mapped[bool] = mapped_column(Boolean)
    policy_version: Mapped[int] = mapped_column(Integer)
    rules_version: Mapped[int] = mapped_column(Integer)
    # SHA-256 of all that it follows from beside the evidence: window, seats, policy, rules; "" before any.
    inputs: Mapped[str] = mapped_column(String(64), default="", server_default="")
    # The last rows of evidence that were looked at, by source.
    high_water: Mapped[dict[str, int]] = mapped_column(JSON)
    # [[start_ms, end_ms], …], the official window that was counted with.
    window: Mapped[list[list[int]]] = mapped_column(JSON)
    # {registered, came, absent, credited, doubtful, …}
    summary: Mapped[dict[str, int]] = mapped_column(JSON)
    # [[instant, people], …], a minute apart.
    curve: Mapped[list[list[int]]] = mapped_column(JSON)
    # [[seat, name or null, first_join, last_leave, seconds], …]: in the room, but not registered.
    strangers: Mapped[list[list[object]]] = mapped_column(JSON, default=list, server_default="[]")
    rows: Mapped[int] = mapped_column(Integer)
    # SHA-256 of all evidence up to the high-water mark, hexadecimal; of final ones.
    evidence_sha256: Mapped[str | None] = mapped_column(String(64))
    computed_at: Mapped[int] = mapped_column(Ms)


class AttendanceRow(Base):
    __tablename__ = "attendance"
    __table_args__ = (
        Index("ix_attendance_lecture_state", "lecture_id", "state"),
        Index("ix_attendance_lecture_sort", "lecture_id", "sort_name", "registration_id"),
    )

    registration_id: Mapped[str] = mapped_column(ForeignKey("registrations.id"), primary_key=True)
    lecture_id: Mapped[str] = mapped_column(ForeignKey("lectures.id"))
    person_id: Mapped[str] = mapped_column(ForeignKey("persons.id"), index=True)
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
    first_join: Mapped[int | None] = mapped_column(Ms)
    last_leave: Mapped[int | None] = mapped_column(Ms)
    # Connections beyond the first of each device, and devices or tabs.
    reconnects: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    devices: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    checks_asked: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    checks_answered: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    # What of the seconds came from watching the replay.
    replay_seconds: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    # What the review page sorts by: the person's sort name when the row was computed.
    sort_name: Mapped[str] = mapped_column(plain(200), default="", server_default="")
