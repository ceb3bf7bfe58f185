"""Every kind of effect that the code owes has a handler, and no handler waits for what nobody owes."""

import ast
from collections.abc import Iterator
from pathlib import Path

from webinar import wiring
from webinar.config import Settings
from webinar.core.clock import SystemClock
from webinar.operations.owners import SUBJECTS
from webinar.operations.rules import KINDS
from webinar.operations.wording import kind_words

ROOT = Path(__file__).parents[2]


def owed(what: str = "kind") -> Iterator[ast.expr]:
    """The `kind=` of every call of `effects.owe` in the code and of every `Owed`, or another argument."""
    for name in ("webinar", "scheduler", "recordings"):
        for path in (ROOT / name).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("effects.owe", "Owed")):
                    yield from (keyword.value for keyword in node.keywords if keyword.arg == what)


async def test_every_kind_that_is_owed_has_a_handler_and_none_is_idle(tmp_path: Path) -> None:
    settings = Settings(
        database_url=f"sqlite+aiosqlite:///{tmp_path}/pendopo.db",
        media_api_secret="s" * 32,
        link_key="k" * 32,
    )
    db = wiring.database(settings)
    async with wiring.media(settings) as pool:
        handlers = wiring.handlers(settings, db, pool, wiring.mailer(settings), SystemClock())
    await db.close()
    assert {ast.literal_eval(kind) for kind in owed()} == set(handlers) == set(KINDS)


def test_every_kind_has_its_words() -> None:
    assert set(kind_words(str)) == set(KINDS)


def test_every_subject_leads_to_its_institution() -> None:
    """A subject is written where it is owed, or is the key, which begins in the same way."""
    prefixes = set()
    for subject in owed("subject"):
        first = subject.values[0] if isinstance(subject, ast.JoinedStr) else subject
        if isinstance(first, ast.Constant):
            prefixes.add(str(first.value).partition(":")[0])
    assert prefixes <= SUBJECTS
