"""Series of lectures, and office hours"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "office_hours",
        sa.Column("institution_id", sa.String(26), sa.ForeignKey("units.id"), primary_key=True),
        sa.Column("days", sa.JSON(), nullable=False),
        sa.Column("set_by", sa.String(26)),
        sa.Column("set_at", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "series",
        sa.Column("id", sa.String(26), primary_key=True),
        sa.Column("institution_id", sa.String(26), sa.ForeignKey("units.id"), nullable=False),
        sa.Column("unit_id", sa.String(26), sa.ForeignKey("units.id"), nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("rule", sa.String(120), nullable=False),
        sa.Column("first_wall", sa.String(16), nullable=False),
        sa.Column("skips_holidays", sa.Boolean(), nullable=False),
        sa.Column("shift_days", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_by", sa.String(26)),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_series_institution", "series", ["institution_id", "created_at", "id"])
    op.create_table(
        "series_members",
        sa.Column("series_id", sa.String(26), sa.ForeignKey("series.id"), primary_key=True),
        sa.Column("person_id", sa.String(26), sa.ForeignKey("persons.id"), primary_key=True),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_series_members_person", "series_members", ["person_id"])
    op.create_table(
        "series_editions",
        sa.Column("lecture_id", sa.String(26), sa.ForeignKey("lectures.id"), primary_key=True),
        sa.Column("series_id", sa.String(26), sa.ForeignKey("series.id"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("slot", sa.String(16), nullable=False),
        sa.Column("given", sa.JSON(), nullable=False),
        sa.Column("wanted", sa.JSON(none_as_null=True)),
        sa.UniqueConstraint("series_id", "number"),
    )


def downgrade() -> None:
    op.drop_table("series_editions")
    op.drop_table("series_members")
    op.drop_table("series")
    op.drop_table("office_hours")
