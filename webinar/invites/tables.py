"""Invites: what was promised by mail to whom, how its delivery went, and who is reminded when."""

from sqlalchemy import JSON, ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from webinar.core.tables import Base, Id, Ms, Sequence64


class InviteRow(Base):
    """One for each registration: its UID never changes."""

    __tablename__ = "invites"

    registration_id: Mapped[str] = mapped_column(ForeignKey("registrations.id"), primary_key=True)
    lecture_id: Mapped[str] = mapped_column(ForeignKey("lectures.id"), index=True)
    uid: Mapped[str] = mapped_column(String(120), unique=True)
    # SEQUENCE of RFC 5546: rises with time and status, not with text.
    sequence: Mapped[int] = mapped_column(Integer)
    # What the last owed mail says: the time, and the digest of the text and the link.
    told_starts_at: Mapped[int] = mapped_column(Ms)
    told_ends_at: Mapped[int] = mapped_column(Ms)
    told_text: Mapped[str] = mapped_column(String(64))
    # REQUEST or CANCEL
    method: Mapped[str] = mapped_column(String(8))
    # owed, accepted, deferred, refused, no_address, withdrawn
    state: Mapped[str] = mapped_column(String(12))
    # Mails that were owed: each wish to send again is another mail, a retry is not.
    sends: Mapped[int] = mapped_column(Integer, default=0)
    last_error: Mapped[str | None] = mapped_column(Text)
    last_sent_at: Mapped[int | None] = mapped_column(Ms)
    # needs-action, accepted, declined, tentative (a METHOD:REPLY)
    partstat: Mapped[str | None] = mapped_column(String(16))


class DeliveryRow(Base):
    """One try to hand a mail to the mail server; append-only."""

    __tablename__ = "deliveries"
    __table_args__ = (Index("ix_deliveries_registration", "registration_id"),)

    id: Mapped[int] = mapped_column(Sequence64, primary_key=True, autoincrement=True)
    registration_id: Mapped[str] = mapped_column(ForeignKey("registrations.id"))
    message_id: Mapped[str] = mapped_column(String(200))
    attempt: Mapped[int] = mapped_column(Integer)
    address: Mapped[str] = mapped_column(String(254))
    at: Mapped[int] = mapped_column(Ms)
    # accepted, deferred, refused
    outcome: Mapped[str] = mapped_column(String(12))
    answer: Mapped[str] = mapped_column(String(500), default="")


class ReminderTimesRow(Base):
    """One row for an institution that has chosen; none means `reminder_rules.USUAL`."""

    __tablename__ = "reminder_times"

    institution_id: Mapped[str] = mapped_column(ForeignKey("units.id"), primary_key=True)
    # Minutes before the start; an empty list means no reminders.
    minutes: Mapped[list[int]] = mapped_column(JSON)
    set_by: Mapped[str | None] = mapped_column(Id)
    set_at: Mapped[int] = mapped_column(Ms)


class ReminderRefusalRow(Base):
    """Somebody who wants no reminders by mail; invitations and changes still come."""

    __tablename__ = "reminder_refusals"

    person_id: Mapped[str] = mapped_column(ForeignKey("persons.id"), primary_key=True)
    refused_at: Mapped[int] = mapped_column(Ms)
