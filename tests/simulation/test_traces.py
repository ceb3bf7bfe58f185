"""The simulated media server tells what the real one told: traces that `record.py` took, step by step."""

import asyncio
import json

import pytest

from tests.simulation.record import TRACES, act
from tests.simulation.scripts import ROOM, SCRIPTS, Step, comparable, play
from tests.simulation.virtual import run
from webinar.core.clock import Clock
from webinar.media.notifier import Notifier
from webinar.media.port import ParticipantState
from webinar.media.simulator import MediaSimulator
from webinar.media.tokens import mint
from webinar.media.webhook import WebhookEvent

KEY, SECRET = "key", "s" * 32


class SimulatedStage:
    def __init__(self, clock: Clock) -> None:
        self.heard: list[tuple[float, WebhookEvent]] = []
        self.media = MediaSimulator(clock, KEY, SECRET, Notifier(self._deliver))
        self._clock = clock
        self._refuses = (200, 0)
        self._known: dict[str, ParticipantState] = {}

    def time(self) -> float:
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def inside(self) -> list[str]:
        return sorted(p.identity for p in await self.media.list_participants(ROOM))

    async def do(self, step: Step) -> None:
        match step:
            case ("refuse", status, times):
                self._refuses = (status, times)
            case ("join", who):
                token = mint(KEY, SECRET, identity=who, name="Siti", room=ROOM, now=self._clock.now())
                self._known[who] = await self.media.connect(token)
            case ("leave", who):
                self.media.leave(ROOM, who)
            case ("vanish", who):
                self.media.vanish(ROOM, self._known[who])
            case ("crash" | "stop" as how,):
                self.media.crash() if how == "crash" else self.media.terminate()
                await asyncio.sleep(0.5)
                self.media.come_back()
            case _:
                await act(self.media, step)

    async def _deliver(self, event: WebhookEvent) -> int:
        await asyncio.sleep(0.004)
        status, times = self._refuses
        if times:
            self._refuses = (status, times - 1)
            return status
        self.heard.append((self.time(), event))
        return 200


class LoopClock:
    def now(self) -> int:
        return 1_800_000_000_000 + round(asyncio.get_running_loop().time() * 1000)


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_simulated_server_tells_what_the_real_one_told(name: str) -> None:
    real = json.loads((TRACES / f"{name}.json").read_text())["steps"]

    async def simulated() -> list[dict[str, object]]:
        return await play(SimulatedStage(LoopClock()), SCRIPTS[name])

    assert comparable(run(simulated())) == comparable(real)
