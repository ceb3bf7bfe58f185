"""The review page: what it shows, in which order, to whom, and at what cost; on both databases."""

import re
from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from tests.build import MINUTE, NINE, a_lecture, a_person, a_registration, a_role, a_unit
from tests.integration.pages_world import statements, stayed
from tests.integration.review_scene import LATER, Reviewed, a_review
from tests.site import Answer, RunningSite
from webinar.core.ids import new_id
from webinar.evidence.store import record_heartbeat
from webinar.evidence.tables import AnswerRow, PresenceCheckRow
from webinar.hours.review_rules import PAGE
from webinar.lectures.store import change_registration

SHOWN = re.compile(r'<a class="person-name"[^>]*>([^<]*)</a>')


def names(page: Answer) -> list[str]:
    """First names of the rows, in their order."""
    return [name.split()[0].lower() for name in SHOWN.findall(page.text)]


def numbers(page: Answer) -> dict[str, str]:
    """The pills over the table."""
    return dict(re.findall(r'show=(\w+)"[^>]*>[^<]*<span class="count">(\d+)</span>', page.text))


async def looked(scene: Reviewed, query: str = "") -> Answer:
    page = await (await scene.ratna()).get(scene.path + query)
    assert page.status == 200, page.text
    return page


async def test_everybody_registered_is_a_row_by_name(site: RunningSite) -> None:
    scene = await a_review(site)
    assert names(await looked(scene)) == ["agus", "ani", "budi", "dewi", "siti"]


@pytest.mark.parametrize(
    ("show", "expected"),
    [
        ("absent", ["agus"]),
        ("below", ["siti"]),
        ("doubtful", ["dewi"]),
        ("contested", ["siti"]),
        ("strangers", []),
        ("nonsense", ["agus", "ani", "budi", "dewi", "siti"]),
    ],
)
async def test_a_filter_shows_its_people_and_its_number(
    site: RunningSite, show: str, expected: list[str]
) -> None:
    scene = await a_review(site)
    await scene.contested("siti")
    page = await looked(scene, f"?show={show}")
    assert names(page) == expected
    assert numbers(page) == {
        "absent": "1", "below": "1", "doubtful": "1", "contested": "1", "strangers": "0",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("rahma", ["siti"]),
        ("KESEHATAN", ["agus", "budi", "dewi"]),
        ("kesehatan bud", ["budi"]),
        ("1985021220", ["siti"]),
        ("0212", []),
        ("100%25", []),
        ("_", []),
    ],
)
async def test_a_search_finds_names_units_and_the_beginning_of_a_nip(
    site: RunningSite, words: str, expected: list[str]
) -> None:
    scene = await a_review(site)
    assert names(await looked(scene, f"?q={words.replace(' ', '+')}")) == expected


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("-name", ["siti", "dewi", "budi", "ani", "agus"]),
        ("unit", ["agus", "budi", "dewi", "ani", "siti"]),
        ("minutes", ["agus", "siti", "dewi", "ani", "budi"]),
        ("-minutes", ["ani", "budi", "dewi", "siti", "agus"]),
        ("jp", ["agus", "siti", "ani", "budi", "dewi"]),
        ("joined", ["ani", "budi", "dewi", "siti", "agus"]),
        ("-joined", ["siti", "dewi", "budi", "ani", "agus"]),
        ("drop table", ["agus", "ani", "budi", "dewi", "siti"]),
    ],
)
async def test_rows_are_sorted_and_who_never_came_is_last(
    site: RunningSite, sort: str, expected: list[str]
) -> None:
    scene = await a_review(site)
    assert names(await looked(scene, f"?sort={sort.replace(' ', '+')}")) == expected


async def test_an_adjustment_counts_in_numbers_filters_and_order_and_says_who_and_why(
    site: RunningSite,
) -> None:
    scene = await a_review(site)
    before = await looked(scene)
    assert ">3<" in before.text.replace("\n", "")
    await scene.adjusted("siti", 200, reason="Listrik padam di kantor")
    await scene.adjusted("dewi", 200, before_jp=200, reason="Dilihat")
    page = await looked(scene)
    assert "Ratna Dewi: Listrik padam di kantor" in page.text
    assert 'class="jp-sign"' in page.text
    assert (numbers(page)["below"], numbers(page)["doubtful"]) == ("0", "0")
    assert names(await looked(scene, "?show=below")) == []
    assert names(await looked(scene, "?show=doubtful")) == []
    assert names(await looked(scene, "?sort=jp"))[0] == "agus"


