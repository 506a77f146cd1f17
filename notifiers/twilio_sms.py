"""SMS over Twilio's Messages. A message whose fate is unknown is looked for at Twilio before it is sent again."""

from datetime import datetime

import urllib3

from foundation import clock
from foundation.settings import Settings
from notifiers import texts, twilio_client, wire
from notifiers.contract import OutgoingMessage, Receipt, text_destination
from policy.permits import Permit
from policy.vocabulary import Channel

_LONGEST_VALIDITY = 36_000  # seconds; https://www.twilio.com/docs/api/errors/90007


class TwilioSms:
    """The live SMS channel. Threads may share one: each borrows a connection, and nothing else in it changes."""

    def __init__(self, settings: Settings, timeout: urllib3.Timeout = wire.TIMEOUT) -> None:
        self._messages = twilio_client.client(settings, timeout).messages
        service = settings.twilio_messaging_service_sid
        self._sender = {"messaging_service_sid": service} if service else {"from_": settings.twilio_from}
        self._callback = f"{settings.public_url}/webhooks/twilio/messages"

    def send(self, message: OutgoingMessage, permit: Permit) -> Receipt:
        """Hands the SMS to Twilio, once. Raises as `Notifier.send` does."""
        now = clock.now()
        to = text_destination(permit, Channel.SMS, now)
        body = texts.sms(message, now)
        if message.in_doubt_since and (sid := self._found(to, message, body, message.in_doubt_since)):
            return Receipt(twilio_client.PROVIDER, sid)
        return twilio_client.receipt(
            self._messages.create,
            to=to,
            body=body,
            status_callback=f"{self._callback}/{message.id}",
            **self._sender,
            **_validity(message, permit, now),
        )

    def _found(self, to: str, message: OutgoingMessage, body: str, since: datetime) -> str | None:
        """The sid of an SMS with these words. A code is known by itself, because the minutes next to it change."""
        words = message.code or body
        taken = twilio_client.taken_since(since, message.known_ids, self._messages.page, to=to)
        return next((each.sid for each in taken if words in (each.body or "")), None)


def _validity(message: OutgoingMessage, permit: Permit, now: datetime) -> dict[str, int]:
    """For how long Twilio may keep a code queued, in seconds; a notice stays worth reading."""
    if message.valid_until is None:
        return {}
    left = int((min(message.valid_until, permit.until) - now).total_seconds())
    return {"validity_period": max(1, min(left, _LONGEST_VALIDITY))}
