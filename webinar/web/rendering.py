"""Turns a template and what it shows into HTML, in the reader's language.

One Jinja2 environment a language, so that macros know `_` without being handed it. Everything is
escaped, a name that nobody gave is an error, and pages carry no inline script or style: the content
security policy allows none. Instants are Unix milliseconds, zones are IANA names.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache, partial
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote, urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from webinar.core import language as wording
from webinar.core.language import Language

TEMPLATES = Path(__file__).parents[2] / "templates"
BUILT = Path(__file__).parent / "static" / "built"
BUILT_URL = "/static/built/"
FONT = "node_modules/@fontsource-variable/plus-jakarta-sans/files/plus-jakarta-sans-latin-wght-normal.woff2"

_FORMATS = (
    wording.clock,
    wording.day,
    wording.day_short,
    wording.day_times,
    wording.duration,
    wording.jp,
    wording.moment,
    wording.number,
    wording.percent,
    wording.relative,
    wording.times,
)


@dataclass(frozen=True, slots=True)
class NavItem:
    """One place in the main navigation; `icon` is a lucide name."""

    label: str
    href: str
    icon: str
    current: bool = False


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who is signed in, as the header shows it; `role` is already in the reader's language."""

    name: str
    initials: str
    role: str
    zone: str


@dataclass(frozen=True, slots=True)
class Flash:
    """A message about what was just done, shown once; with `action` a button that takes it back."""

    kind: Literal["success", "info", "warning", "error"]
    text: str
    action: str = ""
    label: str = ""


def render(language: Language, template: str, **context: Any) -> str:
    """The page `template` (a path below `templates/`) in `language`."""
    return environment(language).get_template(template).render(**context)


@cache
def environment(language: Language) -> Environment:
    """Templates with `_`, `icon`, `url`, `asset`, `asset_tags` and the filters of one language."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.do"],
    )
    made.globals.update(
        _=_escaping(language), language=language, icon=icon, url=url, asset=asset, asset_tags=asset_tags
    )
    made.filters.update({form.__name__: partial(form, language) for form in _FORMATS})
    made.filters.update(
        clock_seconds=partial(wording.clock, language, seconds=True),
        weekday_short=lambda at, zone: wording.day_pattern(language, at, zone, "EEE"),
        month_short=lambda at, zone: wording.day_pattern(language, at, zone, "MMM"),
        day_number=lambda at, zone: str(wording.local(at, zone).day),
        minutes=lambda seconds: wording.number(language, seconds // 60),
        date_words=lambda day: wording.date_long(language, date.fromisoformat(day)),
        zone_name=wording.zone_name,
        iso=lambda at: wording.local(at, "UTC").isoformat(timespec="seconds"),
        date_input=lambda at, zone: wording.local(at, zone).strftime("%Y-%m-%d"),
        time_input=lambda at, zone: wording.local(at, zone).strftime("%H:%M"),
    )
    return made


def _escaping(language: Language) -> wording.Translate:
    """`_` for templates: values that are markup stay markup, everything around them is escaped."""
    gettext = wording.translator(language)

    def translate(message: str, /, **values: Any) -> str:
        if any(hasattr(value, "__html__") for value in values.values()):
            return escape(gettext(message)) % values
        return gettext(message, **values)

    return translate


def url(*parts: object, **query: object) -> str:
    """`url("lectures", 7, q="a b")` is `/lectures/7?q=a+b`; each part is quoted, None is left out."""
    path = "/" + "/".join(quote(str(part), safe="") for part in parts)
    asked = {key: value for key, value in query.items() if value is not None}
    return f"{path}?{urlencode(asked)}" if asked else path


def icon(name: str, size: int = 20, label: str | None = None, classes: str = "") -> Markup:
    """A lucide icon as inline SVG; without a label it is decoration and silent to a screen reader.

    An unknown name draws nothing, since a page without a picture still serves; a test finds it.
    """
    spoken = Markup('role="img" aria-label="{}"').format(label) if label else Markup('aria-hidden="true"')
    return Markup(
        '<svg class="icon {}" width="{}" height="{}" viewBox="0 0 24 24" fill="none" stroke="currentColor" '
        'stroke-width="2" stroke-linecap="round" stroke-linejoin="round" {}>{}</svg>'
    ).format(classes, size, size, spoken, Markup(icons().get(name, "")))  # noqa: S704 - drawn by our own build


def asset(entry: str) -> str:
    """The address of a script of `frontend/src/`, as `site.ts`."""
    return BUILT_URL + str(_chunk(f"src/{entry}").get("file", f"missing/{entry}"))


def asset_tags(entry: str) -> Markup:
    """What a page's head needs for a script: its styles, its imports ahead of time, itself."""
    manifest, key = _manifest(), f"src/{entry}"
    styles: list[str] = []
    imports: list[str] = []
    _collect(manifest, key, styles, imports, seen=set())
    links = [Markup('<link rel="stylesheet" href="{}">').format(BUILT_URL + style) for style in styles]
    links += [Markup('<link rel="modulepreload" href="{}">').format(BUILT_URL + path) for path in imports]
    if entry == "site.ts" and FONT in manifest:
        links.append(
            Markup('<link rel="preload" as="font" type="font/woff2" crossorigin href="{}">').format(
                BUILT_URL + manifest[FONT]["file"]
            )
        )
    script = Markup('<script type="module" src="{}"></script>').format(asset(entry))
    return Markup("\n").join([*links, script])


def _collect(
    manifest: Mapping[str, Any], key: str, styles: list[str], imports: list[str], seen: set[str]
) -> None:
    if key in seen:
        return
    seen.add(key)
    chunk = manifest.get(key, {})
    for imported in chunk.get("imports", ()):
        _collect(manifest, imported, styles, imports, seen)
        imports.append(manifest[imported]["file"])
    styles.extend(style for style in chunk.get("css", ()) if style not in styles)


def built() -> bool:
    """Whether `npm run build` has run; without it pages are bare but complete."""
    return (BUILT / "manifest.json").exists()


def _chunk(key: str) -> Mapping[str, Any]:
    chunk: Mapping[str, Any] = _manifest().get(key, {})
    return chunk


def _manifest() -> Mapping[str, Any]:
    return _read_json(BUILT / "manifest.json")


def icons() -> Mapping[str, str]:
    """Every icon's inner SVG by its lucide name; empty before the build."""
    return _read_json(BUILT / "icons.json")


def _read_json(file: Path) -> Mapping[str, Any]:
    """Read again when it was built again, since a developer builds while the site runs."""
    try:
        return _json_of(file, file.stat().st_mtime_ns)
    except FileNotFoundError:
        return {}


@cache
def _json_of(file: Path, _built_at: int) -> Mapping[str, Any]:
    read: Mapping[str, Any] = json.loads(file.read_text("utf-8"))
    return read
