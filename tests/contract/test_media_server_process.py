"""The real LiveKit server as our child process."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import aiohttp
import psutil
import pytest
from livekit import rtc
from livekit.protocol.rtc import SignalResponse

from tests.servers.livekit import RunningLiveKit, running_livekit
from webinar.media.livekit import LiveKit
from webinar.media.port import MediaUnavailable
from webinar.media.server import MediaServer, MediaServerError, ServerOptions, free_ports

KEYS = {"key": "s" * 43}


async def test_it_stops_in_good_order_and_starts_again_on_the_same_ports(tmp_path: Path) -> None:
    server = MediaServer(ServerOptions(free_ports(), KEYS, "key"), log=tmp_path / "livekit.log")
    await server.start()
    await server.stop()
    assert not server.running
    assert await server.wait() == 0

    await server.start()
    await server.kill()
    assert await server.wait() == -signal.SIGKILL


async def test_a_stop_with_somebody_inside_does_not_wait_for_them() -> None:
    async with running_livekit() as livekit:
        room = rtc.Room()
        await room.connect(livekit.url, livekit.token(identity="seat.tab", room="hall"))
        started = time.monotonic()
        await livekit.server.stop()
        took = time.monotonic() - started
        await room.disconnect()

    assert took < 6
    assert not livekit.server.running


async def test_a_configuration_it_does_not_take_is_told_with_its_own_words(tmp_path: Path) -> None:
    options = ServerOptions(free_ports(), {}, "key", ("http://127.0.0.1:1/",))
    server = MediaServer(options, log=tmp_path / "livekit.log")

    with pytest.raises(MediaServerError, match="one of key-file or keys must be provided"):
        await server.start()


async def test_a_port_in_use_is_said_in_one_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ports = replace(free_ports(), http=port)
        server = MediaServer(ServerOptions(ports, KEYS, "key"), log=tmp_path / "livekit.log")

        with pytest.raises(MediaServerError, match=rf"port {port} is in use"):
            await server.start()


async def test_it_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    code = (
        "import asyncio, pathlib, sys\n"
        "from webinar.media.server import *\n"
        f"server = MediaServer(ServerOptions(free_ports(), {KEYS!r}, 'key'), log=pathlib.Path(sys.argv[1]))\n"
        "async def main():\n"
        "    await server.start()\n"
        "    print(server.pid, flush=True)\n"
        "    await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code, tmp_path / "log"], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    child = psutil.Process(int(parent.stdout.readline()))
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()

    child.wait(timeout=10)


async def test_no_public_address_is_handed_to_browsers(livekit: RunningLiveKit) -> None:
    token = livekit.token(identity="seat.tab", room="stun")
    url = f"{livekit.http_url}/rtc?access_token={token}&protocol=15&sdk=js&version=2.0.0"
    async with aiohttp.ClientSession() as session, session.ws_connect(url) as signalling:
        join = SignalResponse.FromString(await signalling.receive_bytes()).join

    assert [list(server.urls) for server in join.ice_servers] == [["stun:127.0.0.1:9"]]


async def test_its_log_holds_no_token_that_it_refused(livekit: RunningLiveKit) -> None:
    token = livekit.token(identity="seat.tab", room="hall")
    forged = token[:-4] + "AAAA"
    url = f"{livekit.http_url}/rtc/validate?access_token={forged}"
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        assert answer.status == 401

    assert forged[:20] not in livekit.server.log.read_text()


async def test_a_server_that_hangs_is_unavailable_in_bounded_time() -> None:
    async with (
        running_livekit() as livekit,
        LiveKit(livekit.http_url, livekit.key, livekit.secret, timeout_s=0.5) as media,
    ):
        await media.open_room("hall")
        process = psutil.Process(livekit.pid)
        process.suspend()
        try:
            while process.status() != psutil.STATUS_STOPPED:
                await asyncio.sleep(0.01)
            for call in (media.list_rooms(), media.list_participants("hall")):
                began = time.monotonic()
                with pytest.raises(MediaUnavailable):
                    await call
                assert time.monotonic() - began < 2
        finally:
            process.resume()
        assert [room.name for room in await media.list_rooms()] == ["hall"]
