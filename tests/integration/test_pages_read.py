"""Pages of lectures, attendance, hours and home: who sees them, what they cost, and that they escape."""

import pytest

from tests.build import DAY, MINUTE, NINE, a_person, a_registration
from tests.integration.pages_world import a_booked, a_world, statements, stayed
from tests.site import RunningSite

STATES = ("scheduled", "open", "live", "ended", "cancelled", "final")
CORPUS = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "javascript:alert(1)//",
    "{{ 7 * 7 }}${7*7}<%= 7*7 %>",
    "</textarea></title></option><svg/onload=alert(1)>",
    "%(name)s %s %d 100 %",
    "\u202etxt.exe",
)


@pytest.mark.parametrize("state", STATES)
async def test_each_page_of_a_lecture_is_shown_in_each_state(site: RunningSite, state: str) -> None:
    world = await a_world(site)
    ratna = await world.as_("organiser")
    for more in ((), ("registrations",), ("attendance",), ("attendance.csv",)):
        assert (await ratna.get(world.path(state, *more))).status == 200
    for path in ("/", "/lectures", "/lectures?when=past", "/lectures/new", "/hours"):
        assert (await ratna.get(path)).status == 200


@pytest.mark.parametrize("who", ["lecturer", "participant", "manager"])
async def test_who_does_not_organise_sees_the_own_pages_only(site: RunningSite, who: str) -> None:
    world = await a_world(site)
    visitor = await world.as_(who)
    for path in ("/", "/lectures", "/hours", "/hours?year=2025"):
        assert (await visitor.get(path)).status == 200
    seen = 404 if who == "manager" else 200
    for state in STATES:
        page = await visitor.get(world.path(state))
        assert page.status == seen
        assert "/actions/" not in page.text
        for more in ("registrations", "attendance", "attendance.csv", "edit", "changes"):
            assert (await visitor.get(world.path(state, more))).status == 403
        for move in ("start", "extend", "end", "window"):
            assert (await visitor.post(world.path(state, "actions", move))).status == 403


async def test_an_organiser_of_another_institution_finds_nothing(site: RunningSite) -> None:
    world = await a_world(site)
    async with site.database.writing() as session:
        stranger = await a_person(session, None, name="Orang Lain", role="organiser")
    visitor = await site.signed_in(stranger.id)
    for more in ((), ("registrations",), ("attendance",), ("attendance.csv",), ("edit",)):
        assert (await visitor.get(world.path("ended", *more))).status == 404
    assert (await visitor.post(world.path("ended", "actions", "window"), {"reason": "x"})).status == 404


@pytest.mark.parametrize(
    ("language", "title"), [("id", "Halaman tidak ditemukan"), ("en", "This page is not here")]
)
async def test_that_there_is_no_such_page_is_said_in_the_language_of_who_is_signed_in(
    site: RunningSite, language: str, title: str
) -> None:
    async with site.database.writing() as session:
        person = await a_person(session, None, name="Siti", language=language)
    visitor = await site.signed_in(person.id)
    other = {"Accept-Language": "en" if language == "id" else "id"}
    page = await visitor.get("/no-such-page", headers=other)
    assert (page.status, title in page.text, "Siti" in page.text) == (404, True, True)


@pytest.mark.parametrize("text", CORPUS)
async def test_names_and_titles_are_text_wherever_they_are_shown(site: RunningSite, text: str) -> None:
    world = await a_world(site, name=text, title=text)
    raw = [bad for bad in ("<script>alert", "<img src=x", "<svg/onload", "' onmouseover='") if bad in text]
    for who in ("organiser", "participant"):
        visitor = await world.as_(who)
        paths = ["/", "/lectures", "/lectures?when=past", "/hours", *(world.path(s) for s in STATES)]
        if who == "organiser":
            paths += ["/lectures/new", "/lectures/people?q=a", world.path("scheduled", "edit")]
            paths += [world.path(s, p) for s in STATES for p in ("registrations", "attendance")]
        for path in paths:
            page = await visitor.get(path)
            assert page.status == 200, path
            assert not [bad for bad in raw if bad in page.text], path


async def test_what_was_searched_for_is_shown_as_text(site: RunningSite) -> None:
    world = await a_world(site)
    ratna = await world.as_("organiser")
    wish = "%3Cscript%3Ealert(1)%3C%2Fscript%3E"
    for path in ("/lectures", "/lectures/people", world.path("ended", "attendance")):
        page = await ratna.get(f"{path}?q={wish}")
        assert (page.status, "<script>alert" in page.text) == (200, False)


@pytest.mark.parametrize("wish", ["abc", "-1", "9" * 40, "%E0%A5%A7", "1e9", ""])
async def test_numbers_in_an_address_may_be_nonsense(site: RunningSite, wish: str) -> None:
    world = await a_world(site)
    ratna = await world.as_("organiser")
    for path in (
        f"/hours?year={wish}",
        f"/lectures?after={wish}.{wish}",
        world.path("ended", f"attendance?from={wish}&show={wish}"),
        world.path("ended", f"registrations?from={wish}"),
    ):
        assert (await ratna.get(path)).status == 200


