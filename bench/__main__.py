"""`python -m bench [NAME]`: every benchmark, or one; each figure is one line of JSON on standard output.

With `--report` they come as a table, with what falls short; the exit code then is 1 when something does.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
Figure = Mapping[str, Any]


def names() -> list[str]:
    return sorted(path.stem for path in FOLDER.glob("*.py") if not path.stem.startswith("_"))


def figures(name: str) -> Iterator[Figure]:
    """Run one benchmark in a process of its own, since each measures its memory and processor time."""
    process = subprocess.Popen(
        [sys.executable, "-m", f"bench.{name}"], cwd=FOLDER.parent, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("{"):
            yield json.loads(line)
    if process.wait():
        sys.exit(f"the benchmark {name} failed")


def falls_short(figure: Figure) -> bool:
    wanted = figure.get("to_reach")
    if wanted is None:
        return False
    value = figure["value"]
    return bool(value < wanted if figure.get("better") == "higher" else value > wanted)


def row(figure: Figure) -> str:
    wanted = figure.get("to_reach")
    sign = "" if wanted is None else f"{'>=' if figure.get('better') == 'higher' else '<='} {wanted:g}"
    settings = " ".join(f"{name}={value}" for name, value in figure.get("settings", {}).items())
    verdict = "SHORT" if falls_short(figure) else "" if wanted is None else "ok"
    value = f"{figure['value']:g} {figure['unit']}"
    return f"{figure['name']:<32}{value:>16}  {sign:>10}  {verdict:<6} {settings}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", nargs="?", choices=names())
    parser.add_argument("--report", action="store_true")
    asked = parser.parse_args()
    short = 0
    for name in [asked.name] if asked.name else names():
        for figure in figures(name):
            print(row(figure) if asked.report else json.dumps(figure), flush=True)
            short += falls_short(figure)
    if asked.report:
        print(f"\n{short} fall short" if short else "\nall reached")
        sys.exit(1 if short else 0)


if __name__ == "__main__":
    main()
