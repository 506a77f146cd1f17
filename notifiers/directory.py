"""Which notifier serves which channel, as the settings say, and why one cannot."""

import re
from collections.abc import Mapping
from functools import lru_cache
from threading import Lock
from types import MappingProxyType
from typing import Final

from pydantic import SecretStr

from foundation.settings import PREFIX, Settings
from notifiers.contract import Examiner, Misconfigured, Notifier, Recaller
from notifiers.sandbox import Sandbox, SandboxLetter
from policy.vocabulary import Channel

# lru_cache alone would let threads that ask at the same time make one each.
_MAKING = Lock()


class ChannelUnavailable(Exception):
    """Nothing is set up for the channel here. Offer it to nobody; a code takes the backup channel, or is held."""

    def __init__(self, channel: Channel, reason: str) -> None:
        super().__init__(f"{channel}: {reason}")
        self.channel = channel
        self.reason = reason


def available(settings: Settings) -> Mapping[Channel, str | None]:
    """For each channel None where it can be used, or else the reason why not, fit for an operator."""
    return {channel: _fault(channel, settings) for channel in Channel}


def for_channel(channel: Channel, settings: Settings) -> Notifier:
    """The channel's notifier, made once a process and shared by its threads.

    Raises `ChannelUnavailable`, and `Misconfigured` where its key cannot be one.
    """
    with _MAKING:
        return _made(channel, settings)


def examiner(channel: Channel, settings: Settings) -> Examiner | None:
    """Whoever says what this channel's contact points are; None where nobody is asked. Raises as `for_channel` does."""
    if settings.is_demo or channel is Channel.EMAIL:
        return None
    with _MAKING:
        return _made_examiner(channel, settings)


def recaller(channel: Channel, settings: Settings) -> Recaller:
    """Whoever stops what has not left yet. Only letters leave later. Raises as `for_channel` does."""
    notifier = for_channel(channel, settings)
    if not isinstance(notifier, Recaller):
        raise ChannelUnavailable(channel, "nothing can be stopped here")
    return notifier


# Vendors' SDKs are imported where they are used, so that neither the web nor a demo waits for them.
@lru_cache
def _made(channel: Channel, settings: Settings) -> Notifier:
    _refuse_faulty(channel, settings)
    if settings.is_demo:
        sender = settings.sendgrid_from or settings.brand_support_email or "reset@example.com"
        sandbox = SandboxLetter if channel is Channel.MAIL else Sandbox
        return sandbox(channel, settings.outbox_path, sender)
    match channel:
        case Channel.EMAIL:
            from notifiers.sendgrid_email import SendGridEmail

            return SendGridEmail(settings)
        case Channel.SMS:
            from notifiers.twilio_sms import TwilioSms

            return TwilioSms(settings)
        case Channel.VOICE:
            from notifiers.twilio_voice import TwilioVoice

            return TwilioVoice(settings)
        case Channel.MAIL:
            from notifiers.lob_letter import LobLetter

            return LobLetter(settings)


@lru_cache
def _made_examiner(channel: Channel, settings: Settings) -> Examiner:
    _refuse_faulty(channel, settings)
    if channel is Channel.MAIL:
        from notifiers.lob_verification import LobVerification

        return LobVerification(settings)
    from notifiers.twilio_lookup import TwilioLookup

    return TwilioLookup(settings)


def _refuse_faulty(channel: Channel, settings: Settings) -> None:
    if fault := _lacking(channel, settings):
        raise ChannelUnavailable(channel, fault)
    if _fault_of_keys(channel, settings):
        # The channel is there, and whoever set the key will mend it: what waits is not spent meanwhile.
        raise Misconfigured("malformed_key")


def _fault(channel: Channel, settings: Settings) -> str | None:
    return _lacking(channel, settings) or _fault_of_keys(channel, settings)


def _lacking(channel: Channel, settings: Settings) -> str | None:
    if settings.is_demo:
        return None
    missing = [f"{PREFIX}{name}" for name in _NEEDED[channel] if not _plain(settings, name)]
    if missing:
        return f"{' and '.join(missing)} not set"
    if channel is Channel.SMS and not (settings.twilio_from or settings.twilio_messaging_service_sid):
        return f"{PREFIX}TWILIO_FROM or {PREFIX}TWILIO_MESSAGING_SERVICE_SID not set"
    return None


def _fault_of_keys(channel: Channel, settings: Settings) -> str | None:
    if settings.is_demo:
        return None
    return next((fault for name in _NEEDED[channel] if (fault := _fault_of_key(settings, name))), None)


_TWILIO: Final = ("TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN")
_NEEDED: Final[Mapping[Channel, tuple[str, ...]]] = MappingProxyType(
    {
        Channel.EMAIL: ("SENDGRID_API_KEY", "SENDGRID_FROM"),
        Channel.SMS: _TWILIO,
        Channel.VOICE: (*_TWILIO, "TWILIO_FROM"),
        Channel.MAIL: ("LOB_API_KEY", "LOB_FROM_LINE1", "LOB_FROM_CITY", "LOB_FROM_STATE", "LOB_FROM_ZIP"),
    }
)


def _plain(settings: Settings, name: str) -> str:
    value = getattr(settings, name.lower())
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)


def _fault_of_key(settings: Settings, name: str) -> str | None:
    value = getattr(settings, name.lower())
    if isinstance(value, SecretStr) and not _KEY.fullmatch(value.get_secret_value()):
        return f"{PREFIX}{name} holds a sign that no key has, such as a blank or a line break"
    return None


_KEY: Final = re.compile(r"[!-~]+")