async def test_lists_cost_the_same_number_of_statements_with_one_row_and_with_three(
    site: RunningSite,
) -> None:
    world = await a_world(site)
    ratna, siti = await world.as_("organiser"), await world.as_("participant")
    pages = [
        (ratna, "/"),
        (ratna, "/lectures"),
        (ratna, "/lectures?when=past"),
        (ratna, world.path("final", "attendance")),
        (ratna, world.path("ended", "attendance")),
        (ratna, world.path("open", "registrations")),
        (ratna, world.path("open")),
        (siti, "/"),
        (siti, "/hours"),
    ]

    async def costs() -> list[int]:
        counted = []
        for visitor, path in pages:
            # The first look after a change computes the attendance and keeps it.
            await visitor.get(path)
            with statements(site) as seen:
                assert (await visitor.get(path)).status == 200
            counted.append(len(seen))
        return counted

    before = await costs()
    async with site.database.writing() as session:
        more = [await a_person(session, world.institution, name=f"Orang {n}") for n in range(2)]
        for state in ("open", "ended", "final"):
            lecture = world.lectures[state]
            for person in more:
                seat = await a_registration(session, lecture, person)
                await stayed(session, lecture, seat, lecture.starts_at, lecture.ends_at)
        for days in (1, 2):
            for state, at in (("scheduled", NINE + days * DAY), ("final", NINE - (20 + days) * DAY)):
                await a_booked(
                    session, world.institution, world.policy, world.lecturer, world.participant,
                    state=state, starts_at=at, title=f"Ceramah {state} {days}",
                )  # fmt: skip
    assert await costs() == before


async def test_the_log_says_of_each_person_why(site: RunningSite) -> None:
    world = await a_world(site)
    lecture = world.lectures["ended"]
    async with site.database.writing() as session:
        late = await a_person(session, world.institution, name="Yohana Wambrauw")
        away = await a_person(session, world.institution, name="Budi Santoso")
        seat = await a_registration(session, lecture, late)
        await a_registration(session, lecture, away)
        await stayed(session, lecture, seat, lecture.starts_at + 40 * MINUTE, lecture.ends_at)
    page = (await (await world.as_("organiser")).get(world.path("ended", "attendance"))).text
    assert "50 dari 90 menit, kurang 22 dari 72 menit yang diperlukan; datang 40 menit setelah mulai." in page
    assert "Tidak hadir di ruang." in page
    ratna = await world.as_("organiser")
    absent = (await ratna.get(world.path("ended", "attendance?show=absent"))).text
    below = (await ratna.get(world.path("ended", "attendance?show=below"))).text
    assert ("Budi Santoso" in absent, "Yohana" in absent) == (True, False)
    assert ("Budi Santoso" in below, "Yohana" in below) == (False, True)
    found = (await ratna.get(world.path("ended", "attendance?q=YOHANA"))).text
    assert ("Budi Santoso" in found, "Yohana" in found) == (False, True)


async def test_who_was_in_the_room_without_a_seat_is_listed_apart(site: RunningSite) -> None:
    world = await a_world(site)
    lecture = world.lectures["ended"]
    async with site.database.writing() as session:
        gone = await a_person(session, world.institution, name="Theresia Gaol")
        seat = await a_registration(session, lecture, gone, state="cancelled")
        await stayed(session, lecture, seat, lecture.starts_at, lecture.ends_at)
    page = (await (await world.as_("organiser")).get(world.path("ended", "attendance"))).text
    rest = page.split("Di ruang tanpa terdaftar")
    assert ("Theresia" in rest[0], "Theresia" in rest[1]) == (False, True)


async def test_own_hours_tell_what_is_on_record_and_what_is_provisional(site: RunningSite) -> None:
    world = await a_world(site)
    page = (await (await world.as_("participant")).get("/hours")).text
    assert "2 dari 20 JP" in page
    assert "Kurang <strong>18 JP</strong> dari target 20 JP." in page
    assert "Sementara" in page
    assert "90 dari 90 menit, yang diperlukan 72 menit." in page


async def test_a_lecture_that_nobody_may_enter_has_no_button_to_its_room(site: RunningSite) -> None:
    world = await a_world(site)
    siti = await world.as_("participant")
    for state in ("ended", "cancelled", "final"):
        assert f"{world.path(state)}/room" not in (await siti.get(world.path(state))).text
    assert f"{world.path('open')}/room" in (await siti.get(world.path("open"))).text


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("scheduled", "Menunggu dikirim"),
        ("ended", "Tidak dikirim: ceramah sudah berakhir"),
        ("cancelled", "Tidak dikirim: ceramah dibatalkan"),
    ],
)
async def test_invites_that_were_never_sent_say_so_once_nobody_can_come_any_more(
    site: RunningSite, state: str, said: str
) -> None:
    world = await a_world(site)
    ratna = await world.as_("organiser")
    for page in (world.path(state), world.path(state, "registrations")):
        text = (await ratna.get(page)).text
        assert said in text
        assert ("Menunggu dikirim" in text) == (state == "scheduled")
    assert ("undangan sedang dikirim" in text) == (state == "scheduled")
