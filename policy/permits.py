"""Permission to send one message to one destination: what a notifier demands, and what only this package hands out."""

from dataclasses import InitVar, dataclass, field
from datetime import datetime
from typing import TypeAlias

from policy.vocabulary import Channel


@dataclass(frozen=True, slots=True)
class PostalAddress:
    """A US postal address as it is printed; `state` is the two-letter USPS code, `zip` five digits or ZIP+4."""

    name: str
    line1: str
    line2: str
    city: str
    state: str
    zip: str
    country: str


Destination: TypeAlias = str | PostalAddress
"""An e-mail address, a phone number in E.164, or a postal address."""


class _Seal:
    """Only `policy` holds one, so only `policy` can build a Permit."""


_SEAL = _Seal()


@dataclass(frozen=True, slots=True)
class Permit:
    """One message may go over `channel` to `destination`, for `reason`, before `until` (UTC).

    Ask `policy` for one; a Permit that anything else builds raises `ForgedPermit`.
    """

    channel: Channel
    destination: Destination = field(repr=False)
    reason: str
    until: datetime
    _seal: InitVar[_Seal]  # not kept, so that no permit can lend its seal to another

    def __post_init__(self, _seal: _Seal) -> None:
        if _seal is not _SEAL:
            raise ForgedPermit


class ForgedPermit(TypeError):
    """A permit was built outside `policy`. Ask `policy` for one: it checks the region and the pinned contact."""

    def __init__(self) -> None:
        super().__init__("only policy makes a Permit")


def grant(channel: Channel, destination: Destination, reason: str, until: datetime) -> Permit:
    """A permit. Only `policy.routing` calls this, after its checks; a test of the imports holds that."""
    return Permit(channel, destination, reason, until, _SEAL)
