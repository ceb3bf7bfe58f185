"""The commands `webinar owed` and `webinar mail`, as an administrator types them, on both databases."""

import asyncio
import re
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import pytest
from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from tests.build import HOUR, MINUTE, a_lecture, an_institution
from webinar.cli import main
from webinar.core import processes
from webinar.core.clock import SystemClock
from webinar.core.database import Database
from webinar.core.tables import AuditRow, EffectRow
from webinar.people.tables import UnitRow

T = TypeVar("T")


@dataclass
class Said:
    """What a command printed, and how it ended."""

    out: str
    err: str
    code: int


class Desk:
    """Somebody at a terminal, and what is owed."""

    def __init__(self, url: str, type_in: Callable[..., Said]) -> None:
        self.url = url
        self.webinar = type_in
        self.ids: dict[str, int] = {}
        self.names: list[str] = []

    def at(self, work: Callable[[AsyncSession], Awaitable[T]]) -> T:
        """Something in a transaction of its own."""

        async def run() -> T:
            db = Database(self.url)
            try:
                async with db.writing() as session:
                    return await work(session)
            finally:
                await db.close()

        return asyncio.run(run())

    def owe(self, key: str, state: str = "owed", *, kind: str = "invite", **more: Any) -> int:
        now = SystemClock().now()
        row = {
            "key": key, "kind": kind, "subject": "nobody", "payload": {}, "due_at": now - HOUR,
            "state": state, "fence": 0, "attempts": 0, "nudged": False, "created_at": now,
        }  # fmt: skip

        async def work(session: AsyncSession) -> int:
            return (
                await session.execute(insert(EffectRow).values(**row | more).returning(EffectRow.id))
            ).scalar_one()

        return self.at(work)

    def row(self, key: str) -> EffectRow:
        async def work(session: AsyncSession) -> EffectRow:
            found: EffectRow = await session.scalar(select(EffectRow).where(EffectRow.key == key))
            return found

        return self.at(work)

    def notes(self) -> list[str]:
        async def work(session: AsyncSession) -> list[str]:
            return list(await session.scalars(select(AuditRow.action).order_by(AuditRow.id)))

        return self.at(work)

    def institution(self, name: str, code: str) -> None:
        async def work(session: AsyncSession) -> UnitRow:
            unit = await an_institution(session, name=name, code=code)
            await a_lecture(session, unit)
            return unit

        self.at(work)