async def test_whoever_organises_elsewhere_sees_no_nip_of_other_units(site: RunningSite) -> None:
    """The lecture is a unit's own: its organiser sees the NIP of that unit's people only."""
    scene = await a_review(site)
    assert "198502122010012002" in (await looked(scene)).text
    async with site.database.writing() as session:
        own = await a_unit(session, scene.institution, name="Bappeda")
        narrow = await a_person(session, own, name="Made Wirawan")
        await a_role(session, narrow, own, role="organiser")
        lecture = await session.get(type(scene.lecture), scene.lecture.id)
        assert lecture is not None
        lecture.unit_id = own.id
    made = await site.signed_in(narrow.id)
    page = await made.get(scene.path)
    assert (page.status, len(names(page))) == (200, 5)
    assert "19850" not in page.text
    assert names(await made.get(f"{scene.path}?q=1985021220")) == []


async def test_pages_follow_each_other_and_no_row_is_lost(site: RunningSite) -> None:
    scene = await a_review(site)
    async with site.database.writing() as session:
        for number in range(PAGE):
            person = await a_person(session, scene.health, name=f"Peserta {number:03}")
            await a_registration(session, scene.lecture, person)
    first = await looked(scene)
    assert len(names(first)) == PAGE
    assert f"from={PAGE}" in first.text
    rest = await looked(scene, f"?from={PAGE}")
    assert names(rest)[-1] == "siti"
    assert len(names(rest)) == 5
    more = await looked(scene, f"/live?from={PAGE}")
    assert names(more) == names(rest)


@pytest.mark.parametrize("query", ["", "?show=doubtful", "?q=a&sort=-jp", "/live"])
async def test_it_costs_the_same_number_of_statements_with_one_row_and_with_three(
    site: RunningSite, query: str
) -> None:
    scene = await a_review(site)
    await scene.adjusted("siti", 200)
    await scene.contested("siti")
    ratna = await scene.ratna()

    async def cost() -> int:
        await ratna.get(scene.path + query)
        with statements(site) as seen:
            assert (await ratna.get(scene.path + query)).status == 200
        assert not [one for one in seen if "evidence_webhooks.event_id" in one]
        return len(seen)

    before = await cost()
    async with site.database.writing() as session:
        for number in range(2):
            person = await a_person(session, scene.health, name=f"Abu {number}")
            scene.seats[f"abu{number}"] = await a_registration(session, scene.lecture, person)
            scene.people[f"abu{number}"] = person
            await stayed(session, scene.lecture, scene.seats[f"abu{number}"], NINE, NINE + 90 * MINUTE)
    for number in range(2):
        await scene.adjusted(f"abu{number}", 0, before_jp=200)
        await scene.contested(f"abu{number}")
    assert await cost() == before


# --- while the lecture runs --------------------------------------------------------------------


async def test_nothing_new_is_a_304_and_something_new_is_not(site: RunningSite) -> None:
    scene = await a_review(site, state="live")
    site.clock.at = NINE + 30 * MINUTE
    ratna = await scene.ratna()
    page = await ratna.get(scene.path)
    tag = re.search(r'data-tag="&#34;(\w+)&#34;"', page.text)
    assert tag is not None
    headers = {"If-None-Match": f'"{tag[1]}"'}
    again = await ratna.get(f"{scene.path}/live", headers=headers)
    assert (again.status, again.body) == (304, b"")
    site.clock.advance(MINUTE)
    newer = await ratna.get(f"{scene.path}/live", headers=headers)
    assert newer.status == 200
    assert newer.headers["ETag"] != headers["If-None-Match"]
    assert 'id="review-summary"' in newer.text
    assert 'id="log-rows"' in newer.text


async def test_a_contest_is_something_new(site: RunningSite) -> None:
    scene = await a_review(site)
    ratna = await scene.ratna()
    tag = (await ratna.get(f"{scene.path}/live")).headers["ETag"]
    await scene.contested("siti")
    assert (await ratna.get(f"{scene.path}/live", headers={"If-None-Match": tag})).status == 200


