"""OpenSMTPD, the mail server of Debian's package `opensmtpd`, as a relay between two ports of loopback.

It insists on starting as root, and on a spool and a socket of the whole machine: it gets name spaces of
its own (mounts and processes), so that it neither meets a mail server that runs here already nor leaves
a process or a file behind.
"""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

SMTPD = "/usr/sbin/smtpd"
START_WITHIN = 15.0
_CONFIGURATION = """\
listen on 127.0.0.1 port {port}
action "relay" relay host "smtp+notls://127.0.0.1:{next_port}"
match from any for domain "{domain}" action "relay"
"""
_ALONE = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
_OWN_FOLDERS = "mount -t tmpfs none /var/spool && mount -t tmpfs none /run && "


@asynccontextmanager
async def opensmtpd(folder: Path, next_port: int, domain: str) -> AsyncIterator[int]:
    """The port of a server that passes mail for the domain on to `next_port` and refuses all other."""
    assert Path(SMTPD).exists(), "install the package opensmtpd"
    port = _free_port()
    configuration = folder / "smtpd.conf"
    configuration.write_text(_CONFIGURATION.format(port=port, next_port=next_port, domain=domain))
    configuration.chmod(0o600)
    command = _command(f"exec {SMTPD} -d -f {configuration}")
    with (folder / "smtpd.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        try:
            await _answers(port, process, folder / "smtpd.log")
            yield port
        finally:
            _end(process)


def _command(inner: str) -> list[str]:
    rise = [] if os.geteuid() == 0 else ["sudo", "-n"]
    allowed = subprocess.run([*rise, *_ALONE, "true"], capture_output=True).returncode == 0
    # Inside a container that forbids name spaces it has the machine for itself anyway.
    return [*rise, *_ALONE, "sh", "-c", _OWN_FOLDERS + inner] if allowed else [*rise, "sh", "-c", inner]


async def _answers(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    async with asyncio.timeout(START_WITHIN):
        while True:
            assert process.poll() is None, f"smtpd ended: {log.read_text()}"
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        if os.geteuid() == 0:
            os.killpg(process.pid, signal.SIGTERM)
        else:
            subprocess.run(
                [shutil.which("sudo") or "sudo", "-n", "kill", "--", f"-{process.pid}"], check=False
            )
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(5)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
