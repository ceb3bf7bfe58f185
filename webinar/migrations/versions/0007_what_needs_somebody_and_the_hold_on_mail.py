"""What needs somebody, and the hold on mail"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

FOUND = {
    "ix_effects_parked": "state = 'parked'",
    "ix_effects_held": "state = 'held'",
    "ix_effects_failing": "state = 'owed' AND attempts > 0",
}


def upgrade() -> None:
    op.create_table(
        "mail_holds",
        sa.Column("institution_id", sa.String(26), sa.ForeignKey("units.id"), primary_key=True),
        sa.Column("reason", sa.String(500), nullable=False),
        sa.Column("held_by", sa.String(26)),
        sa.Column("held_at", sa.BigInteger(), nullable=False),
    )
    for name, condition in FOUND.items():
        where = sa.text(condition)
        columns = ["kind", "due_at", "id"]
        op.create_index(name, "effects", columns, sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    for name in FOUND:
        op.drop_index(name, "effects")
    op.execute("UPDATE effects SET state = 'owed' WHERE state = 'held'")
    op.drop_table("mail_holds")
