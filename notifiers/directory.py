"""Which notifier serves which channel, as the settings say, and why one cannot."""

from collections.abc import Mapping
from functools import lru_cache
from threading import Lock

from foundation.settings import PREFIX, Settings
from notifiers.contract import Notifier
from notifiers.sandbox import Sandbox
from policy.vocabulary import Channel

# lru_cache alone would let threads that ask at the same time make one each.
_MAKING = Lock()


class ChannelUnavailable(Exception):
    """Nothing can be sent over this channel with these settings. Offer it to nobody; hold what waits for it."""

    def __init__(self, channel: Channel, reason: str) -> None:
        super().__init__(f"{channel}: {reason}")
        self.channel = channel
        self.reason = reason


def available(settings: Settings) -> Mapping[Channel, str | None]:
    """For each channel None where it can be used, or else the reason why not, fit for an operator."""
    return {channel: _fault(channel, settings) for channel in Channel}


def for_channel(channel: Channel, settings: Settings) -> Notifier:
    """The channel's notifier, made once a process and shared by its threads. Raises `ChannelUnavailable`."""
    with _MAKING:
        return _made(channel, settings)


@lru_cache
def _made(channel: Channel, settings: Settings) -> Notifier:
    if fault := _fault(channel, settings):
        raise ChannelUnavailable(channel, fault)
    if settings.is_demo:
        sender = settings.sendgrid_from or settings.brand_support_email or "reset@example.com"
        return Sandbox(channel, settings.outbox_path, sender)
    # Imported here, so that neither the web nor a demo waits for a vendor's SDK.
    from notifiers.sendgrid_email import SendGridEmail

    return SendGridEmail(settings)


def _fault(channel: Channel, settings: Settings) -> str | None:
    if settings.is_demo:
        return None
    if channel is not Channel.EMAIL:
        return "this version sends e-mail only"
    key = settings.sendgrid_api_key.get_secret_value()
    missing = [
        f"{PREFIX}{name}"
        for name, value in (("SENDGRID_API_KEY", key), ("SENDGRID_FROM", settings.sendgrid_from))
        if not value
    ]
    if missing:
        return f"{' and '.join(missing)} not set"
    if " " in key or not (key.isascii() and key.isprintable()):
        return f"{PREFIX}SENDGRID_API_KEY holds a sign that no key has, such as a blank or a line break"
    return None