async def renamed(session: AsyncSession, scene: Reviewed) -> None:
    scene.people["siti"].name = "Siti Rahmawati"
    await session.merge(scene.people["siti"])


async def unit_renamed(session: AsyncSession, scene: Reviewed) -> None:
    scene.health.name = "Dinas Kesehatan Kota"
    await session.merge(scene.health)


async def answered(session: AsyncSession, scene: Reviewed) -> None:
    check = PresenceCheckRow(
        id=new_id(),
        lecture_id=scene.lecture.id,
        number=1,
        due_at=NINE,
        asked_at=NINE,
        closes_at=NINE + MINUTE,
    )
    session.add(check)
    await session.flush()
    session.add(
        AnswerRow(
            check_id=check.id,
            registration_id=scene.seats["siti"].id,
            lecture_id=scene.lecture.id,
            identity="siti.tab",
            answered_at=NINE + 1,
            how="click",
        )
    )


async def cancelled_and_another_registered(session: AsyncSession, scene: Reviewed) -> None:
    """Within one millisecond, and as many as before."""
    await change_registration(session, scene.seats["agus"].id, state="cancelled")
    await a_registration(session, scene.lecture, await a_person(session, scene.health, name="Zaki"))


async def role_changed(session: AsyncSession, scene: Reviewed) -> None:
    await change_registration(session, scene.seats["agus"].id, role="organiser")


@pytest.mark.parametrize(
    "change", [renamed, unit_renamed, answered, cancelled_and_another_registered, role_changed]
)
async def test_whatever_is_shown_is_never_a_304_once_it_changed(
    site: RunningSite, change: Callable[[AsyncSession, Reviewed], Awaitable[None]]
) -> None:
    scene = await a_review(site)
    ratna = await scene.ratna()
    tag = (await ratna.get(f"{scene.path}/live")).headers["ETag"]
    headers = {"If-None-Match": tag}
    assert (await ratna.get(f"{scene.path}/live", headers=headers)).status == 304
    async with site.database.writing() as session:
        await change(session, scene)
    assert (await ratna.get(f"{scene.path}/live", headers=headers)).status == 200


async def test_a_page_asks_for_newer_values_only_while_the_lecture_runs(site: RunningSite) -> None:
    ended = await a_review(site)
    assert "data-live" not in (await looked(ended)).text


async def test_values_are_told_with_their_time(site: RunningSite) -> None:
    scene = await a_review(site)
    assert site.clock.now() == LATER
    assert "21.00" in (await looked(scene)).text


# --- adjusting ---------------------------------------------------------------------------------


def box(page: Answer, scene: Reviewed, who: str) -> str:
    """What the tick beside somebody sends: the registration, and the value that is shown."""
    found = re.search(rf'name="registration" value="({scene.seats[who].id}\.\d+)"', page.text)
    assert found is not None
    return found[1]


def ticked(page: Answer, scene: Reviewed, *who: str, **more: str) -> list[tuple[str, str]]:
    """The form of the review with some people ticked."""
    mark = re.search(r'name="mark" value="([^"]+)"', page.text)
    assert mark is not None
    fields = {"mark": mark[1], "do": "1", "jp_kind": "full", "adjust_reason": "Listrik padam"} | more
    return [*(("registration", box(page, scene, one)) for one in who), *fields.items()]


async def values(scene: Reviewed) -> dict[str, int]:
    """What counts for each, in hundredths, by what the page's boxes say."""
    page = await looked(scene)
    return {who: int(box(page, scene, who).partition(".")[2]) for who in scene.seats}


