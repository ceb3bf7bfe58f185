"""When people are reminded, and who wants none"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "reminder_times",
        sa.Column("institution_id", sa.String(26), sa.ForeignKey("units.id"), primary_key=True),
        sa.Column("minutes", sa.JSON(), nullable=False),
        sa.Column("set_by", sa.String(26), nullable=True),
        sa.Column("set_at", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "reminder_refusals",
        sa.Column("person_id", sa.String(26), sa.ForeignKey("persons.id"), primary_key=True),
        sa.Column("refused_at", sa.BigInteger(), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("reminder_refusals")
    op.drop_table("reminder_times")
