"""The attendance list in the reader's language: rows, the sheet of the summary, and their words."""

from collections.abc import Callable, Iterator

from webinar.attendance.credit_rules import State
from webinar.attendance.wording import why
from webinar.core.language import Language, day_times, marked, moment, number, times, translator
from webinar.lectures.rules import Seat
from webinar.policies.wording import told
from webinar.reports.columns import INTERVAL_COLUMNS, PERSON_COLUMNS, SUMMARY_COLUMNS
from webinar.reports.list_rules import AttendanceList, Listed, interval_rows, share
from webinar.reports.table_rules import Cell, Table

STATES = {
    State.CREDITED: marked("Credited"),
    State.NOT_CREDITED: marked("Not credited"),
    State.ABSENT: marked("Absent"),
    State.DOUBTFUL: marked("Doubtful"),
}
ROLES = {
    Seat.LECTURER: marked("Lecturer"),
    Seat.ORGANISER: marked("Organiser"),
    Seat.PARTICIPANT: marked("Participant"),
}


def people_table(attendance: AttendanceList, language: Language, *, in_words: bool) -> Table:
    """A row a person.

    Args:
        in_words: states and roles as people read them, else as programs do.
    """
    rows = _people(attendance, language, in_words)
    return Table(
        marked("Participants"), PERSON_COLUMNS, rows, attendance.zone, attendance.log.window.starts_at
    )


def intervals_table(attendance: AttendanceList) -> Table:
    """A row for each stay of each person."""
    rows = interval_rows(attendance.people)
    return Table(
        marked("Intervals"), INTERVAL_COLUMNS, rows, attendance.zone, attendance.log.window.starts_at
    )


def summary_table(attendance: AttendanceList, language: Language) -> Table:
    """What the list is about, and what it adds up to."""
    rows = [[label, value] for label, value in facts(attendance, language)]
    return Table(marked("Summary"), SUMMARY_COLUMNS, rows, attendance.zone, attendance.log.window.starts_at)


def facts(attendance: AttendanceList, language: Language) -> list[tuple[str, str]]:
    """Label and value, in the order in which they are read."""
    _ = translator(language)
    log, lecture, zone = attendance.log, attendance.log.lecture, attendance.zone
    counted = len(attendance.people)
    values = [
        (_("Institution"), attendance.institution),
        (_("Unit"), attendance.unit),
        (_("Lecture"), lecture.title),
        (_("Lecturers"), ", ".join(attendance.lecturers)),
        (_("Scheduled"), day_times(language, lecture.starts_at, lecture.ends_at, zone)),
        (_("Official time"), official_time(attendance, language)),
        (_("JP"), f"{lecture.jp / 100:g}" if language == "en" else f"{lecture.jp / 100:g}".replace(".", ",")),
        (_("Rule"), told(language, attendance.rule) if attendance.rule else ""),
        (_("Registered"), number(language, counted)),
        (_("Came"), number(language, attendance.came)),
        (_("Absent"), number(language, counted - attendance.came)),
        (_("Credited"), number(language, attendance.credited)),
        (_("Doubtful"), number(language, doubtful(attendance))),
        (_("Adjusted"), number(language, attendance.adjusted)),
        (_("State"), _("Provisional") if log.provisional else _("Final")),
        (_("Values of"), moment(language, log.computed_at, zone)),
        (_("Printed"), moment(language, attendance.made_at, zone)),
        (_("Entry of the ledger"), number(language, attendance.head.number)),
        (_("Digest of the ledger"), attendance.head.digest),
    ]
    return [(label, value) for label, value in values if value]


def official_time(attendance: AttendanceList, language: Language) -> str:
    """Each span, and the minutes they add up to."""
    _ = translator(language)
    window = attendance.log.window
    spans = ", ".join(times(language, start, end, attendance.zone) for start, end in window.spans)
    return f"{spans} · " + _("%(minutes)s minutes", minutes=number(language, window.seconds // 60))


def doubtful(attendance: AttendanceList) -> int:
    return sum(person.credit.state is State.DOUBTFUL for person in attendance.people)


def _people(attendance: AttendanceList, language: Language, in_words: bool) -> Iterator[list[Cell]]:
    _ = translator(language)
    for person in attendance.people:
        yield _row(attendance, person, language, _ if in_words else None)


def _row(
    attendance: AttendanceList, person: Listed, language: Language, words: Callable[[str], str] | None
) -> list[Cell]:
    seat, credit, there = person.entry.registration, person.credit, person.presence
    final, change = not attendance.log.provisional, person.change
    yes, no = (words("yes"), words("no")) if words else ("yes", "no")
    return [
        seat.person_id,
        person.nip or "",
        seat.name,
        seat.email or "",
        seat.unit_name,
        words(ROLES[seat.role]) if words else seat.role.value,
        there.first_join,
        there.last_leave,
        credit.seconds,
        share(credit.seconds, attendance.log.window.seconds),
        credit.replay_seconds,
        person.entry.reconnects,
        person.entry.devices,
        credit.checks_answered,
        credit.checks_asked,
        person.jp,
        credit.jp,
        words(STATES[credit.state]) if words else credit.state.value,
        credit.uncertainty_s,
        yes if final else no,
        change.author if change else "",
        change.at if change else None,
        change.reason if change else "",
        why(language, credit, attendance.zone),
        attendance.head.number,
        attendance.head.digest,
    ]
