"""`webinar up` as a person runs it: ready, looked over, and gone without a trace, however it is ended."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from tests.servers.postgres import free_port

ROOT = Path(__file__).parents[2]
READY_WITHIN_S = 90.0


class Running:
    """A started `webinar up` and what it has printed."""

    def __init__(self, data: Path, *more: str) -> None:
        self.data = data
        self.port = free_port()
        self._out = data.with_name(f"{data.name}.out")
        clean = {name: value for name, value in os.environ.items() if not name.startswith("PENDOPO_")}
        with self._out.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "webinar", "up", "--port", str(self.port), "--data", str(data), *more],
                cwd=ROOT,
                env=clean,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )

    @property
    def printed(self) -> str:
        return self._out.read_text("utf-8")

    def wait_until_ready(self) -> None:
        self.wait_for("Ctrl-C stops everything")

    def wait_for(self, text: str) -> None:
        deadline = time.monotonic() + READY_WITHIN_S
        while text not in self.printed:
            assert self.process.poll() is None, self.printed
            assert time.monotonic() < deadline, self.printed
            time.sleep(0.05)

    def children(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def child(self, kind: str) -> psutil.Process:
        return next(p for p in self.children() if p.cmdline()[-2:] == ["webinar", kind])

    def get(self, path: str) -> tuple[int, bytes]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()


@contextmanager
def running(data: Path, *more: str) -> Iterator[Running]:
    up = Running(data, *more)
    try:
        yield up
    finally:
        if up.process.poll() is None:
            up.process.terminate()
            up.process.wait(30)


def gone(processes: list[psutil.Process], within_s: float = 10.0) -> bool:
    _, alive = psutil.wait_procs(processes, timeout=within_s)
    return not [p for p in alive if p.status() != psutil.STATUS_ZOMBIE]


def webinar(data: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "webinar", *arguments, "--data", str(data)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("up") / "data") as started:
        started.wait_until_ready()
        yield started


def test_it_prints_where_it_runs_where_mails_land_and_how_to_sign_in(up: Running) -> None:
    assert f"Pendopo is ready:  http://127.0.0.1:{up.port}" in up.printed
    assert re.search(r"Mails land in: +http://127\.0\.0\.1:\d+/", up.printed)
    for label in ("Administrator", "Organiser", "Lecturer", "Unit manager", "Participant"):
        assert re.search(rf"{label} +\S+@\S+", up.printed)


def test_readyz_answers_once_everything_runs(up: Running) -> None:
    status, body = up.get("/readyz")
    assert (status, json.loads(body)) == (200, {"ready": True, "missing": []})


def test_the_doctor_finds_nothing_wrong(up: Running) -> None:
    done = webinar(up.data, "doctor")
    assert done.returncode == 0, done.stdout + done.stderr
    assert {"database", "LiveKit", "webhooks", "SMTP", "storage", "clock"} <= set(done.stdout.split())


def test_invites_of_the_coming_lecture_land_in_the_mail_catcher(up: Running) -> None:
    deadline = time.monotonic() + READY_WITHIN_S
    while len(list((up.data / "mail").iterdir())) < 25:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_process_that_dies_is_started_again(up: Running) -> None:
    before = up.child("hooks").pid
    os.kill(before, signal.SIGKILL)
    up.wait_for("hooks was ended by SIGKILL; starts again")
    deadline = time.monotonic() + READY_WITHIN_S
    while not [p for p in up.children() if p.cmdline()[-1:] == ["hooks"] and p.pid != before]:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_the_demonstration_renews_only_what_is_stale(up: Running) -> None:
    assert webinar(up.data, "demo").returncode == 0
    assert webinar(up.data, "hours", "verify").stdout.count("the chain holds") == 1


def test_a_second_one_on_the_same_folder_says_so_in_one_line(up: Running) -> None:
    done = webinar(up.data, "up", "--port", str(free_port()))
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1 and "runs already on" in done.stderr


def test_a_port_in_use_is_said_in_one_line(up: Running, tmp_path: Path) -> None:
    done = webinar(tmp_path, "up", "--port", str(up.port))
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1 and f"Port {up.port} is in use" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_however_it_is_ended_nothing_is_left_running(number: signal.Signals, tmp_path: Path) -> None:
    with running(tmp_path / "data", "--no-demo") as up:
        up.wait_until_ready()
        children = up.children()
        assert len(children) == 5
        up.process.send_signal(number)
        up.process.wait(30)
        assert gone(children)
        if number != signal.SIGKILL:
            assert up.process.returncode == 0
            assert up.printed.endswith("Stopped.\n")
