"""What really happened, as the clients know it themselves. Instants are true Unix ms."""

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(slots=True)
class Stay:
    """One connection of one device.

    `dialled` is when the media server made the participant, `start` when media flowed, `end` when the
    client was gone, and `how` it went; `silent` is since when its page sent no signs of life.
    """

    person: int
    sid: str
    dialled: int
    start: int
    end: int | None = None
    how: str = ""
    silent: int | None = None


@dataclass(slots=True)
class Truth:
    stays: list[Stay] = field(default_factory=list)
    aborted: list[str] = field(default_factory=list)

    def of(self, person: int) -> Sequence[Stay]:
        return [stay for stay in self.stays if stay.person == person]
