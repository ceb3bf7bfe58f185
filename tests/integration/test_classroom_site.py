"""The way into the room over HTTP: links, cookies, admission, and what is said inside."""

from dataclasses import dataclass

import jwt
import pytest
from sqlalchemy import select

from tests import by_hand
from tests.build import LAST_WEEK, MINUTE, NINE, a_lecture, a_person, a_policy, a_unit, an_institution
from tests.site import LINK_KEY, MEDIA_SECRET, RunningSite, Visitor
from webinar.classroom import service as classroom
from webinar.classroom.consent import NOTICE_VERSION
from webinar.classroom.tables import ConsentRow
from webinar.core import effects
from webinar.core.audit import SYSTEM
from webinar.core.ids import new_id
from webinar.evidence.tables import PresenceCheckRow, WebhookRow
from webinar.lectures import booking, store
from webinar.lectures import service as lectures
from webinar.lectures.rules import Registration, RoomState, Seat, join_url, link_token, main_room_name
from webinar.lectures.tables import RoomRow
from webinar.media.tokens import mint

KEY = LINK_KEY.encode()
TAB = {"tab": "abcdefgh", "notice": NOTICE_VERSION}


@dataclass
class Room:
    site: RunningSite
    lecture_id: str
    seats: dict[str, Registration]

    def link(self, name: str, generation: int | None = None) -> str:
        seat = self.seats[name]
        token = link_token(KEY, seat.id, generation or seat.link_generation)
        return join_url("", seat.id, token)

    async def come(self, name: str) -> Visitor:
        """A browser that has opened the person's link."""
        visitor = self.site.visitor()
        answer = await visitor.get(self.link(name))
        assert answer.status == 303
        return visitor

    def path(self, *parts: str) -> str:
        return "/".join(["/lectures", self.lecture_id, *parts])

    async def open(self, state: str = "open") -> None:
        """What the scheduler would have done by now."""
        async with self.site.database.writing() as session:
            lecture = await store.find(session, self.lecture_id)
            assert lecture is not None
            [room] = await lectures.wanted_rooms(session, [(lecture, main_room_name(lecture.id))])
            seen = await self.site.media.open_room(room.name)
            from dataclasses import replace

            await store.change_room(session, room, replace(room, state=RoomState.OPEN, sid=seen.sid))
            opened = await lectures.opened(session, lecture, NINE)
            if state == "live":
                await lectures.went_live(session, opened, NINE)

    async def admitted(self, visitor: Visitor) -> dict[str, object]:
        answer = await visitor.post_json(self.path("admission"), TAB)
        assert answer.status == 200, answer.text
        found: dict[str, object] = answer.json()
        return found


@pytest.fixture
async def room(site: RunningSite) -> Room:
    site.clock.at = LAST_WEEK
    async with site.database.writing() as session:
        institution = await an_institution(session)
        unit = await a_unit(session, institution)
        row = await a_lecture(session, unit, policy=await a_policy(session, institution), recorded=True)
        people = {n: await a_person(session, unit, name=n) for n in ("Maya", "Ani", "Budi")}
        organiser = await a_person(session, unit, name="Oka", role="organiser")
        lecture = await store.find(session, row.id)
        assert lecture is not None
        for name, role in (("Maya", Seat.LECTURER), ("Ani", Seat.PARTICIPANT), ("Budi", Seat.PARTICIPANT)):
            await booking.register(
                session, lecture, [people[name].id], role=role, now=LAST_WEEK, actor=SYSTEM, link_key=KEY
            )
        seats = {s.name: s for s in await store.registrations(session, row.id)}
        assert organiser.id
    site.clock.at = NINE
    return Room(site, row.id, seats)


async def test_the_link_is_swapped_for_a_cookie_and_leaves_the_address_bar(room: Room) -> None:
    visitor = room.site.visitor()
    answer = await visitor.get(room.link("Ani"))
    assert (answer.status, answer.location) == (303, room.path("room"))
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    cookie = answer.cookies["pendopo_seat"]
    assert (cookie["path"], cookie["httponly"], cookie["samesite"]) == (
        f"/lectures/{room.lecture_id}",
        True,
        "Lax",
    )
    token = link_token(KEY, room.seats["Ani"].id, 1)
    assert token not in cookie.value
    page = await visitor.get(room.path("room"))
    assert page.status == 200
    assert token not in page.text
    assert "Ani" in page.text


async def test_a_mail_scanner_that_opens_every_link_uses_nothing_up(room: Room) -> None:
    await room.open()
    for _ in range(5):
        await room.come("Ani")
    assert (await room.admitted(await room.come("Ani")))["role"] == "participant"


