"""Seconds and memory that the files of a lecture's attendance take, for 2,000 and for 10,000 people.

Each file is made in a process of its own from a list that is in memory already; a PDF's memory is that
of the typesetter beside it, which is what a long list costs.
"""

import argparse
import asyncio
import json
import os
import resource
import subprocess
import sys
import time

from tests.unit.reports_build import MINUTE, NINE, a_list, listed
from webinar.reports import files
from webinar.reports.list_rules import AttendanceList, Change
from webinar.reports.rules import FileKind

ROWS = (2_000, 10_000)
# WeasyPrint took 17 s and 406 MB for 2,000 rows.
TO_REACH = {("pdf", 2_000): (3.0, 300.0), ("xlsx", 2_000): (3.0, 150.0)}
NAMES = ("Siti Rahmawati", "Ketut Adnyana, S.Kom., M.T.", "Yohana Wambrauw", "Budi Santoso")
UNITS = ("Dinas Kesehatan", "Badan Perencanaan Pembangunan Daerah", "Dinas Pendidikan", "Inspektorat")


def figure(name: str, value: float, unit: str, to_reach: float | None, **settings: object) -> None:
    """One line of JSON."""
    load = {"load_average": round(os.getloadavg()[0], 1)}
    line = {"name": name, "value": round(value, 2), "unit": unit, "to_reach": to_reach, "better": "lower"}
    print(json.dumps(line | {"settings": settings | load}), flush=True)


def a_long_list(rows: int) -> AttendanceList:
    """One in a hundred was adjusted."""
    change = Change(200, "Rina Kartika", "Bersama di satu layar", NINE + 300 * MINUTE)
    return a_list(
        *(
            listed(n, name=f"{NAMES[n % 4]} {n}", unit=UNITS[n % 4], minutes=(90, 82, 51, 0)[n % 4],
                   change=None if n % 100 else change)
            for n in range(1, rows + 1)
        )
    )  # fmt: skip


def one(kind: str, rows: int) -> None:
    """Make one file here; prints seconds, megabytes and the length of the file."""
    attendance = a_long_list(rows)
    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    file = asyncio.run(files.attendance_file(attendance, FileKind(kind), "id"))
    took = time.perf_counter() - began
    mine = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    beside = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    print(json.dumps([took, max(mine, beside) / 1024, len(file.content)]))


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--one", nargs=2, metavar=("KIND", "ROWS"))
    wish = asked.parse_args().one
    if wish:
        one(wish[0], int(wish[1]))
        return
    for rows in ROWS:
        for kind in FileKind:
            command = [sys.executable, "-m", "bench.exports", "--one", kind.value, str(rows)]
            made = subprocess.run(command, check=True, capture_output=True, text=True)
            seconds, megabytes, length = json.loads(made.stdout)
            limits = TO_REACH.get((kind.value, rows), (None, None))
            figure(f"{kind.value}_{rows}_seconds", seconds, "s", limits[0], bytes=length)
            figure(f"{kind.value}_{rows}_memory", megabytes, "MB", limits[1])


if __name__ == "__main__":
    main()
