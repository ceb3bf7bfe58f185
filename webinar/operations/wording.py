"""What operators read: kinds, standings and errors in words."""

import re
from collections.abc import Callable, Mapping

from webinar.operations.rules import Standing

Translate = Callable[..., str]


def kind_words(_: Translate) -> Mapping[str, str]:
    """Each kind of effect, as one reads it in a list."""
    return {
        "lecture": _("Course of a lecture: room, start, end, hours"),
        "sweep": _("Looking who is in the room"),
        "announce": _("Preparing invites"),
        "invite": _("Sending invites"),
        "remind": _("Preparing reminders"),
        "reminder": _("Sending reminders"),
        "contest": _("Mails about contests"),
        "mail": _("Sign-in mails"),
        "remove": _("Removing somebody from a room"),
        "check": _("Presence checks"),
        "tally": _("Computing attendance"),
        "import": _("Importing people"),
        "report": _("Writing files"),
        "retention": _("Deleting what is kept no longer"),
        "release": _("Releasing held mail"),
        "series": _("Keeping series of lectures"),
    }


def standing_words(_: Translate) -> Mapping[Standing, str]:
    return {
        Standing.AHEAD: _("Planned"),
        Standing.DUE: _("Due now"),
        Standing.LATE: _("Late"),
        Standing.RUNNING: _("In progress"),
        Standing.FAILING: _("Failing, tried again"),
        Standing.PARKED: _("Stopped, needs you"),
        Standing.HELD: _("Held"),
        Standing.WAITING: _("Waiting"),
        Standing.DONE: _("Done"),
        Standing.SKIPPED: _("Skipped"),
    }


def server_words(_: Translate) -> Mapping[str, str]:
    """How a media server stands (`servers.ServerLine.state`)."""
    return {
        "answers": _("Answers"),
        "silent": _("Does not answer"),
        "given_up": _("Given up"),
        "unasked": _("Not asked yet"),
        "unknown": _("Not in the settings"),
    }


def _pointless(_: Translate) -> Mapping[str, str]:
    """Why something was not done that would have helped nobody."""
    return {
        "the lecture is over": _("The lecture is over."),
        "the lecture is gone": _("The lecture is gone."),
        "the lecture does not take place": _("The lecture does not take place."),
        "the lecture was moved": _("The lecture was moved."),
        "the room is closed": _("The room is closed."),
        "nothing is owed any more": _("It was not needed any more."),
        "it is decided already": _("It is decided already."),
        "the link was used or ran out": _("The link was used or ran out."),
        "too late, or in a break": _("There was no time left to answer in the lecture."),
        "too late for this reminder": _("The lecture had begun, or the next reminder was due."),
        "told of the lecture just now": _("They had been invited or told of a change just before."),
        "wants no reminders": _("They want no reminders, or are exempt on that day."),
        "sent already": _("It was sent already."),
        "nobody to be reminded": _("Nobody was to be reminded any more."),
        "the institution sends no such": _("The institution chose other times."),
    }


def error_words(_: Translate, error: str | None) -> str:
    """What went wrong, for people; what we have no words for stays as it is."""
    if not error:
        return ""
    known = {
        "media_unavailable": _("The video server did not answer."),
        "media_misconfigured": _("The video server refuses our key."),
        "media_server_unknown": _("The video server is no longer in the settings."),
        "database_away": _("The database did not answer."),
        "each process that ran it died": _("Each process that worked at it ended before it was done."),
        "nobody handles the kind": _("No process of this version can do it. Are all of them updated?"),
        "the link is gone": _("The link is gone."),
        **_pointless(_),
    }
    for begins, words in known.items():
        if error.startswith(begins):
            return words
    if error.startswith("took longer than"):
        return _("It took too long.")
    if answer := re.match(r"(?:deferred: )?([45]\d\d)\b(.*)", error, re.DOTALL):
        return _("The mail server answered: %(answer)s", answer=(answer[1] + answer[2]).strip())
    if re.match(r"[A-Z]\w+(Error|Exception|Away): ", error):
        return _("An error of the service: %(error)s", error=error)
    return error