async def test_several_are_adjusted_with_one_reason_and_the_next_page_offers_to_take_it_back(
    site: RunningSite,
) -> None:
    scene = await a_review(site)
    ratna = await scene.ratna()
    before = await values(scene)
    page = await looked(scene)
    done = await ratna.post(f"{scene.path}/adjust", ticked(page, scene, "siti", "agus"))
    assert (done.status, done.location) == (303, scene.path)
    after = await ratna.get(scene.path)
    assert await values(scene) == before | {"siti": 200, "agus": 200}
    assert "Listrik padam" in after.text
    undo = re.search(r'action="([^"]+/attendance/undo\?[^"]+)"', after.text)
    assert undo is not None
    back = await ratna.post(undo[1].replace("&amp;", "&"), {})
    assert (back.status, back.location) == (303, scene.path)
    assert await values(scene) == before
    # A second click finds that it is taken back already.
    assert (await ratna.post(undo[1].replace("&amp;", "&"), {})).status == 409


async def test_everybody_who_matches_is_adjusted_also_beyond_the_page(site: RunningSite) -> None:
    scene = await a_review(site)
    ratna = await scene.ratna()
    page = await looked(scene, "?q=kesehatan")
    form = ticked(page, scene, all="1", q="kesehatan", jp_kind="other", jp="0,5")
    assert (await ratna.post(f"{scene.path}/adjust", form)).status == 303
    found = await values(scene)
    assert {who for who, jp in found.items() if jp == 50} == {"agus", "budi", "dewi"}


async def test_who_decided_about_values_that_changed_since_is_told_and_nothing_is_changed(
    site: RunningSite,
) -> None:
    scene = await a_review(site)
    ratna = await scene.ratna()
    page = await looked(scene)
    await scene.adjusted("siti", 100)
    before = await values(scene)
    late = await ratna.post(f"{scene.path}/adjust", ticked(page, scene, "siti", "agus"))
    assert late.status == 412
    assert "Siti Rahma" in late.text
    assert "Listrik padam" in late.text
    everybody = await ratna.post(f"{scene.path}/adjust", ticked(page, scene, all="1"))
    assert everybody.status == 412
    assert await values(scene) == before
    # The page that says so has the values of now: sending it again is a decision about them.
    boxes = [("registration", one) for one in re.findall(r'name="registration" value="([^"]+)"', late.text)]
    again = [(name, value) for name, value in ticked(await looked(scene), scene) if name != "registration"]
    assert (await ratna.post(f"{scene.path}/adjust", boxes + again)).status == 303
    assert await values(scene) == before | {"siti": 200, "agus": 200}


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"adjust_reason": " "}, "adjust-reason-error"),
        ({"jp_kind": "other", "jp": "many"}, "jp-error"),
        ({"jp_kind": "other", "jp": "99"}, "jp-error"),
        ({"jp_kind": ""}, "jp-error"),
    ],
)
async def test_what_is_wrong_is_shown_beside_what_was_typed(
    site: RunningSite, wrong: dict[str, str], field: str
) -> None:
    scene = await a_review(site)
    ratna = await scene.ratna()
    before = await values(scene)
    page = await looked(scene)
    answer = await ratna.post(f"{scene.path}/adjust", ticked(page, scene, "siti", **wrong))
    assert answer.status == 422
    assert f'id="{field}"' in answer.text
    assert box(answer, scene, "siti")
    assert await values(scene) == before


async def test_without_a_dialog_a_page_asks_for_value_and_reason(site: RunningSite) -> None:
    scene = await a_review(site)
    ratna = await scene.ratna()
    form = [pair for pair in ticked(await looked(scene), scene, "siti", "agus") if pair[0] != "do"]
    page = await ratna.post(f"{scene.path}/adjust", form)
    assert page.status == 200
    assert "Siti Rahma" in page.text
    assert box(page, scene, "agus")
    nobody = await ratna.post(f"{scene.path}/adjust", {})
    assert (nobody.status, nobody.location) == (303, scene.path)


async def test_nobody_is_adjusted_while_the_lecture_runs(site: RunningSite) -> None:
    scene = await a_review(site, state="live")
    page = await looked(scene)
    assert "no-picking" in page.text
    answer = await (await scene.ratna()).post(f"{scene.path}/adjust", ticked(page, scene, "siti"))
    assert answer.status == 409


