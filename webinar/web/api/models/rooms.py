"""The rooms of a lecture, as the API says them."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from webinar.web.api.models.basics import Answer, Given, Id, Line, Word

_Title = Annotated[Line, Field(min_length=1, max_length=80)]
_Needed = Annotated[bool, Field(description="Whether it shall stand while the lecture is in session.")]


class NewRooms(Given):
    """Breakout rooms are for groups, second rooms for more people than one room bears."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"kind": "breakout", "titles": ["Kelompok 1", "Kelompok 2"], "spread": True}]
        }
    )
    kind: Literal["breakout", "second"] = "breakout"
    titles: Annotated[list[_Title], Field(min_length=1, max_length=50)]
    spread: Annotated[
        bool,
        Field(
            description="Give participants their places at random: those who are inside, or everybody "
            "registered while nobody is. Otherwise people choose."
        ),
    ] = False


class RoomChange(Given):
    """Fields that are not there stay as they are."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"title": "Anggaran"}, {"needed": False}]})
    title: _Title = ""
    needed: _Needed = True


class Room(Answer):
    id: Id
    kind: Annotated[Word, Field(examples=["breakout"], description="main, breakout or second")]
    title: Annotated[str, Field(description="Empty of the main room.")]
    position: Annotated[int, Field(description="Its place among the rooms; 0 is the main one.")]
    needed: _Needed
    state: Annotated[
        Word, Field(examples=["open"], description="How it stands: wanted, open, lost, closing, closed")
    ]


class Rooms(Answer):
    items: list[Room]
