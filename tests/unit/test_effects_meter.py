"""Counting what a runner did."""

from webinar.core.effects_meter import BOUNDS_MS, LEASE_LOST, Meter


def test_lateness_falls_into_the_first_bucket_that_holds_it() -> None:
    meter = Meter()
    for late_ms in (0, 10, 11, 10**9):
        meter.began("invite", late_ms)
    told = meter.told()["invite"]
    assert told["late"] == [2, 1, *[0] * (len(BOUNDS_MS) - 2), 1]
    assert told["late_sum_ms"] == 21 + 10**9


def test_what_began_before_it_was_due_is_not_late() -> None:
    meter = Meter()
    meter.began("invite", -50)
    assert meter.told()["invite"]["late_sum_ms"] == 0


def test_each_kind_is_counted_by_how_it_ended() -> None:
    meter = Meter()
    for kind, how in (("invite", "done"), ("invite", "done"), ("invite", LEASE_LOST), ("lecture", "again")):
        meter.began(kind, 0)
        meter.ended(kind, how)
    told = meter.told()
    assert told["invite"]["ended"] == {"done": 2, "lease_lost": 1}
    assert told["lecture"]["ended"] == {"again": 1}
