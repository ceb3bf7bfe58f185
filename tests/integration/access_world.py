"""Who may call which address: the roles, what they find, and the written policy of each address.

A new address without parameters follows its `Access`. One with parameters needs a row in `OBJECTS`.
"""

import asyncio
import re
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select, update

from recordings.playlist import init_name
from tests.build import (
    DAY,
    NINE,
    a_lecture,
    a_person,
    a_policy,
    a_recording,
    a_registration,
    a_role,
    a_room,
    a_series,
    a_unit,
    an_institution,
)
from tests.site import LINK_KEY, RunningSite, Visitor
from webinar.attendance.tables import AttendanceRow
from webinar.core.ids import new_id
from webinar.core.tables import AuditRow, EffectRow
from webinar.hours.tables import AttendanceListRow, ContestRow
from webinar.invites.reminder_rules import link as reminders_link
from webinar.lectures.rules import link_token
from webinar.lectures.tables import LectureRow, RegistrationRow
from webinar.people.access import API_SCOPES, scope_of
from webinar.people.importing import check
from webinar.people.tables import ExemptionRow, PersonRow, RoleRow, UnitRow
from webinar.reports import service as reports
from webinar.reports.rules import FileKind, Wish
from webinar.reports.tables import ReportRow
from webinar.web.api.endpoint import PREFIX
from webinar.web.routes import ROUTES
from webinar.web.site import Access, Route

NOBODY = "nobody"
PARTICIPANT = "participant"
# A participant of another lecture.
OUTSIDER = "outsider"
LECTURER = "lecturer"
MANAGER = "unit_manager"
ORGANISER = "organiser"
OTHER_ORGANISER = "organiser_of_another_unit"
ADMINISTRATOR = "administrator"
# An administrator, but of another institution.
FOREIGNER = "foreigner"
ROLES = (
    *(NOBODY, FOREIGNER, OUTSIDER, OTHER_ORGANISER, MANAGER),
    *(PARTICIPANT, LECTURER, ORGANISER, ADMINISTRATOR),
)

MANAGES = frozenset({ORGANISER, ADMINISTRATOR})
HOSTS = MANAGES | {LECTURER}
HAS_A_SEAT = HOSTS | {PARTICIPANT}
# The person of the path is the participant.
SEES_THE_PERSON = MANAGES | {PARTICIPANT, MANAGER, OTHER_ORGANISER}

