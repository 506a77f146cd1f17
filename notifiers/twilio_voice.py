"""Phone calls over Twilio: starting one.

A call is started with a link only. When somebody, or a voicemail, answers, Twilio fetches from there what it says
(`notifiers.twiml`).
"""

from collections.abc import Container
from datetime import datetime

import urllib3

from foundation import clock
from foundation.settings import Settings
from notifiers import twilio_client, wire
from notifiers.contract import OutgoingMessage, Receipt, text_destination
from notifiers.texts import NoSuchText
from policy.permits import Permit
from policy.vocabulary import Channel

_RINGS = 25  # seconds; most voicemails answer later


class TwilioVoice:
    """The live voice channel. Threads may share one: each borrows a connection, and nothing else in it changes."""

    def __init__(self, settings: Settings, timeout: urllib3.Timeout = wire.TIMEOUT) -> None:
        self._calls = twilio_client.client(settings, timeout).calls
        self._from = settings.twilio_from
        self._callback = f"{settings.public_url}/webhooks/twilio/calls"

    def send(self, message: OutgoingMessage, permit: Permit) -> Receipt:
        """Has Twilio call, once. Raises as `Notifier.send` does, and `NoSuchText` without a `call_link`."""
        to = text_destination(permit, Channel.VOICE, clock.now())
        if message.call_link is None:
            raise NoSuchText(f"a call about {message.kind} needs its call_link")
        if message.in_doubt_since and (sid := self._found(to, message.known_ids, message.in_doubt_since)):
            return Receipt(twilio_client.PROVIDER, sid)
        return twilio_client.receipt(
            self._calls.create,
            to=to,
            from_=self._from,
            url=message.call_link,
            method="POST",
            timeout=_RINGS,
            status_callback=f"{self._callback}/{message.id}",
            status_callback_event=["completed"],
        )

    def _found(self, to: str, known: Container[str], since: datetime) -> str | None:
        """The sid of a call that was begun since. Calls look alike, and nobody wants to be called twice at once."""
        taken = twilio_client.taken_since(since, known, self._calls.page, to=to, from_=self._from)
        return next((each.sid for each in taken), None)
