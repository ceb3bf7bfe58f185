"""Random histories of a person, told by random evidence, against an oracle that looks at each second."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.attendance_build import at, beats, event, evidence, joined, left, seen, segments, sweep
from tests.unit.test_attendance_credit import filled_by_looking
from webinar.attendance.credit_rules import presence, seconds_in
from webinar.attendance.rules import connections
from webinar.evidence.rules import Beats, Event, Segments, Sweep
from webinar.lectures.rules import Window

Fact = Event | Sweep | Beats | Segments
WINDOW = Window(((at(20), at(90)), (at(110), at(180))))
OFFICIAL = {*range(20, 90), *range(110, 180)}
END = 200
# (device, room, start, length): a device is in one room at a time, so that its stays are taken apart below.
stays = st.lists(
    st.tuples(
        st.sampled_from(["phone", "desk"]),
        st.sampled_from(["lecture.main", "lecture.b1"]),
        st.integers(0, END - 1),
        st.integers(1, 60),
    ),
    max_size=8,
)
Stay = tuple[str, str, int, int]


def apart(drawn: list[Stay]) -> list[Stay]:
    """The same stays, each device's one after the other in a room."""
    free: dict[tuple[str, str], int] = {}
    kept = []
    for device, room, start, long in sorted(drawn, key=lambda stay: stay[2]):
        start = max(start, free.get((device, room), 0))
        free[(device, room)] = start + long + 1
        kept.append((device, room, start, long))
    return kept


def told(history: list[Stay]) -> list[Fact]:
    facts: list[Fact] = []
    for number, (device, room, start, long) in enumerate(history):
        who = {"identity": f"seat.{device}", "room_name": room, "room_sid": f"RM_{room}"}
        facts.append(joined(start, f"PA_{number}", **who))
        facts.append(left(start + long, f"PA_{number}", born=start, **who))
    return facts


def counted(facts: list[Fact], grace: int = 0) -> int:
    return seconds_in(presence(connections(evidence(*facts), at(1000))), WINDOW, grace)[0]


@given(stays, st.integers(0, 20), st.integers(0, 2**16))
@settings(deadline=None)
def test_seconds_of_a_history_are_those_of_the_oracle(drawn: list[Stay], grace: int, seed: int) -> None:
    history = apart(drawn)
    there = {second for _, _, start, long in history for second in range(start, start + long)}
    facts = told(history)
    random.Random(seed).shuffle(facts)
    assert counted(facts, grace) == len(filled_by_looking(there, grace) & OFFICIAL)
    assert counted(facts + facts[::2], grace) <= WINDOW.seconds


@given(stays, st.data())
@settings(deadline=None)
def test_evidence_inside_what_is_proven_changes_nothing(drawn: list[Stay], data: st.DataObject) -> None:
    history = apart(drawn)
    facts = told(history)
    more: list[Fact] = []
    for number, (device, room, start, long) in enumerate(history):
        moments = data.draw(st.lists(st.integers(start, start + long), max_size=4))
        identity, sid = f"seat.{device}", f"PA_{number}"
        if moments:
            more += beats(*moments, sid=data.draw(st.sampled_from([sid, ""])), identity=identity)
            more += segments(min(moments), max(moments))
        more += [
            Sweep(room, f"RM_{room}", at(moment), (seen(sid, start, identity),)) for moment in moments[:2]
        ]
        if room == "lecture.main" and moments:
            more.append(event("track_published", moments[0], sid, identity=identity, room_sid=f"RM_{room}"))
    before = presence(connections(evidence(*facts), at(1000)))
    after = presence(connections(evidence(*facts, *more), at(1000)))
    assert [(i.start, i.end) for i in after.intervals] == [(i.start, i.end) for i in before.intervals]


@given(stays, st.sets(st.integers(0, 15)), st.sets(st.integers(0, 15)))
@settings(deadline=None)
def test_lost_events_never_give_more_than_was_there(
    drawn: list[Stay], lost: set[int], seen_in: set[int]
) -> None:
    """Whatever is lost: without a proof nobody is credited a second beyond the last sight and its doubt."""
    history = apart(drawn)
    facts = [fact for number, fact in enumerate(told(history)) if number not in lost]
    for number in seen_in:
        moment = number * 12
        people = [
            seen(f"PA_{n}", start, f"seat.{device}")
            for n, (device, room, start, long) in enumerate(history)
            if room == "lecture.main" and start <= moment < start + long
        ]
        facts.append(sweep(moment, *people, room_sid="RM_lecture.main"))
    there = {second for _, _, start, long in history for second in range(start, start + long)}
    assert counted(facts) <= len(there & OFFICIAL)
