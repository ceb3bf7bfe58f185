"""The digest of evidence stands for its content, whatever the order of its rows."""

from dataclasses import replace

from tests.unit.attendance_build import at, beats, evidence, joined, left, seen, sweep
from webinar.evidence.digest_rules import beats_digest, digest_of, record_digest
from webinar.evidence.digest_rules import joined as of_parts
from webinar.evidence.rules import Answer, Check, Evidence, Replay, Segments


def some() -> Evidence:
    return evidence(joined(0), left(90, born=0), sweep(30, seen()), sweep(60), *beats(15, 30, 75))


def test_the_order_of_rows_changes_no_digest() -> None:
    whole = some()
    turned = Evidence(whole.events[::-1], whole.sweeps[::-1], whole.beats[::-1], high_water={"webhooks": 7})
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


def everything() -> Evidence:
    return replace(
        some(),
        checks=(Check("c1", 1, at(20), at(140)),),
        answers=(Answer("c1", "r", "seat.tab", at(25), "click"),),
        replays=(Replay("r", "p", 7, "rec", ((at(0), at(5)),), at(900), at(905), 1),),
        segments=(Segments("r", 7, at(0), at(50), 9, at(-4), at(50)),),
    )


def test_every_source_counts() -> None:
    told = everything()
    sources = ("events", "sweeps", "beats", "checks", "answers", "replays", "segments")
    less = [replace(told, **{name: getattr(told, name)[:-1]}) for name in sources]
    assert len({digest_of(one) for one in [told, *less]}) == len(less) + 1


def test_the_digest_is_the_same_in_every_release() -> None:
    """Stored ones are compared with it for years."""
    assert digest_of(everything()) == "d5c96d0e8a496da1ad15ed48912c5f3ae60be7d86c3c8eaa994f5b9d692d496e"
