"""Lectures and seats for tests of pure rules."""

from typing import Any

from tests.build import NINE as NINE
from webinar.lectures.rules import Lecture, LectureState, Registration, Room, RoomKind, RoomState, Seat

MINUTE = 60_000


def a_lecture(**more: Any) -> Lecture:
    """Booked for nine in Makassar, 90 minutes, 2 JP."""
    values: dict[str, Any] = {
        "id": "l" * 26,
        "institution_id": "i" * 26,
        "unit_id": "u" * 26,
        "unit_path": "i/u/",
        "title": "Pengelolaan Keuangan Daerah",
        "description": "",
        "starts_wall": "2026-11-25T09:00",
        "ends_wall": "2026-11-25T10:30",
        "zone": "Asia/Makassar",
        "starts_at": NINE,
        "ends_at": NINE + 90 * MINUTE,
        "jp": 200,
        "policy_id": "p" * 26,
        "policy_version": 1,
        "recorded": False,
        "capacity": None,
        "state": LectureState.SCHEDULED,
        "open_before_s": 900,
        "overrun_s": 600,
        "empty_after_s": None,
        "empty_early": False,
        "live_by": "schedule",
        "closes_at": NINE + 90 * MINUTE,
        "opened_at": None,
        "live_at": None,
        "ended_at": None,
        "final_at": None,
        "trial": False,
        "sequence": 0,
        "version": 1,
    }
    return Lecture(**{**values, **more})


def a_seat(**more: Any) -> Registration:
    """Somebody registered as a participant."""
    values: dict[str, Any] = {
        "id": "r" * 26,
        "institution_id": "i" * 26,
        "lecture_id": "l" * 26,
        "person_id": "p" * 26,
        "role": Seat.PARTICIPANT,
        "seat": "0123456789ab",
        "state": "registered",
        "link_generation": 1,
        "removed_at": None,
        "removed_reason": None,
        "name": "Siti Rahma",
        "email": "siti@example.test",
        "unit_name": "Dinas Pendidikan",
        "language": "id",
        "zone": "Asia/Makassar",
    }
    return Registration(**{**values, **more})


def a_room(state: RoomState = RoomState.OPEN, **more: Any) -> Room:
    values: dict[str, Any] = {
        "id": "o" * 26,
        "lecture_id": "l" * 26,
        "kind": RoomKind.MAIN,
        "position": 0,
        "title": "",
        "needed": True,
        "name": f"{'l' * 26}.main",
        "state": state,
        "media_server": "main",
        "sid": "RM_1",
        "attempts": 0,
        "last_error": None,
        "opened_at": NINE,
        "closed_at": None,
        "occupied": False,
        "left_at": None,
    }
    return Room(**{**values, **more})
