"""One customer of one operator, the messages that go to her, and real permits for them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from notifiers.contract import AskedThrough, Brand, OutgoingMessage
from policy import routing, rules
from policy.permits import Destination, Permit, PostalAddress
from policy.routing import Contact, Profile
from policy.vocabulary import Change, Channel, ContactKind, MessageKind

BRAND = Brand("Example Hosting", "support@hosting.example", "+1 202 555 0100", "https://hosting.example", "#1d5c8a")
NOW = datetime(2026, 11, 24, 18, 5, tzinfo=UTC)

EMAIL = "maria@customer.example"
PHONE = "+12025550142"
HOME = PostalAddress("Maria Lopez", "12 Mill Street", "Apt 4", "Millbrook", "VT", "05001", "US")
NAME = "Maria Lopez"
REFERENCE = "R-7K3M-9QXD"
CODE = "48217306"
LETTER_CODE = "4821730659"
LINK = "https://reset.hosting.example/confirm/R-7K3M-9QXD/Zm9vYmFyYmF6cXV4cXV1eA"
ENROLMENT_LINK = "https://reset.hosting.example/reset/R-7K3M-9QXD/enrol/QmFyQmF6UXV4Rm9vRm9vQg"
CANCEL_LINK = "https://reset.hosting.example/stop/R-7K3M-9QXD/aGVsbG93b3JsZGhlbGxvd28"

CLOSED = {MessageKind.NOTICE_COMPLETED, MessageKind.NOTICE_CANCELLED, MessageKind.NOTICE_DENIED}
NOTICES = {MessageKind.NOTICE_OPENED, MessageKind.NOTICE_HOLD_STARTED} | CLOSED

ACCOUNT_CODES = {MessageKind.SIGN_IN_CODE, MessageKind.CONTACT_CODE, MessageKind.ENROLMENT_CODE}
CODES = {MessageKind.RESET_CODE} | ACCOUNT_CODES
LINKS = {MessageKind.RESET_CODE: LINK, MessageKind.ENROLMENT_LINK: ENROLMENT_LINK}
WITHOUT_CASE = {MessageKind.NOTICE_CHANGED} | ACCOUNT_CODES

_KINDS = {
    Channel.EMAIL: ContactKind.TWO_FACTOR_EMAIL,
    Channel.SMS: ContactKind.PHONE,
    Channel.VOICE: ContactKind.PHONE,
    Channel.MAIL: ContactKind.POSTAL_ADDRESS,
}
_DESTINATIONS: dict[Channel, Destination] = {
    Channel.EMAIL: EMAIL,
    Channel.SMS: PHONE,
    Channel.VOICE: PHONE,
    Channel.MAIL: HOME,
}


def message(kind: MessageKind, channel: Channel = Channel.EMAIL, **changes: Any) -> OutgoingMessage:
    """A message as the tasks fill it in: only codes have a code, and only open cases can be cancelled.

    A letter leaves in an hour, by the real time, which is what vendors go by.
    """
    coded = kind in CODES
    ends = coded or kind is MessageKind.ENROLMENT_LINK
    made = OutgoingMessage(
        id=uuid4(),
        kind=kind,
        brand=BRAND,
        typed_at="reset.hosting.example",
        requested_at=NOW,
        asked_through=AskedThrough.EMAIL,
        customer_name=NAME,
        reference=None if kind in WITHOUT_CASE else REFERENCE,
        code=(LETTER_CODE if channel is Channel.MAIL else CODE) if coded else None,
        link=LINKS.get(kind),
        cancel_link=None if kind in CLOSED | WITHOUT_CASE else CANCEL_LINK,
        valid_until=NOW + timedelta(minutes=10) if ends else None,
        change=Change.FACTOR_ADDED if kind is MessageKind.NOTICE_CHANGED else None,
        hold_until=NOW + timedelta(days=1) if kind is MessageKind.NOTICE_HOLD_STARTED else None,
        leaves_at=datetime.now(UTC) + timedelta(hours=1) if channel is Channel.MAIL else None,
    )
    return replace(made, **changes)


def permit(channel: Channel, destination: Destination | None = None, until: datetime | None = None) -> Permit:
    """The policy's permit for a code to a verified contact of a US customer."""
    where = _DESTINATIONS[channel] if destination is None else destination
    contact = Contact(UUID(int=1), _KINDS[channel], 1, where, NOW)
    profile = Profile("US", (contact,), channel, None)
    return routing.permit_code(rules.load(), profile, channel, contact, until or datetime.now(UTC) + timedelta(days=1))
