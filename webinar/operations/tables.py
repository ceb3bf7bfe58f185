"""The switch that holds an institution's outgoing mail."""

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from webinar.core.reason_rules import LONGEST_REASON
from webinar.core.tables import Base, Id, Ms


class MailHoldRow(Base):
    """While the row is there, nothing of the institution's mail leaves the house."""

    __tablename__ = "mail_holds"

    institution_id: Mapped[str] = mapped_column(ForeignKey("units.id"), primary_key=True)
    reason: Mapped[str] = mapped_column(String(LONGEST_REASON))
    # Empty when a command did it.
    held_by: Mapped[str | None] = mapped_column(Id)
    held_at: Mapped[int] = mapped_column(Ms)
