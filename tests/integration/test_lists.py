"""Lists handed in: whom they credit, with what, and that their files are only what they say."""

import re
from typing import Any

import aiohttp
import pytest
from sqlalchemy import select

from tests.build import MINUTE, NINE
from tests.integration.attendance_scene import Scene, scene
from tests.integration.hours_scene import LATER, an_organiser, compute, effective, entries, settle
from tests.integration.pages_world import World, a_world
from tests.integration.test_pages_read import CORPUS
from tests.site import Answer, RunningSite, Visitor
from webinar.core.errors import Invalid, NotFound
from webinar.hours import lists, store
from webinar.hours.adjust_rules import ValuesChanged
from webinar.hours.list_rules import Attachment, checked_file
from webinar.hours.tables import AttendanceListRow
from webinar.people.access import scope_of

__all__ = ["scene"]
WHOLE = (NINE, NINE + 90 * MINUTE)
PAPER = Attachment("daftar.pdf", "application/pdf", b"%PDF-1.7 daftar")


@pytest.fixture
async def over(scene: Scene) -> Scene:
    await scene.stayed("budi", NINE, NINE + 90 * MINUTE)
    await scene.stayed("siti", NINE, NINE + 51 * MINUTE)
    await compute(scene)
    return scene


async def hand_in(scene: Scene, scope: Any, seen: dict[str, int], span: tuple[int, int] = WHOLE) -> Any:
    ids = {scene.seats[seat].id: jp for seat, jp in seen.items()}
    async with scene.db.writing() as session:
        return await lists.hand_in(
            session, scope, scene.lecture.id, seen=ids, span=span, reason="Satu layar.",
            attachment=PAPER, now=LATER,
        )  # fmt: skip


async def test_the_preview_says_whom_the_lines_name_and_what_they_would_have(over: Scene) -> None:
    rina = await an_organiser(over)
    lines = ["budi santoso", f" {over.people['siti'].email} ", "=Agus", "Orang Lain", "", "budi santoso"]
    async with over.db.reading() as session:
        found = await lists.preview(session, rina, over.lecture.id, lines, WHOLE)
    assert [(one.name, one.before, one.after) for one in found.changes] == [
        ("=Agus", 0, 200), ("Budi Santoso", 200, 200), ("Siti Rahma", 0, 200),
    ]  # fmt: skip
    assert found.unknown == ("Orang Lain",)


async def test_a_list_adjusts_those_on_it_and_is_kept_with_its_paper(over: Scene) -> None:
    rina = await an_organiser(over)
    done = await hand_in(over, rina, {"siti": 0, "agus": 0, "budi": 200})
    assert (len(done.made), done.unchanged) == (2, 1)
    assert await effective(over) == {"siti": 200, "agus": 200}
    async with over.db.reading() as session:
        (row,) = await session.scalars(select(AttendanceListRow))
        history = await store.history(session, over.lecture.id)
        (shown,) = await lists.handed_in(session, over.lecture.id)
        kept = await lists.attachment(session, rina, over.lecture.id, row.id)
    assert {one.list_id for one in history} == {row.id}
    assert (shown.author, shown.people, shown.reason, kept) == ("Rina Wati", 3, "Satu layar.", PAPER)
    await settle(over)
    assert ("agus", "adjustment", 200) in await entries(over)


async def test_the_own_presence_and_the_time_of_the_list_count_as_one(over: Scene) -> None:
    """51 minutes of the own and the last 30 by the list are enough; the last 30 alone are not."""
    rina = await an_organiser(over)
    late = (NINE + 60 * MINUTE, NINE + 90 * MINUTE)
    await hand_in(over, rina, {"siti": 0}, late)
    assert await effective(over) == {"siti": 200}
    async with over.db.reading() as session:
        found = await lists.preview(session, rina, over.lecture.id, ["=Agus"], late)
    assert [one.after for one in found.changes] == [0]


