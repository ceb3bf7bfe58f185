"""What `webinar owed` prints: plain lines, in English, as logs are."""

from collections.abc import Mapping, Sequence

from webinar.core.processes import Process, clock_words, clocks_apart
from webinar.operations.rules import LISTED, KindCount, Listed, MailHold
from webinar.operations.wording import error_words


def _plain(message: str, /, **values: object) -> str:
    return message % values if values else message


def duration(ms: int) -> str:
    """`95 s`, `12 min`, `3 h`, `2 days`: no more exactly than one acts on it."""
    for unit, length in (("days", 86_400_000), ("h", 3_600_000), ("min", 60_000)):
        if ms >= 2 * length:
            return f"{ms // length} {unit}"
    return f"{ms // 1000} s"


def counted(kinds: Sequence[KindCount], now: int) -> list[str]:
    """A line for each kind, with its last error below."""
    if not kinds:
        return ["Nothing is due, and nothing has failed."]
    lines = [f"{'kind':<12}" + "".join(f"{how.value:>10}" for how in LISTED) + f"{'oldest':>10}"]
    for kind in kinds:
        numbers = "".join(f"{kind.counts.get(how) or '-':>10}" for how in LISTED)
        late = kind.late_ms(now)
        lines.append(f"{kind.kind:<12}{numbers}{duration(late) if late else '-':>10}")
        if kind.last_error:
            lines.append(f"{'':12}-> {error_words(_plain, kind.last_error)}")
    return lines


def listed(effects: Sequence[Listed], now: int) -> list[str]:
    """A line for each effect, with its id, by which it is retried or skipped."""
    lines = []
    for effect in effects:
        wait = effect.due_at - now
        due = f"due in {duration(wait)}" if wait > 0 else f"due {duration(-wait)} ago"
        error = f"  {error_words(_plain, effect.last_error)}" if effect.last_error else ""
        lines.append(
            f"{effect.id:>8}  {effect.standing.value:<8} {effect.kind:<10} {effect.subject}  {due}, "
            f"{effect.attempts} tries{error}"
        )
    return lines


def held(holds: Sequence[MailHold], names: Mapping[str, str], now: int) -> list[str]:
    """A line for each institution whose mail is held."""
    return [
        f"Outgoing mail of {names.get(hold.institution_id, hold.institution_id)} is held since "
        f"{duration(now - hold.held_at)}: {hold.reason}"
        for hold in holds
    ]


def clocks(known: Sequence[Process], now: int) -> list[str]:
    """A line for each process whose clock differs from the database's."""
    return [
        f"The clock of {process.kind} {process.name} is {clock_words(process.clock_ahead_ms)}."
        for process in known
        if process.alive(now) and clocks_apart(process.clock_ahead_ms)
    ]
