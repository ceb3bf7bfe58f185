"""A mailer without a network; passes the contract suite of the real one."""

from webinar.mail import build
from webinar.mail.port import MailDeferred, MailNotSent, MailRefused, Message, Receipt


class FakeMailer:
    """Keeps what it is given in `sent`, oldest first, unless told to refuse or to defer an address."""

    def __init__(self) -> None:
        self.sent: list[Message] = []
        self._troubles: dict[str, MailNotSent] = {}

    async def send(self, message: Message) -> Receipt:
        build.as_bytes(message)
        trouble = self._troubles.get(message.to.addr_spec) or self._troubles.get("*")
        if trouble:
            raise type(trouble)(trouble.code, trouble.text, trouble.enhanced)
        self.sent.append(message)
        return Receipt(message.message_id, f"2.0.0 kept as {len(self.sent)}")

    async def close(self) -> None:
        """Nothing is held."""

    def refuse(
        self, address: str, code: int = 550, text: str = "No such user", enhanced: str = "5.1.1"
    ) -> None:
        self._troubles[address] = MailRefused(code, text, enhanced)

    def defer(
        self, address: str, code: int = 451, text: str = "Try again later", enhanced: str = "4.3.0"
    ) -> None:
        self._troubles[address] = MailDeferred(code, text, enhanced)

    def go_away(self) -> None:
        """From now on nothing answers."""
        self._troubles["*"] = MailDeferred(0, "Connection refused")

    def heal(self) -> None:
        """From now on every message is taken."""
        self._troubles.clear()

    def to(self, address: str) -> list[Message]:
        """What was sent to the address, oldest first."""
        return [message for message in self.sent if message.to.addr_spec == address]
