"""Every text has its Indonesian, and days, times and numbers are written as people write them."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from jinja2 import nodes
from markupsafe import Markup

from webinar.core import language as wording
from webinar.core.language import ConflictingTranslationError, indonesian, merge, translator
from webinar.web import rendering

ROOT = Path(__file__).parents[2]
SOURCES = ("webinar", "scheduler", "recordings")
NINE = 1_795_568_400_000  # Wednesday, 25 November 2026, 09:00 in Makassar
HALF_PAST_TEN = NINE + 90 * 60_000
WITA = "Asia/Makassar"
MINUTE = 60_000


def test_each_text_of_a_template_has_an_indonesian_translation() -> None:
    assert _untranslated(_template_texts()) == []


def test_each_text_of_the_code_has_an_indonesian_translation() -> None:
    assert _untranslated(_python_texts()) == []


def test_a_translation_keeps_the_names_of_its_source() -> None:
    changed = [source for source, text in indonesian().items() if _names(source) != _names(text)]
    assert changed == []


def test_each_icon_of_a_template_is_one_that_is_drawn() -> None:
    drawn = rendering.icons()
    if not drawn:
        return  # the frontend was not built here; make test builds it first
    unknown = [name for name in _icon_names() if name not in drawn]
    assert unknown == []


def test_one_text_translated_in_two_ways_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.po").write_text('msgid "Open"\nmsgstr "Buka"\n')
    (tmp_path / "b.po").write_text('msgid "Open"\nmsgstr "Terbuka"\n')
    with pytest.raises(ConflictingTranslationError):
        merge(sorted(tmp_path.glob("*.po")))


def test_a_text_without_a_translation_stays_english() -> None:
    assert translator("id")("No such text, %(name)s", name="Siti") == "No such text, Siti"


def test_a_day_with_its_times_names_the_zone() -> None:
    written = wording.day_times("id", NINE, HALF_PAST_TEN, WITA)
    assert written == "Rabu, 25 November 2026, 09.00–10.30 WITA"
    assert (
        wording.day_times("en", NINE, HALF_PAST_TEN, WITA) == "Wednesday, 25 November 2026, 09:00–10:30 WITA"
    )


def test_a_lecture_past_midnight_names_both_days() -> None:
    written = wording.day_times("id", NINE, NINE + 24 * 60 * MINUTE, WITA)
    assert written == "Rabu, 25 November 2026, 09.00 – Kamis, 26 November 2026, 09.00 WITA"


@pytest.mark.parametrize(
    ("zone", "name"),
    [
        ("Asia/Jakarta", "WIB"),
        ("Asia/Makassar", "WITA"),
        ("Asia/Jayapura", "WIT"),
        ("Asia/Tokyo", "UTC+9"),
        ("Asia/Kolkata", "UTC+05:30"),
        ("UTC", "UTC"),
    ],
)
def test_indonesian_zones_have_their_names_and_others_their_offset(zone: str, name: str) -> None:
    assert wording.zone_name(zone, NINE) == name


@pytest.mark.parametrize(
    ("distance", "written"),
    [
        (0, "sekarang"),
        (12 * MINUTE, "12 menit lagi"),
        (-3 * 60 * MINUTE, "3 jam yang lalu"),
        (9 * 24 * 60 * MINUTE, "9 hari lagi"),
        (-90 * 24 * 60 * MINUTE, "3 bulan yang lalu"),
    ],
)
def test_a_distance_in_time_is_said_in_one_unit(distance: int, written: str) -> None:
    assert wording.relative("id", NINE + distance, NINE) == written


def test_numbers_follow_the_reader() -> None:
    assert wording.number("id", 61_964) == "61.964"
    assert wording.number("en", 61_964) == "61,964"
    assert wording.percent("id", 0.0034, 2) == "0,34 %"
    assert [wording.jp("id", jp) for jp in (200, 150, 133, 0)] == ["2", "1,5", "1,33", "0"]
    assert wording.duration("id", 72 * MINUTE) == "1 jam 12 menit"


@pytest.mark.parametrize(
    ("wishes", "language"),
    [
        (("en",), "en"),
        ((None, "en-GB,en;q=0.9"), "en"),
        (("fr", "id-ID"), "id"),
        ((None, None), "id"),
        (("ms,de",), "id"),
    ],
)
def test_the_first_language_that_we_speak_is_taken(wishes: tuple[str | None, ...], language: str) -> None:
    assert wording.chosen(*wishes) == language


def test_a_name_in_a_template_is_escaped_and_markup_in_a_sentence_stays() -> None:
    page = rendering.environment("en").from_string(
        '{{ _("Hello %(name)s", name=name) }} {{ _("a < %(b)s", b=b) }}'
    )
    shown = page.render(name="<script>", b=Markup("<b>1</b>"))
    assert shown == "Hello &lt;script&gt; a &lt; <b>1</b>"


def test_an_address_quotes_its_parts_and_leaves_out_what_is_not_asked() -> None:
    assert rendering.url("lectures", "a/b", q="x y", cursor=None) == "/lectures/a%2Fb?q=x+y"


def test_pages_carry_no_inline_script_or_style() -> None:
    found = []
    for file in (ROOT / "templates").rglob("*.html"):
        if "mail" in file.parts:
            continue  # a mail reader knows no stylesheet of ours
        tree = file.read_text("utf-8")
        found += [
            f"{file.name}: {mark}"
            for mark in (" style=", " onclick=", "<style", "hx-on", "javascript:")
            if mark in tree
        ]
    assert found == []


def _untranslated(texts: Iterator[tuple[str, str]]) -> list[str]:
    known = indonesian()
    return sorted({f"{where}: {text}" for where, text in texts if text and text not in known})


def _names(text: str) -> set[str]:
    return {part.split(")")[0] for part in text.split("%(")[1:]}


def _templates() -> Iterator[tuple[str, nodes.Template]]:
    parser = rendering.environment("en")
    for file in sorted((ROOT / "templates").rglob("*.*")):
        if file.suffix in {".html", ".txt", ".xml", ".jinja"}:
            yield str(file.relative_to(ROOT)), parser.parse(file.read_text("utf-8"))


def _template_texts() -> Iterator[tuple[str, str]]:
    for where, tree in _templates():
        for call in tree.find_all(nodes.Call):
            if (
                isinstance(call.node, nodes.Name)
                and call.node.name == "_"
                and isinstance(call.args[0], nodes.Const)
            ):
                yield where, str(call.args[0].value)


def _icon_names() -> Iterator[str]:
    for _, tree in _templates():
        for call in tree.find_all(nodes.Call):
            if isinstance(call.node, nodes.Name) and call.node.name in {"icon", "_icon"}:
                yield from (str(arg.value) for arg in call.args[:1] if isinstance(arg, nodes.Const))
            yield from (
                str(pair.value.value)
                for pair in call.kwargs
                if pair.key == "icon" and isinstance(pair.value, nodes.Const) and pair.value.value
            )
        for row in tree.find_all(nodes.Tuple):
            last = row.items[-1] if len(row.items) == 3 else None
            if isinstance(last, nodes.Const) and isinstance(row.items[0], nodes.Call) and last.value:
                yield str(last.value)


def _python_texts() -> Iterator[tuple[str, str]]:
    for folder in SOURCES:
        for file in sorted((ROOT / folder).rglob("*.py")):
            where = str(file.relative_to(ROOT))
            for node in ast.walk(ast.parse(file.read_text("utf-8"))):
                yield from ((where, text) for text in _texts_of(node))


def _texts_of(node: ast.AST) -> Iterator[str]:
    """Texts in `_`, `marked` and `Sentence`, errors at a field, and `message = "…"` of a refusal."""
    if isinstance(node, ast.Call):
        yield from _text_at(
            node,
            {"_": 0, "marked": 0, "Sentence": 0, "FieldError": 1, "Invalid.at": 1, "wrong": 1}.get(
                _called(node)
            ),
        )
    if isinstance(node, ast.ClassDef):
        for line in node.body:
            targets = line.targets if isinstance(line, ast.Assign) else [getattr(line, "target", None)]
            named = any(isinstance(target, ast.Name) and target.id == "message" for target in targets)
            value = getattr(line, "value", None)
            if named and isinstance(value, ast.Constant) and isinstance(value.value, str):
                yield value.value


def _called(call: ast.Call) -> str:
    name = ast.unparse(call.func)
    return "_" if name.endswith("._") else name


def _text_at(call: ast.Call, place: int | None) -> Iterator[str]:
    if place is None or len(call.args) <= place:
        return
    argument = call.args[place]
    if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
        yield argument.value
