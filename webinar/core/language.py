"""The two languages people read, and how each writes a day, a time of day, a number and a span.

English is the language of the source; Indonesian comes from `locale/id/*.po`, one file a noun,
loaded and merged once. Instants are Unix milliseconds, zones are IANA names, JP is in hundredths.
Forms follow Babel's CLDR data (`id`, and `en_GB` for English, since its 24-hour clock and order of
day and month are those of the Indonesian office).
"""

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Literal, get_args
from zoneinfo import ZoneInfo

from babel.core import Locale
from babel.dates import format_date, format_datetime, format_timedelta
from babel.messages.pofile import read_po
from babel.numbers import format_decimal, format_percent

Language = Literal["id", "en"]
Translate = Callable[..., str]

LANGUAGES: tuple[Language, ...] = get_args(Language)
LANGUAGE_NAMES: dict[Language, str] = {"id": "Bahasa Indonesia", "en": "English"}

LOCALE_FOLDER = Path(__file__).parent / "locale"
ZONE_NAMES = {"Asia/Jakarta": "WIB", "Asia/Pontianak": "WIB", "Asia/Makassar": "WITA", "Asia/Jayapura": "WIT"}

_LOCALES: dict[Language, Locale] = {"id": Locale("id"), "en": Locale("en", "GB")}
_SECOND = 1_000
_MINUTE = 60 * _SECOND
_HOUR = 60 * _MINUTE
_DAY = 24 * _HOUR


class ConflictingTranslationError(Exception):
    """Two catalogues translate one source text differently, so that the order of files would decide."""


def marked(message: str) -> str:
    """The text as it is: says to the extractor that it is translated where it is shown."""
    return message


def translator(language: Language) -> Translate:
    """`_` of one language: `_("Hello %(name)s", name="Siti")`; a text without a translation stays English."""
    catalogue = {} if language == "en" else indonesian()

    def gettext(message: str, /, **values: Any) -> str:
        text = catalogue.get(message, message)
        return text % values if values else text

    return gettext


@cache
def indonesian() -> dict[str, str]:
    """Every Indonesian text by its English source."""
    return merge(sorted((LOCALE_FOLDER / "id").glob("*.po")))


def merge(files: Iterable[Path]) -> dict[str, str]:
    merged: dict[str, str] = {}
    for file in files:
        for source, text in _read(file).items():
            first = merged.setdefault(source, text)
            if first != text:
                raise ConflictingTranslationError(
                    f"{file.name}: {source!r} is {first!r} elsewhere, {text!r} here"
                )
    return merged


def _read(file: Path) -> dict[str, str]:
    texts: dict[str, str] = {}
    with file.open("rb") as handle:
        for message in read_po(handle, locale="id", abort_invalid=True):
            if message.id and message.string:
                texts[str(message.id)] = str(message.string)
    return texts


def chosen(*wishes: str | None) -> Language:
    """The first wish that we speak (of a person, a cookie, an Accept-Language header), else Indonesian."""
    for wish in wishes:
        for part in (wish or "").split(","):
            tag = part.split(";")[0].strip().lower()[:2]
            for language in LANGUAGES:
                if tag == language or (tag == "in" and language == "id"):
                    return language
    return "id"


def local(at: int, zone: str) -> datetime:
    """The wall time of an instant in a zone."""
    return datetime.fromtimestamp(at / 1000, tz=UTC).astimezone(ZoneInfo(zone))


def zone_name(zone: str, at: int) -> str:
    """WIB, WITA or WIT; elsewhere the offset, as `UTC+10` or `UTC+05:30`."""
    if zone in ZONE_NAMES:
        return ZONE_NAMES[zone]
    offset = local(at, zone).utcoffset()
    minutes = 0 if offset is None else round(offset.total_seconds() / 60)
    if not minutes:
        return "UTC"
    hours, rest = divmod(abs(minutes), 60)
    sign = "+" if minutes > 0 else "−"
    return f"UTC{sign}{hours}" if not rest else f"UTC{sign}{hours:02}:{rest:02}"


def clock(language: Language, at: int, zone: str, *, seconds: bool = False) -> str:
    """09.00 in Indonesian, 09:00 in English."""
    dot = "." if language == "id" else ":"
    return local(at, zone).strftime(f"%H{dot}%M{dot}%S" if seconds else f"%H{dot}%M")


def day(language: Language, at: int, zone: str) -> str:
    """Rabu, 25 November 2026."""
    return format_date(local(at, zone).date(), "EEEE, d MMMM y", locale=_LOCALES[language])


def date_long(language: Language, at: date) -> str:
    """25 November 2026, of a date of the calendar."""
    return date_pattern(language, at, "d MMMM y")


