"""`/metrics`: what is owed and how the processes do, in the text format of Prometheus.

What schedulers count stands beside their signs of life, so that one answer of the site tells of all
processes; none of them needs a port of its own. Labels hold kinds and names of processes, never people.
"""

import hmac
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from aiohttp import hdrs, web
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector, CollectorRegistry

from webinar.core import processes
from webinar.core.database import DatabaseAway
from webinar.core.effects_meter import BOUNDS_MS, LEASE_LOST
from webinar.core.processes import Process
from webinar.operations import servers as media_servers
from webinar.operations import store
from webinar.operations.rules import LISTED, KindCount
from webinar.operations.servers import ServerLine
from webinar.web.context import site
from webinar.web.site import Access, Route, Site

LOOPBACK = frozenset({"127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Told:
    """What is told at `now` (Unix ms); `owed` counts everything that is owed by kind, now or later."""

    now: int
    counts: list[KindCount]
    owed: Mapping[str, int]
    holds: int
    known: list[Process]
    servers: list[ServerLine]


async def metrics(request: web.Request) -> web.StreamResponse:
    here = site(request)
    if not may_read(request, here.settings.metrics_token.get_secret_value()):
        return web.Response(status=401, text="Say who you are.\n", headers={"WWW-Authenticate": "Bearer"})
    try:
        told: Told | None = await _told(here)
    except DatabaseAway:
        told = None
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Once(list(families(told))))
    headers = {hdrs.CONTENT_TYPE: CONTENT_TYPE_PLAIN_0_0_4}
    return web.Response(body=generate_latest(registry), headers=headers)


def may_read(request: web.Request, token: str) -> bool:
    """With the token where one is set; else from this machine alone, and through no proxy."""
    if token:
        given = request.headers.get(hdrs.AUTHORIZATION, "").removeprefix("Bearer ")
        return hmac.compare_digest(given.encode(), token.encode())
    forwarded = hdrs.X_FORWARDED_FOR in request.headers or hdrs.FORWARDED in request.headers
    return request.remote in LOOPBACK and not forwarded


async def _told(here: Site) -> Told:
    async with here.database.reading() as session:
        now = here.clock.now()
        return Told(
            now,
            await store.overview(session, None, now),
            await store.count_owed(session),
            len(await store.mail_holds(session)),
            await processes.known(session),
            await media_servers.lines(session, here.pool),
        )


class _Once(Collector):
    """Families that were made beforehand: collecting cannot wait for the database."""

    def __init__(self, made: list[Metric]) -> None:
        self._made = made

    def collect(self) -> Iterator[Metric]:
        return iter(self._made)


def families(told: Told | None) -> Iterator[Metric]:
    """Every metric; only that the database is away, when it is."""
    yield GaugeMetricFamily(
        "pendopo_database_up", "Whether the database answers.", value=0 if told is None else 1
    )
    if told is not None:
        yield from _of_effects(told)
        yield from _of_processes(told)
        yield from _of_schedulers(told.known)
        yield from _of_servers(told)


def _of_effects(told: Told) -> Iterator[Metric]:
    stand = GaugeMetricFamily(
        "pendopo_effects", "What is due, running, late, failing, parked or held.", labels=["kind", "state"]
    )
    oldest = GaugeMetricFamily(
        "pendopo_effects_oldest_lateness_seconds", "How late the oldest that is due is.", labels=["kind"]
    )
    for kind in told.counts:
        for how in LISTED:
            stand.add_metric([kind.kind, how.value], kind.counts.get(how, 0))
        oldest.add_metric([kind.kind], kind.late_ms(told.now) / 1000)
    owed = GaugeMetricFamily("pendopo_effects_owed", "What is owed, now or later.", labels=["kind"])
    for name, number in sorted(told.owed.items()):
        owed.add_metric([name], number)
    yield from (stand, oldest, owed)
    yield GaugeMetricFamily(
        "pendopo_mail_holds", "Institutions whose outgoing mail is held.", value=told.holds
    )


def _of_processes(told: Told) -> Iterator[Metric]:
    labels = ["kind", "process"]
    seen = GaugeMetricFamily(
        "pendopo_process_last_seen_seconds", "Time since its last sign of life.", labels=labels
    )
    clock = GaugeMetricFamily(
        "pendopo_process_clock_ahead_seconds", "Its clock against the database's.", labels=labels
    )
    media = GaugeMetricFamily(
        "pendopo_media_server_up",
        "Whether the media server answers this scheduler.",
        labels=["process", "server"],
    )
    alive = GaugeMetricFamily("pendopo_processes", "Processes that live.", labels=["kind"])
    for kind in ("web", "hooks", "scheduler", "recorder"):
        alive.add_metric([kind], sum(p.kind == kind and p.alive(told.now) for p in told.known))
    for process in told.known:
        seen.add_metric([process.kind, process.name], (told.now - process.seen_at) / 1000)
        if process.alive(told.now):
            clock.add_metric([process.kind, process.name], process.clock_ahead_ms / 1000)
            if process.kind == "scheduler":
                for server, error in sorted((process.detail.get("media") or {}).items()):
                    media.add_metric([process.name, server], 0 if error else 1)
    yield from (alive, seen, clock, media)


def _of_schedulers(known: list[Process]) -> Iterator[Metric]:
    """Numbers that grow while a process lives; each process by itself, since each begins at 0."""
    labels = ["kind", "process"]
    late = HistogramMetricFamily(
        "pendopo_effect_lateness_seconds", "From when it was due to when work on it began.", labels=labels
    )
    claimed = CounterMetricFamily("pendopo_effects_claimed", "Tries that were begun.", labels=labels)
    ended = CounterMetricFamily("pendopo_effects_ended", "Tries by how they ended.", labels=[*labels, "how"])
    lost = CounterMetricFamily(
        "pendopo_effect_leases_lost", "Tries whose lease was lost while they ran.", labels=labels
    )
    for process in known:
        counted = process.detail.get("effects") or {}
        for kind, numbers in sorted(counted.items()):
            names = [kind, process.name]
            late.add_metric(names, buckets=_buckets(numbers["late"]), sum_value=numbers["late_sum_ms"] / 1000)
            claimed.add_metric(names, sum(numbers["late"]))
            for how, number in sorted(numbers["ended"].items()):
                ended.add_metric([*names, how], number)
            lost.add_metric(names, numbers["ended"].get(LEASE_LOST, 0))
    yield from (late, claimed, ended, lost)


def _of_servers(told: Told) -> Iterator[Metric]:
    """What all schedulers together know of each media server."""

    def gauge(name: str, what: str) -> GaugeMetricFamily:
        return GaugeMetricFamily(f"pendopo_media_server_{name}", what, labels=["server"])

    state = GaugeMetricFamily(
        "pendopo_media_server_state", "How a media server stands.", labels=["server", "state"]
    )
    since = gauge("state_seconds", "For how long it has answered, or not.")
    rooms = gauge("rooms", "Rooms of ours on it that are not closed.")
    people = gauge("participants", "People inside when it last answered.")
    headroom = gauge("headroom", "How many more people it is meant for.")
    drains = gauge("draining", "Whether it gets no new rooms by its settings.")
    for line in told.servers:
        for name in ("answers", "silent", "given_up"):
            state.add_metric([line.name, name], int(line.state == name))
        rooms.add_metric([line.name], line.rooms)
        people.add_metric([line.name], line.participants)
        if line.heard is not None:
            since.add_metric([line.name], max(0, told.now - line.heard.since) / 1000)
        if line.headroom is not None:
            headroom.add_metric([line.name], line.headroom)
        if line.load is not None:
            drains.add_metric([line.name], int(line.load.drains))
    yield from (state, since, rooms, people, headroom, drains)


def _buckets(numbers: list[int]) -> list[tuple[str, float]]:
    """As the format wants them: each counts those before it, too."""
    bounds = [*(f"{bound / 1000:g}" for bound in BOUNDS_MS), "+Inf"]
    total, made = 0, []
    for bound, number in zip(bounds, numbers, strict=True):
        total += number
        made.append((bound, float(total)))
    return made


ROUTES = (Route("GET", "/metrics", metrics, Access.PUBLIC, identifies=False),)
