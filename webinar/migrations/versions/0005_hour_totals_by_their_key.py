"""Keep the sums of hours under their key, and find them by JP"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

COLUMNS = ["institution_id", "year"]


def upgrade() -> None:
    op.drop_index("ix_hour_totals_person", "hour_totals")
    op.drop_index("ix_hour_totals_institution", "hour_totals")
    if op.get_bind().dialect.name == "sqlite":
        _rebuild(with_rowid=False)
    op.create_index("ix_hour_totals_institution", "hour_totals", [*COLUMNS, "jp", "person_id"])


def downgrade() -> None:
    op.drop_index("ix_hour_totals_institution", "hour_totals")
    if op.get_bind().dialect.name == "sqlite":
        _rebuild(with_rowid=True)
    op.create_index("ix_hour_totals_institution", "hour_totals", COLUMNS)
    op.create_index("ix_hour_totals_person", "hour_totals", ["person_id", "year", "jp"])


def _rebuild(*, with_rowid: bool) -> None:
    kept = {"sqlite_with_rowid": with_rowid}
    with op.batch_alter_table("hour_totals", recreate="always", table_kwargs=kept):
        pass
