"""A change in words: its name, what it makes different, what follows, and who will be told what."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from webinar.core.language import Language, Translate, clock, day_times, jp, times
from webinar.invites.news_rules import Forecast, News
from webinar.lectures.change_rules import breaks_of
from webinar.lectures.rules import IN_SESSION, Lecture, LectureState, Registration, Window

# Changes that the room's page shows.
SEEN_INSIDE = frozenset({"time", "pause", "go-on", "breaks", "extend"})


@dataclass(frozen=True, slots=True)
class Face:
    """A lecture as it is before or after a change."""

    lecture: Lecture
    window: Window
    lecturers: Sequence[Registration]
    # The name of its attendance policy.
    policy: str


def title(_: Translate, kind: str) -> str:
    """What the change is called on its page and in the list of changes."""
    return {
        "time": _("Move to another time"),
        "pause": _("A break now"),
        "go-on": _("Go on after the break"),
        "extend": _("A later end"),
        "late": _("It began late"),
        "end": _("End early"),
        "breaks": _("Breaks"),
        "lecturers": _("Change the lecturer"),
        "seats": _("Number of seats"),
        "room": _("Room and start"),
        "cancel": _("Cancel this lecture"),
        "restore": _("Restore this lecture"),
        "edit": _("Edit lecture"),
    }[kind]


def purpose(_: Translate, kind: str) -> str:
    """What it is for, in one sentence."""
    return {
        "time": _("Another day or hour, before it begins. Everybody registered gets an updated invite."),
        "pause": _("The room stays open; the time of the break does not count."),
        "go-on": _("The break ends now, and the time counts again."),
        "extend": _("It goes on longer; the room stays open."),
        "late": _("Say from when on the official time counts, so that nobody loses JP by waiting."),
        "end": _("Everybody leaves the room. Say until when the official time counts."),
        "breaks": _("When there is a break. Breaks do not count as official time."),
        "lecturers": _("Who holds it. Others registered keep their seats and links."),
        "seats": _("How many participants can be registered."),
        "room": _("When the room opens and closes by itself, and what begins the lecture."),
        "cancel": _("It does not take place. Everybody registered is told, and it leaves their calendars."),
        "restore": _("It takes place after all, then or at another time. Links that people have work again."),
    }[kind]


def button(_: Translate, kind: str) -> str:
    """What the button that does it says."""
    return {
        "time": _("Move the lecture"),
        "pause": _("Begin the break"),
        "go-on": _("Go on now"),
        "extend": _("Move the end"),
        "late": _("Count from then"),
        "end": _("End for everybody"),
        "cancel": _("Cancel the lecture"),
        "restore": _("Restore the lecture"),
    }.get(kind) or _("Save the change")


def differences(_: Translate, language: Language, before: Face, after: Face) -> list[tuple[str, str, str]]:
    """What becomes different: what it is, how it was, how it will be."""
    old, new = _facts(_, language, before), _facts(_, language, after)
    return [(name, old.get(name, ""), text) for name, text in new.items() if old.get(name, "") != text]


def _facts(_: Translate, language: Language, face: Face) -> dict[str, str]:
    one, zone = face.lecture, face.lecture.zone
    breaks = ", ".join(times(language, since, until, zone) for since, until in breaks_of(face.window))
    return {
        _("State"): _("cancelled") if one.state is LectureState.CANCELLED else "",
        _("Title"): one.title,
        _("Description"): one.description,
        _("Time"): day_times(language, one.starts_at, one.ends_at, zone),
        _("Ends at"): clock(language, one.closes_at, zone),
        _("Breaks"): breaks or _("none"),
        _("Official time"): _(
            "%(times)s (%(minutes)s minutes)",
            times=times(language, face.window.starts_at, face.window.ends_at, zone),
            minutes=face.window.seconds // 60,
        ),
        _("Lecturer"): ", ".join(person.name for person in face.lecturers) or _("not named yet"),
        _("Worth in JP"): jp(language, one.jp),
        _("Attendance policy"): face.policy,
        _("Seats"): str(one.capacity) if one.capacity is not None else _("no limit"),
        _("Room opens, minutes before"): str(one.open_before_s // 60),
        _("May overrun, minutes"): str(one.overrun_s // 60),
        _("Empty rooms close after, minutes"): str(one.empty_after_s // 60)
        if one.empty_after_s
        else _("they stay open"),
        _("Also before the end"): _("yes") if one.empty_early else _("no"),
        _("The lecture begins"): _("When the lecturer starts it")
        if one.live_by == "host"
        else _("At the official start"),
        _("Recording"): _("yes") if one.recorded else _("no"),
    }


def notes(_: Translate, kind: str, before: Lecture, after: Lecture) -> list[str]:
    """What else follows, beside the mails."""
    inside = before.state in IN_SESSION
    found = []
    if kind in {"cancel", "end"} and inside:
        found.append(_("Everybody in the room is told at once, and the room closes."))
    if kind == "cancel" and before.state is LectureState.LIVE:
        found.append(
            _(
                "A cancelled lecture brings no JP, whoever was there. The evidence is kept: restore it "
                "and what was attended counts again. To let what was held count, end it early instead."
            )
        )
    elif kind == "cancel":
        found.append(_("A cancelled lecture brings no JP. You can restore it later."))
    elif kind == "restore":
        found.append(_("Registrations, links and the official time stay as they were."))
    elif inside and before.starts_at != after.starts_at and after.state is LectureState.SCHEDULED:
        found.append(_("The room closes and opens again before the new time; the same links lead in."))
    elif kind == "lecturers" and inside:
        found.append(_("Who lectures no longer leaves the room. A new lecturer who is inside enters again."))
    elif kind in SEEN_INSIDE and inside:
        found.append(_("Everybody in the room sees it at once."))
    return found


def told(_: Translate, forecast: Forecast) -> list[str]:
    """Who will be told what by mail, a sentence each; nobody is an empty list."""
    lines = [_participants(_, news, count) for news, count in forecast.participants.items()]
    return lines + [
        _("Lecturer %(name)s: %(news)s", name=t.name, news=_news(_, t.news)) for t in forecast.lecturers
    ]


def together(_: Translate, forecasts: Iterable[Forecast]) -> list[str]:
    """Who will be told what of several lectures in all, a sentence each: invites counted, lecturers named."""
    everything = list(forecasts)
    counts = Counter(dict.fromkeys(News, 0))
    lecturers: Counter[tuple[str, News]] = Counter()
    for one in everything:
        counts.update(one.participants)
        lecturers.update((told.name, told.news) for told in one.lecturers)
    lines = [_mails(_, news, count) for news, count in counts.items() if count]
    return lines + [
        _("Lecturer %(name)s, %(count)s times: %(news)s", name=name, count=count, news=_news(_, news))
        if count > 1
        else _("Lecturer %(name)s: %(news)s", name=name, news=_news(_, news))
        for (name, news), count in lecturers.items()
    ]


def _participants(_: Translate, news: News, count: int) -> str:
    texts = {
        News.INVITED: _("Participants who get an invite: %(count)s.", count=count),
        News.MOVED: _("Participants who get an updated invite with the new time: %(count)s.", count=count),
        News.CHANGED: _("Participants who get an updated invite: %(count)s.", count=count),
        News.RESTORED: _("Participants who get a new invite, since it takes place: %(count)s.", count=count),
        News.CANCELLED: _("Participants who get a cancellation: %(count)s.", count=count),
        News.NEVER_TOLD: _(
            "Participants who had not been told yet, and get no mail: %(count)s.", count=count
        ),
        News.NO_ADDRESS: _(
            "Participants without an e-mail address, whom nobody tells: %(count)s.", count=count
        ),
    }
    return texts[news]


def _mails(_: Translate, news: News, count: int) -> str:
    """Of several lectures: somebody with a seat in three of them gets three mails."""
    texts = {
        News.INVITED: _("Invites to participants: %(count)s.", count=count),
        News.MOVED: _("Updated invites with the new time to participants: %(count)s.", count=count),
        News.CHANGED: _("Updated invites to participants: %(count)s.", count=count),
        News.RESTORED: _("New invites to participants, since it takes place: %(count)s.", count=count),
        News.CANCELLED: _("Cancellations to participants: %(count)s.", count=count),
        News.NEVER_TOLD: _("Seats of participants who had not been told yet: %(count)s.", count=count),
        News.NO_ADDRESS: _("Seats of participants without an e-mail address: %(count)s.", count=count),
    }
    return texts[news]


def _news(_: Translate, news: News) -> str:
    return {
        News.INVITED: _("an invite"),
        News.MOVED: _("an updated invite with the new time"),
        News.CHANGED: _("an updated invite"),
        News.RESTORED: _("a new invite"),
        News.CANCELLED: _("a cancellation"),
        News.NEVER_TOLD: _("no mail, nothing had been sent yet"),
        News.NO_ADDRESS: _("no e-mail address"),
    }[news]
