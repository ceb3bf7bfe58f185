"""The digest of evidence stands for its content, whatever the order of its rows."""

from dataclasses import replace

from tests.unit.attendance_build import beats, evidence, joined, left, seen, sweep
from webinar.evidence.digest_rules import beats_digest, digest_of, record_digest
from webinar.evidence.digest_rules import joined as of_parts
from webinar.evidence.rules import Evidence


def some() -> Evidence:
    return evidence(joined(0), left(90, born=0), sweep(30, seen()), sweep(60), *beats(15, 30, 75))


def test_the_order_of_rows_changes_no_digest() -> None:
    whole = some()
    turned = Evidence(whole.events[::-1], whole.sweeps[::-1], whole.beats[::-1], {"webhooks": 7})
    assert digest_of(turned) == digest_of(whole)


def test_each_changed_fact_changes_the_digest() -> None:
    whole = some()
    found = {digest_of(whole)}
    found.add(digest_of(replace(whole, events=whole.events[1:])))
    found.add(digest_of(replace(whole, events=(replace(whole.events[0], received_at=1), *whole.events[1:]))))
    found.add(digest_of(replace(whole, sweeps=(replace(whole.sweeps[0], participants=()), whole.sweeps[1]))))
    found.add(digest_of(replace(whole, beats=whole.beats[1:])))
    assert len(found) == 5


def test_heartbeats_can_go_and_the_digest_of_the_whole_is_still_known() -> None:
    whole = some()
    kept = replace(whole, beats=())
    assert of_parts(beats_digest(whole), record_digest(kept)) == digest_of(whole)
