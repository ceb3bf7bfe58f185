"""What the real media server, the fake and the simulated one have in common. Each test runs on all."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

import pytest

from tests.contract.media_worlds import FakeWorld, SimulatedWorld, World, real_world
from webinar.media.port import MediaMisconfigured, MediaUnavailable, ParticipantAbsent, Permission

PATIENCE_S = 20.0
T = TypeVar("T")


@pytest.fixture(params=["fake", "simulated", "real"])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    if request.param == "fake":
        yield FakeWorld()
    elif request.param == "simulated":
        yield SimulatedWorld()
    else:
        async with real_world() as world:
            yield world


async def until(look: Callable[[], Awaitable[T]], right: Callable[[T], bool]) -> T:
    """Look until it is right: the real server tells some things a moment later."""
    deadline = time.monotonic() + PATIENCE_S
    while not right(seen := await look()):
        assert time.monotonic() < deadline, f"still {seen}"
        await asyncio.sleep(0.02)
    return seen


async def told(world: World, count: int) -> list[tuple[str, str, str]]:
    """The first webhooks once there are so many: (event, identity, reason)."""

    async def look() -> int:
        return len(world.events)

    await until(look, lambda seen: seen >= count)
    return [(e.event, e.identity, e.disconnect_reason) for e in world.events]


async def test_opening_a_room_twice_gives_the_same_room(world: World) -> None:
    first = await world.media.open_room("hall", empty_timeout_s=60, metadata="one")
    again = await world.media.open_room("hall", empty_timeout_s=90, metadata="two")

    assert (again.sid, again.metadata) == (first.sid, "two")
    assert await world.media.list_rooms() == [again]


async def test_opening_without_metadata_keeps_what_is_there(world: World) -> None:
    await world.media.open_room("hall", metadata="one")

    assert (await world.media.open_room("hall")).metadata == "one"


async def test_a_closed_room_is_gone_and_closing_it_again_is_fine(world: World) -> None:
    before = await world.media.open_room("hall")
    await world.media.close_room("hall")
    await world.media.close_room("hall")

    assert await world.media.list_rooms() == []
    assert (await world.media.open_room("hall")).sid != before.sid


async def test_an_absent_room_has_no_participants(world: World) -> None:
    assert await world.media.list_participants("nowhere") == []


async def test_who_joins_is_listed_as_the_token_says(world: World) -> None:
    room = await world.media.open_room("hall")
    await world.join("hall", "seat.tab", can_publish=True, metadata="m")

    [seen] = await until(
        lambda: world.media.list_participants("hall"), lambda all: [p.state for p in all] == ["ACTIVE"]
    )

    assert (seen.identity, seen.name, seen.kind, seen.metadata) == ("seat.tab", "Siti", "STANDARD", "m")
    assert (seen.hidden, seen.can_publish, seen.tracks) == (False, True, ())
    assert seen.joined_at_ms >= room.created_at_ms


async def test_a_hidden_one_is_listed_and_counted(world: World) -> None:
    await world.join("hall", "seen.tab")
    await world.join("hall", "hidden.tab", hidden=True)

    people = await until(lambda: world.media.list_participants("hall"), lambda all: len(all) == 2)

    assert {p.identity: p.hidden for p in people} == {"seen.tab": False, "hidden.tab": True}
    await until(world.media.list_rooms, lambda rooms: [r.num_participants for r in rooms] == [2])


async def test_a_recorder_is_told_by_its_kind_and_not_counted(world: World) -> None:
    await world.join("hall", "recorder.one", kind="egress", hidden=True)
    await world.join("hall", "seat.tab", hidden=True)

    people = await until(lambda: world.media.list_participants("hall"), lambda all: len(all) == 2)

    assert {p.identity: p.kind for p in people} == {"recorder.one": "EGRESS", "seat.tab": "STANDARD"}
    await told(world, 3)
    assert [e.kind for e in world.events] == ["STANDARD", "EGRESS", "STANDARD"]
    await until(world.media.list_rooms, lambda rooms: [r.num_participants for r in rooms] == [1])


async def test_who_is_removed_is_out_and_the_absent_may_be_removed(world: World) -> None:
    guest = await world.join("hall", "seat.tab")
    await world.media.remove("hall", "seat.tab")
    await world.media.remove("hall", "seat.tab")
    await world.media.remove("nowhere", "seat.tab")

    async def inside() -> bool:
        return guest.inside

    await until(inside, lambda is_inside: not is_inside)
    assert await world.media.list_participants("hall") == []


async def test_who_was_removed_can_come_back_with_a_token_that_lives(world: World) -> None:
    await world.join("hall", "seat.tab")
    await world.media.remove("hall", "seat.tab")

    assert (await world.join("hall", "seat.tab")).inside


async def test_a_broadcast_reaches_all_and_a_message_only_those_named(world: World) -> None:
    one = await world.join("hall", "one.tab")
    two = await world.join("hall", "two.tab", hidden=True)
    await until(lambda: world.media.list_participants("hall"), lambda all: len(all) == 2)

    await world.media.send("hall", "chat", b"all")
    await world.media.send("hall", "chat", b"two", to=["two.tab"])
    await world.media.send("hall", "chat", b"nobody", to=[])
    await world.media.send("hall", "end", b"")

    async def got() -> list[list[tuple[str, bytes]]]:
        return [one.messages, two.messages]

    both = [("chat", b"all"), ("end", b"")]
    await until(got, lambda seen: seen == [both, [both[0], ("chat", b"two"), both[1]]])


async def test_sending_into_an_absent_room_is_fine(world: World) -> None:
    await world.media.send("nowhere", "chat", b"hello")


async def test_muting_who_publishes_nothing_mutes_nothing(world: World) -> None:
    await world.join("hall", "seat.tab")

    assert await world.media.mute("hall", "seat.tab") == 0
    assert await world.media.mute("hall", "absent.tab") == 0
    assert await world.media.mute("nowhere", "absent.tab") == 0


async def test_a_microphone_is_muted_once(world: World) -> None:
    guest = await world.join("hall", "seat.tab", can_publish=True)
    await guest.publish_microphone()
    people = await until(lambda: world.media.list_participants("hall"), lambda all: bool(all[0].tracks))
    assert [(t.source, t.muted) for t in people[0].tracks] == [("microphone", False)]
    assert people[0].is_publisher

    assert await world.media.mute("hall", "seat.tab", ["camera"]) == 0
    assert await world.media.mute("hall", "seat.tab", ["microphone"]) == 1
    await until(lambda: world.media.list_participants("hall"), lambda all: all[0].tracks[0].muted)
    assert await world.media.mute("hall", "seat.tab") == 0


async def test_somebody_hidden_is_brought_on_stage(world: World) -> None:
    await world.join("hall", "seat.tab", hidden=True)
    await world.media.update_participant(
        "hall", "seat.tab", permission=Permission(can_publish=True, sources=("camera", "microphone"))
    )

    [seen] = await until(lambda: world.media.list_participants("hall"), lambda all: not all[0].hidden)

    assert seen.can_publish


async def test_who_is_absent_cannot_be_changed(world: World) -> None:
    await world.media.open_room("hall")

    for room in ("hall", "nowhere"):
        with pytest.raises(ParticipantAbsent):
            await world.media.update_participant(room, "seat.tab", permission=Permission())


async def test_webhooks_tell_a_room_from_its_start_to_its_end(world: World) -> None:
    room = await world.media.open_room("hall")
    left = await world.join("hall", "one.tab", hidden=True)
    await told(world, 2)
    await left.leave()
    await told(world, 3)
    await world.join("hall", "two.tab")
    await told(world, 4)
    await world.media.close_room("hall")

    assert await told(world, 6) == [
        ("room_started", "", ""),
        ("participant_joined", "one.tab", ""),
        ("participant_left", "one.tab", "CLIENT_INITIATED"),
        ("participant_joined", "two.tab", ""),
        ("participant_left", "two.tab", "ROOM_DELETED"),
        ("room_finished", "", ""),
    ]
    assert {(e.room_name, e.room_sid) for e in world.events} == {("hall", room.sid)}
    assert [e.hidden for e in world.events] == [False, True, True, False, False, False]
    assert len({e.event_id for e in world.events}) == 6
    assert (
        world.events[1].participant_sid == world.events[2].participant_sid != world.events[3].participant_sid
    )
    joined_at = world.events[1].joined_at_ms
    assert joined_at is not None
    assert joined_at == world.events[2].joined_at_ms
    assert abs(joined_at // 1000 - world.events[1].created_at_s) <= 5


async def test_the_same_identity_again_replaces_the_first_one(world: World) -> None:
    first = await world.join("hall", "seat.tab")
    await told(world, 2)
    await world.join("hall", "seat.tab")

    assert (await told(world, 4))[2:] == [
        ("participant_left", "seat.tab", "DUPLICATE_IDENTITY"),
        ("participant_joined", "seat.tab", ""),
    ]
    assert (
        world.events[1].participant_sid == world.events[2].participant_sid != world.events[3].participant_sid
    )
    assert not first.inside


async def test_removal_is_told_with_its_reason(world: World) -> None:
    await world.join("hall", "seat.tab")
    await told(world, 2)
    await world.media.remove("hall", "seat.tab")

    assert (await told(world, 3))[2] == ("participant_left", "seat.tab", "PARTICIPANT_REMOVED")


async def test_a_room_that_nobody_opened_opens_when_somebody_joins(world: World) -> None:
    await world.join("hall", "seat.tab")

    assert [room.name for room in await world.media.list_rooms()] == ["hall"]


async def test_a_crash_loses_the_rooms_tells_nobody_and_gives_new_sids(world: World) -> None:
    before = await world.media.open_room("hall")
    await world.join("hall", "seat.tab")
    await told(world, 2)
    await world.crash()

    assert await world.media.list_rooms() == []
    await world.join("hall", "seat.tab")
    assert (await told(world, 4))[2:] == [("room_started", "", ""), ("participant_joined", "seat.tab", "")]
    assert world.events[2].room_sid == world.events[3].room_sid != before.sid
    assert world.events[3].participant_sid != world.events[1].participant_sid


async def test_a_server_that_is_away_is_unavailable_to_every_call(world: World) -> None:
    await world.media.health()
    await world.go_away()

    calls: list[Callable[[], Awaitable[object]]] = [
        world.media.health,
        world.media.list_rooms,
        lambda: world.media.open_room("hall"),
        lambda: world.media.close_room("hall"),
        lambda: world.media.list_participants("hall"),
        lambda: world.media.remove("hall", "seat.tab"),
        lambda: world.media.mute("hall", "seat.tab"),
        lambda: world.media.send("hall", "chat", b""),
        lambda: world.media.update_participant("hall", "seat.tab", permission=Permission()),
    ]
    for call in calls:
        with pytest.raises(MediaUnavailable):
            await call()


async def test_a_wrong_secret_is_told_apart_from_silence(world: World) -> None:
    with pytest.raises(MediaMisconfigured):
        await world.stranger().health()