BY_ACCESS = {
    Access.PUBLIC: frozenset(ROLES),
    Access.SIGNED_IN: frozenset(ROLES) - {NOBODY},
    Access.ORGANISER: MANAGES | {OTHER_ORGANISER, FOREIGNER},
    Access.UNIT_MANAGER: MANAGES | {MANAGER, OTHER_ORGANISER, FOREIGNER},
    Access.ADMINISTRATOR: frozenset({ADMINISTRATOR, FOREIGNER}),
}
OBJECTS = (
    (r"GET /lectures/{id}", HAS_A_SEAT),
    (
        r"\w+ /lectures/{id}/(edit|actions/\w+|attendance(/(live|adjust|undo|{registration}))?|exports)",
        MANAGES,
    ),
    (r"GET /lectures/{id}/clashes", MANAGES),
    (r"POST /lectures/{id}/actions/rooms/([\w-]+|{room}/rename)", MANAGES),
    (r"GET /lectures/{id}/rooms", HAS_A_SEAT),
    (r"POST /lectures/{id}/rooms(/.+)?", HOSTS),
    (r"\w+ /lectures/{id}/changes(/{kind})?", MANAGES),
    (r"GET /series/{id}", HAS_A_SEAT),
    (r"\w+ /series/{id}/(extend|try-again|leave-out|members|members/{person}/leave)", MANAGES),
    (r"\w+ /series/{id}/editions/{number}(/cancel)?", MANAGES),
    (r"GET /lectures/{id}/(attendance|intervals)\.(csv|xlsx|pdf)", MANAGES),
    # The manager holds an office in the unit; who organises another one does not.
    (r"\w+ /units/{id}/\w+(\.\w+)?(/{lecture})?", MANAGES | {MANAGER}),
    (r"GET /lectures/{id}/contests", MANAGES),
    (r"\w+ /lectures/{id}/late-evidence", MANAGES),
    (r"\w+ /lectures/{id}/lists(/{list}/file)?", MANAGES),
    # Organisers are led on to what others contest; here they have nothing to contest of their own.
    (r"GET /lectures/{id}/contest", HAS_A_SEAT),
    (r"POST /lectures/{id}/contest", frozenset({PARTICIPANT, LECTURER})),
    (r"POST /contests/{id}/withdraw", frozenset({PARTICIPANT})),
    (r"POST /contests/{id}/(accept|refuse)", MANAGES),
    # The organiser asked for it.
    (r"GET /reports/{id}(/file)?", frozenset({ORGANISER})),
    (r"\w+ /lectures/{id}/registrations(/resend)?", MANAGES),
    (r"POST /lectures/{id}/registrations/{registration}/(resend|revoke|cancel|restore|readmit)", MANAGES),
    (r"\w+ /lectures/{id}/(room|admission|classroom|heartbeat|progress|chat|hand)", HAS_A_SEAT),
    (r"POST /lectures/{id}/checks/{check}/answer", HAS_A_SEAT),
    (r"GET /lectures/{id}/replay(/{name})?", HAS_A_SEAT),
    (r"\w+ /lectures/{id}/stream(/{name})?", HAS_A_SEAT),
    # The organiser watches without a seat of the own: there is nobody of whom it could be evidence.
    (r"POST /lectures/{id}/replay/watched", frozenset({PARTICIPANT, LECTURER})),
    (r"POST /lectures/{id}/(start|extend|end|hands/{seat}/lower|participants/{seat}/(remove|mute))", HOSTS),
    (r"GET /j/{link}", frozenset(ROLES)),
    (r"\w+ /reminders/{reminders}", frozenset(ROLES)),
    (r"\w+ /(sign-in/link|password)/{token}", frozenset(ROLES)),
    (r"GET /people/{id}", SEES_THE_PERSON),
    # Hours are for the person, and for offices in the person's own unit.
    (r"GET /people/{id}/hours", MANAGES | {PARTICIPANT, MANAGER}),
    (r"\w+ /people/{id}/(edit|deactivate|reactivate)", MANAGES),
    (r"POST /people/{id}/(roles(/withdraw)?|erase)", frozenset({ADMINISTRATOR})),
    (r"POST /people/{id}/exemptions(/{exemption}/take-back)?", MANAGES),
    (r"GET /people/{id}/data\.json", frozenset({ADMINISTRATOR})),
    (r"\w+ /people/import/{id}(/(confirm|discard|undo))?", MANAGES),
    (r"POST /operations/effects/{id}/(retry|skip)", frozenset({ADMINISTRATOR})),
    # The form names a unit of ours as the parent.
    (r"POST /settings/units", frozenset({ADMINISTRATOR})),
    (r"POST /settings/(units|keys|policies)/{id}(/\w+)?", frozenset({ADMINISTRATOR})),
    (r"GET /lectures/{id}/attendance/try", MANAGES),
    (r"GET /settings/policies/{id}", MANAGES | {OTHER_ORGANISER}),
)
# Forms that get past the first check, where an empty one would be answered with 404.
FORMS: dict[str, dict[str, str]] = {
    "POST /people/{id}/roles": {"role": "lecturer", "unit_id": "{unit}"},
    "POST /people/{id}/roles/withdraw": {"role": "lecturer", "unit_id": "{unit}"},
    "POST /lectures/{id}/exports": {"kind": "csv"},
    "POST /lectures/{id}/actions/rooms/add": {"titles": "Kelompok 2"},
    "POST /units/{id}/files": {"kind": "csv"},
    "POST /settings/units": {"parent_id": "{institution}", "name": ""},
}
# What is asked for behind the path.
MORE = {
    "GET /lectures/people": "?q=siti",
    "POST /lectures/{id}/actions/rooms/close": "?rooms={room}",
    "POST /lectures/{id}/actions/rooms/open": "?rooms={room}",
}

PAGES = tuple(route for route in ROUTES if route.access is not Access.API)


def name_of(route: Route) -> str:
    return f"{route.method} {route.path}"


def allowed(route: Route) -> frozenset[str]:
    """The roles that the policy lets in."""
    for pattern, roles in OBJECTS:
        if re.fullmatch(pattern, name_of(route)):
            return roles
    if "{" in route.path:
        raise AssertionError(f"say in OBJECTS who may call {name_of(route)}")
    return BY_ACCESS[route.access]


