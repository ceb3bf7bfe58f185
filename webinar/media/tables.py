"""What is known of the media servers."""

from sqlalchemy import Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from webinar.core.tables import Base, Ms


class MediaServerRow(Base):
    """A media server as schedulers last heard of it; instants are of the database's clock."""

    __tablename__ = "media_servers"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    # When it began to answer, or fell silent.
    since: Mapped[int] = mapped_column(Ms)
    asked_at: Mapped[int] = mapped_column(Ms)
    answered_at: Mapped[int | None] = mapped_column(Ms)
    # None while it answers.
    error: Mapped[str | None] = mapped_column(String(80))
    rooms: Mapped[int] = mapped_column(Integer)
    participants: Mapped[int] = mapped_column(Integer)
