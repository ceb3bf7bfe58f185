"""What attackers try at the edge of the site: forged hosts, forms of other sites, redirects, paths, sizes."""

import re
from collections.abc import AsyncIterator
from urllib.parse import quote

import pytest

from tests.integration.access_world import ADMINISTRATOR, PAGES, PARTICIPANT, World, a_world, name_of, raw
from tests.site import RunningSite, Visitor, running_site
from webinar.core.clock import ManualClock
from webinar.core.database import Database
from webinar.people.access import API_SCOPES
from webinar.web.context import local_path
from webinar.web.middleware import UNSAFE
from webinar.web.routes import ROUTES
from webinar.web.site import Access, Route

ACTS = [route for route in PAGES if route.method in UNSAFE]
BODIES = [route for route in ROUTES if route.method in UNSAFE]
WITH_PARAMETERS = [route for route in ROUTES if "{" in route.path]

ELSEWHERE = (
    "//evil.example", "/\\evil.example", "\\\\evil.example", "https://evil.example", "http:evil.example",
    "https:/evil.example", "javascript:alert(1)", "/\tevil.example", "/\t/evil.example",
    "\n//evil.example", " //evil.example", "///evil.example", "/./\\evil.example", "@evil.example",
    "evil.example", "data:text/html,x", "/\r\nSet-Cookie: a=b", "", "?next=//evil.example",
)  # fmt: skip
HOSTILE = (
    "..", ".", "%2e%2e", "%2e%2e%2f%2e%2e%2fetc%2fpasswd", "..%5c..%5c", "%00", "a%00b", "%ff", "%c0%ae",
    "%27%20OR%201%3D1--", "%25s", "%7B%7B7*7%7D%7D", "a" * 3_000, "%F0%9F%98%80", "-1", "%0d%0aX-Evil:1",
)  # fmt: skip


@pytest.fixture
async def world(site: RunningSite) -> World:
    return await a_world(site)


async def of_everybody(world: World) -> Visitor:
    """An administrator who also holds the cookie of a seat: whatever can be let in is."""
    visitor = await world.visitor(ADMINISTRATOR)
    await visitor.get(f"/j/{world.ids['link']}")
    return visitor


@pytest.fixture
async def everybody(world: World) -> Visitor:
    return await of_everybody(world)


@pytest.fixture
async def edge(sqlite_url: str, clock: ManualClock) -> AsyncIterator[RunningSite]:
    """A site for what never reaches a database: one kind is enough."""
    database = Database(sqlite_url)
    async with running_site(database, clock) as running:
        yield running
    await database.close()


# --- forms of other sites ----------------------------------------------------------------------


async def test_an_act_is_refused_unless_our_own_page_sent_it(edge: RunningSite) -> None:
    world = await a_world(edge)
    everybody, stranger = await of_everybody(world), await world.visitor(PARTICIPANT)
    before = await world.traces()
    done = {}
    for route in ACTS:
        for name, headers in _foreign(edge.url, everybody, stranger, route).items():
            # A body of the room's page is JSON, which a form of another site cannot be.
            for data in ({"reason": "x"}, None):
                answer = await everybody.send("POST", world.path(route), data=data, headers=headers)
                done[name_of(route), name, bool(data)] = answer.status
        if route.access is Access.SEAT:
            form = await everybody.send(
                "POST", world.path(route), data={"a": "b"}, headers={"Origin": edge.url}
            )
            done[name_of(route), "a form"] = form.status
    assert {what: status for what, status in done.items() if status != 403} == {}
    assert await world.traces() == before


def _foreign(ours: str, everybody: Visitor, stranger: Visitor, route: Route) -> dict[str, dict[str, str]]:
    token = everybody.csrf_token
    attempts = {
        "no Origin": {"X-CSRF-Token": token},
        "another Origin": {"X-CSRF-Token": token, "Origin": "https://evil.example"},
        "Origin null": {"X-CSRF-Token": token, "Origin": "null"},
        "an Origin that begins like ours": {"X-CSRF-Token": token, "Origin": f"{ours}.evil.example"},
    }
    if route.access is not Access.SEAT:
        attempts["no token"] = {"Origin": ours}
        attempts["the token of somebody else"] = {"Origin": ours, "X-CSRF-Token": stranger.csrf_token}
        attempts["a token that is none"] = {"Origin": ours, "X-CSRF-Token": "é"}
    return attempts


