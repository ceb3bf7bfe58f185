"""What a recording shows, and what it lets be heard."""

import numpy as np
import pytest

from recordings.compose import Composer, Picture, fit, planes_of
from recordings.encode import RATE, SOUND_FRAME
from recordings.lettering import lettering
from recordings.selection import Offer, Wanted, select
from recordings.sound import Mixer

FRAME = RATE // 50


def a_picture(width: int, height: int, luma: int) -> Picture:
    half = ((width + 1) // 2) * ((height + 1) // 2)
    return Picture.from_i420(bytes([luma]) * (width * height) + bytes([128]) * (2 * half), width, height)


def luma(composer: Composer) -> np.ndarray:
    return planes_of(composer.frame)[0]


def test_a_screen_fills_the_picture_with_the_camera_in_its_corner() -> None:
    composer = Composer()
    composer.compose(a_picture(1280, 720, 200), a_picture(640, 360, 90))
    y = luma(composer)
    assert (y[:500] == 200).all()
    assert (y[516:696, 936:1256] == 90).all()
    assert (y[700:] == 200).all()


def test_a_camera_alone_fills_the_picture() -> None:
    composer = Composer()
    composer.compose(None, a_picture(640, 360, 90))
    assert (luma(composer) == 90).all()


def test_a_screen_of_another_shape_is_letterboxed() -> None:
    composer = Composer()
    composer.compose(a_picture(1025, 769, 200), None)
    y = luma(composer)
    assert (y[:, :150] == 16).all()
    assert (y[:, -150:] == 16).all()
    assert (y[:, 200:1080] == 200).all()


def test_what_was_there_before_leaves_no_trace() -> None:
    composer = Composer()
    composer.compose(a_picture(1280, 720, 200), a_picture(640, 360, 90))
    composer.compose(a_picture(600, 720, 50), None)
    assert set(np.unique(luma(composer))) == {16, 50}
    composer.compose(None, None)
    assert 50 not in luma(composer)


def test_nothing_new_is_not_drawn_again() -> None:
    composer, screen, camera = Composer(), a_picture(1280, 720, 200), a_picture(640, 360, 90)
    assert composer.compose(screen, camera)
    assert not composer.compose(screen, camera)
    assert composer.compose(screen, a_picture(640, 360, 91))
    assert (luma(composer)[516:696, 936:1256] == 91).all()


def test_without_pictures_the_title_stands_on_plain_ground() -> None:
    composer = Composer("Kuliah")
    composer.compose(None, None)
    assert len(np.unique(luma(composer))) == 2
    assert lettering("é" * 500, 1120).shape[1] <= 1120
    assert lettering("", 1120).sum() == 0


def test_a_turned_phone_is_turned_back() -> None:
    upright = Picture.from_i420(bytes(range(8)) + bytes([1, 2, 3, 4]), 4, 2, turns=1)
    assert (upright.width, upright.height) == (2, 4)
    assert upright.planes[0][0].tolist() == [4, 0]


@pytest.mark.parametrize(
    ("size", "fitted"), [((1280, 720), (1280, 720)), ((1920, 1080), (1280, 720)), ((3, 4000), (2, 720))]
)
def test_pictures_keep_their_shape(size: tuple[int, int], fitted: tuple[int, int]) -> None:
    assert fit(*size, (1280, 720)) == fitted


def say(
    mixer: Mixer, track: str, seconds: float, *, value: int = 8192, late: int = 0, begin: float = 0
) -> None:
    first = round(begin * RATE)
    for start in range(first, first + round(seconds * RATE), FRAME):
        mixer.push(track, np.full(FRAME, value, np.int16), start + FRAME + late)


def test_voices_add_up_and_never_wrap() -> None:
    mixer = Mixer()
    say(mixer, "a", 1)
    say(mixer, "b", 1, value=4096)
    say(mixer, "c", 1, value=32767)
    mix = mixer.mix(RATE // 2)
    assert len(mix) % SOUND_FRAME == 0
    assert mix.max() == 1.0
    mixer.drop("c")
    assert np.allclose(mixer.mix(RATE * 9 // 10), 0.375)


def test_sound_stands_where_it_arrived() -> None:
    mixer = Mixer()
    say(mixer, "a", 1, begin=2)
    mix = mixer.mix(4 * RATE)
    assert abs(int(np.flatnonzero(mix)[0]) - 2 * RATE) <= 1
    assert abs(int(np.flatnonzero(mix)[-1]) - 3 * RATE) <= 1


def test_frames_that_arrive_in_a_bunch_have_no_seams() -> None:
    mixer = Mixer()
    say(mixer, "a", 0.5)
    for start in range(RATE // 2, RATE, FRAME):
        mixer.push("a", np.full(FRAME, 8192, np.int16), RATE + FRAME)
        assert start
    assert np.allclose(mixer.mix(RATE), 0.25)


def test_a_voice_that_drifts_is_set_right_within_two_seconds() -> None:
    mixer = Mixer()
    say(mixer, "a", 1)
    say(mixer, "a", 1.1, begin=1, late=RATE // 5)
    say(mixer, "a", 1, begin=2.1, late=RATE // 5, value=16384)
    loud = np.flatnonzero(mixer.mix(4 * RATE) > 0.3)
    assert abs(int(loud[0]) - round(2.3 * RATE)) < RATE * 0.06


def test_a_silent_room_is_silence() -> None:
    mix = Mixer().mix(RATE)
    assert len(mix) == RATE // SOUND_FRAME * SOUND_FRAME
    assert not mix.any()


CAMERA_A = Offer("ca", "a", "camera", muted=False)
CAMERA_B = Offer("cb", "b", "camera", muted=False)
SCREEN = Offer("s", "a", "screen", muted=False)


def test_who_speaks_is_seen_and_stays_seen() -> None:
    first = select([CAMERA_A, CAMERA_B], [], Wanted())
    assert first.camera == "ca"
    second = select([CAMERA_A, CAMERA_B], ["b"], first)
    assert second.camera == "cb"
    assert select([CAMERA_A, CAMERA_B], [], second).camera == "cb"
    assert select([CAMERA_A], [], second).camera == "ca"


def test_the_screen_stays_until_it_is_gone() -> None:
    other = Offer("t", "b", "screen", muted=False)
    shown = select([SCREEN], [], Wanted())
    assert select([SCREEN, other], [], shown).screen == "s"
    assert select([other], [], shown).screen == "t"
    assert select([], [], shown).screen is None


def test_what_is_muted_is_neither_seen_nor_heard() -> None:
    offers = [Offer("ca", "a", "camera", muted=True), Offer("ma", "a", "microphone", muted=True)]
    assert select(offers, ["a"], Wanted()).all == frozenset()


def test_every_voice_is_heard() -> None:
    offers = [Offer("ma", "a", "microphone", muted=False), Offer("x", "b", "screen_sound", muted=False)]
    assert select(offers, [], Wanted()).sounds == {"ma", "x"}