@dataclass
class World:
    site: RunningSite
    people: dict[str, str]
    ids: dict[str, str]

    async def visitor(self, role: str) -> Visitor:
        if role != NOBODY:
            return await self.site.signed_in(self.people[role])
        visitor = self.site.visitor()
        await visitor.get("/sign-in")  # a first page gives the cookie that forms are bound to
        return visitor

    def filled(self, text: str) -> str:
        """`{name}` replaced by the id that it stands for."""
        return re.sub(r"{(\w+)}", lambda found: self.ids[found[1]], text)

    def path(self, route: Route, **instead: str) -> str:
        """The address with the ids of this world, or with others."""
        parts = route.path.removeprefix(PREFIX).split("/")
        section = parts[2] if parts[1] == "settings" and len(parts) > 2 else parts[1]
        section = "import" if parts[1:3] in (["people", "import"], ["people", "imports"]) else section
        ids = {**self.ids, "id": self.ids.get(section, ""), **instead}
        path = re.sub(r"{(\w+)}", lambda found: ids[found[1]], route.path)
        return path + self.filled(MORE.get(name_of(route), ""))

    async def call(self, visitor: Visitor, route: Route) -> Any:
        if name_of(route).startswith("POST /people/import/{id}"):
            self.ids["import"] = await an_import(self.site, self.people[ORGANISER])
        path = self.path(route)
        if route.method == "GET":
            return await visitor.get(path)
        if route.access is Access.SEAT:
            return await visitor.post_json(path)
        form = {name: self.filled(value) for name, value in FORMS.get(name_of(route), {}).items()}
        return await visitor.post(path, form)

    async def traces(self) -> list[int]:
        """How much was written so far."""
        tables = (AuditRow, EffectRow, RegistrationRow, PersonRow, UnitRow, RoleRow)
        async with self.site.database.reading() as session:
            return [await session.scalar(select(func.count()).select_from(table)) or 0 for table in tables]


async def a_world(site: RunningSite) -> World:
    """An open lecture with a replay (which takes a real one some hours), and one of each role."""
    async with site.database.writing() as session:
        home = await an_institution(session)
        unit = await a_unit(session, home, code="disdik")
        other_unit = await a_unit(session, home, name="Dinas Lain", code="lain")
        elsewhere = await an_institution(session, name="Kabupaten Lain", code="kab")
        people = {
            PARTICIPANT: await a_person(session, unit, name="Siti Rahma"),
            OUTSIDER: await a_person(session, unit, name="Oki"),
            LECTURER: await a_person(session, unit, name="Maya"),
            MANAGER: await a_person(session, unit, name="Wati", role="unit_manager"),
            ORGANISER: await a_person(session, unit, name="Rina", role="organiser"),
            OTHER_ORGANISER: await a_person(session, other_unit, name="Tono", role="organiser"),
            ADMINISTRATOR: await a_person(session, home, name="Ade", role="administrator"),
            FOREIGNER: await a_person(session, elsewhere, name="Zul", role="administrator"),
        }
        await a_role(session, people[LECTURER], home, role="lecturer")
        policy = await a_policy(session, home)
        lecture = await a_lecture(session, unit, policy=policy, state="open", recorded=True)
        seat = await a_registration(session, lecture, people[PARTICIPANT])
        await a_registration(session, lecture, people[LECTURER], role="lecturer")
        elsewhere_lecture = await a_lecture(session, other_unit, policy=policy)
        await a_registration(session, elsewhere_lecture, people[OUTSIDER])
        await a_room(session, lecture, state="open")
        side_room = await a_room(
            session,
            lecture,
            state="open",
            kind="breakout",
            position=1,
            title="Kelompok 1",
            name=f"{lecture.id}.b1",
        )
        await _a_replay(session, site, lecture)
        series_id = await a_series(session, unit, lecture)
        over = await _an_absence(session, unit, people[OUTSIDER], policy)
        contest_id, exemption_id, list_id = new_id(), new_id(), new_id()
        session.add(
            AttendanceListRow(
                id=list_id,
                institution_id=home.id,
                lecture_id=lecture.id,
                reason="Satu layar.",
                file_name="daftar.pdf",
                content_type="application/pdf",
                content=b"%PDF-",
                sha256="0" * 64,
                people=[],
                created_at=NINE,
            )
        )
        session.add(
            ExemptionRow(
                id=exemption_id,
                institution_id=home.id,
                person_id=seat.person_id,
                reason="Sakit.",
                starts_on="2026-11-01",
                ends_on="2026-11-30",
                created_at=NINE,
            )
        )
        session.add(
            ContestRow(
                id=contest_id,
                institution_id=home.id,
                lecture_id=lecture.id,
                registration_id=seat.id,
                person_id=seat.person_id,
                text="Saya hadir.",
                state="open",
                jp=0,
                opened_at=NINE,
            )
        )
        effect = EffectRow(
            key="invite:parked", kind="invite", subject=f"invites:{lecture.id}", due_at=NINE, state="parked",
            created_at=NINE,
        )  # fmt: skip
        session.add(effect)
    await site.media.open_room(f"{lecture.id}.main")
    import_id = await an_import(site, people[ORGANISER].id)
    key_id, _ = await site.key(home.id, API_SCOPES[0])
    report_id = await a_report(site, people[ORGANISER].id, lecture.id)
    return World(
        site,
        {role: person.id for role, person in people.items()},
        {
            "lectures": lecture.id, "people": people[PARTICIPANT].id, "import": import_id,
            "registration": seat.id, "seat": seat.seat, "name": init_name(0),
            "reminders": reminders_link("", LINK_KEY.encode(), people[OUTSIDER].id).rpartition("/")[2],
            "link": f"{seat.id}.{link_token(LINK_KEY.encode(), seat.id, 1)}", "token": "a" * 43,
            "check": "a" * 26, "lecture": over.id, "kind": "time",
            "contests": contest_id, "exemption": exemption_id, "list": list_id,
            "units": unit.id, "keys": key_id, "policies": policy.id,
            "operations": str(effect.id), "reports": report_id, "unit": unit.id, "institution": home.id,
            "room": side_room.id, "series": series_id, "number": "1", "person": people[PARTICIPANT].id,
        },
    )  # fmt: skip


