"""How long rooms stand empty before they close: pure; instants are Unix ms.

The rule of a lecture (`empty_after_s`, None: its rooms stay until the latest end):

| what | closes by itself when |
|---|---|
| a breakout room | somebody had come, and nobody has been in it for that long |
| the lecture with all its rooms | the end is past, and nobody has been in any of them for that long |
| the same before the end | only where its organiser chose so (`empty_early`), and somebody had come |

What is known of who is inside are the looks of every half minute, so that what is due is looked at once more.
"""

from collections.abc import Sequence

from webinar.lectures.rules import Lecture, Room, RoomKind, RoomState


def lecture_due(lecture: Lecture, rooms: Sequence[Room]) -> int | None:
    """When the lecture ends unless somebody comes; None while somebody is inside, or that is not known."""
    if lecture.empty_after_s is None:
        return None
    needed = [room for room in rooms if room.needed]
    if not needed or any(room.occupied or room.state is not RoomState.OPEN for room in needed):
        return None
    left_at = max((room.left_at for room in needed if room.left_at is not None), default=None)
    if left_at is None:
        # Nobody came since the rooms opened: the end is what they wait for.
        return lecture.closes_at + lecture.empty_after_s * 1000
    due = left_at + lecture.empty_after_s * 1000
    return due if lecture.empty_early else max(due, lecture.closes_at)


def room_due(lecture: Lecture, room: Room) -> int | None:
    """When a breakout room closes unless somebody comes; None for one that does not close by itself."""
    if lecture.empty_after_s is None or room.kind is not RoomKind.BREAKOUT or room.left_at is None:
        return None
    standing = room.needed and room.state is RoomState.OPEN and not room.occupied
    return room.left_at + lecture.empty_after_s * 1000 if standing else None
