"""One installation on this machine: its folder, its keys, and the settings that `webinar up` chose.

Commands beside it (`webinar demo`, `webinar doctor`, …) read the same files, so that they mean the
same database and the same media server without being told.
"""

import fcntl
import os
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from webinar.config import Settings

KEYS = "keys.env"
CHOSEN = "settings.env"
LOCK = "up.lock"
LEAST_FREE = 512 * 1024 * 1024


class CannotStart(Exception):  # noqa: N818 - it reads as a sentence where it is raised
    """What is in the way, and what to do, in one line."""


def settings_of(data: Path) -> Settings:
    """The settings of the installation in a folder; what the environment says wins.

    A folder without one gives what the environment says alone.
    """
    files = tuple(file for name in (KEYS, CHOSEN) if (file := data / name).exists())
    return Settings(_env_file=files, data=data)


def prepare(data: Path) -> None:
    """Make the folder, for its owner only; it holds keys, people and recordings.

    Raises:
        CannotStart: it cannot be made, or its disk is nearly full.
    """
    try:
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
        probe = data / ".probe"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise CannotStart(
            f"The folder {data} cannot be written ({error.strerror}): choose another with DATA=…"
        ) from error
    free = shutil.disk_usage(data).free
    if free < LEAST_FREE:
        raise CannotStart(
            f"The disk of {data} has {free // 2**20} MB left, at least {LEAST_FREE // 2**20} MB are needed:"
            " make room, or choose another folder with DATA=…"
        )


def locked(data: Path) -> IO[str]:
    """Hold the folder for this process; let go of it when the file is closed or the process ends.

    Raises:
        CannotStart: another one runs on it.
    """
    lock = (data / LOCK).open("a+", encoding="ascii")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.seek(0)
        raise CannotStart(
            f"Pendopo runs already on {data} (process {lock.read().strip()}):"
            " stop that one, or choose another folder with DATA=…"
        ) from None
    lock.truncate(0)
    lock.write(f"{os.getpid()}\n")
    lock.flush()
    return lock


def keys_of(data: Path) -> dict[str, str]:
    """The keys of the installation, made at the first start."""
    file = data / KEYS
    known = read(file)
    made = {
        "PENDOPO_LINK_KEY": secrets.token_urlsafe(48),
        "PENDOPO_MEDIA_API_KEY": f"pendopo{secrets.token_hex(4)}",
        "PENDOPO_MEDIA_API_SECRET": secrets.token_urlsafe(48),
    }
    fresh = {name: value for name, value in made.items() if name not in known}
    if fresh:
        write(file, {**known, **fresh})
    return {**known, **fresh}


def read(file: Path) -> dict[str, str]:
    """The lines NAME=value of a file; nothing when it is not there."""
    if not file.exists():
        return {}
    lines = file.read_text("utf-8").splitlines()
    pairs = (line.partition("=") for line in lines if "=" in line and not line.startswith("#"))
    return {name.strip(): value.strip().strip("'") for name, _, value in pairs}


def write(file: Path, values: Mapping[str, str]) -> None:
    """Replace a file of settings, readable for its owner only, whole or not at all."""
    fresh = file.with_name(file.name + ".new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as out:
        # In single quotes a value is taken as it is, whatever it holds.
        out.writelines(f"{name}='{value}'\n" for name, value in values.items())
        out.flush()
        os.fsync(out.fileno())
    fresh.replace(file)
