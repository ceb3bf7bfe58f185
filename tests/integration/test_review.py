"""The review page: what it shows, in which order, to whom, and at what cost; on both databases."""

import re

import pytest

from tests.build import MINUTE, NINE, a_person, a_registration, a_role, a_unit
from tests.integration.pages_world import statements, stayed
from tests.integration.review_scene import LATER, Reviewed, a_review
from tests.site import Answer, RunningSite
from webinar.hours.review_rules import PAGE

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
    assert "from=200" in first.text
    rest = await looked(scene, "?from=200")
    assert names(rest)[-1] == "siti"
    assert len(names(rest)) == 5
    more = await looked(scene, "/live?from=200")
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


async def test_a_page_asks_for_newer_values_only_while_the_lecture_runs(site: RunningSite) -> None:
    ended = await a_review(site)
    assert "data-live" not in (await looked(ended)).text


async def test_values_are_told_with_their_time(site: RunningSite) -> None:
    scene = await a_review(site)
    assert site.clock.now() == LATER
    assert "21.00" in (await looked(scene)).text