async def test_a_list_is_refused_as_an_adjustment_is(over: Scene) -> None:
    rina = await an_organiser(over)
    with pytest.raises(ValuesChanged):
        await hand_in(over, rina, {"siti": 100})
    for span in ((NINE, NINE), (NINE - 60 * MINUTE, NINE), (NINE + 90 * MINUTE, NINE + 99 * MINUTE)):
        with pytest.raises(Invalid):
            await hand_in(over, rina, {"siti": 0}, span)
    async with over.db.reading() as session:
        siti = await scope_of(session, over.people["siti"].id)
        assert (await session.scalars(select(AttendanceListRow))).all() == []
    with pytest.raises(NotFound):
        await hand_in(over, siti, {"siti": 0})


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("daftar.pdf", b""),
        ("daftar.pdf", b"%PDF-" + b"x" * (2 * 1024 * 1024)),
        ("daftar.pdf", b"<html><script>"),
        ("daftar.png", b"%PDF-1.7"),
        ("daftar.svg", b"<svg onload=alert(1)>"),
        ("daftar.html", b"%PDF-1.7"),
        ("pdf", b"%PDF-1.7"),
        ("", b"%PDF-1.7"),
    ],
)
def test_a_file_that_is_not_what_its_ending_says_is_refused(name: str, content: bytes) -> None:
    with pytest.raises(Invalid):
        checked_file(name, content)


def test_a_name_of_a_file_is_safe_for_a_header() -> None:
    name = '../..\\x/"dafté\r\nar;.JPG'
    assert checked_file(name, b"\xff\xd8\xff").file_name == "_daft_ar_.JPG"


async def test_whoever_is_ticked_is_on_the_list_beside_those_named_and_nobody_from_elsewhere(
    over: Scene,
) -> None:
    rina = await an_organiser(over)
    picked = [over.seats["siti"].id, over.seats["siti"].id, "x" * 26]
    async with over.db.reading() as session:
        found = await lists.preview(session, rina, over.lecture.id, ["=Agus", "siti rahma"], WHOLE, picked)
        assert [one.name for one in found.changes] == ["=Agus", "Siti Rahma"]
        with pytest.raises(Invalid):
            await lists.preview(
                session, rina, over.lecture.id, [], WHOLE, [str(number) for number in range(501)]
            )


async def _post(visitor: Visitor, path: str, form: dict[str, str], file: tuple[str, bytes]) -> Answer:
    data = aiohttp.FormData()
    for key, value in {**form, "csrf_token": visitor.csrf_token}.items():
        data.add_field(key, value)
    data.add_field("file", file[1], filename=file[0], content_type="text/html")
    return await visitor.post(path, data=data)


async def _previewed(world: World, visitor: Visitor, reason: str = "Satu layar.") -> dict[str, str]:
    """The fields of the second form, as the preview has them."""
    form = {
        "list": "siti@example.test",
        "starts": "2026-11-22T09:07",
        "ends": "2026-11-22T10:37",
        "reason": reason,
    }
    page = await visitor.post(world.path("ended", "lists"), form)
    assert page.status == 200, page.text[:500]
    seen = re.findall(r'name="(seen\.\w+)" value="(\d+)"', page.text)
    return {**form, **dict(seen)}


async def test_the_file_is_served_as_an_attachment_of_the_kind_that_it_is(site: RunningSite) -> None:
    world = await a_world(site)
    ratna = await world.as_("organiser")
    form = await _previewed(world, ratna)
    wrong = await _post(ratna, world.path("ended", "lists"), form, ("a.pdf", b"<script>"))
    assert wrong.status == 422
    form = {name: "100" if name.startswith("seen.") else value for name, value in form.items()}
    stale = await _post(ratna, world.path("ended", "lists"), form, ("a.pdf", b"%PDF-1.7"))
    assert stale.status == 412


