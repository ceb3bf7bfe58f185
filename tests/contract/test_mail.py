"""What every mailer keeps: the one that speaks SMTP, against a real server, and the fake."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from email import message_from_bytes
from email.policy import SMTP

import pytest

from tests.servers.smtp import SmtpServer, smtp_server
from webinar.mail import build
from webinar.mail.fake import FakeMailer
from webinar.mail.port import MailDeferred, Mailer, MailRefused, Message
from webinar.mail.smtp import SmtpMailer, SmtpSettings


@dataclass
class World:
    """A mailer and the levers of the world behind it."""

    mailer: Mailer
    refuse: Callable[[str], None]
    defer: Callable[[str], None]
    heal: Callable[[], None]
    go_away: Callable[[], Awaitable[None]]
    arrived: Callable[[], list[str]]


def _real(server: SmtpServer, mailer: SmtpMailer) -> World:
    def arrived() -> list[str]:
        return [str(message_from_bytes(taken.content, policy=SMTP)["Message-ID"]) for taken in server.taken]

    return World(mailer, server.refuse, server.defer, server.heal, server.go_away, arrived)


def _fake(mailer: FakeMailer) -> World:
    async def go_away() -> None:
        mailer.go_away()

    return World(
        mailer, mailer.refuse, mailer.defer, mailer.heal, go_away, lambda: [m.message_id for m in mailer.sent]
    )


@pytest.fixture(params=["smtp", "fake"])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    if request.param == "fake":
        yield _fake(FakeMailer())
        return
    async with smtp_server() as server:
        mailer = SmtpMailer(SmtpSettings("127.0.0.1", server.port, security="none", timeout=5))
        yield _real(server, mailer)
        await mailer.close()


def a_message(to: str = "siti@dinkes.test", number: int = 1) -> Message:
    return Message(
        message_id=f"<invite.{number}@pendopo.test>",
        sender=build.address("Pendopo", "undangan@pendopo.test"),
        to=build.address("Siti Rahma", to),
        subject="Undangan",
        text="Halo\n",
        html="<p>Halo</p>",
        written_at=1_795_000_000_000,
    )


async def test_a_message_that_is_taken_arrives_and_gives_a_receipt(world: World) -> None:
    receipt = await world.mailer.send(a_message())
    assert receipt.message_id == "<invite.1@pendopo.test>"
    assert receipt.answer
    assert world.arrived() == ["<invite.1@pendopo.test>"]


async def test_an_address_that_does_not_exist_is_refused_with_code_and_status(world: World) -> None:
    world.refuse("nobody@dinkes.test")
    with pytest.raises(MailRefused) as refused:
        await world.mailer.send(a_message("nobody@dinkes.test"))
    assert (refused.value.code, refused.value.enhanced, refused.value.text) == (550, "5.1.1", "No such user")
    assert world.arrived() == []


async def test_a_busy_server_defers(world: World) -> None:
    world.defer("siti@dinkes.test")
    with pytest.raises(MailDeferred) as deferred:
        await world.mailer.send(a_message())
    assert (deferred.value.code, deferred.value.enhanced) == (451, "4.3.0")


async def test_the_refusal_of_one_does_not_touch_the_next(world: World) -> None:
    world.refuse("nobody@dinkes.test")
    with pytest.raises(MailRefused):
        await world.mailer.send(a_message("nobody@dinkes.test"))
    await world.mailer.send(a_message(number=2))
    assert world.arrived() == ["<invite.2@pendopo.test>"]


async def test_what_was_deferred_goes_out_later(world: World) -> None:
    world.defer("siti@dinkes.test")
    with pytest.raises(MailDeferred):
        await world.mailer.send(a_message())
    world.heal()
    await world.mailer.send(a_message())
    assert world.arrived() == ["<invite.1@pendopo.test>"]


async def test_a_server_that_is_away_defers_without_a_code(world: World) -> None:
    await world.go_away()
    with pytest.raises(MailDeferred) as deferred:
        await world.mailer.send(a_message())
    assert deferred.value.code == 0
    assert deferred.value.text


async def test_a_repeat_is_the_same_mail(world: World) -> None:
    await world.mailer.send(a_message())
    await world.mailer.send(a_message())
    assert world.arrived() == ["<invite.1@pendopo.test>"] * 2


async def test_a_message_that_cannot_be_built_is_the_callers_error(world: World) -> None:
    with pytest.raises(ValueError, match="Message-ID"):
        await world.mailer.send(a_message(number="1>\r\nBcc: all@dinkes.test"))  # type: ignore[arg-type]  # hostile
    assert world.arrived() == []


async def test_closing_twice_and_sending_again_works(world: World) -> None:
    await world.mailer.close()
    await world.mailer.send(a_message())
    await world.mailer.close()
    await world.mailer.close()
    await world.mailer.send(a_message(number=2))
    assert len(world.arrived()) == 2
