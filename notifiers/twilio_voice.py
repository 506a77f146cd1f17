"""Phone calls over Twilio: starting one, and what it says, in TwiML.

A call is started with a link only. Twilio fetches `greeting` from there when somebody, or a voicemail, answers; the
code comes with `reading`, after a key was pressed.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime

import urllib3
from twilio.twiml.voice_response import Gather, VoiceResponse

from foundation import clock
from foundation.settings import Settings
from notifiers import twilio_client, wire
from notifiers.contract import OutgoingMessage, Receipt
from notifiers.texts import NoSuchText, VoiceLine, VoiceScript
from policy.permits import Permit
from policy.vocabulary import Channel

_RINGS = 25  # seconds; most voicemails answer later
_KEY_WAIT = 10  # seconds for the key after the last word
_LANGUAGE = "en-US"


class TwilioVoice:
    """The live voice channel. Threads may share one: each borrows a connection, and nothing else in it changes."""

    def __init__(self, settings: Settings, timeout: urllib3.Timeout = wire.TIMEOUT) -> None:
        self._calls = twilio_client.client(settings, timeout).calls
        self._from = settings.twilio_from
        self._callback = f"{settings.public_url}/webhooks/twilio/calls"

    def send(self, message: OutgoingMessage, permit: Permit) -> Receipt:
        """Has Twilio call, once. Raises as `Notifier.send` does, and `NoSuchText` without a `call_link`."""
        to = twilio_client.number_of(permit, Channel.VOICE, clock.now())
        if message.call_link is None:
            raise NoSuchText(f"a call about {message.kind} needs its call_link")
        if message.in_doubt_since and (sid := self._found(to, message.in_doubt_since)):
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

    def _found(self, to: str, since: datetime) -> str | None:
        """The sid of a call that was begun since. Calls look alike, and nobody wants to be called twice at once."""
        taken = twilio_client.taken_since(since, self._calls.page, to=to, from_=self._from)
        return next((each.sid for each in taken), None)


def greeting(lines: Sequence[VoiceLine], action_url: str) -> str:
    """TwiML that says, twice, what to press, and posts the key to `action_url`. Nobody presses: it hangs up."""
    gather = Gather(input="dtmf", num_digits=1, timeout=_KEY_WAIT, action=action_url, method="POST")
    _say(gather, lines)
    gather.pause(length=2)
    _say(gather, lines)
    response = VoiceResponse()
    response.append(gather)
    return _ended(response)


def reading(script: VoiceScript) -> str:
    """TwiML that says what comes after the key, with the code."""
    response = VoiceResponse()
    _say(response, script.after_key)
    return _ended(response)


def goodbye(words: str) -> str:
    """TwiML that says one thing and hangs up."""
    response = VoiceResponse()
    _say(response, (VoiceLine(words),))
    return _ended(response)


def _say(verb: VoiceResponse | Gather, lines: Iterable[VoiceLine]) -> None:
    for line in lines:
        if line.slow:
            for word in re.findall(r"\w+", line.words):
                verb.say(word, language=_LANGUAGE)
                verb.pause(length=1)
        else:
            verb.say(line.words, language=_LANGUAGE)


def _ended(response: VoiceResponse) -> str:
    response.hangup()
    return str(response)