async def test_a_revoked_link_and_its_cookie_die_together(room: Room) -> None:
    await room.open()
    visitor = await room.come("Ani")
    async with room.site.database.writing() as session:
        lecture = await store.find(session, room.lecture_id)
        assert lecture is not None
        await booking.revoke_link(session, lecture, room.seats["Ani"], now=NINE, actor=SYSTEM, link_key=KEY)
    assert (await room.site.visitor().get(room.link("Ani"))).status == 410
    refused = await visitor.post_json(room.path("admission"), TAB)
    assert (refused.status, refused.json()["code"]) == (401, "no_session")
    assert (await room.site.visitor().get(room.link("Ani", 2))).status == 303


async def test_a_cancelled_registration_closes_the_door(room: Room) -> None:
    await room.open()
    visitor = await room.come("Ani")
    async with room.site.database.writing() as session:
        lecture = await store.find(session, room.lecture_id)
        assert lecture is not None
        await classroom.unregister(session, lecture, room.seats["Ani"], now=NINE, actor=SYSTEM)
    assert (await room.site.visitor().get(room.link("Ani"))).status == 410
    refused = await visitor.post_json(room.path("admission"), TAB)
    assert (refused.status, refused.json()["code"]) == (403, "not_registered")


async def test_guessing_links_ends_in_a_429(room: Room) -> None:
    visitor = room.site.visitor()
    good = room.link("Ani")
    statuses = [(await visitor.get(f"{good[:-40]}{number:040x}")).status for number in range(1_000)]
    assert set(statuses[:200]) == {404}
    assert statuses[-1] == 429


@pytest.mark.parametrize(
    "link", ["/j/x", "/j/" + "a" * 26 + "." + "0" * 40, "/j/..%2f..", "/j/%00", "/j/é.é", "/j/" + "a" * 5_000]
)
async def test_what_is_no_link_is_not_found(room: Room, link: str) -> None:
    assert (await room.site.visitor().get(link)).status in {404, 400}


async def test_without_a_seat_there_is_no_token(room: Room) -> None:
    await room.open()
    stranger = room.site.visitor()
    answer = await stranger.post_json(room.path("admission"), TAB)
    assert (answer.status, answer.json()["code"]) == (401, "no_session")
    # A seat in one lecture is none in another.
    visitor = await room.come("Ani")
    other = room.path("admission").replace(room.lecture_id, "a" * 26)
    assert (await visitor.post_json(other, TAB)).status == 401


async def test_the_answer_of_the_admission_says_what_the_page_needs(room: Room) -> None:
    await room.open()
    admitted = await room.admitted(await room.come("Ani"))
    seat = room.seats["Ani"]
    assert admitted["identity"] == f"{seat.seat}.abcdefgh"
    claims = jwt.decode(
        str(admitted["token"]),
        MEDIA_SECRET,
        algorithms=["HS256"],
        options={"verify_exp": False, "verify_nbf": False},
    )
    assert claims["video"]["room"] == f"{room.lecture_id}.main"
    assert claims["exp"] - claims["nbf"] <= 600
    assert not {"roomCreate", "roomAdmin", "roomList"} & set(claims["video"])
    assert "screen_share" not in claims["video"]["canPublishSources"]


async def test_an_admission_from_another_site_is_refused(room: Room) -> None:
    await room.open()
    visitor = await room.come("Ani")
    for origin in ({"Origin": "https://evil.example"}, {"Origin": "null"}):
        answer = await visitor.send("POST", room.path("admission"), json=TAB, headers=origin)
        assert answer.status == 403
    bare = await visitor.send("POST", room.path("admission"), json=TAB)
    assert bare.status == 403
    plain = await visitor.send(
        "POST",
        room.path("admission"),
        data='{"tab":"abcdefgh"}',
        headers={"Origin": room.site.url, "Content-Type": "text/plain"},
    )
    assert plain.status == 403


async def test_too_early_says_when_and_what_time_it_is_here(room: Room) -> None:
    room.site.clock.at = NINE - 20 * MINUTE
    answer = await (await room.come("Ani")).post_json(room.path("admission"), TAB)
    problem = answer.json()
    assert (answer.status, problem["code"]) == (425, "too_early")
    assert (problem["opens_at"], problem["server_time"]) == (NINE - 15 * MINUTE, NINE - 20 * MINUTE)


async def test_a_signed_in_organiser_needs_no_link(room: Room) -> None:
    await room.open()
    async with room.site.database.reading() as session:
        from sqlalchemy import select

        from webinar.people.tables import PersonRow

        oka = (await session.execute(select(PersonRow.id).where(PersonRow.name == "Oka"))).scalar_one()
    visitor = await room.site.signed_in(oka)
    assert (await room.admitted(visitor))["role"] == "organiser"
    assert (await room.admitted(visitor))["role"] == "organiser"


