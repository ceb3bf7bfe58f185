"""Doing for many at once what each asks for: who shares a batch, what a failure costs, pauses in between."""

import asyncio
from collections.abc import Sequence

import pytest

from webinar.core.batches import Batches
from webinar.core.errors import Unavailable


class Work:
    """Doubles numbers; keeps what was asked together. An odd number breaks the batch that it is in."""

    def __init__(self) -> None:
        self.asked: list[list[int]] = []

    async def __call__(self, items: Sequence[int]) -> list[int]:
        self.asked.append(list(items))
        await asyncio.sleep(0)
        if any(item % 2 for item in items):
            raise ValueError
        return [2 * item for item in items]


async def test_who_asks_in_the_same_moment_shares_a_batch_and_has_the_own_answer() -> None:
    work = Work()
    batches = Batches(work)
    assert await asyncio.gather(*map(batches, (2, 4, 6))) == [4, 8, 12]
    assert work.asked == [[2, 4, 6]]


async def test_only_the_one_that_fails_suffers() -> None:
    work = Work()
    answers = await asyncio.gather(*map(Batches(work), (2, 3, 4)), return_exceptions=True)
    assert answers[0] == 4
    assert isinstance(answers[1], ValueError)
    assert answers[2] == 8


async def test_that_something_is_away_is_told_to_all_and_asked_once() -> None:
    asked: list[int] = []

    async def away(items: Sequence[int]) -> list[int]:
        asked.append(len(items))
        raise Unavailable

    answers = await asyncio.gather(*map(Batches(away), range(3)), return_exceptions=True)
    assert [type(answer) for answer in answers] == [Unavailable] * 3
    assert asked == [3]


async def test_one_that_comes_alone_goes_at_once_and_those_soon_after_share_the_next() -> None:
    work, loop = Work(), asyncio.get_running_loop()
    batches = Batches(work, every_s=0.1)
    began = loop.time()
    assert await batches(2) == 4
    later = [asyncio.create_task(batches(4))]
    await asyncio.sleep(0.02)
    later.append(asyncio.create_task(batches(6)))
    assert await asyncio.gather(*later) == [8, 12]
    assert work.asked == [[2], [4, 6]]
    assert loop.time() - began >= 0.099


async def test_closing_does_what_waits_without_the_pause() -> None:
    work = Work()
    batches = Batches(work, every_s=3_600)
    await batches(2)
    waiting = [asyncio.create_task(batches(number)) for number in (4, 6)]
    await asyncio.sleep(0)
    assert batches.waiting == 2
    async with asyncio.timeout(5):
        await batches.close()
    assert [task.result() for task in waiting] == [8, 12]


async def test_no_batch_is_larger_than_may_be() -> None:
    work = Work()
    await asyncio.gather(*map(Batches(work, most=2), (0, 2, 4, 6, 8)))
    assert [len(batch) for batch in work.asked] == [2, 2, 1]


@pytest.mark.parametrize("at_once", [1, 2])
async def test_so_many_batches_are_on_their_way_at_a_time(at_once: int) -> None:
    going = most = 0

    async def work(items: Sequence[int]) -> Sequence[int]:
        nonlocal going, most
        going += 1
        most = max(most, going)
        await asyncio.sleep(0.01)
        going -= 1
        return items

    await asyncio.gather(*map(Batches(work, most=1, at_once=at_once), range(4)))
    assert most == at_once