# --- other names for our host ------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/sign-in", "/api/v1/people", "/static/x", "//evil.example/x"])
async def test_a_forged_host_gets_into_no_answer(edge: RunningSite, path: str) -> None:
    for method in ("GET", "POST"):
        request = f"{method} {path} HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 0\r\n\r\n"
        status, answer = await raw(edge, request.encode())
        assert status == (307 if method == "GET" else 421)
        assert b"evil.example" not in answer.replace(path.encode(), b"")
        location = answer.partition(b"Location: ")[2].partition(b"\r\n")[0]
        assert method == "POST" or location.startswith(edge.url.encode() + b"/")


async def test_two_hosts_and_none_are_refused(edge: RunningSite) -> None:
    ours = edge.url.removeprefix("http://")
    for head in (
        f"Host: {ours}\r\nHost: evil.example", f"Host: evil.example\r\nHost: {ours}", "X-No: Host",
        f"Host: {ours}, evil.example", f"Host: evil.example@{ours}", f"Host: {ours}.evil.example",
    ):  # fmt: skip
        status, answer = await raw(
            edge, f"POST /sign-in HTTP/1.1\r\n{head}\r\nContent-Length: 0\r\n\r\n".encode()
        )
        assert status in {400, 421}, (head, answer)


@pytest.mark.parametrize(
    "target", ["http://evil.example/x", "@evil.example/", "evil.example:443", "*", ".evil.example"]
)
async def test_a_request_line_that_names_another_host_leads_nowhere_else(
    edge: RunningSite, target: str
) -> None:
    for host in ("evil.example", edge.url.removeprefix("http://")):
        status, answer = await raw(edge, f"GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        location = answer.partition(b"Location: ")[2].partition(b"\r\n")[0].decode()
        assert 300 <= status < 500
        assert not location or location.startswith((edge.url + "/", "/sign-in")), location


async def test_a_forwarded_host_changes_nothing(edge: RunningSite) -> None:
    headers = {"X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"}
    answer = await edge.visitor().send("GET", "/lectures", headers=headers)
    assert "evil.example" not in answer.text + str(answer.headers)


# --- redirects ---------------------------------------------------------------------------------


async def test_no_redirect_leaves_the_site(edge: RunningSite) -> None:
    siti = await (await a_world(edge)).visitor(PARTICIPANT)
    for to in ELSEWHERE:
        assert local_path(to) == "/"
        signed_in = await siti.get(f"/sign-in?next={quote(to, safe='')}")
        chosen = await siti.post("/language", {"language": "en", "next": to})
        assert [signed_in.location, chosen.location] == ["/", "/"], to


async def test_after_signing_in_one_comes_back_to_the_whole_address(edge: RunningSite) -> None:
    answer = await edge.visitor().get("/lectures?when=past&q=arsip")
    assert answer.location == "/sign-in?next=/lectures%3Fwhen%3Dpast%26q%3Darsip"
    page = await edge.visitor().get(answer.location)
    assert 'value="/lectures?when=past&amp;q=arsip"' in page.text


# --- paths and sizes ---------------------------------------------------------------------------


async def test_no_path_parameter_leads_anywhere_or_breaks_anything(world: World, everybody: Visitor) -> None:
    program = await world.site.program(world.ids["institution"], *API_SCOPES)
    page = {"Origin": world.site.url, "X-CSRF-Token": everybody.csrf_token}
    key = {"Authorization": f"Bearer {program.secret}", "If-Match": "*"}
    broken = {}
    for route in WITH_PARAMETERS:
        as_json = route.access in {Access.API, Access.SEAT}
        body = {} if route.method == "GET" else {"json": {}} if as_json else {"data": {"reason": "x"}}
        headers = key if route.access is Access.API else page
        for name in re.findall(r"{(\w+)}", route.path):
            for value in HOSTILE:
                path = world.path(route, **{name: value})
                answer = await everybody.send(route.method, path, headers=headers, **body)
                if answer.status >= 500 or "root:" in answer.text or "X-Evil" in answer.headers:
                    broken[route.method, path] = answer.status
    assert broken == {}


async def test_no_file_outside_the_static_folder_is_served(edge: RunningSite) -> None:
    ours = edge.url.removeprefix("http://")
    for path in (
        "../app.py", "..%2fapp.py", "%2e%2e/app.py", "%2e%2e%2f%2e%2e%2fconfig.py", "//etc/passwd",
        "built/../../app.py", "%00", "a%00.js", "..%5capp.py",
    ):  # fmt: skip
        status, answer = await raw(edge, f"GET /static/{path} HTTP/1.1\r\nHost: {ours}\r\n\r\n".encode())
        assert status in {400, 403, 404}, path
        assert b"import" not in answer.partition(b"\r\n\r\n")[2]


async def test_no_query_breaks_anything(world: World, everybody: Visitor) -> None:
    many = "9" * 30
    lecture = f"/lectures/{world.ids['lectures']}"
    for path in (
        "/lectures?after=%00", "/lectures?q=a%00b", f"/lectures?after={many}.a", "/lectures?after=²._",
        f"/lectures?when=past&after={many}.x", "/people?after=x", "/people?after=WzEsMl0", "/people?unit=%00",
        "/hours?year=²", f"/hours?year={many}", "/sign-in?next=%00", "/lectures/people?q=%25%5f",
        f"{lecture}/chat?after=²", f"{lecture}/chat?after={many}", f"{lecture}/registrations?from=²",
        f"{lecture}/registrations?from={many}", f"{lecture}/attendance?q=%00", "/recordings?after=²",
    ):  # fmt: skip
        answer = await everybody.get(quote(path, safe="/?&=%"))
        assert answer.status < 500, (path, answer.text[:300])


async def test_no_field_breaks_anything(world: World) -> None:
    broken = {}
    for route in ACTS:
        everybody = await of_everybody(world)  # anew, since some acts end the session
        names = SAID if route.access is Access.SEAT else TYPED
        send = everybody.post_json if route.access is Access.SEAT else everybody.post
        for value in ("\0", "²", "9" * 30, "-1", "\U0001f600", "a" * 5_000, "%s %(name)s", "{{7*7}}"):
            answer = await send(world.path(route), dict.fromkeys(names, value))
            if answer.status >= 500:
                broken[name_of(route), value[:10]] = answer.status
    assert broken == {}


SAID = ("tab", "connection", "sid", "text", "client_id", "minutes", "reason", "raised")
TYPED = (
    "id", "version", "title", "description", "unit_id", "starts_day", "starts_time", "ends_day", "ends_time",
    "zone", "jp", "policy_id", "capacity", "open_before", "overrun", "live_by", "lecturer_id", "person_id",
    "list", "reason", "name", "email", "phone", "nip", "employment", "language", "role", "parent_id", "code",
    "scopes", "expires", "expires_days", "days", "password", "token", "next", "digest", "session", "from",
    "minutes",
)  # fmt: skip


async def test_a_body_is_refused_by_its_announced_size_before_it_is_read(edge: RunningSite) -> None:
    ours = edge.url.removeprefix("http://")
    seen = {}
    for route in BODIES:
        path = route.path.replace("{", "").replace("}", "")
        start = f"{route.method} {path} HTTP/1.1\r\nHost: {ours}\r\nContent-Type: application/json\r\n"
        large, _ = await raw(edge, f"{start}Content-Length: {route.body + 1}\r\n\r\n".encode())
        endless, _ = await raw(edge, f"{start}Transfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n".encode())
        packed, _ = await raw(edge, f"{start}Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\n".encode())
        seen[name_of(route)] = (large, endless, packed)
    assert set(seen.values()) == {(413, 411, 415)}, seen
