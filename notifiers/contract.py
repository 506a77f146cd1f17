"""What every notifier keeps to: what it is given, what it answers, how it fails, and how it heeds a permit."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol, runtime_checkable
from uuid import UUID

from foundation.settings import Settings
from policy.permits import Permit, PostalAddress
from policy.vocabulary import Change, Channel, Finding, MessageKind


@dataclass(frozen=True, slots=True)
class Brand:
    """The operator as customers know it; `colour` is `#rrggbb`, dark enough for white text. Empty ones are left out."""

    name: str
    support_email: str
    support_phone: str
    url: str
    colour: str

    @classmethod
    def of(cls, settings: Settings) -> "Brand":
        """The brand that the settings describe."""
        return cls(
            settings.brand_name,
            settings.brand_support_email,
            settings.brand_support_phone,
            settings.brand_url,
            settings.brand_colour,
        )


class AskedThrough(StrEnum):
    """How the request for a reset reached the operator, as its customer is told."""

    EMAIL = "email"
    SUPPORT = "support"


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """The plain values that one message is written from; each kind uses those that it needs. Times are aware.

    `code` is bare digits. `typed_at` is the short web address, without `https://`, where reference and code can be
    typed. `link` goes on with a reset, or leads to enrolling after it. `cancel_link` is given only while the case is
    open. `valid_until` is the end of the code's or the link's life, `hold_until` the end of the waiting time. A
    `notice_changed` tells of `change`. `in_reply_to` is the Message-ID of the mail that an `inbox_answer` answers.
    `thread` is the token that a mail's answers and bounces are known by, `reply_to` where answers go.
    `leaves_at` is when a letter goes to be printed; until then it can be stopped. `call_link` is where a call's script
    is fetched. `in_doubt_since` is when the first attempt began that the vendor may have taken: a notifier finds out
    before it sends again. `known_ids` are the vendor's ids for what else went to this destination, earlier tries of
    this message too: none of them is the attempt in doubt.
    """

    id: UUID
    kind: MessageKind
    brand: Brand
    typed_at: str
    requested_at: datetime
    asked_through: AskedThrough | None = None
    customer_name: str | None = field(default=None, repr=False)
    reference: str | None = None
    code: str | None = field(default=None, repr=False)
    link: str | None = field(default=None, repr=False)
    cancel_link: str | None = field(default=None, repr=False)
    valid_until: datetime | None = None
    hold_until: datetime | None = None
    change: Change | None = None
    in_reply_to: str | None = field(default=None, repr=False)
    thread: str | None = field(default=None, repr=False)
    reply_to: str | None = field(default=None, repr=False)
    leaves_at: datetime | None = None
    call_link: str | None = field(default=None, repr=False)
    in_doubt_since: datetime | None = None
    known_ids: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Receipt:
    """The vendor took the message; `provider_id` is its own id for it."""

    provider: str
    provider_id: str


class Notifier(Protocol):
    """One channel's way out. Safe to share among threads; every wait in it has an end."""

    def send(self, message: OutgoingMessage, permit: Permit) -> Receipt:
        """Sends it where the permit says. Raises a `DeliveryFailed`, or `PermitMisused`."""


class Examiner(Protocol):
    """Finds out, before the first message to a contact point, what kind of number or address it is."""

    def examine(self, permit: Permit) -> Finding:
        """Asks the vendor. Raises a `DeliveryFailed`, but never `Unknown`: nothing was to be sent."""


@runtime_checkable
class Recaller(Protocol):
    """Takes back what the vendor has not sent off yet."""

    def recall(self, provider_id: str) -> bool:
        """Whether it was stopped; False where it is too late. Safe to ask twice. Raises a `DeliveryFailed`."""

    def find(self, message_id: UUID) -> str | None:
        """The vendor's id for what it has of this message; None where it lists nothing. Raises a `DeliveryFailed`."""


class DeliveryFailed(Exception):
    """Nobody holds a receipt. What to do next is the subclass's docstring.

    `code`, which is also the text, is a short word of ours for the attempt's record: never an address, a code for the
    customer, or the vendor's own sentence.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class NotSent(DeliveryFailed):
    """Nothing reached the vendor. Try again soon; it cannot have gone twice."""


class Absent(NotSent):
    """The vendor was asked and has never had it, and it cannot be sent as it is. Begin anew, with a new code."""


class Unavailable(DeliveryFailed):
    """The vendor refused for now. Try again after `retry_after`, or after a wait of your own if it is None."""

    def __init__(self, code: str, retry_after: timedelta | None) -> None:
        super().__init__(code)
        self.retry_after = retry_after


class Rejected(DeliveryFailed):
    """The vendor will never deliver to this recipient. Do not try again; use the backup channel or ask a supervisor."""


class Unaddressable(Rejected):
    """What stands there is no address that a message can go to; no vendor was asked. Do as after `Rejected`."""


class Misconfigured(DeliveryFailed):
    """The fault is ours: key, sender or request. Alert the operator and hold the channel; never blame the customer."""


class Unknown(DeliveryFailed):
    """It may have gone. Find out from the vendor, or send the very same code again; never a new one.

    Wait for `retry_after` before, or for a time of your own if it is None.
    """

    def __init__(self, code: str, retry_after: timedelta | None = None) -> None:
        super().__init__(code)
        self.retry_after = retry_after


class Undecided(Unknown):
    """It may have gone, the vendor cannot say, and asking again would not help. Let a person decide."""


class PermitMisused(Exception):
    """A bug in the caller: a permit for another channel, or one that ran out. Nothing was sent; ask for a new one."""


def text_destination(permit: Permit, channel: Channel, now: datetime) -> str:
    """The e-mail address or phone number that the permit allows on `channel`.

    Raises `PermitMisused` or `Unaddressable`.
    """
    _check(permit, channel, now)
    if not isinstance(permit.destination, str):
        raise PermitMisused(f"a postal address for {channel}")
    # A line break would begin another header, and no address or number holds a blank.
    if not permit.destination.isprintable() or " " in permit.destination:
        raise Unaddressable("malformed_destination")
    return permit.destination


def postal_destination(permit: Permit, now: datetime) -> PostalAddress:
    """The postal address that the permit allows for a letter. Raises `PermitMisused`."""
    _check(permit, Channel.MAIL, now)
    if not isinstance(permit.destination, PostalAddress):
        raise PermitMisused(f"no postal address for {Channel.MAIL}")
    return permit.destination


def _check(permit: Permit, channel: Channel, now: datetime) -> None:
    if permit.channel is not channel:
        raise PermitMisused(f"a permit for {permit.channel} cannot be used for {channel}")
    if permit.until <= now:
        raise PermitMisused(f"the permit for {channel} ran out at {permit.until.isoformat()}")