async def test_chat_is_stored_once_and_broadcast(room: Room) -> None:
    await room.open("live")
    visitor = await room.come("Ani")
    ticket = await room.admitted(visitor)
    token = str(ticket["token"])
    inside = room.site.media.join(token)
    said = {"text": "<script>alert(1)</script>", "client_id": "one"}
    first = await visitor.post_json(room.path("chat"), said)
    second = await visitor.post_json(room.path("chat"), said)
    assert first.status == second.status == 201
    assert first.json()["id"] == second.json()["id"]
    found = (await (await room.come("Maya")).get(room.path("chat"))).json()["messages"]
    assert [(m["name"], m["text"]) for m in found] == [("Ani", "<script>alert(1)</script>")]
    assert inside is not None


async def test_a_flood_of_messages_is_stopped(room: Room) -> None:
    await room.open("live")
    visitor = await room.come("Ani")
    statuses = [
        (await visitor.post_json(room.path("chat"), {"text": "x", "client_id": str(n)})).status
        for n in range(25)
    ]
    assert statuses.count(201) == 20
    assert statuses[-1] == 429


async def test_a_raised_hand_is_seen_and_can_be_lowered_by_the_host_only(room: Room) -> None:
    await room.open("live")
    ani, maya, budi = [await room.come(n) for n in ("Ani", "Maya", "Budi")]
    assert (await ani.post_json(room.path("hand"), {"raised": True})).status == 204
    state = (await maya.get(room.path("classroom"))).json()
    assert [h["name"] for h in state["hands"]] == ["Ani"]
    lower = room.path("hands", room.seats["Ani"].seat, "lower")
    assert (await budi.post_json(lower)).status == 403
    assert (await maya.post_json(lower)).status == 204
    assert (await maya.get(room.path("classroom"))).json()["hands"] == []


async def test_somebody_removed_stays_out_with_an_old_token_too(room: Room) -> None:
    await room.open("live")
    ani, maya = await room.come("Ani"), await room.come("Maya")
    ticket = await room.admitted(ani)
    room.site.media.join(str(ticket["token"]))
    target = room.path("participants", room.seats["Ani"].seat, "remove")
    assert (await ani.post_json(target)).status == 403
    assert (await maya.post_json(target, {"reason": "noise"})).status == 204
    refused = await ani.post_json(room.path("admission"), TAB)
    assert (refused.status, refused.json()["code"]) == (403, "removed")
    put_out = classroom.remover(room.site.database, room.site.media, room.site.clock)
    name = f"{room.lecture_id}.main"
    for _ in range(2):
        async with room.site.database.writing() as session:
            await effects.nudge(session, f"remove:{room.seats['Ani'].id}", NINE)
        due = await by_hand.claim(
            room.site.database, worker="t", limit=9, lease_ms=9_000, now=room.site.clock.now()
        )
        [effect] = [e for e in due if e.kind == "remove"]
        await by_hand.finish(room.site.database, effect, await put_out(effect), room.site.clock.now())
        assert await room.site.media.list_participants(name) == []
        # The old token opens the door once more: LiveKit cannot revoke it.
        room.site.media.join(str(ticket["token"]))
        room.site.clock.advance(4_000)


async def test_a_host_cannot_be_removed(room: Room) -> None:
    await room.open("live")
    maya = await room.come("Maya")
    answer = await maya.post_json(room.path("participants", room.seats["Maya"].seat, "remove"))
    assert answer.status == 403


async def test_only_a_host_starts_extends_and_ends(room: Room) -> None:
    await room.open()
    ani, maya = await room.come("Ani"), await room.come("Maya")
    for action in ("start", "extend", "end"):
        assert (await ani.post_json(room.path(action))).status == 403
    assert (await maya.post_json(room.path("start"))).json()["state"] == "live"
    assert (await maya.post_json(room.path("start"))).json()["state"] == "live"
    longer = (await maya.post_json(room.path("extend"), {"minutes": 15})).json()
    assert longer["ends_at"] == NINE + 105 * MINUTE
    assert (await maya.post_json(room.path("end"))).json()["state"] == "ended"
    refused = await ani.post_json(room.path("admission"), TAB)
    assert (refused.status, refused.json()["code"]) == (410, "ended")


async def test_a_heartbeat_names_the_own_connection_only(room: Room) -> None:
    await room.open("live")
    ani = await room.come("Ani")
    own = {"connection": f"{room.seats['Ani'].seat}.abcdefgh", "visible": True}
    other = {"connection": f"{room.seats['Budi'].seat}.abcdefgh", "visible": True}
    assert (await ani.post_json(room.path("heartbeat"), own)).status == 204
    assert (await ani.post_json(room.path("heartbeat"), other)).status == 422


