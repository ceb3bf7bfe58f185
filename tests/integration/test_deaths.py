"""Every kind of effect, died in at every commit and every call: nothing is lost or doubled."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

from tests.integration.death_scenes import SCENES
from tests.integration.deaths import Copies, Enumeration, PostgresCopies, Scene, SqliteCopies
from webinar.operations.rules import KINDS

LEAST_POINTS = 3
# Each death on PostgreSQL takes a copy of a database: what has more points is left to `make faults`.
SHORT = frozenset({"check", "contest", "mail", "report"})


@pytest.fixture
def copies(database_url: str, request: pytest.FixtureRequest, tmp_path: Path) -> Copies:
    if database_url.startswith("sqlite"):
        return SqliteCopies(tmp_path)
    return PostgresCopies(request.getfixturevalue("postgres_cluster"), database_url)


def test_every_kind_has_a_scene() -> None:
    assert {scene.kind for scene in SCENES} == set(KINDS)


def cases() -> Iterator[ParameterSet]:
    for scene in SCENES:
        for dialect in ("sqlite", "postgresql"):
            slow = dialect == "postgresql" and scene.kind not in SHORT
            marks = [pytest.mark.fault] if slow else []
            yield pytest.param(dialect, scene, marks=marks, id=f"{scene.kind}-{dialect}")


@pytest.mark.parametrize(("database_url", "scene"), list(cases()), indirect=["database_url"])
async def test_a_death_at_any_point_changes_nothing_but_the_time_it_takes(
    scene: Scene, database_url: str, copies: Copies, tmp_path: Path
) -> None:
    enumeration = Enumeration(scene, database_url, tmp_path, copies)
    await enumeration.book()
    calm = await enumeration.calm()
    assert scene.did(calm), "the undisturbed run did not do what it is about"
    wrong, points = {}, 0
    async for point, left in enumeration.deaths():
        points += 1
        if differs := left.same_as(calm, scene):
            wrong[point] = differs
    print(f"{scene.kind}: {points} points")
    assert points >= LEAST_POINTS
    assert not wrong
