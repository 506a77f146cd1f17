"""Demo mode's notifiers, for every channel: what would be sent goes into the outbox, and nothing leaves the machine."""

from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from uuid import UUID

from foundation import clock
from notifiers import outbox, texts
from notifiers.contract import OutgoingMessage, Receipt, postal_destination, text_destination
from notifiers.envelope import envelope
from policy.permits import Permit, PostalAddress
from policy.vocabulary import Channel

PROVIDER = "sandbox"


class Sandbox:
    """One channel's sandbox over `folder`; its mails come from the address `sender`."""

    def __init__(self, channel: Channel, folder: Path, sender: str) -> None:
        self._channel = channel
        self._folder = folder
        self._sender = sender

    def send(self, message: OutgoingMessage, permit: Permit) -> Receipt:
        """Puts the message where `outbox.read` finds it. Raises `PermitMisused` and `Rejected`, as a live one does."""
        now = clock.now()
        write = self._letter if self._channel is Channel.MAIL else self._text
        content = write(message, permit, now)
        return Receipt(PROVIDER, outbox.put(self._folder, self._channel, message.id, now, content))

    def _letter(self, message: OutgoingMessage, permit: Permit, now: datetime) -> bytes:
        address = postal_destination(permit, now)
        return outbox.page_noted(_on_one_line(address), texts.letter(message, address))

    def _text(self, message: OutgoingMessage, permit: Permit, now: datetime) -> bytes:
        to = text_destination(permit, self._channel, now)
        match self._channel:
            case Channel.EMAIL:
                return _mail(message, to, self._sender, now)
            case Channel.SMS:
                return outbox.noted(to, texts.sms(message, now))
            case _:
                script = texts.voice(message, now)
                return outbox.call_noted(to, _spoken(script.before_key), _spoken(script.after_key))


class SandboxLetter(Sandbox):
    """The sandbox of the mail channel, whose letters can be stopped like live ones."""

    def recall(self, provider_id: str) -> bool:
        """Marks the letter as stopped. It is asked before the letter's date only, so never too late."""
        outbox.stop(self._folder, provider_id)
        return True

    def find(self, message_id: UUID) -> str | None:
        """The receipt id of the newest letter with this message, if one lies there."""
        found = (item.receipt_id for item in reversed(outbox.read(self._folder)) if item.message_id == message_id)
        return next(found, None)


def _mail(message: OutgoingMessage, to: str, sender: str, now: datetime) -> bytes:
    outside, inside = envelope(message, sender), texts.email(message)
    mail = EmailMessage()
    mail["From"] = Address(outside.sender_name, addr_spec=outside.sender)
    mail["To"] = to
    mail["Subject"] = inside.subject
    mail["Date"] = format_datetime(now)
    if outside.reply_to:
        mail["Reply-To"] = outside.reply_to
    for name, value in outside.headers.items():
        mail[name] = value
    # 8bit, so that a person who opens the file can read it.
    mail.set_content(inside.text, cte="8bit")
    mail.add_alternative(inside.html, subtype="html", cte="8bit")
    return mail.as_bytes()


def _spoken(lines: tuple[texts.VoiceLine, ...]) -> str:
    return "\n".join(line.words for line in lines)


def _on_one_line(address: PostalAddress) -> str:
    street, town = (address.line1, address.line2), (address.city, f"{address.state} {address.zip}", address.country)
    parts = (address.name, *street, *town)
    return ", ".join(part for part in parts if part)
