"""Several rooms of a lecture: their places, their titles, and whether they are needed"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("rooms", schema=None) as batch_op:
        batch_op.add_column(sa.Column("position", sa.Integer(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("title", sa.String(length=80), server_default="", nullable=False))
        batch_op.add_column(sa.Column("needed", sa.Boolean(), server_default=sa.true(), nullable=False))


def downgrade() -> None:
    with op.batch_alter_table("rooms", schema=None) as batch_op:
        batch_op.drop_column("needed")
        batch_op.drop_column("title")
        batch_op.drop_column("position")
