"""People, units and imports, as the API says them."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from webinar.web.api.models.basics import (
    AN_ID,
    Answer,
    Following,
    Given,
    Id,
    Line,
    Moment,
    PageQuery,
    Word,
)


class Unit(Answer):
    id: Id
    parent_id: Id | None
    code: str
    name: str


class Units(Following):
    items: list[Unit]


class NewPerson(Given):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"name": "Siti Rahma", "unit_id": AN_ID, "email": "siti@dinas.example", "employment": "pns"}
            ]
        }
    )
    name: Line
    unit_id: Id
    email: Line = ""
    phone: Line = ""
    nip: Line = ""
    employment: Literal["pns", "pppk", "other"] = "pns"
    zone: Annotated[Line, Field(description="IANA name.")] = "Asia/Jakarta"
    language: Literal["id", "en"] = "id"


class Person(Answer):
    """`nip` and `phone` are there only for keys with people:read."""

    id: Id
    name: str
    email: str | None
    nip: str | None = None
    phone: str | None = None
    unit_id: Id
    unit: str
    employment: Word
    zone: str
    language: str
    active: bool
    version: int
    created_at: Moment


class People(Following):
    items: list[Person]


class PeopleQuery(PageQuery):
    q: Annotated[Line, Field(max_length=200, description="Part of a name or of an address, or a NIP.")] = ""
    unit_id: Annotated[Id | None, Field(description="Only this unit and those below it.")] = None
    active: Annotated[Literal["true", "false", "all"], Field(description="Deactivated people, too?")] = "true"


class ImportRow(Given):
    """As a row of a table: `unit` is the unit's code or name."""

    name: Line
    email: Line = ""
    nip: Line = ""
    unit: Line = ""
    employment: Line = ""
    phone: Line = ""
    zone: Line = ""
    language: Line = ""


class NewImport(Given):
    """Rows as JSON; a CSV file or a workbook may be the body instead."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"rows": [{"name": "Siti Rahma", "email": "siti@dinas.example", "unit": "disdik"}]}]
        }
    )
    rows: Annotated[list[ImportRow], Field(min_length=1, max_length=50_000)]


class ImportQuery(Given):
    default_unit_id: Annotated[Id | None, Field(description="For rows that name no unit.")] = None
    write: Annotated[
        Literal["right_rows", "only_if_all_right", "nothing"],
        Field(description="What is written: right rows, or all or nothing, or nothing (a check only)."),
    ] = "right_rows"


class RowProblem(Answer):
    row: Annotated[int, Field(description="From 1: of a table with its headings, of JSON without.")]
    column: str
    detail: str
    value: str


class Import(Answer):
    """How an import stands; the rows are written in the background, in short steps."""

    id: Id
    state: Annotated[
        Word, Field(examples=["writing"], description="checked, writing, done, undoing or undone")
    ]
    rows: Annotated[int, Field(description="Right rows that change something.")]
    new: int
    changed: int
    unchanged: int
    wrong: int
    written: int
    created: int
    updated: int
    problems: Annotated[list[RowProblem], Field(description="The first thousand.")]
    problems_total: int
    created_at: Moment
    finished_at: Moment | None
