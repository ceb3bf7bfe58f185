"""Pages to sign in, of people, imports and keys: nothing typed is lost, nobody gets in by a side door."""

import re
from dataclasses import dataclass
from html import unescape

import aiohttp
import pytest

from tests import by_hand
from tests.build import NINE, a_person, a_unit, an_institution
from tests.site import FAST_HASHER, RunningSite, Visitor
from webinar.people import sign_in, store
from webinar.people.access import Scope
from webinar.people.importing import write
from webinar.people.sign_in_rules import Purpose
from webinar.people.tables import UnitRow
from webinar.web.context import SESSION_COOKIE
from webinar.web.profile import browser_name

PASSWORD = "kuda hijau makan bakso"
XSS = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"
CSV = (
    "Nama;NIP;Email;Unit\r\n"
    "Siti Rahma;198503122010012003;siti@kota.example;disdik\r\n"
    "Budi;123;budi@;Dinas Pendidikn\r\n"
)


@dataclass
class Town:
    root: str
    schools: str
    admin: str
    organiser: str
    teacher: str


async def a_town(site: RunningSite) -> Town:
    async with site.database.writing() as session:
        root = await an_institution(session)
        schools = await a_unit(session, root, name="Dinas Pendidikan", code="disdik")
        hashed = FAST_HASHER.hash(PASSWORD)
        admin = await a_person(
            session,
            root,
            name="Wayan",
            email="admin@kota.example",
            password_hash=hashed,
            role="administrator",
        )
        organiser = await a_person(session, schools, name="Oni", role="organiser")
        teacher = await a_person(session, schools, name="Dewi", email="dewi@kota.example")
        return Town(root.id, schools.id, admin.id, organiser.id, teacher.id)


def shown(text: str) -> str:
    return unescape(re.sub(r"<[^>]+>", " ", text))


async def a_guest(site: RunningSite) -> Visitor:
    guest = site.visitor()
    await guest.get("/sign-in")
    return guest


async def upload(visitor: Visitor, content: bytes = CSV.encode("cp1252"), name: str = "asn.csv", **more: str):
    form = aiohttp.FormData()
    form.add_field("csrf_token", visitor.csrf_token)
    for field, value in more.items():
        form.add_field(field, value)
    form.add_field("file", content, filename=name, content_type="text/csv")
    return await visitor.post("/people/import", data=form)


async def test_signing_in_leads_to_where_one_wanted_to_go(site: RunningSite) -> None:
    await a_town(site)
    guest = site.visitor()
    asked = await guest.get("/people")
    assert asked.location == "/sign-in?next=/people"
    await guest.get(asked.location)
    form = {"email": "Admin@kota.example", "password": PASSWORD, "next": "/people"}
    done = await guest.post("/sign-in", form)
    assert (done.status, done.location) == (303, "/people")
    cookie = done.cookies[SESSION_COOKIE]
    assert cookie["httponly"] and cookie["samesite"] == "Lax"
    assert (await guest.get("/people")).status == 200


async def test_a_wrong_password_keeps_the_address_and_does_not_say_which_was_wrong(site: RunningSite) -> None:
    await a_town(site)
    guest = await a_guest(site)
    pages = []
    for email in ("admin@kota.example", "nobody@kota.example"):
        answer = await guest.post("/sign-in", {"email": email, "password": "wrong wrong wrong"})
        assert answer.status == 401 and f'value="{email}"' in answer.text
        pages.append(answer.text.replace(email, ""))
    assert pages[0] == pages[1]


@pytest.mark.parametrize(
    "to",
    ["//evil.example", "/\\evil.example", "https://evil.example", "javascript:alert(1)", "/\t/evil.example"],
)
async def test_signing_in_never_leads_to_another_site(site: RunningSite, to: str) -> None:
    await a_town(site)
    guest = await a_guest(site)
    done = await guest.post("/sign-in", {"email": "admin@kota.example", "password": PASSWORD, "next": to})
    assert (done.status, done.location) == (303, "/")


async def test_the_session_of_a_sign_in_is_a_new_one_and_sign_out_ends_it_in_the_database(
    site: RunningSite,
) -> None:
    town = await a_town(site)
    visitor = await site.signed_in(town.admin)
    before = visitor.cookie(SESSION_COOKIE)
    await visitor.post("/sign-in", {"email": "admin@kota.example", "password": PASSWORD})
    after = visitor.cookie(SESSION_COOKIE)
    assert after and after != before
    await visitor.post("/sign-out")
    thief = site.visitor()
    assert (await thief.get("/profile", headers={"Cookie": f"{SESSION_COOKIE}={after}"})).status == 303


