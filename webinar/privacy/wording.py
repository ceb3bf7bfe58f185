"""What is kept of people and what for, as the notice and the settings say it. English gettext sources."""

from collections.abc import Mapping
from dataclasses import dataclass

from webinar.core.language import marked
from webinar.privacy.rules import Kind


@dataclass(frozen=True, slots=True)
class Words:
    """`since` says when the days begin; "" for what is kept as long as the record of hours itself."""

    what: str
    purpose: str
    since: str = ""


SETTLED = marked("after the hours are settled")
WORDS: Mapping[Kind, Words] = {
    Kind.HEARTBEATS: Words(
        marked("Signs of life of the page in the room, and whether it was visible"),
        marked("to know when a connection broke without a word"),
        SETTLED,
    ),
    Kind.EVIDENCE: Words(
        marked("When you came into the room and left it, answers to presence checks, watched replays"),
        marked("to work out your attendance, and to prove it to an auditor"),
        SETTLED,
    ),
    Kind.ATTACHMENTS: Words(
        marked("Attendance lists on paper that an organiser handed in"),
        marked("to credit colleagues who sat at one screen"),
        marked("after it was handed in"),
    ),
    Kind.CHAT: Words(
        marked("Chat messages"),
        marked("so that everybody in the room can read them"),
        SETTLED,
    ),
    Kind.RECORDINGS: Words(
        marked("Recordings: picture, sound and names of those who speak"),
        marked("so that those who were registered can watch the lecture again"),
        marked("after the recording"),
    ),
    Kind.MAIL: Words(
        marked("Which mail went to which address, and what the mail server answered"),
        marked("to find out why an invitation did not arrive"),
        marked("after the mail"),
    ),
    Kind.SIGN_IN: Words(
        marked("Ended sessions, and browsers from which you signed in"),
        marked("to recognise your browser, and strangers who try to be you"),
        marked("after the last use"),
    ),
    Kind.ADDRESSES: Words(
        marked("Network addresses of failed attempts"),
        marked("to slow down those who guess passwords and links"),
        marked("after the attempt"),
    ),
}
LASTING = (
    Words(
        marked("Name, NIP, e-mail, telephone, unit and kind of employment"),
        marked("to invite you, to let you in and to credit your hours to you"),
    ),
    Words(
        marked("Your learning hours, corrections with their reasons, and your objections"),
        marked("the record of competency development that the law asks for"),
    ),
    Words(
        marked("That you were told this, and agreed to being recorded"),
        marked("to prove it"),
    ),
)