async def test_another_units_organiser_and_another_lectures_people_are_not_found(site: RunningSite) -> None:
    scene = await a_review(site)
    page = await looked(scene)
    async with site.database.writing() as session:
        tono = await a_person(session, scene.health, name="Tono", role="organiser")
        other = await a_lecture(session, scene.health, state="ended", ended_at=NINE + 90 * MINUTE)
        stranger = await a_registration(session, other, tono)
    elsewhere = await site.signed_in(tono.id)
    siti = scene.seats["siti"].id
    assert (await elsewhere.post(f"{scene.path}/adjust", ticked(page, scene, "siti"))).status == 404
    assert (await elsewhere.post(f"{scene.path}/undo?batch=x", {})).status == 404
    for path in ("", "/live", f"/{siti}"):
        assert (await elsewhere.get(scene.path + path)).status == 404
    ratna = await scene.ratna()
    assert (await ratna.get(f"{scene.path}/{stranger.id}")).status == 404
    form = [("registration", f"{stranger.id}.0"), *ticked(page, scene)]
    assert (await ratna.post(f"{scene.path}/adjust", form)).status == 404


async def test_a_reason_stays_text_wherever_it_is_shown(site: RunningSite) -> None:
    scene = await a_review(site)
    bad = '<script>alert(1)</script>"><img src=x onerror=alert(1)>'
    await scene.adjusted("siti", 200, reason=bad)
    await scene.contested("siti", bad)
    ratna = await scene.ratna()
    for path in ("", "/live", f"/{scene.seats['siti'].id}"):
        page = await ratna.get(scene.path + path)
        assert page.status == 200
        assert "<script>alert" not in page.text
        assert "<img src=x" not in page.text


# --- the evidence of one person ----------------------------------------------------------------


async def test_each_fact_is_shown_with_its_source_and_seconds_minutes_are_folded(
    site: RunningSite,
) -> None:
    scene = await a_review(site)
    async with site.database.writing() as session:
        for minute in range(40):
            await record_heartbeat(
                session,
                lecture_id=scene.lecture.id,
                registration_id=scene.seats["siti"].id,
                identity="siti.abcdefgh",
                visible=minute < 30,
                at=NINE + minute * MINUTE + 5_000,
            )
    page = await (await scene.ratna()).get(f"{scene.path}/{scene.seats['siti'].id}")
    assert page.status == 200
    story = re.findall(r'<li class="story-item story-(\w+)"><time[^>]*>([^<]*)</time>', page.text)
    assert story == [
        ("heartbeat", "09.00.05–09.29.05"),
        ("webhook", "09.01.00"),
        ("heartbeat", "09.30.05–09.39.05"),
        ("webhook", "09.52.00"),
    ]
    assert "51 dari 90 menit" in page.text
    assert "abcdefgh" in page.text


async def test_somebody_who_never_came_has_a_page_too(site: RunningSite) -> None:
    scene = await a_review(site)
    page = await (await scene.ratna()).get(f"{scene.path}/{scene.seats['agus'].id}")
    assert page.status == 200
    assert "Tidak hadir di ruang." in page.text


async def test_a_persons_page_shows_every_adjustment_and_takes_the_last_one_back(
    site: RunningSite,
) -> None:
    scene = await a_review(site)
    ratna = await scene.ratna()
    here = f"{scene.path}/{scene.seats['siti'].id}"
    page = await ratna.get(here)
    form = ticked(page, scene, "siti", next=here)
    assert (await ratna.post(f"{scene.path}/adjust", form)).location == here
    page = await ratna.get(here)
    id = re.search(r'name="adjustment" value="(\w+)"', page.text)
    assert id is not None
    back = await ratna.post(f"{scene.path}/undo", {"adjustment": id[1], "next": here})
    assert (back.status, back.location) == (303, here)
    assert (await ratna.get(here)).text.count("Listrik padam") == 2
    away = await ratna.post(f"{scene.path}/adjust", ticked(page, scene, "siti", next="//evil.example"))
    assert away.location in {scene.path, ""}


@pytest.mark.parametrize("many", [1, 3])
async def test_the_page_of_a_person_costs_the_same_whatever_there_is(site: RunningSite, many: int) -> None:
    scene = await a_review(site)
    for _ in range(many):
        await scene.adjusted("siti", 200)
    ratna = await scene.ratna()
    here = f"{scene.path}/{scene.seats['siti'].id}"
    await ratna.get(here)
    with statements(site) as seen:
        assert (await ratna.get(here)).status == 200
    assert len(seen) < 45
