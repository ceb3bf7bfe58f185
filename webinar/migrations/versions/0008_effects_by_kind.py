"""Find what is due of each kind, so that no kind waits behind another"""

from alembic import op
from sqlalchemy import text

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

OWED = text("state = 'owed'")


def upgrade() -> None:
    _index(["kind", "due_at", "id"])


def downgrade() -> None:
    _index(["due_at"])


def _index(columns: list[str]) -> None:
    op.drop_index("ix_effects_due", "effects")
    op.create_index("ix_effects_due", "effects", columns, sqlite_where=OWED, postgresql_where=OWED)