async def test_a_form_without_its_token_or_from_elsewhere_is_refused(site: RunningSite) -> None:
    town = await a_town(site)
    visitor = await site.signed_in(town.admin)
    form = {"name": "Dinas Baru", "parent_id": town.root, "csrf_token": visitor.csrf_token}
    elsewhere = {"Origin": "https://evil.example"}
    assert (await visitor.send("POST", "/settings/units", data=form, headers=elsewhere)).status == 403
    wrong = {"csrf_token": "x"} | {"name": "Dinas Baru", "parent_id": town.root}
    assert (
        await visitor.send("POST", "/settings/units", data=wrong, headers={"Origin": site.url})
    ).status == 403


async def test_opening_a_link_twice_signs_nobody_in_and_pressing_the_button_does(site: RunningSite) -> None:
    town = await a_town(site)
    key = site.parts.settings.link_key_bytes
    async with site.database.writing() as session:
        await sign_in.owe_link(session, town.teacher, purpose=Purpose.SIGN_IN, link_key=key, now=NINE)
    path = f"/sign-in/link/{sign_in.link_token(key, town.teacher, Purpose.SIGN_IN, NINE)}"
    scanner = site.visitor()
    for _ in range(2):
        looked = await scanner.get(path)
        assert looked.status == 200 and not scanner.cookie(SESSION_COOKIE)
        assert looked.headers["Referrer-Policy"] == "no-referrer"
    guest = await a_guest(site)
    assert (await guest.post(path)).status == 303
    assert (await guest.get("/profile")).status == 200
    assert (await guest.get(path)).status == 410


async def test_the_forgotten_password_page_answers_alike_for_nobody(site: RunningSite) -> None:
    await a_town(site)
    pages = []
    for email in ("dewi@kota.example", "nobody@kota.example"):
        guest = await a_guest(site)
        answer = await guest.post("/password", {"email": email})
        pages.append(shown(answer.text).replace(email, ""))
    assert pages[0] == pages[1]
    owed = await by_hand.claim(site.database, worker="w", limit=9, lease_ms=9_000, now=NINE)
    assert len(owed) == 1


async def test_a_person_form_with_errors_keeps_what_was_typed(site: RunningSite) -> None:
    town = await a_town(site)
    organiser = await site.signed_in(town.organiser)
    form = {"name": "Ayu", "email": "ayu@", "nip": "123", "unit_id": town.schools, "employment": "pns"}
    answer = await organiser.post("/people", form | {"zone": "Asia/Jakarta", "language": "id"})
    assert answer.status == 422
    assert 'value="ayu@"' in answer.text and 'value="123"' in answer.text
    assert "Ini bukan alamat surel." in shown(answer.text)


async def test_two_editors_of_one_person_do_not_overwrite_each_other(site: RunningSite) -> None:
    town = await a_town(site)
    organiser = await site.signed_in(town.organiser)
    path = f"/people/{town.teacher}/edit"
    form = {
        "unit_id": town.schools,
        "employment": "pns",
        "zone": "Asia/Jakarta",
        "language": "id",
        "version": "1",
    }
    assert (await organiser.post(path, form | {"name": "Dewi A"})).status == 303
    late = await organiser.post(path, form | {"name": "Dewi B"})
    assert late.status == 412 and 'value="Dewi B"' in late.text
    async with site.database.reading() as session:
        assert (await store.person(session, Scope.system(town.root), town.teacher)).name == "Dewi A"


async def test_names_are_text_on_every_page(site: RunningSite) -> None:
    town = await a_town(site)
    async with site.database.writing() as session:
        person = await a_person(
            session, await a_unit(session, await _root(session, town), name=XSS), name=XSS
        )
    admin = await site.signed_in(town.admin)
    for path in ("/people", f"/people/{person.id}", f"/people/{person.id}/edit", "/settings/units"):
        answer = await admin.get(path)
        assert answer.status == 200
        assert "<script>alert" not in answer.text and "<img src=x" not in answer.text


async def _root(session, town: Town):
    return await session.get(UnitRow, town.root)


