"""Several media servers: what is known of each, and what each has to bear"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

STANDING = sa.text("state <> 'closed'")


def upgrade() -> None:
    op.create_table(
        "media_servers",
        sa.Column("name", sa.String(40), primary_key=True),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("answered_at", sa.BigInteger()),
        sa.Column("error", sa.String(80)),
        sa.Column("rooms", sa.Integer(), nullable=False),
        sa.Column("participants", sa.Integer(), nullable=False),
    )
    op.add_column("rooms", sa.Column("expected", sa.Integer(), nullable=False, server_default="1"))
    op.create_index(
        "ix_rooms_standing", "rooms", ["media_server"], sqlite_where=STANDING, postgresql_where=STANDING
    )
    op.execute(
        "UPDATE rooms SET expected = (SELECT count(*) + 1 FROM registrations"
        " WHERE registrations.lecture_id = rooms.lecture_id AND registrations.state = 'registered')"
        " WHERE state <> 'closed'"
    )


def downgrade() -> None:
    op.drop_index("ix_rooms_standing", "rooms")
    op.drop_column("rooms", "expected")
    op.drop_table("media_servers")
