"""What attendance costs: a million intervals over arrays, and the log of a lecture that is looked at live.

The million are connections as a query has them (identity, when it was made, when and why its end was told,
the page's last sign) of 61,964 people in one lecture; computing takes them to seconds, doubt and JP. Some
hundred people are computed by the rules too, outside the measured time, and must come out equal.

The live log is everything between the evidence in memory and the rows of the review page: 1,000 people for
90 minutes, a list every 30 s, a row of heartbeats a minute each.

Last, how far the service is from the truth (`bench._truth`): twenty minutes on real servers.
"""

import json
import os
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from bench import _truth
from tests.unit.lecture_build import a_lecture, a_seat
from webinar.attendance import bulk
from webinar.attendance.connection_rules import Connection
from webinar.attendance.credit_rules import credit, presence
from webinar.attendance.log_rules import computed
from webinar.attendance.rules import connections, cut
from webinar.evidence.rules import SWEEP_MS, Beats, Event, Evidence, Seen, Sweep
from webinar.lectures.rules import Registration, Seat, Window
from webinar.policies.rules import Kind, Policy

PEOPLE, INTERVALS = 61_964, 1_000_000
COMPARED, TIMES = 300, 3
NINE = 1_795_568_400_000
MINUTE = 60_000
WINDOW = Window(((NINE, NINE + 45 * MINUTE), (NINE + 60 * MINUTE, NINE + 105 * MINUTE)))
POLICY = Policy("p", 1, "i", "80 %", Kind.THRESHOLD, threshold_percent=80, grace_s=30)
REASONS = ("CLIENT_INITIATED", "CONNECTION_TIMEOUT", "DUPLICATE_IDENTITY", "ROOM_DELETED")
TO_REACH: dict[str, float | None] = {"million_intervals": 1.0, "million_intervals_memory": 1000.0}


def figure(name: str, value: float, unit: str, **settings: object) -> None:
    """One line of JSON."""
    load = {"load_average": round(os.getloadavg()[0], 1)}
    wanted = {"to_reach": TO_REACH.get(name), "better": "lower", "settings": {**settings, **load}}
    print(json.dumps({"name": name, "value": round(value, 3), "unit": unit, **wanted}), flush=True)


# --- a million intervals -----------------------------------------------------------------------


class Columns(NamedTuple):
    """What the query answers, a column each; instants in Unix ms, `reason` an index into REASONS."""

    identity: list[str]
    joined_at: bulk.Ints
    told_at: bulk.Ints
    reason: bulk.Ints
    last_sign: bulk.Ints
    goodbye: bulk.Bools


def columns(chance: np.random.Generator) -> Columns:
    """Sixteen stays a person, some of them overlapping."""
    person = chance.integers(0, PEOPLE, INTERVALS)
    joined = NINE - 10 * MINUTE + chance.integers(0, 115 * MINUTE, INTERVALS)
    told = (joined + chance.integers(0, 25 * MINUTE, INTERVALS)) // 1000 * 1000
    sign = told - chance.integers(0, 60_000, INTERVALS)
    tabs = chance.integers(0, 3, INTERVALS)
    return Columns(
        [f"seat{p}.tab{t}" for p, t in zip(person.tolist(), tabs.tolist(), strict=True)],
        joined,
        told,
        chance.choice(4, INTERVALS, p=[0.7, 0.15, 0.05, 0.1]),
        np.where(sign >= joined, sign, bulk.NEVER),
        (sign >= joined) & (chance.random(INTERVALS) < 0.1),
    )


def to_credit(rows: Columns, person: bulk.Ints) -> bulk.Credits:
    """From the columns to what everybody earns."""
    ended = bulk.Ended(person, rows.joined_at, rows.told_at, rows.reason, rows.last_sign, rows.goodbye)
    return bulk.credits(POLICY, 200, WINDOW, [Seat.PARTICIPANT] * PEOPLE, bulk.stays(ended))


