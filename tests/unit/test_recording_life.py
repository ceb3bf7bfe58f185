"""The life of a recording."""

import pytest

from recordings.rules import AT_WORK, RECORDING_MOVES, Recording, RecordingState
from webinar.core.errors import IllegalMove
from webinar.core.ids import new_id

S = RecordingState


def a_recording(state: RecordingState) -> Recording:
    return Recording(new_id(), new_id(), new_id(), state, 1, None, None, 0, 0, None, None)


def test_a_recording_goes_from_wanted_to_ready_over_a_pause() -> None:
    recording = a_recording(S.WANTED)
    for move in ("start", "pause", "start", "stop", "complete"):
        assert recording.state in AT_WORK
        recording = recording.after(move)
    assert recording.ready


def test_an_extended_lecture_is_recorded_on() -> None:
    assert {state for state, move in RECORDING_MOVES if move == "want"} == {S.FINISHING, S.READY, S.FAILED}


def test_what_was_withdrawn_never_comes_back() -> None:
    with pytest.raises(IllegalMove):
        a_recording(S.WITHDRAWN).after("want")


def test_only_what_is_ready_can_be_replayed() -> None:
    assert [state for state in S if a_recording(state).ready] == [S.READY]
