"""Every kind of effect that the code owes has a handler, and no handler waits for what nobody owes."""

import ast
from collections.abc import Iterator
from pathlib import Path

from webinar import wiring
from webinar.config import Settings

ROOT = Path(__file__).parents[2]


def owed() -> Iterator[str]:
    """The `kind=` of every call of `effects.owe` in the code."""
    for name in ("webinar", "scheduler", "recordings"):
        for path in (ROOT / name).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("effects.owe"):
                    yield from (
                        ast.literal_eval(keyword.value) for keyword in node.keywords if keyword.arg == "kind"
                    )


async def test_every_kind_that_is_owed_has_a_handler_and_none_is_idle(tmp_path: Path) -> None:
    settings = Settings(
        database_url=f"sqlite+aiosqlite:///{tmp_path}/pendopo.db",
        media_api_secret="s" * 32,
        link_key="k" * 32,
    )
    db = wiring.database(settings)
    async with wiring.media(settings) as rooms:
        handlers = wiring.handlers(settings, db, rooms, wiring.mailer(settings))
    await db.close()
    assert set(owed()) == set(handlers)