def compare(rows: Columns, found: bulk.Credits) -> int:
    """Some people by the rules, one after the other; the process ends when one of them differs."""
    wanted = {f"seat{person}": person for person in range(0, PEOPLE, PEOPLE // COMPARED)}
    stays: dict[int, list[Connection]] = {person: [] for person in wanted.values()}
    for at, identity in enumerate(rows.identity):
        person = wanted.get(identity.partition(".")[0])
        if person is not None:
            stays[person].append(_connection(rows, at))
    for person, mine in stays.items():
        by_rules = credit(POLICY, 200, WINDOW, presence(mine), Seat.PARTICIPANT)
        by_bulk = (found.seconds[person], found.uncertainty_s[person], found.jp[person])
        if by_bulk != (by_rules.seconds, by_rules.uncertainty_s, by_rules.jp):
            sys.exit(f"person {person}: {by_bulk} by bulk, {by_rules} by rules")
    return len(stays)


def _connection(rows: Columns, at: int) -> Connection:
    start, told, sign = (int(of[at]) for of in (rows.joined_at, rows.told_at, rows.last_sign))
    left_at = sign if rows.goodbye[at] else None
    page = [Beats("r", rows.identity[at], "PA", 0, sign, sign, 1, 1, left_at)] if sign != bulk.NEVER else []
    end, unsure = cut(start, max(start, told), REASONS[rows.reason[at]], page)
    return Connection("room", "RM", f"PA{at}", rows.identity[at], start, end, ("webhook",), unsure)


def million() -> None:
    """Processor time, since the machine may have other work; the memory is the whole process's."""
    rows = columns(np.random.default_rng(1))
    seats = [f"seat{person}" for person in range(PEOPLE)]
    by_seat = timed(lambda: bulk.people_of(rows.identity, seats))
    person = bulk.people_of(rows.identity, seats)
    took = timed(lambda: to_credit(rows, person))
    found = to_credit(rows, person)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    compared = compare(rows, found)
    settings = {"people": PEOPLE, "intervals": INTERVALS, "compared_with_rules": compared}
    figure("million_intervals", took, "s", **settings)
    figure("million_identities_to_people", by_seat, "s", **settings)
    figure("million_intervals_memory", memory, "MB", **settings)


# --- the live log ------------------------------------------------------------------------------


def a_lecture_under_way(people: int) -> tuple[list[Registration], Evidence]:
    """Everybody comes within five minutes; one in ten leaves without a word, one in ten by a timeout."""
    seats = [a_seat(id=f"r{n}", seat=f"seat{n}", person_id=f"p{n}") for n in range(people)]
    events: list[Event] = []
    beats: list[Beats] = []
    stays = []
    for n in range(people):
        born, left = NINE + n * 300_000 // people, NINE + 85 * MINUTE + n * 300_000 // people
        who = ("lecture.main", "RM_1", f"PA_{n}", f"seat{n}.tab", "standard", born)
        events.append(Event(f"EV_j{n}", "participant_joined", *who, born // 1000, None, born))
        if n % 10:
            reason = REASONS[n % 10 == 1]
            events.append(Event(f"EV_l{n}", "participant_left", *who, left // 1000, reason, left))
        stays.append((born, left, Seen(f"seat{n}.tab", f"PA_{n}", "standard", born)))
        beats += [
            Beats(f"r{n}", f"seat{n}.tab", f"PA_{n}", at // MINUTE, at, at + 45_000, 4, 4, None)
            for at in range(born, left - MINUTE, MINUTE)
        ]
    sweeps = tuple(
        Sweep("lecture.main", "RM_1", at, tuple(seen for born, left, seen in stays if born <= at < left))
        for at in range(NINE + SWEEP_MS, NINE + 90 * MINUTE + 1, SWEEP_MS)
    )
    return seats, Evidence(tuple(events), sweeps, tuple(beats))


def live(people: int) -> None:
    seats, evidence = a_lecture_under_way(people)
    now = NINE + 90 * MINUTE
    policy, window = replace(POLICY, checks_needed=1), Window(((NINE, now),))
    settings = {
        "people": people,
        "sweeps": len(evidence.sweeps),
        "heartbeat_rows": len(evidence.beats),
        "events": len(evidence.events),
    }
    figure("live_connections", timed(lambda: connections(evidence, now)), "s", **settings)
    lecture = a_lecture()
    figure(
        "live_log", timed(lambda: computed(lecture, window, policy, seats, evidence, now)), "s", **settings
    )


def timed(work: Callable[[], object]) -> float:
    """The least processor time of a few runs."""
    took = []
    for _ in range(TIMES):
        began = time.process_time()
        work()
        took.append(time.process_time() - began)
    return min(took)


def main() -> None:
    million()
    for people in (1_000, 2_000, 10_000):
        live(people)
    for one in _truth.figures():
        TO_REACH[one.name] = one.to_reach
        figure(one.name, one.value, "s", **one.settings)


if __name__ == "__main__":
    main()
