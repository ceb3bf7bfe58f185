"""Who comes to the lecture, when and how they go, decided beforehand from a seed. Seconds from its start."""

import random
from collections.abc import Iterator
from dataclasses import dataclass

# Who stays in this process leaves in good order; the others' processes are killed.
POLITE = "polite"


@dataclass(frozen=True, slots=True)
class Stay:
    """One visit of one device.

    `how` it ends: "leaves"; "reloads" (the next stay of the same device takes its place); "vanishes"
    (its process is killed).
    """

    seat: str
    tab: str
    comes: float
    goes: float
    how: str = "leaves"
    beats: bool = True
    process: str = POLITE


@dataclass(frozen=True, slots=True)
class Audience:
    """All stays, and when which process of theirs is killed."""

    stays: tuple[Stay, ...]
    killed: dict[str, float]

    @property
    def seats(self) -> list[str]:
        return sorted({stay.seat for stay in self.stays})


def audience(size: int, window_s: float, seed: int, *, storm_at: float | None = None) -> Audience:
    """So many people, an eighth of each kind: who is back after a gap, reloads, has two devices, is killed …

    Args:
        storm_at: everybody who is inside then leaves at that moment.
    """
    chance = random.Random(seed)
    stays: list[Stay] = []
    killed = {f"killed-{n}": window_s * share for n, share in enumerate((0.3, 0.55))}
    kinds = ("once", "early", "back", "reload", "two", "late", "killed", "comeback")
    for number in range(size):
        kind = kinds[number % len(kinds)]
        process = f"killed-{number // len(kinds) % 2}"
        stays += _of_kind(kind, f"{kind}-{number:02}", window_s, chance, process, killed[process])
    if storm_at is not None:
        stays = [_until(stay, storm_at) for stay in stays if stay.comes < storm_at - 2]
    return Audience(tuple(stays), killed)


def _of_kind(
    kind: str, seat: str, window_s: float, chance: random.Random, process: str, killed_at: float
) -> Iterator[Stay]:
    def at(least: float, most: float) -> float:
        return window_s * chance.uniform(least, most)

    # The pages of a few never reach the site.
    beats = chance.random() > 0.12
    if kind == "once":
        yield Stay(seat, "a", at(0.0, 0.25), at(0.4, 1.0), beats=beats)
    elif kind == "early":
        yield Stay(seat, "a", at(-0.08, 0.02), window_s + 2, beats=beats)
    elif kind == "late":
        yield Stay(seat, "a", at(0.3, 0.7), at(0.75, 1.0), beats=beats)
    elif kind == "back":
        yield Stay(seat, "a", at(0.0, 0.15), at(0.2, 0.45), beats=beats)
        yield Stay(seat, "a", at(0.5, 0.6), at(0.65, 1.0), beats=beats)
    elif kind == "reload":
        again = at(0.25, 0.7)
        yield Stay(seat, "a", at(0.0, 0.15), again, "reloads", beats=beats)
        yield Stay(seat, "a", again, at(0.75, 1.0), beats=beats)
    elif kind == "two":
        yield Stay(seat, "a", at(0.0, 0.2), at(0.4, 0.6), beats=beats)
        yield Stay(seat, "b", at(0.25, 0.35), at(0.65, 1.0), beats=beats)
    else:
        yield Stay(seat, "a", at(0.0, 0.15), killed_at, "vanishes", beats, process)
        if kind == "comeback":
            # Back, by chance, before the media server notices that the first one is gone, or after.
            yield Stay(seat, "a", killed_at + at(0.05, 0.2), at(0.85, 1.0), beats=beats)


def _until(stay: Stay, latest: float) -> Stay:
    if stay.goes <= latest:
        return stay
    how = "leaves" if stay.how == "reloads" else stay.how
    return Stay(stay.seat, stay.tab, stay.comes, latest, how, stay.beats, stay.process)
