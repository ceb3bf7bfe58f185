"""Editions of a series that are still to be made, and those that could not be"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "series_slots",
        sa.Column("series_id", sa.String(26), sa.ForeignKey("series.id"), primary_key=True),
        sa.Column("number", sa.Integer(), primary_key=True),
        sa.Column("slot", sa.String(16), nullable=False),
        sa.Column("asked_by", sa.JSON(), nullable=False),
        sa.Column("refused", sa.JSON(none_as_null=True)),
    )


def downgrade() -> None:
    op.drop_table("series_slots")
