"""What a call says, as Twilio reads it: a greeting that asks for a key, then the code word by word, or a goodbye.

https://www.twilio.com/docs/voice/twiml
"""

import re
from collections.abc import Iterable, Sequence

from twilio.twiml.voice_response import Gather, VoiceResponse

from foundation.catalogue import pgettext
from notifiers.texts import VoiceLine, VoiceScript

_KEY_WAIT = 10  # seconds for the key after the last word


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
    language = pgettext("language of phone calls, as Twilio names it", "en-US")
    for line in lines:
        if line.slow:
            for word in re.findall(r"\w+", line.words):
                verb.say(word, language=language)
                verb.pause(length=1)
        else:
            verb.say(line.words, language=language)


def _ended(response: VoiceResponse) -> str:
    response.hangup()
    return str(response)