async def test_the_media_server_away_loses_no_message(room: Room) -> None:
    await room.open("live")
    ani = await room.come("Ani")
    room.site.media.go_away()
    answer = await ani.post_json(room.path("chat"), {"text": "Halo", "client_id": "1"})
    assert answer.status == 201
    assert (await ani.get(room.path("chat"))).json()["messages"][0]["text"] == "Halo"


def test_a_token_for_a_browser_is_never_an_administrators() -> None:
    token = mint("k", "s" * 32, identity="a.b", name="A", room="r", now=NINE, can_publish=True)
    claims = jwt.decode(token, options={"verify_signature": False})
    assert not {"roomCreate", "roomAdmin", "roomList"} & set(claims["video"])


# --- what is kept is told first -----------------------------------------------------------------


async def test_nobody_is_let_in_before_they_were_told_what_is_kept(room: Room) -> None:
    await room.open()
    ani = await room.come("Ani")
    for unread in ({"tab": "abcdefgh"}, TAB | {"notice": 0}, TAB | {"notice": "1"}, TAB | {"notice": True}):
        refused = await ani.post_json(room.path("admission"), unread)
        assert (refused.status, refused.json()["code"]) == (428, "notice_unread")
        assert "token" not in refused.text


async def test_what_was_agreed_to_is_recorded_once_and_not_asked_again(room: Room) -> None:
    await room.open()
    ani = await room.come("Ani")
    await room.admitted(ani)
    again = await ani.post_json(room.path("admission"), {"tab": "abcdefgh"})
    assert again.status == 200
    async with room.site.database.reading() as session:
        rows = (await session.scalars(select(ConsentRow).order_by(ConsentRow.kind))).all()
    assert [(row.kind, row.version, row.language) for row in rows] == [
        ("notice", 1, "id"),
        ("recording", 1, "id"),
    ]
    assert {row.registration_id for row in rows} == {room.seats["Ani"].id}


async def test_the_page_knows_whether_the_notice_was_read(room: Room) -> None:
    await room.open()
    ani = await room.come("Ani")
    assert '"notice": {"given": false, "version": 1}' in (await ani.get(room.path("room"))).text
    await room.admitted(ani)
    assert '"notice": {"given": true, "version": 1}' in (await ani.get(room.path("room"))).text


async def test_the_own_progress_tells_minutes_and_checks_and_nothing_of_others(room: Room) -> None:
    await room.open("live")
    async with room.site.database.writing() as session:
        check = PresenceCheckRow(
            id=new_id(), lecture_id=room.lecture_id, number=1, due_at=NINE + 20 * MINUTE,
            asked_at=NINE + 20 * MINUTE, closes_at=NINE + 22 * MINUTE,
        )  # fmt: skip
        session.add(check)
        sid = await session.scalar(select(RoomRow.sid).where(RoomRow.lecture_id == room.lecture_id))
        for name, joined in (("Ani", NINE), ("Budi", NINE + 40 * MINUTE)):
            for event, at in (("participant_joined", joined), ("participant_left", NINE + 51 * MINUTE)):
                session.add(
                    WebhookRow(
                        event_id=f"{event}{name}", event=event, room_name=f"{room.lecture_id}.main",
                        room_sid=sid, participant_sid=f"PA_{name}", kind="standard",
                        identity=f"{room.seats[name].seat}.abcdefgh", joined_at_ms=joined,
                        created_at_s=at // 1000, received_at=at, body_sha256="0" * 64,
                    )
                )  # fmt: skip
    room.site.clock.at = NINE + 52 * MINUTE
    found = {}
    for name in ("Ani", "Budi"):
        answer = await (await room.come(name)).get(room.path("progress"))
        assert answer.status == 200, answer.text
        found[name] = answer.json()
    assert found["Ani"] == {
        "seconds": 51 * 60,
        "needed_seconds": 72 * 60,
        "full_seconds": 72 * 60,
        "window_seconds": 90 * 60,
        "checks_asked": 1,
        "checks_answered": 0,
        "jp": 0,
        "minutes": "51 dari 72 menit untuk 2 JP",
        "checks": "0 dari 1 cek kehadiran dijawab",
        "text": "51 dari 72 menit untuk 2 JP; 0 dari 1 cek kehadiran dijawab.",
    }
    assert found["Budi"]["text"] == "11 dari 72 menit untuk 2 JP."


async def test_somebody_without_a_seat_sees_no_progress(room: Room) -> None:
    assert (await room.site.visitor().get(room.path("progress"))).status == 401
