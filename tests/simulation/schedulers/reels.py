"""What must be left of recordings at the end: each is over, and what it says of its files is true."""

import sqlite3
from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

from recordings.storage import recording_key, sha256

if TYPE_CHECKING:
    from tests.simulation.schedulers.world import World

OVER = frozenset({"ready", "failed"})
_RECORDINGS = "SELECT id, lecture_id, state, duration_ms, bytes, published_at, last_error FROM recordings"
_FILES = """
SELECT name, number, duration_ms, bytes, sha256, starts_at FROM recording_files
WHERE recording_id = ? ORDER BY number
"""


def judge(world: "World", rows: sqlite3.Connection, violations: list[str]) -> None:
    for ident, lecture, state, duration_ms, size, published_at, error in rows.execute(_RECORDINGS).fetchall():
        what = f"the recording of {lecture}"
        files = rows.execute(_FILES, [ident]).fetchall()
        violations += [f"{what}: {wrong}" for wrong in _files(world, ident, files)]
        if state not in OVER:
            violations.append(f"{what} is {state}")
        if (state == "ready") != (duration_ms > 0) or (state == "failed" and not error):
            violations.append(f"{what} is {state} with {duration_ms} ms: {error}")
        if (published_at is not None) != (state == "ready"):
            violations.append(f"{what} is {state}, and published at {published_at}")
        if (duration_ms, size) != (sum(file[2] for file in files), sum(file[3] for file in files)):
            violations.append(f"{what} has {duration_ms} ms and {size} bytes, its files say something else")


def _files(world: "World", ident: str, files: list[tuple[str, int, int, int, str, int]]) -> Iterator[str]:
    """Each file that is named was kept, in order and without overlap beyond what clocks differ by."""
    if [number for _, number, *_ in files] != list(range(len(files))):
        yield f"files are numbered {[number for _, number, *_ in files]}"
    for name, _, _, size, digest, _ in files:
        kept = world.shelf.kept.get(recording_key(ident, name))
        if kept is None or (len(kept), sha256(kept)) != (size, digest):
            yield f"{name} is not what was kept"
    segments = [(name, starts_at, duration) for name, _, duration, _, _, starts_at in files if duration]
    for (before, starts, lasts), (after, later, _) in pairwise(segments):
        if before.partition("-")[0] == after.partition("-")[0] and later < starts + lasts:
            yield f"{after} begins before {before} ends"
