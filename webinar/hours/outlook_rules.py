"""Where a year of learning leads if everything goes as planned. JP in hundredths."""

from collections.abc import Sequence
from dataclasses import dataclass

from webinar.hours.rules import YearOfHours
from webinar.lectures.rules import Lecture


@dataclass(frozen=True, slots=True)
class Outlook:
    """`planned` is what lectures ahead are worth; `reached_at` the end of the one that fills the target."""

    planned: int
    reached_at: int | None

    def sum_with(self, year: YearOfHours) -> int:
        return year.total + year.provisional + self.planned


def outlook(year: YearOfHours, ahead: Sequence[Lecture]) -> Outlook:
    """What is still to come of a year; `ahead` in the order of its start."""
    counted = {entry.lecture_id: entry.jp for entry in year.entries if entry.provisional}
    have = year.total + year.provisional
    planned, reached_at = 0, None
    for lecture in ahead:
        planned += max(0, lecture.jp - counted.get(lecture.id, 0))
        if reached_at is None and have < year.target <= have + planned:
            reached_at = lecture.ends_at
    return Outlook(planned, reached_at)
