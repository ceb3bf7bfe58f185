"""What has to be true after any lecture, judged by what really happened and not by the service's own rules.

For each person the truth gives a least and a most: the seconds in the window if every connection were
as short, or as long, as docs/attendance.md allows the service to think. The arithmetic is written anew
here, so that a mistake in the service's cannot hide itself.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import select

from tests.simulation.truth import Stay
from tests.simulation.world import World
from webinar.attendance import service as attendance
from webinar.attendance import store as attendances
from webinar.attendance.log_rules import AttendanceLog, Entry
from webinar.core.effects_runner import LEASE_MS
from webinar.core.tables import EffectRow
from webinar.evidence.tables import HeartbeatRow, SweepRow, WebhookRow
from webinar.hours import ledger
from webinar.hours.tables import LedgerRow
from webinar.hours.verifying import Verifier
from webinar.lectures import store
from webinar.lectures.rules import LectureState
from webinar.lectures.tables import RoomRow
from webinar.media.simulator import CRASHED

Span = tuple[int, int]

WHOLE_SECOND_MS = 1_000
BEAT_MS = 15_000
NOTICE_MS = 23_000
CUT_MS = 21_000
ABOUT_MS = 3_000
UNAWARE_MS = 2_500
SLACK_S = 1
VERIFY_EVERY = 5


@dataclass(frozen=True, slots=True)
class Range:
    """A stay as short and as long as the service may think that it was; None: it may know nothing of it."""

    least: Span | None
    most: Span


@dataclass(slots=True)
class Seen:
    """The evidence, as far as the oracle has to know what the service could know."""

    left: dict[str, str] = field(default_factory=dict)
    told: set[str] = field(default_factory=set)
    listed: dict[str, list[int]] = field(default_factory=dict)
    beats: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Verdict:
    """What is wrong (nothing, it is hoped), and how many seconds the service was wrong about each person."""

    violations: list[str] = field(default_factory=list)
    wrong_s: list[int] = field(default_factory=list)
    smooth_wrong_s: list[int] = field(default_factory=list)


async def judge(world: World) -> Verdict:
    """Look at all that the service made of a lecture."""
    verdict = Verdict()
    say = verdict.violations.append
    for trouble in world.trouble:
        say(trouble)
    async with world.database.reading() as session:
        lecture = await store.find(session, world.lecture_id)
        if lecture is None or lecture.state is not LectureState.FINAL:
            say(f"the lecture is {lecture.state if lecture else 'gone'}, not final")
            return verdict
        log = await attendance.log_of(session, lecture, world.clock.now())
        tally = await attendances.tally_of(session, lecture.id)
        credits = list(await session.scalars(select(LedgerRow)))
        chain = await ledger.verify(session, lecture.institution_id)
        effects = list(await session.scalars(select(EffectRow)))
        rooms = list(await session.scalars(select(RoomRow)))
    if world.scenario.seed % VERIFY_EVERY == 0:
        async for finding in Verifier(world.database, lecture.institution_id).run():
            say(f"hours verify: {finding}")
    seen = await _seen(world, tally.high_water if tally else {})
    for problem in chain.problems:
        say(f"the ledger: {problem}")
    _hours(world, log, credits, verdict)
    by_seat = {entry.registration.seat: entry for entry in log.entries}
    for number, seat in world.seats.items():
        if number in world.registrations:
            _person(world, number, by_seat[seat], seen, verdict)
    _strangers(world, log, seen, verdict)
    for effect in effects:
        # A tally looks once more after the end, by its process's clock, and finds that nothing is left to do;
        # whoever dies at that is followed by another when the lease is over.
        due_in = effect.due_at - world.clock.now() + _jumps(world) + LEASE_MS
        later = effect.kind == "tally" and effect.state in {"owed", "claimed"} and due_in > 0
        if effect.state not in {"done", "skipped"} and not later:
            say(f"effect {effect.key} is {effect.state}, due {effect.due_at - world.clock.now()} ms from now")
    for room in rooms:
        if room.state != "closed":
            say(f"room {room.kind} is {room.state}")
    world.media.come_back()
    for left_open in await world.media.list_rooms():
        say(f"room {left_open.name} stands open on the media server")
    return verdict


async def _seen(world: World, high_water: Mapping[str, int]) -> Seen:
    """What there was when the lecture became final; what came later changes nothing."""
    seen = Seen()
    last_hook, last_sweep = (high_water.get(name, 0) for name in ("webhooks", "sweeps"))
    async with world.database.reading() as session:
        for hook in await session.scalars(select(WebhookRow).where(WebhookRow.id <= last_hook)):
            if hook.participant_sid and hook.event == "participant_left":
                seen.left[hook.participant_sid] = hook.reason or ""
            if hook.participant_sid and hook.event != "participant_connection_aborted":
                seen.told.add(hook.participant_sid)
        looks = select(SweepRow).where(SweepRow.id <= last_sweep).order_by(SweepRow.at)
        for sweep in await session.scalars(looks):
            for listed in sweep.participants:
                seen.listed.setdefault(str(listed[1]), []).append(sweep.at)
        for beat in await session.scalars(select(HeartbeatRow)):
            sid = beat.participant_sid
            seen.beats[sid] = max(beat.last_at, seen.beats.get(sid, 0))
    return seen


def _jumps(world: World) -> int:
    """Milliseconds by which the clock of some process may be off."""
    return sum(abs(fault.size) for fault in world.scenario.faults if fault.what == "clock")


# One person's seconds.


def _person(world: World, number: int, entry: Entry, seen: Seen, verdict: Verdict) -> None:
    plan = world.scenario
    window = (world.starts_at, world.ends_at)
    stays = world.truth.of(number)
    jump = _jumps(world)
    ranges = [_range(world, stay, seen, jump) for stay in stays]

    def counted(spans: Iterable[Span]) -> int:
        return seconds_within(spans, window, plan.grace_s * 1000)

    true = counted((s.start, s.end or world.clock.now()) for s in stays)
    least = counted(r.least for r in ranges if r.least) - SLACK_S
    most = counted(r.most for r in ranges) + SLACK_S
    got, off = entry.credit.seconds, entry.credit.uncertainty_s
    who = f"person {number} ({plan.people[number].kind})"
    if not least <= got <= most:
        verdict.violations.append(
            f"{who}: {got} s, but {true} s in truth, and {least} to {most} s are allowed"
        )
    if got > plan.window_ms // 1000:
        verdict.violations.append(f"{who}: {got} s in a window of {plan.window_ms // 1000} s")
    # Of visits that no source noted nothing can be stated.
    noted = [s for s in stays if s.sid in seen.told or s.sid in seen.listed]
    knowable = counted((s.start, s.end or world.clock.now()) for s in noted)
    unsure = off + _unstated_s(world, noted, jump)
    if abs(got - knowable) > unsure:
        verdict.violations.append(
            f"{who}: {abs(got - knowable)} s wrong, {off} s stated, {unsure} s with what cannot be stated"
        )
    verdict.wrong_s.append(abs(got - true))
    if plan.faultless and all(stay.how not in {"vanished", CRASHED} for stay in stays):
        wrong = min(
            abs(got - seconds) for seconds in _near_the_grace(stays, window, plan.grace_s * 1000, world)
        )
        verdict.smooth_wrong_s.append(wrong)
        if wrong > 2 * max(1, len(stays)):
            verdict.violations.append(f"{who}: {wrong} s wrong without any fault")


def _near_the_grace(stays: Sequence[Stay], window: Span, grace_ms: int, world: World) -> list[int]:
    """The true seconds: a gap within a second of the grace may count or not, and is stated as unsure."""
    spans = [(stay.start, stay.end or world.clock.now()) for stay in stays]
    about = (grace_ms, max(0, grace_ms - 1_000), grace_ms + 1_000) if grace_ms else (0,)
    return [seconds_within(spans, window, grace) for grace in about]


def _range(world: World, stay: Stay, seen: Seen, jump: int) -> Range:
    end = stay.end if stay.end is not None else world.clock.now()
    most = (stay.dialled - jump, end + _later(world, stay, seen) + jump)
    if stay.sid in seen.left:
        least = end - (CUT_MS if stay.how == "vanished" else WHOLE_SECOND_MS)
    elif (last := _last_listed(seen, stay.sid, end)) is not None:
        least = last
    elif stay.sid in seen.told:
        least = stay.start
    else:
        return Range(None, most)
    return Range((stay.start + jump, least - jump), most)


def _later(world: World, stay: Stay, seen: Seen) -> int:
    """How long after its end a stay may seem to go on."""
    if stay.how == "vanished":
        return NOTICE_MS + world.scenario.list_age_ms
    unaware = UNAWARE_MS if stay.how == CRASHED else 0
    late = 0 if stay.sid in seen.left else world.scenario.list_age_ms
    return WHOLE_SECOND_MS + unaware + late


def _last_listed(seen: Seen, sid: str, end: int) -> int | None:
    listed = seen.listed.get(sid, [])
    before = bisect_right(listed, end)
    return listed[before - 1] if before else None


def _unstated_s(world: World, stays: Sequence[Stay], jump: int) -> int:
    """Seconds that no source can know of: until media flowed, pages unaware of a crash, clocks that lie."""
    unknown_ms = 0
    for stay in stays:
        unknown_ms += stay.start - stay.dialled + 2 * jump + world.scenario.list_age_ms
        unknown_ms += UNAWARE_MS if stay.how == CRASHED else 0
        # The rules say that a loss is noticed after 20 s; it is about so.
        unknown_ms += ABOUT_MS if stay.how == "vanished" else 0
    return SLACK_S + -(-unknown_ms // 1000)


def seconds_within(spans: Iterable[Span], window: Span, grace_ms: int) -> int:
    """Seconds of the window that intervals cover, where gaps of at most the grace do not count."""
    points: list[list[int]] = []
    for start, end in sorted(spans):
        if end <= start:
            continue
        if points and start - points[-1][1] <= grace_ms:
            points[-1][1] = max(points[-1][1], end)
        else:
            points.append([start, end])
    return sum(max(0, min(end, window[1]) - max(start, window[0])) for start, end in points) // 1000


# What it is worth.


def _hours(world: World, log: AttendanceLog, credits: Sequence[LedgerRow], verdict: Verdict) -> None:
    earned = {entry.registration.person_id: entry.credit.jp for entry in log.entries if entry.credit.jp}
    credited: dict[str, int] = {}
    for row in credits:
        if row.person_id in credited:
            verdict.violations.append(f"person {row.person_id} is credited twice")
        credited[row.person_id] = row.jp
    if credited != earned:
        verdict.violations.append(f"the ledger says {credited}, the attendance {earned}")
    for entry in log.entries:
        worth = jp_for(world, entry.credit.seconds)
        if entry.credit.jp != worth:
            verdict.violations.append(
                f"seat {entry.registration.seat}: {entry.credit.jp} hundredths of a JP for"
                f" {entry.credit.seconds} s, which are worth {worth}"
            )


def jp_for(world: World, seconds: int) -> int:
    """Hundredths of a JP, as the policy's sentence says."""
    plan = world.scenario
    window_s = plan.window_ms // 1000
    if not seconds:
        return 0
    with_tolerance = seconds + min(plan.tolerance_s, window_s // 8)
    if plan.kind == "threshold":
        return plan.jp if with_tolerance * 100 >= window_s * plan.percent else 0
    jp_s = plan.minutes_per_jp * 60
    if with_tolerance * 100 >= plan.jp * jp_s:
        return plan.jp
    return min(plan.jp, with_tolerance // jp_s * 100)


def _strangers(world: World, log: AttendanceLog, seen: Seen, verdict: Verdict) -> None:
    """Who is not on the list is listed apart, and earns nothing."""
    listed = {stranger.seat for stranger in log.strangers}
    for number, seat in world.seats.items():
        if number in world.registrations:
            if seat in listed:
                verdict.violations.append(f"seat {seat} is registered and listed as a stranger")
            continue
        known = [s for s in world.truth.of(number) if s.sid in seen.told or s.sid in seen.listed]
        if known and seat not in listed:
            verdict.violations.append(f"the stranger in seat {seat} is not listed")