async def test_pages_of_people_are_for_those_who_may_see_them(site: RunningSite) -> None:
    town = await a_town(site)
    teacher, organiser = await site.signed_in(town.teacher), await site.signed_in(town.organiser)
    assert (await teacher.get("/people/new")).status == 403
    assert (await teacher.get("/people/import")).status == 403
    assert (await teacher.get(f"/people/{town.organiser}")).status == 404
    assert (await teacher.get(f"/people/{town.teacher}")).status == 200
    assert (await organiser.get("/settings/keys")).status == 403
    grant = {"role": "administrator", "unit_id": town.root}
    assert (await organiser.post(f"/people/{town.organiser}/roles", grant)).status == 403


async def test_an_import_is_checked_shown_confirmed_and_undone(site: RunningSite) -> None:
    town = await a_town(site)
    organiser = await site.signed_in(town.organiser)
    answer = await upload(organiser)
    assert answer.status == 303
    page = shown((await organiser.get(answer.location)).text)
    assert "NIP terdiri atas 18 angka, yang ini 3." in page
    assert "Unit ini tidak ada. Maksud Anda “Dinas Pendidikan”?" in page
    assert (await organiser.post(answer.location + "/confirm")).status == 303
    poll = await organiser.get(answer.location, headers={"HX-Request": "true"})
    assert 'id="progress"' in poll.text
    await write.work(site.database, answer.location.rpartition("/")[2], lambda: NINE)
    assert (await organiser.get(answer.location, headers={"HX-Request": "true"})).headers[
        "HX-Refresh"
    ] == "true"
    assert "1 orang ditambahkan" in shown((await organiser.get(answer.location)).text)
    assert "Siti Rahma" in (await organiser.get("/people?q=siti")).text
    await organiser.post(answer.location + "/undo")
    await write.work(site.database, answer.location.rpartition("/")[2], lambda: NINE)
    assert "1 dihapus" in shown((await organiser.get(answer.location)).text)
    assert "Siti Rahma" not in (await organiser.get("/people?q=siti")).text


async def test_a_file_that_is_no_table_is_told_on_the_form(site: RunningSite) -> None:
    town = await a_town(site)
    organiser = await site.signed_in(town.organiser)
    answer = await upload(organiser, b"\x89PNG\r\n\x1a\n\x00\x00", "asn.csv", unit_id=town.schools)
    assert answer.status == 422
    assert "Ini bukan tabel teks." in shown(answer.text)
    assert f'value="{town.schools}" selected' in answer.text


async def test_an_import_of_somebody_else_is_not_there(site: RunningSite) -> None:
    town = await a_town(site)
    location = (await upload(await site.signed_in(town.organiser))).location
    async with site.database.writing() as session:
        other = await a_person(session, await _root(session, town), name="Lain", role="organiser")
    assert (await (await site.signed_in(other.id)).get(location)).status == 404
    assert (await (await site.signed_in(town.admin)).get(location)).status == 200


async def test_the_secret_of_a_key_is_shown_once(site: RunningSite) -> None:
    town = await a_town(site)
    admin = await site.signed_in(town.admin)
    made = await admin.post("/settings/keys", [("name", "LMS"), ("scopes", "people:read"), ("days", "90")])
    secret = re.search(r"pdp_[\w-]{43}", made.text)
    assert made.status == 200 and secret
    later = await admin.get("/settings/keys")
    assert "LMS" in later.text and secret.group(0) not in later.text


async def test_changing_the_password_signs_other_browsers_out_and_keeps_this_one(site: RunningSite) -> None:
    town = await a_town(site)
    here, there = await site.signed_in(town.admin), await site.signed_in(town.admin)
    wrong = await here.post("/profile/password", {"old": "wrong", "password": "gajah biru minum kopi"})
    assert wrong.status == 422
    done = await here.post("/profile/password", {"old": PASSWORD, "password": "gajah biru minum kopi"})
    assert done.status == 303
    assert (await here.get("/profile")).status == 200
    assert (await there.get("/profile")).status == 303


async def test_the_language_of_the_profile_is_that_of_the_next_page(site: RunningSite) -> None:
    town = await a_town(site)
    visitor = await site.signed_in(town.teacher)
    form = {"name": "Dewi", "phone": "", "zone": "Asia/Jayapura", "language": "en", "version": "1"}
    assert (await visitor.post("/profile", form)).status == 303
    assert '<html lang="en"' in (await visitor.get("/profile")).text


def test_browsers_are_named_in_words() -> None:
    phone = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/130.0 Mobile Safari/537.36"
    assert browser_name(phone) == "Chrome · Android"
    assert browser_name("curl/8") == ""
