"""A lecturer of our own: publishes a moving screen, a camera and a tone, as a process of its own.

    python -m tests.servers.lecturer URL TOKEN [--no-screen] [--no-camera] [--beep]

With `--beep` the tone sounds, and the screen is white, in the first half of each second of the clock; both
are else silent and dark, so that a recording shows how far picture and sound are apart.
"""

import argparse
import asyncio
import time

import numpy as np
from livekit import rtc

RATE = 48_000
SCREEN = (1280, 720)
CAMERA = (640, 360)


def screen_picture(number: int, *, white: bool | None = None) -> bytearray:
    """I420 of a page with lines of text and a square that moves."""
    width, height = SCREEN
    y = np.full((height, width), 225, np.uint8)
    rng = np.random.default_rng(7)
    for top in range(40, height - 40, 28):
        y[top : top + 12, 60:900] = np.where(rng.integers(0, 2, (6, 420)).repeat(2, 0).repeat(2, 1), 40, 225)
    left = number * 12 % (width - 120)
    y[300:420, left : left + 120] = 90
    if white is not None:
        y[:] = 235 if white else 16
    chroma = np.full(width * height // 2, 128, np.uint8)
    return bytearray(y.tobytes() + chroma.tobytes())


def camera_picture(number: int) -> bytearray:
    """I420 of a soft gradient that drifts, with the noise of a cheap camera."""
    width, height = CAMERA
    rng = np.random.default_rng(number)
    ramp = (np.arange(width) + 3 * number) % 120 + np.arange(height)[:, None] // 4
    y = (ramp + rng.integers(0, 8, (height, width)) + 40).astype(np.uint8)
    chroma = np.full(width * height // 4, 118, np.uint8)
    return bytearray(y.tobytes() + chroma.tobytes() + (chroma + 24).tobytes())


async def show(source: rtc.VideoSource, size: tuple[int, int], pictures: list[bytearray], fps: int) -> None:
    number, began = 0, time.monotonic()
    while True:
        data = pictures[number % len(pictures)]
        source.capture_frame(rtc.VideoFrame(*size, rtc.VideoBufferType.I420, data))
        number += 1
        await asyncio.sleep(max(0.0, began + number / fps - time.monotonic()))


async def blink(source: rtc.VideoSource) -> None:
    light, dark = screen_picture(0, white=True), screen_picture(0, white=False)
    while True:
        data = light if time.time() % 1 < 0.5 else dark
        source.capture_frame(rtc.VideoFrame(*SCREEN, rtc.VideoBufferType.I420, data))
        await asyncio.sleep(1 / 15)


async def sing(source: rtc.AudioSource, beep: bool) -> None:
    tone = (0.3 * 32767 * np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE)).astype(np.int16)
    position, began = 0, time.monotonic()
    while True:
        loud = not beep or time.time() % 1 < 0.5
        piece = tone[position % RATE :][:480] if loud else np.zeros(480, np.int16)
        await source.capture_frame(rtc.AudioFrame(piece.tobytes(), RATE, 1, len(piece)))
        position += 480
        await asyncio.sleep(max(0.0, began + position / RATE - time.monotonic()))


async def publish(room: rtc.Room, track: rtc.LocalTrack, source: int) -> None:
    options = rtc.TrackPublishOptions(source=source, simulcast=False)
    if source == rtc.TrackSource.SOURCE_SCREENSHARE:
        options.video_encoding.max_bitrate = 1_500_000
        options.video_encoding.max_framerate = 15
    await room.local_participant.publish_track(track, options)


async def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("token")
    parser.add_argument("--no-screen", action="store_true")
    parser.add_argument("--no-camera", action="store_true")
    parser.add_argument("--beep", action="store_true")
    args = parser.parse_args()
    room = rtc.Room()
    await room.connect(args.url, args.token)
    work = []
    sound = rtc.AudioSource(RATE, 1, queue_size_ms=0)
    track = rtc.LocalAudioTrack.create_audio_track("mic", sound)
    await publish(room, track, rtc.TrackSource.SOURCE_MICROPHONE)
    work.append(sing(sound, args.beep))
    if not args.no_camera:
        camera = rtc.VideoSource(*CAMERA)
        video = rtc.LocalVideoTrack.create_video_track("camera", camera)
        await publish(room, video, rtc.TrackSource.SOURCE_CAMERA)
        work.append(show(camera, CAMERA, [camera_picture(n) for n in range(60)], 30))
    if not args.no_screen:
        screen = rtc.VideoSource(*SCREEN, is_screencast=True)
        video = rtc.LocalVideoTrack.create_video_track("screen", screen)
        await publish(room, video, rtc.TrackSource.SOURCE_SCREENSHARE)
        pages = [] if args.beep else [screen_picture(n) for n in range(60)]
        work.append(blink(screen) if args.beep else show(screen, SCREEN, pages, 15))
    print("published", flush=True)
    await asyncio.gather(*work)


if __name__ == "__main__":
    asyncio.run(main())
