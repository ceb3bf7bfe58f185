"""Evidence in the words of those who read it."""

from collections.abc import Callable, Mapping

from webinar.attendance.story_rules import Item, What
from webinar.core.language import Language, times

Words = Callable[..., str]


def source_words(_: Words) -> Mapping[str, str]:
    """Who told it, by the names that intervals and items use."""
    return {
        "webhook": _("media server"),
        "sweep": _("list of the room"),
        "heartbeat": _("page"),
        "segments": _("stream"),
        "segment": _("stream"),
        "check": _("presence check"),
        "replay": _("replay"),
    }


def contest_words(_: Words) -> Mapping[str, str]:
    return {
        "open": _("Contested"),
        "accepted": _("accepted"),
        "refused": _("refused"),
        "withdrawn": _("withdrawn"),
    }


def said(_: Words, language: Language, zone: str, item: Item) -> str:
    """One item of the story as a sentence."""
    count = item.count
    texts: Mapping[What, str] = {
        What.JOINED: _("came in"),
        What.LEFT: _("left"),
        What.ABORTED: _("did not get in: the connection was aborted"),
        What.ROOM_BEGAN: _("the room began"),
        What.ROOM_ENDED: _("the room ended"),
        What.SEEN: _("seen in %(count)s looks", count=count) if count > 1 else _("seen"),
        What.NOT_SEEN: _("not seen in %(count)s looks", count=count) if count > 1 else _("not seen"),
        What.NO_ROOM: _("there was no room"),
        What.VISIBLE: _("page open and in front, %(count)s signs of life", count=count),
        What.HIDDEN: _("page open but not in front, %(count)s signs of life", count=count),
        What.GOODBYE: _("page closed"),
        What.ASKED: _("check %(number)s asked", number=count),
        What.ANSWERED: _answered(_, item),
        What.MISSED: _("check %(number)s not answered", number=count),
        What.WATCHED: _watched(_, language, zone, item),
        What.FETCHED: _("%(count)s pieces of the stream fetched", count=count),
    }
    return texts[item.what]


def _answered(_: Words, item: Item) -> str:
    if item.reason == "speaking":
        return _("check %(number)s: was speaking", number=item.count)
    return _("check %(number)s answered", number=item.count)


def _watched(_: Words, language: Language, zone: str, item: Item) -> str:
    shown = ", ".join(times(language, start, end, zone) for start, end in item.spans)
    return _("watched in the replay: %(shown)s", shown=shown)
