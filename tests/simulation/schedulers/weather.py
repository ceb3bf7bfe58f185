"""What is broken in a world right now, and for how long nothing has been."""

from collections.abc import Callable

from tests.build import SECOND
from tests.simulation.schedulers.servers import Servers

# Nobody's last answer counts any more, a run of questions in vain, the look of whoever opens elsewhere.
MOVES_MS = 4 * SECOND + 15 * SECOND + 5 * SECOND
CUT, MAIL = "cut", "mail"


class Weather:
    """`disturbed` are the instants (ms) at which something broke or was mended, by what it was."""

    def __init__(self, now: Callable[[], int], servers: Servers) -> None:
        self.disturbed: list[tuple[int, str]] = []
        self.drained: dict[str, int] = {}
        self._now = now
        self._servers = servers
        self._away: dict[str, int] = {}
        self._down_since: dict[str, int] = {}

    def disturb(self, whom: str, what: str) -> None:
        self.disturbed.append((self._now(), f"{whom} {what}"))

    def turn(self, whom: str, what: str, *, off: bool) -> bool:
        """It breaks, or one of the things that broke it is mended; whether it is broken then."""
        self._away[whom] = self._away.get(whom, 0) + (1 if off else -1)
        if not self._away[whom]:
            del self._away[whom]
        self.disturb(whom, f"{what} {'off' if off else 'on'}")
        return whom in self._away

    def server_turns(self, name: str, what: str, *, off: bool) -> bool:
        """The same of a media server, of which others may take the place."""
        down = self.turn(f"server {name}", what, off=off)
        if down:
            self._down_since.setdefault(name, self._now())
        else:
            self._down_since.pop(name, None)
        return down

    def whole(self, name: str) -> bool:
        return name not in self._down_since

    def calm_ms(self, but: frozenset[str] = frozenset({MAIL})) -> int:
        """For how long nothing has been broken: 0 while something is.

        A media server that is down is as good as none once its rooms must have been moved to another.

        Args:
            but: whatever does not count.
        """
        now = self._now()
        servers = {f"server {name}" for name in self._down_since}
        if self._away.keys() - but - servers or all(map(self._is_down, self._servers.all)):
            return 0
        ends = [at for at, what in self.disturbed if what.split()[0] not in but]
        ends += [min(now, since + MOVES_MS) for since in self._down_since.values()]
        return now - max(ends, default=0)

    def _is_down(self, name: str) -> bool:
        return not self.whole(name)
