"""Places in rooms, chat of a room, and how long an empty room stays

No batches: SQLite would make `lectures` anew, to which others point.
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    no = sa.false()
    op.add_column("lectures", sa.Column("empty_after_s", sa.Integer(), nullable=True))
    op.add_column("lectures", sa.Column("empty_early", sa.Boolean(), server_default=no, nullable=False))
    op.add_column("rooms", sa.Column("occupied", sa.Boolean(), server_default=no, nullable=False))
    op.add_column("rooms", sa.Column("left_at", sa.BigInteger(), nullable=True))
    op.create_table(
        "room_places",
        sa.Column("registration_id", sa.String(26), sa.ForeignKey("registrations.id"), primary_key=True),
        sa.Column("kind", sa.String(12), primary_key=True),
        sa.Column("lecture_id", sa.String(26), sa.ForeignKey("lectures.id"), nullable=False),
        sa.Column("room_id", sa.String(26), sa.ForeignKey("rooms.id"), nullable=False),
    )
    op.create_index("ix_room_places_lecture_id", "room_places", ["lecture_id"])
    op.add_column("chat_messages", sa.Column("room_id", sa.String(26), nullable=True))


def downgrade() -> None:
    op.drop_column("chat_messages", "room_id")
    op.drop_table("room_places")
    op.drop_column("rooms", "left_at")
    op.drop_column("rooms", "occupied")
    op.drop_column("lectures", "empty_early")
    op.drop_column("lectures", "empty_after_s")