def month_name(language: Language, at: date) -> str:
    """November 2026."""
    return date_pattern(language, at, "MMMM y")


def date_pattern(language: Language, at: date, pattern: str) -> str:
    """Any CLDR pattern of a date of the calendar."""
    return format_date(at, pattern, locale=_LOCALES[language])


def day_short(language: Language, at: int, zone: str) -> str:
    """25 Nov 2026."""
    return format_date(local(at, zone).date(), "d MMM y", locale=_LOCALES[language])


def day_pattern(language: Language, at: int, zone: str, pattern: str) -> str:
    """Any CLDR pattern, as `EEE` (Rab) or `MMMM y` (November 2026)."""
    return format_datetime(local(at, zone).replace(tzinfo=None), pattern, locale=_LOCALES[language])


def moment(language: Language, at: int, zone: str) -> str:
    """25 Nov 2026, 09.00 WITA."""
    return f"{day_short(language, at, zone)}, {clock(language, at, zone)} {zone_name(zone, at)}"


def times(language: Language, start: int, end: int, zone: str) -> str:
    """09.00–10.30 WITA."""
    return f"{clock(language, start, zone)}–{clock(language, end, zone)} {zone_name(zone, start)}"


def day_times(language: Language, start: int, end: int, zone: str) -> str:
    """Rabu, 25 November 2026, 09.00–10.30 WITA; both days are named when it runs past midnight."""
    if local(start, zone).date() == local(end, zone).date():
        return f"{day(language, start, zone)}, {times(language, start, end, zone)}"
    first = f"{day(language, start, zone)}, {clock(language, start, zone)}"
    last = f"{day(language, end, zone)}, {clock(language, end, zone)}"
    return f"{first} – {last} {zone_name(zone, end)}"


def relative(language: Language, at: int, now: int) -> str:
    """12 menit lagi, 3 jam yang lalu; within half a minute it is simply now."""
    _ = translator(language)
    distance = abs(at - now)
    if distance < _MINUTE // 2:
        return _("now")
    span = _rough_span(language, distance)
    return _("in %(span)s", span=span) if at > now else _("%(span)s ago", span=span)


def _rough_span(language: Language, distance: int) -> str:
    """One unit alone: minutes below 90 of them, hours below two days, days below two months, then months."""
    steps: tuple[tuple[Literal["minute", "hour", "day"], int, int], ...] = (
        ("minute", _MINUTE, 90 * _MINUTE),
        ("hour", _HOUR, 2 * _DAY),
        ("day", _DAY, 60 * _DAY),
    )
    for name, size, below in steps:
        if distance < below:
            seconds = max(1, round(distance / size)) * size // _SECOND
            # The high threshold keeps Babel from going up to a coarser unit.
            return format_timedelta(seconds, granularity=name, threshold=1_000, locale=_LOCALES[language])
    return format_timedelta(
        distance // _SECOND, granularity="month", threshold=1_000, locale=_LOCALES[language]
    )


def duration(language: Language, milliseconds: int) -> str:
    """1 jam 12 menit; whole minutes, floored; below a minute in seconds."""
    _ = translator(language)
    hours, minutes = divmod(milliseconds // _MINUTE, 60)
    if hours and minutes:
        return _("%(hours)s h %(minutes)s min", hours=hours, minutes=minutes)
    if hours:
        return _("%(hours)s h", hours=hours)
    if minutes:
        return _("%(minutes)s min", minutes=minutes)
    return _("%(seconds)s sec", seconds=milliseconds // _SECOND)


def number(language: Language, value: float, digits: int = 0) -> str:
    """61.964 in Indonesian, 61,964 in English; with a fixed number of decimals."""
    return _decimal(language, value, "#,##0" + ("." + "0" * digits if digits else ""))


def percent(language: Language, ratio: float, digits: int = 0) -> str:
    """0,34 % in Indonesian, with the space its official style asks for; 0.34% in English."""
    places = "." + "0" * digits if digits else ""
    return format_percent(
        ratio, f"#,##0{places}{' ' if language == 'id' else ''}%", locale=_LOCALES[language]
    )


def jp(language: Language, hundredths: int) -> str:
    """Hundredths of a JP without idle zeros: 200 is 2, 150 is 1,5, 133 is 1,33."""
    return _decimal(language, hundredths / 100, "#,##0.##")


@lru_cache(maxsize=8_192)
def _decimal(language: Language, value: float, pattern: str) -> str:
    """A page of two hundred people writes a thousand numbers, most of them alike; each takes a while."""
    return format_decimal(value, pattern, locale=_LOCALES[language])