async def an_import(site: RunningSite, author_id: str) -> str:
    """A table that was checked and waits to be confirmed."""
    async with site.database.reading() as session:
        author = await scope_of(session, author_id)
    table = b"nama;email;unit\r\nAni;ani@x.example;disdik\r\n"
    return (await check.check(site.database, author, content=table, file_name="a.csv", now=NINE)).id


async def a_report(site: RunningSite, asker_id: str, lecture_id: str) -> str:
    """A file that is ready."""
    async with site.database.writing() as session:
        scope = await scope_of(session, asker_id)
        report = await reports.ask(session, scope, Wish(FileKind.CSV, "id", lecture_id), NINE)
        values = {"state": "ready", "content": b"name", "file_name": "a.csv"}
        await session.execute(update(ReportRow).where(ReportRow.id == report.id).values(**values))
    return report.id


async def _an_absence(session: Any, unit: UnitRow, person: PersonRow, policy: Any) -> LectureRow:
    """A lecture that is settled, and somebody of the unit who did not come."""
    lecture = await a_lecture(session, unit, policy=policy, state="final", starts_at=NINE - 9 * DAY)
    seat = await a_registration(session, lecture, person)
    session.add(
        AttendanceRow(
            registration_id=seat.id, lecture_id=lecture.id, person_id=person.id, seconds=0, uncertainty_s=0,
            jp=0, state="absent", intervals=[], why=[], rules_version=1, high_water={}, computed_at=NINE,
        )
    )  # fmt: skip
    return lecture


async def _a_replay(session: Any, site: RunningSite, lecture: Any) -> None:
    files = [(init_name(0), 0)]
    await a_recording(session, site.storage, lecture, files, published_at=NINE, duration_ms=4_000)


async def raw(site: RunningSite, request: bytes) -> tuple[int, bytes]:
    """The bytes as they are, over a connection of their own: the status (0 for none) and the answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", site.parts.settings.port)
    writer.write(request)
    await writer.drain()
    async with asyncio.timeout(20):
        head = await reader.read(65_536)
    writer.close()
    found = re.match(rb"HTTP/1\.[01] (\d{3})", head)
    return int(found[1]) if found else 0, head