@pytest.mark.parametrize("text", CORPUS)
async def test_words_of_a_list_stay_words(site: RunningSite, text: str) -> None:
    world = await a_world(site)
    ratna = await world.as_("organiser")
    async with site.database.writing() as session:
        session.add(
            AttendanceListRow(
                id="l" * 26, institution_id=world.institution.id, lecture_id=world.lectures["ended"].id,
                reason=text, file_name="a.pdf", content_type="application/pdf", content=b"%PDF-1.7",
                sha256="0" * 64, people=[], created_at=NINE,
            )
        )  # fmt: skip
    path = world.path("ended", "lists")
    form = {"list": text, "starts": text, "ends": "2026-11-22T10:37", "reason": text}
    good = {**form, "starts": "2026-11-22T09:07"}
    pages = [await ratna.get(path), await ratna.post(path, form), await ratna.post(path, good)]
    for page in pages:
        assert page.status in {200, 422}
        for bad in ("<script>alert", "<img src=x", "<svg/onload", "' onmouseover='"):
            assert bad not in page.text
    file = await ratna.get(f"{path}/{'l' * 26}/file")
    assert (file.status, file.body) == (200, b"%PDF-1.7")
    assert file.headers["Content-Disposition"] == 'attachment; filename="a.pdf"'
    assert file.headers["X-Content-Type-Options"] == "nosniff"
    assert (await (await world.as_("participant")).get(f"{path}/{'l' * 26}/file")).status == 403


def offered(page: Answer) -> dict[str, bool]:
    """The registrations that can be ticked, and whether they are."""
    found = re.findall(r'type="checkbox" class="checkbox" name="pick" value="(\w+)"( checked)?>', page.text)
    return {id: bool(checked) for id, checked in found}


async def test_ticks_outlive_each_search_and_lead_to_the_preview(site: RunningSite) -> None:
    world = await a_world(site)
    ratna = await world.as_("organiser")
    path = world.path("ended", "lists")
    one, other = offered(await ratna.get(path))
    assert offered(await ratna.get(path)) == {one: False, other: False}

    typed = {"starts": "2026-11-22T09:07", "ends": "2026-11-22T10:37", "reason": "Satu <layar>", "list": "x"}
    found = await ratna.post(path, {**typed, "q": "siti rah", "step": "all"})
    assert offered(found) == {one: True, other: True}
    assert 'value="Satu &lt;layar&gt;"' in found.text and ">x</textarea>" in found.text
    none = await ratna.post(path, {**typed, "q": "siti rah", "step": "none", "pick": one})
    assert offered(none) == {one: False, other: False}

    elsewhere = await ratna.post(path, {**typed, "q": "zzz", "step": "find", "pick": one})
    assert offered(elsewhere) == {one: True}
    again = await ratna.post(path, {**typed, "q": "", "step": "find", "pick": one})
    assert offered(again) == {one: True, other: False}

    preview = await ratna.post(path, {**typed, "list": "", "pick": one})
    assert (preview.status, re.findall(r'name="seen\.(\w+)', preview.text)) == (200, [one])
    seen = {f"seen.{one}": "200", **typed, "list": "", "pick": one}
    back = await ratna.post(path, {**seen, "step": "back"})
    assert offered(back) == {one: True, other: False}
    wrong = await _post(ratna, path, seen, ("a.pdf", b"<script>"))
    assert (wrong.status, re.findall(r'name="(?:pick|seen\.\w+)" value="(\w+)"', wrong.text)) == (
        422,
        ["200", one],
    )


@pytest.mark.parametrize("text", [*CORPUS, "%", "_", "\u202e", "x" * 5_000])
async def test_a_search_is_only_ever_words_and_a_tick_only_one_of_the_lecture(
    site: RunningSite, text: str
) -> None:
    world = await a_world(site)
    ratna = await world.as_("organiser")
    page = await ratna.post(world.path("ended", "lists"), {"q": text, "step": "find", "pick": text})
    assert page.status == 200 and not any(offered(page).values())
    for bad in ("<script>alert", "<img src=x", "<svg/onload", "' onmouseover='"):
        assert bad not in page.text


async def test_nobody_is_offered_before_the_lecture_is_over(site: RunningSite) -> None:
    world = await a_world(site)
    page = await (await world.as_("organiser")).get(world.path("scheduled", "lists"))
    assert page.status == 200 and 'name="pick"' not in page.text
