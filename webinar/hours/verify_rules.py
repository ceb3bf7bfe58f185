"""What an examination of the ledger says: where something differs, and what can no longer be examined."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found. A note is no fault: it says what could not be examined, and why not."""

    where: str
    what: str
    person_id: str | None = None
    entry: int | None = None
    expected: object = None
    found: object = None
    note: bool = False

    def told(self) -> str:
        """One line, with ids and no names."""
        place = [self.where]
        place += [f"entry {self.entry}"] if self.entry is not None else []
        place += [f"person {self.person_id}"] if self.person_id else []
        said = f"{', '.join(place)}: {self.what}"
        if self.note or (self.expected is None and self.found is None):
            return said
        return f"{said}: expected {_short(self.expected)}, found {_short(self.found)}"


@dataclass(frozen=True, slots=True)
class Examined:
    """How much was looked at."""

    entries: int = 0
    lectures: int = 0
    credits: int = 0

    def with_more(self, *, entries: int = 0, lectures: int = 0, credits: int = 0) -> "Examined":
        return Examined(self.entries + entries, self.lectures + lectures, self.credits + credits)


def differences(
    expected: Mapping[str, object], found: Mapping[str, object]
) -> Iterator[tuple[str, object, object]]:
    """(name, expected, found) of each value that differs; both as they look in JSON."""
    for name in sorted({*expected, *found}):
        wanted, there = _plain(expected.get(name)), _plain(found.get(name))
        if wanted != there:
            yield name, wanted, there


def _plain(value: object) -> object:
    return json.loads(json.dumps(value, sort_keys=True, default=list))


def _short(value: object, most: int = 160) -> str:
    text = json.dumps(value, sort_keys=True, default=str)
    return text if len(text) <= most else text[: most - 1] + "…"
