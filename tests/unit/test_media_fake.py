"""The fake media server, where the contract with the real one does not reach."""

import pytest

from webinar.core.clock import ManualClock
from webinar.media.fake import FakeMedia
from webinar.media.port import MediaUnavailable
from webinar.media.signing import signed
from webinar.media.tokens import mint
from webinar.media.webhook import parse

NINE = 1_795_000_000_000
KEY, SECRET = "key", "s" * 43


def a_fake(clock: ManualClock) -> FakeMedia:
    return FakeMedia(clock, KEY, SECRET)


def a_token(secret: str = SECRET) -> str:
    return mint(KEY, secret, identity="seat.tab", name="Siti", room="hall", now=NINE, hidden=True)


def test_its_webhooks_are_read_by_the_parser_as_it_told_them() -> None:
    fake = a_fake(ManualClock(NINE))
    fake.join(a_token())
    fake.leave("hall", "seat.tab", "CONNECTION_TIMEOUT")

    assert len(fake.events) == 3
    for event in fake.events:
        assert parse(*signed(event, KEY, SECRET, NINE), {KEY: SECRET}, NINE) == event


@pytest.mark.parametrize("token", [a_token("x" * 43), "garbage"])
def test_a_token_that_is_not_ours_lets_nobody_in(token: str) -> None:
    with pytest.raises(PermissionError):
        a_fake(ManualClock(NINE)).join(token)


def test_a_token_that_expired_lets_nobody_in() -> None:
    clock = ManualClock(NINE)
    fake = a_fake(clock)
    clock.advance(360_000)

    with pytest.raises(PermissionError):
        fake.join(a_token())


async def test_away_and_back_again_nothing_is_lost_unless_it_crashed() -> None:
    fake = a_fake(ManualClock(NINE))
    await fake.open_room("hall")
    fake.go_away()
    with pytest.raises(MediaUnavailable):
        await fake.list_rooms()
    fake.come_back()

    assert len(await fake.list_rooms()) == 1
