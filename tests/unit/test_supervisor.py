"""Keeping a process running: again after its end, later each time, at once again when it was healthy."""

import asyncio

import pytest

from webinar import supervisor
from webinar.supervisor import back_off, keep


def test_the_wait_doubles_up_to_its_limit() -> None:
    assert [back_off(failures) for failures in (1, 2, 3, 4, 5, 6, 7)] == [0.5, 1, 2, 4, 8, 10, 10]


class Flaky:
    """Ends at once each time; the second start fails."""

    name, hint = "flaky", "see its log"

    def __init__(self) -> None:
        self.starts = 0

    async def start(self) -> None:
        self.starts += 1
        if self.starts == 2:
            raise OSError("no room")

    async def wait(self) -> int:
        if self.starts == 4:
            await asyncio.Event().wait()
        return -9 if self.starts == 0 else 1

    async def stop(self) -> None:
        return


async def test_each_end_is_said_in_one_line_and_a_failing_start_is_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(supervisor, "FIRST_WAIT_S", 0.001)
    flaky, said = Flaky(), list[str]()
    keeping = asyncio.create_task(keep(flaky, said.append))
    while flaky.starts < 4:
        await asyncio.sleep(0.001)
    keeping.cancel()
    assert said == [
        "flaky was ended by SIGKILL; starts again in 0.001 s (see its log)",
        "flaky ended with code 1; starts again in 0.002 s (see its log)",
        "flaky does not start: no room",
        "flaky ended with code 1; starts again in 0.004 s (see its log)",
        "flaky ended with code 1; starts again in 0.008 s (see its log)",
    ]
