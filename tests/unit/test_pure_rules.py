"""What import-linter cannot say: rules import the standard library, other rules, errors and ids only."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OURS = ("webinar", "scheduler", "recordings")
FACTS = ("webinar.core.errors", "webinar.core.ids")
# They would bring the clock, the network or the disk in.
IMPURE = frozenset({"asyncio", "socket", "subprocess", "urllib.request", "sqlite3", "time", "threading"})
RULES = sorted(path for name in OURS for path in (ROOT / name).rglob("*rules.py"))


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            # `from webinar.lectures import rules` names a module, `from … rules import Lecture` does not.
            module = str(node.module)
            yield from (name if name.endswith("rules") else module for name in names)


def pure(module: str) -> bool:
    if module.startswith(OURS):
        return module.endswith("rules") or module in FACTS
    return module.partition(".")[0] in sys.stdlib_module_names and module not in IMPURE


@pytest.mark.parametrize("path", RULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_rules_import_the_standard_library_other_rules_errors_and_ids_only(path: Path) -> None:
    assert [module for module in imports(path) if not pure(module)] == []


def test_there_are_rules_to_look_at() -> None:
    assert len(RULES) > 10
