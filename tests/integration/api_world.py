"""What the tests of the API find: two institutions, people, a lecture with registrations."""

from dataclasses import dataclass, field
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry, Resource

from tests.build import NINE, a_lecture, a_person, a_registration, a_room, a_series, a_unit, an_institution
from tests.site import Answer, Program, RunningSite
from webinar.core.ids import new_id
from webinar.hours.tables import AdjustmentRow, ContestRow
from webinar.people.access import API_SCOPES
from webinar.people.tables import PersonRow, UnitRow
from webinar.web.api.endpoint import Endpoint
from webinar.web.api.openapi import document
from webinar.web.api.routes import ENDPOINTS

NIP = "198503152010011003"
DOCUMENT = document(ENDPOINTS, "https://pendopo.example")
_REGISTRY = Registry().with_resource(
    "doc:", Resource.from_contents({"$schema": "https://json-schema.org/draft/2020-12/schema", **DOCUMENT})
)


@dataclass
class World:
    """Ids of rows; `program` holds every scope of the first institution."""

    institution: str
    unit: str
    siti: str
    budi: str
    lecture: str
    registration: str
    elsewhere: str
    stranger: str
    program: Program
    series: str
    # A breakout room of the lecture.
    room: str
    # Ids of a lecture that is over, where somebody was adjusted to 1 JP and contests it; made when asked for.
    over: dict[str, str] = field(default_factory=dict)

    @property
    def ids(self) -> dict[str, str]:
        return {
            "lectures": self.lecture,
            "people": self.siti,
            "registration": self.registration,
            "units": self.unit,
            "series": self.series,
        }


async def a_world(site: RunningSite) -> World:
    async with site.database.writing() as session:
        home = await an_institution(session)
        unit = await a_unit(session, home, code="disdik")
        siti = await a_person(session, unit, name="Siti Rahma", nip=NIP, phone="+628123456789")
        budi = await a_person(session, unit, name="Budi Santoso")
        lecture = await a_lecture(session, unit, starts_at=NINE + 86_400_000)
        seat = await a_registration(session, lecture, siti)
        series = await a_series(session, unit, lecture)
        side = {"kind": "breakout", "position": 1, "title": "Kelompok 1", "name": f"{lecture.id}.b1"}
        room = await a_room(session, lecture, state="closed", **side)
        elsewhere = await an_institution(session, name="Kabupaten Lain", code="lain")
        stranger = await a_person(session, elsewhere, name="Wayan")
    program = await site.program(home.id, *API_SCOPES)
    return World(
        home.id,
        unit.id,
        siti.id,
        budi.id,
        lecture.id,
        seat.id,
        elsewhere.id,
        stranger.id,
        program,
        series,
        room.id,
    )


async def a_lecture_that_is_over(site: RunningSite, world: World) -> dict[str, str]:
    """Ids of the lecture, the seat, the adjustment's batch and the contest."""
    batch, contest = new_id(), new_id()
    async with site.database.writing() as session:
        unit = await session.get_one(UnitRow, world.unit)
        siti = await session.get_one(PersonRow, world.siti)
        lecture = await a_lecture(
            session, unit, starts_at=NINE - 86_400_000, state="ended", ended_at=NINE - 80_000_000
        )
        seat = await a_registration(session, lecture, siti)
        about = {
            "institution_id": world.institution, "lecture_id": lecture.id,
            "registration_id": seat.id, "person_id": siti.id,
        }  # fmt: skip
        session.add(
            AdjustmentRow(
                **about, id=new_id(), batch_id=batch, before_jp=0, after_jp=100, reason="x", at=NINE
            )
        )
        session.add(ContestRow(**about, id=contest, text="Saya hadir.", state="open", jp=100, opened_at=NINE))
    world.over = {"lecture": lecture.id, "seat": seat.id, "batch": batch, "contest": contest}
    return world.over


def conforms(endpoint: Endpoint | str, answer: Answer) -> Any:
    """The answer's document, after checking that the OpenAPI document promises just this."""
    if isinstance(endpoint, str):
        method, path = endpoint.split()
        endpoint = next(e for e in ENDPOINTS if (e.method, e.path) == (method, path))
    operation = DOCUMENT["paths"][endpoint.path][endpoint.method.lower()]
    promised = operation["responses"].get(str(answer.status))
    assert promised, f"{endpoint.method} {endpoint.path} answers {answer.status}: {answer.text}"
    media_type = answer.headers["Content-Type"].split(";")[0]
    assert media_type in promised["content"], f"{media_type} is not promised"
    if not media_type.endswith("json"):
        return answer.text
    validator_of(promised["content"][media_type]["schema"]["$ref"].rpartition("/")[2]).validate(answer.json())
    return answer.json()


def validator_of(name: str) -> Draft202012Validator:
    """Checks against one schema of the OpenAPI document, formats too."""
    schema = {"$ref": f"doc:#/components/schemas/{name}"}
    return Draft202012Validator(schema, registry=_REGISTRY, format_checker=FormatChecker())
