"""`make up` where something is missing: one line says what to do, before any step."""

import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# What every Debian has; the rest of PATH is hidden from the scripts.
BASICS = (
    *("sh", "awk", "sed", "sort", "head", "tail", "tr", "cut", "df", "date", "dirname", "mkdir", "rm", "cat"),
    *("find", "xargs", "sha256sum", "id", "setsid", "grep", "kill", "env"),
)
TOOLS = {
    "python3": "echo 3.11",
    "node": "echo v20.19.0",
    "npm": "exit 0",
    "go": "echo go1.26.0",
}


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A checkout with the scripts only, and a PATH with the basics and stand-ins for the tools."""
    shutil.copytree(ROOT / "scripts", tmp_path / "scripts")
    (tmp_path / "mediaserver").mkdir()
    shutil.copy(ROOT / "mediaserver" / "build.sh", tmp_path / "mediaserver")
    (tmp_path / "bin").mkdir()
    for name in BASICS:
        found = shutil.which(name)
        assert found, name
        (tmp_path / "bin" / name).symlink_to(found)
    for name, does in TOOLS.items():
        tool(tmp_path, name, does)
    return tmp_path


def tool(machine: Path, name: str, does: str) -> None:
    path = machine / "bin" / name
    path.unlink(missing_ok=True)
    path.write_text(f"#!/bin/sh\n{does}\n")
    path.chmod(0o755)


def refusal(machine: Path, script: str = "setup.sh", **environ: str) -> str:
    """What it says; it must fail, in one line and without a step."""
    done = subprocess.run(
        ["/bin/sh", str(machine / "scripts" / script)],
        env={"PATH": str(machine / "bin"), **environ},
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode != 0
    assert done.stdout == ""
    said = done.stderr.strip()
    assert "\n" not in said
    return said


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("python3", "No Python: install Python 3.11"),
        ("node", "No Node: install Node 20"),
        ("npm", "No npm: install it"),
        ("go", "No Go: install Go 1.26"),
    ],
)
def test_a_missing_tool_is_named_with_what_to_install(machine: Path, name: str, says: str) -> None:
    (machine / "bin" / name).unlink()
    assert says in refusal(machine)


@pytest.mark.parametrize(
    ("name", "does", "says"),
    [
        ("python3", "echo 3.9", "Python 3.9 is too old: install 3.11"),
        ("node", "echo v18.20.4", "Node 18.20.4 is too old: install Node 20.19"),
        ("go", "echo go1.19.8", "Go 1.19.8 is too old: install Go 1.26"),
    ],
)
def test_a_tool_that_is_too_old_is_named_with_what_to_install(
    machine: Path, name: str, does: str, says: str
) -> None:
    tool(machine, name, does)
    assert says in refusal(machine)


def test_a_full_disk_is_told_before_the_first_installation(machine: Path) -> None:
    tool(machine, "df", "echo header; echo /dev/sda1 100000 99500 500 99% /")
    assert "has 500 MB left; the first installation needs 3000 MB" in refusal(machine)


def test_a_port_in_use_is_told_before_anything_is_installed(machine: Path) -> None:
    tool(machine, "python3", 'exec "$REAL" "$@"')
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        said = refusal(machine, "up.sh", PORT=str(port), REAL=f"{sys.base_prefix}/bin/python3")
    assert f"Port {port} is in use" in said and f"PORT={port + 1} make up" in said


@pytest.mark.parametrize("port", ["", "http", "80 80"])
def test_a_port_that_is_none_is_told(machine: Path, port: str) -> None:
    assert "is no port" in refusal(machine, "up.sh", PORT=port or "x")


def test_without_root_the_packages_to_install_are_named(machine: Path) -> None:
    tool(machine, "python3", 'case "$*" in *ensurepip*) exit 1 ;; *) echo 3.11 ;; esac')
    tool(machine, "apt-get", "exit 1")
    tool(machine, "id", "echo 1000")
    tool(machine, "sudo", "exit 1")
    tool(machine, "df", "echo header; echo /dev/sda1 9000000 99500 8000000 99% /")
    assert "sudo apt-get install -y --no-install-recommends python3-venv" in refusal(machine)
