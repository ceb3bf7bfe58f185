"""Find the hours of whole units from indexes alone"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_hour_totals_person", "hour_totals", ["person_id", "year", "jp"])
    op.create_index(
        "ix_persons_by_unit", "persons", ["institution_id", "unit_id", "deactivated_at", "employment", "id"]
    )


def downgrade() -> None:
    op.drop_index("ix_persons_by_unit", "persons")
    op.drop_index("ix_hour_totals_person", "hour_totals")
