"""Holding mail back at the door, and letting it go again.

A mail that is due while its institution's mail is held gets the state `held`, in which no scheduler
looks at it. Whether it is held is asked once more in the transaction that says so, with the hold locked:
who releases waits for it, so that no mail stays behind.
"""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from webinar.core.clock import Clock
from webinar.core.database import Database
from webinar.core.effects import Again, Done, Effect, Handler, Outcome, Then
from webinar.operations import store
from webinar.operations.rules import HELD_KINDS
from webinar.operations.service import BATCH


@dataclass(frozen=True, slots=True)
class MailDoor:
    db: Database
    clock: Clock

    def guarded(self, kind: str, send: Handler) -> Handler:
        """The handler of a kind, behind the door when it sends mail."""
        if kind not in HELD_KINDS:
            return send

        async def handle(effect: Effect) -> Outcome:
            async with self.db.reading() as session:
                held = await store.mail_hold_on(session, effect.subject)
            return await send(effect) if held is None else Again(effect.due_at, _kept(effect))

        return handle

    async def release(self, effect: Effect) -> Outcome:
        """The handler of kind `release`: owe again, a batch at a time, what was held."""
        institution_id = effect.subject.removeprefix("institution:")
        count = BATCH
        while count == BATCH:
            async with self.db.writing() as session:
                if await store.mail_hold(session, institution_id) is not None:
                    return Done()
                count = await store.release_batch(session, institution_id, self.clock.now(), BATCH)
        return Done()


def _kept(effect: Effect) -> Then:
    async def then(session: AsyncSession) -> None:
        if await store.mail_hold_on(session, effect.subject, lock=True) is not None:
            await store.keep_held(session, effect.id)

    return then
