"""Keep with a tally what it follows from, and find the last minute heard of a lecture by an index

Only adds; the minute never changes in a row, so that the indexes cost what they cost before.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("evidence_heartbeats", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_evidence_heartbeats_lecture"))
        batch_op.create_index("ix_evidence_heartbeats_lecture", ["lecture_id", "minute"], unique=False)

    with op.batch_alter_table("evidence_replays", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_evidence_replays_lecture"))
        batch_op.create_index("ix_evidence_replays_lecture", ["lecture_id", "minute"], unique=False)

    with op.batch_alter_table("evidence_segments", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_evidence_segments_lecture"))
        batch_op.create_index("ix_evidence_segments_lecture", ["lecture_id", "minute"], unique=False)

    with op.batch_alter_table("tallies", schema=None) as batch_op:
        batch_op.add_column(sa.Column("inputs", sa.String(length=64), server_default="", nullable=False))
        batch_op.add_column(sa.Column("strangers", sa.JSON(), server_default="[]", nullable=False))


def downgrade() -> None:
    with op.batch_alter_table("tallies", schema=None) as batch_op:
        batch_op.drop_column("strangers")
        batch_op.drop_column("inputs")

    with op.batch_alter_table("evidence_segments", schema=None) as batch_op:
        batch_op.drop_index("ix_evidence_segments_lecture")
        batch_op.create_index(batch_op.f("ix_evidence_segments_lecture"), ["lecture_id"], unique=False)

    with op.batch_alter_table("evidence_replays", schema=None) as batch_op:
        batch_op.drop_index("ix_evidence_replays_lecture")
        batch_op.create_index(batch_op.f("ix_evidence_replays_lecture"), ["lecture_id"], unique=False)

    with op.batch_alter_table("evidence_heartbeats", schema=None) as batch_op:
        batch_op.drop_index("ix_evidence_heartbeats_lecture")
        batch_op.create_index(batch_op.f("ix_evidence_heartbeats_lecture"), ["lecture_id"], unique=False)
