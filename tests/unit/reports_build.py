"""An attendance list without a database: people who stayed for some minutes, and those who did not come."""

from typing import Any

from webinar.attendance.credit_rules import Interval, Presence, credit
from webinar.attendance.log_rules import AttendanceLog, Entry
from webinar.hours.rules import Head
from webinar.lectures.rules import Lecture, LectureState, Registration, Seat, Window
from webinar.policies.rules import Policy, default, sentence
from webinar.reports.list_rules import AttendanceList, Change, Listed

NINE = 1_795_568_400_000
MINUTE = 60_000
ZONE = "Asia/Makassar"
WINDOW = Window(((NINE, NINE + 90 * MINUTE),))
DIGEST = "ab" * 32
POLICY: Policy = default("policy", "institution")


def a_lecture(**more: Any) -> Lecture:
    defaults: dict[str, Any] = {
        "id": "lecture",
        "institution_id": "institution",
        "unit_id": "unit",
        "unit_path": "institution/",
        "title": "Etika kecerdasan buatan",
        "description": "",
        "starts_wall": "2026-11-25T09:00",
        "ends_wall": "2026-11-25T10:30",
        "zone": ZONE,
        "starts_at": NINE,
        "ends_at": NINE + 90 * MINUTE,
        "jp": 200,
        "policy_id": "policy",
        "policy_version": 1,
        "recorded": False,
        "capacity": None,
        "state": LectureState.FINAL,
        "open_before_s": 900,
        "overrun_s": 900,
        "empty_after_s": None,
        "empty_early": False,
        "live_by": "schedule",
        "closes_at": NINE + 90 * MINUTE,
        "opened_at": None,
        "live_at": NINE,
        "ended_at": NINE + 90 * MINUTE,
        "final_at": NINE + 200 * MINUTE,
        "trial": False,
        "sequence": 0,
        "version": 1,
    }
    return Lecture(**(defaults | more))


def listed(
    number: int = 1,
    *,
    name: str = "Siti Rahma",
    unit: str = "Dinas Pendidikan",
    minutes: float = 90,
    nip: str | None = "198503122010012003",
    change: Change | None = None,
    role: Seat = Seat.PARTICIPANT,
) -> Listed:
    """Somebody who was there from the start for so many minutes; 0 is absent."""
    end = NINE + round(minutes * MINUTE)
    there = Presence((Interval(NINE, end, ("webhook", "sweep"), 1_000),) if minutes else ())
    seat = Registration(
        f"registration-{number}", "institution", "lecture", f"person-{number}", role, f"seat-{number}",
        "registered", 1, None, None, name, f"person{number}@example.test", unit, "id", ZONE,
    )  # fmt: skip
    entry = Entry(seat, there, credit(POLICY, 200, WINDOW, there, role))
    return Listed(entry, nip, "institution/unit/", change)


def a_list(*people: Listed, provisional: bool = False, **more: Any) -> AttendanceList:
    log = AttendanceLog(
        lecture=a_lecture(title=more.pop("title", "Etika kecerdasan buatan")),
        window=WINDOW,
        policy=POLICY,
        provisional=provisional,
        computed_at=NINE + 200 * MINUTE,
        entries=tuple(person.entry for person in people),
    )
    defaults: dict[str, Any] = {
        "institution": "Pemerintah Kota Contoh",
        "log": log,
        "rule": sentence(POLICY, 200, WINDOW.seconds),
        "lecturers": ("Dr. Maya Lestari",),
        "people": tuple(people),
        "head": Head(412, DIGEST),
        "made_at": NINE + 300 * MINUTE,
    }
    return AttendanceList(**(defaults | more))
