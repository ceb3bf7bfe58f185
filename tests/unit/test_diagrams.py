"""The state diagrams of the documentation are those of the code."""

import re
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

import pytest

from recordings.rules import RECORDING_MOVES
from webinar.hours.contest_rules import CONTEST_MOVES
from webinar.lectures.rules import LECTURE_MOVES, ROOM_MOVES
from webinar.reports.rules import REPORT_MOVES
from webinar.series.rules import MEMBER_MOVES

PAGE = (Path(__file__).parents[2] / "docs" / "architecture.md").read_text("utf-8")


@pytest.mark.parametrize(
    ("noun", "moves"),
    [
        ("lecture", LECTURE_MOVES),
        ("room", ROOM_MOVES),
        ("recording", RECORDING_MOVES),
        ("contest", CONTEST_MOVES),
        ("report", REPORT_MOVES),
        ("member", MEMBER_MOVES),
    ],
)
def test_the_diagram_shows_the_moves_of_the_table(
    noun: str, moves: Mapping[tuple[StrEnum, str], StrEnum]
) -> None:
    drawn = re.search(rf"<!-- states: {noun} -->\n```mermaid\nstateDiagram-v2\n(.*?)```", PAGE, re.DOTALL)
    assert drawn is not None
    lines = {line.strip() for line in drawn[1].splitlines()}
    assert lines == {f"{before} --> {after}: {move}" for (before, move), after in moves.items()}
