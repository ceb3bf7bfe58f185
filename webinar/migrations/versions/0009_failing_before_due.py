"""Find what fails by its own index: of two that serve as well, SQLite takes the one that was made last"""

from alembic import op
from sqlalchemy import text

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

COLUMNS = ["kind", "due_at", "id"]
FAILING = text("state = 'owed' AND attempts > 0")


def upgrade() -> None:
    op.drop_index("ix_effects_failing", "effects")
    op.create_index("ix_effects_failing", "effects", COLUMNS, sqlite_where=FAILING, postgresql_where=FAILING)


def downgrade() -> None:
    pass  # the same index, made at another time