@pytest.fixture
def desk(
    database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Any
) -> Desk:
    monkeypatch.setenv("PENDOPO_DATABASE_URL", database_url)
    monkeypatch.setenv("PENDOPO_DATA", str(tmp_path))

    def type_in(*words: str) -> Said:
        capsys.readouterr()
        monkeypatch.setattr(sys, "argv", ["webinar", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return Said(said.out, said.err, int(ended.value.code or 0))

    return Desk(database_url, type_in)


def test_where_nothing_is_owed_it_says_so(desk: Desk) -> None:
    assert desk.webinar("owed") == Said("Nothing is due, and nothing has failed.\n", "", 0)
    assert desk.webinar("owed", "list") == Said("Nothing is parked.\n", "", 0)
    assert desk.webinar("mail", "state") == Said("No mail is held.\n", "", 0)


def test_it_counts_each_kind_with_its_last_error_and_says_which_clock_is_wrong(desk: Desk) -> None:
    desk.owe("a", "parked", attempts=60, last_error="550 5.1.1 no such user")
    desk.owe("b", attempts=2, last_error="451 later", due_at=SystemClock().now() + MINUTE)
    desk.owe("c", kind="sweep")
    now = SystemClock().now()
    detail = {"clock_ahead_ms": 31_000}
    desk.at(
        lambda session: processes.beat(
            session, name="far", kind="scheduler", started_at=now, now=now, detail=detail
        )
    )
    said = desk.webinar("owed")
    assert said.code == 0
    lines = [line.split() for line in said.out.splitlines()]
    assert lines[0][:4] == ["kind", "parked", "failing", "late"]
    assert ["invite", "1", "1", "-"] in [line[:4] for line in lines]
    assert ["sweep", "-", "-", "1"] in [line[:4] for line in lines]
    assert "550 5.1.1 no such user" in said.out
    assert said.out.endswith("The clock of scheduler far is 31.0 s ahead of the database's.\n")


def test_single_effects_are_listed_with_the_numbers_by_which_they_are_meant(desk: Desk) -> None:
    first = desk.owe("first", "parked", last_error="550 no")
    desk.owe("other kind", "parked", kind="sweep")
    desk.owe("second", "parked")
    said = desk.webinar("owed", "list", "--kind", "invite", "--limit", "1")
    [line] = said.out.splitlines()
    assert line.split()[:3] == [str(first), "parked", "invite"]
    assert "550 no" in line
    assert len(desk.webinar("owed", "list").out.splitlines()) == 3


def test_one_is_tried_again_now(desk: Desk) -> None:
    number = desk.owe("one", "parked", attempts=60)
    assert desk.webinar("owed", "retry", str(number)) == Said("one is tried now.\n", "", 0)
    assert (desk.row("one").state, desk.row("one").attempts) == ("owed", 0)
    assert desk.notes() == ["effect_retried"]


def test_one_that_is_done_stays_done(desk: Desk) -> None:
    number = desk.owe("one", "done")
    assert desk.webinar("owed", "retry", str(number)).out == "one is done.\n"
    assert desk.webinar("owed", "skip", str(number), "--reason", "not needed").out == "one is done.\n"
    assert desk.row("one").state == "done"


def test_all_of_a_kind_are_tried_again_or_skipped_with_a_reason(desk: Desk) -> None:
    for key in ("a", "b", "c"):
        desk.owe(key, "parked")
    desk.owe("another kind", "parked", kind="check")
    assert desk.webinar("owed", "retry", "--kind", "invite").out == "3 of kind invite are tried now.\n"
    said = desk.webinar("owed", "skip", "--kind", "invite", "--standing", "due", "--reason", "sent by hand")
    assert said.out == "3 of kind invite are skipped.\n"
    assert {(desk.row(key).state, desk.row(key).last_error) for key in "abc"} == {("skipped", "sent by hand")}
    assert desk.row("another kind").state == "parked"


def test_one_is_skipped_and_keeps_the_reason(desk: Desk) -> None:
    number = desk.owe("one", "parked", last_error="550 no")
    said = desk.webinar("owed", "skip", str(number), "--reason", "the person has left")
    assert said == Said("one is skipped.\n", "", 0)
    assert (desk.row("one").state, desk.row("one").last_error) == ("skipped", "the person has left")
    assert desk.notes() == ["effect_skipped"]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("owed", "list", "broken"), "There is no broken. Choose one of: parked, failing, late"),
        (("owed", "retry", "999999"), "webinar: "),
        (("owed", "retry"), "give the number of one effect, or --kind"),
        (("owed", "retry", "1", "--kind", "invite"), "give the number of one effect, or --kind"),
        (("owed", "retry", "--kind", "invite", "--standing", "sad"), "There is no sad."),
        (("owed", "retry", "seven"), "Usage: webinar owed retry"),
        (("owed", "skip", "--kind", "invite", "--reason", "x"), "reason: "),
        (("owed", "skip", "--kind", "lecture", "--reason", "no wish"), "cannot be skipped"),
        (("owed", "list", "--limit", "0"), "Usage: webinar owed list"),
        (("mail", "hold", "--reason", "wrong link"), "webinar: "),
        (("mail", "release", "--institution", "nowhere"), "webinar: "),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_cannot_be_is_refused_in_a_line_and_changes_nothing(
    desk: Desk, words: tuple[str, ...], why: str
) -> None:
    desk.owe("one", "parked")
    said = desk.webinar(*words)
    assert said.code in {1, 2}
    assert said.out == ""
    assert why in " ".join(said.err.replace("│", " ").split())
    assert "Traceback" not in said.err
    assert (desk.row("one").state, desk.notes()) == ("parked", [])


def test_what_runs_now_is_left_alone(desk: Desk) -> None:
    number = desk.owe("one", "claimed", lease_until=SystemClock().now() + HOUR)
    for command in (("retry", str(number)), ("skip", str(number), "--reason", "enough")):
        said = desk.webinar("owed", *command)
        assert (said.code, said.out) == (1, "")
    assert desk.row("one").state == "claimed"


def test_mail_is_held_and_released_and_the_reason_is_told(desk: Desk) -> None:
    desk.institution("Pemerintah Kota Contoh", "kota")
    held = desk.webinar("mail", "hold", "--reason", "wrong link in the text")
    assert held.out.startswith("Outgoing mail of Pemerintah Kota Contoh is held.")
    told = re.compile(r"Outgoing mail of Pemerintah Kota Contoh is held since \d+ s: wrong link in the text")
    assert told.search(desk.webinar("mail", "state").out)
    assert told.search(desk.webinar("owed").out)
    assert desk.webinar("mail", "release").out == "Mail of Pemerintah Kota Contoh goes out again.\n"
    assert desk.webinar("mail", "release").out == "No mail of Pemerintah Kota Contoh was held.\n"
    assert desk.webinar("mail", "state").out == "No mail is held.\n"
    assert desk.notes() == ["mail_held", "mail_released"]


def test_of_several_institutions_one_has_to_be_named(desk: Desk) -> None:
    desk.institution("Pemerintah Kota Contoh", "kota")
    desk.institution("Kabupaten Contoh", "kab")
    unnamed = desk.webinar("mail", "hold", "--reason", "wrong link")
    assert (unnamed.code, unnamed.out) == (1, "")
    assert "--institution" in unnamed.err or "institution" in unnamed.err
    named = desk.webinar("mail", "hold", "--institution", "kab", "--reason", "wrong link")
    assert named.out.startswith("Outgoing mail of Kabupaten Contoh is held.")
    assert len(desk.webinar("mail", "state").out.splitlines()) == 1


def test_a_hold_without_a_reason_asks_for_one(desk: Desk) -> None:
    desk.institution("Pemerintah Kota Contoh", "kota")
    said = desk.webinar("mail", "hold", "--reason", "  ")
    assert (said.code, said.out) == (1, "")
    assert desk.webinar("mail", "state").out == "No mail is held.\n"


def test_a_database_that_does_not_answer_is_told_in_a_line(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PENDOPO_DATABASE_URL", "postgresql+asyncpg://nobody@127.0.0.1:1/none")
    said = desk.webinar("owed")
    assert (said.code, said.out) == (1, "")
    assert "The database does not answer right now." in said.err
