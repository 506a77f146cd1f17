"""Where a message may go: the channel and contact of a case, who is told besides, the permit at the last moment.

One check, `_usable`, stands at all three doors: when a preference is set (`check_preference`), when a case opens
(`route`), and before a provider is called (`permit_…`).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

import phonenumbers

from policy.permits import Destination, Permit, PostalAddress, grant
from policy.rules import Policy, Region
from policy.vocabulary import Channel, ContactKind

CONTACT_FOR_PREFERENCE = {
    Channel.EMAIL: ContactKind.TWO_FACTOR_EMAIL,
    Channel.SMS: ContactKind.PHONE,
    Channel.VOICE: ContactKind.PHONE,
    Channel.MAIL: ContactKind.POSTAL_ADDRESS,
}
_CARRIES = {
    Channel.EMAIL: {ContactKind.PRIMARY_EMAIL, ContactKind.TWO_FACTOR_EMAIL},
    Channel.SMS: {ContactKind.PHONE},
    Channel.VOICE: {ContactKind.PHONE},
    Channel.MAIL: {ContactKind.POSTAL_ADDRESS},
}


@dataclass(frozen=True, slots=True)
class Contact:
    """A current contact point of an account; `verified_at` is None until a code sent to it came back."""

    id: UUID
    kind: ContactKind
    version: int
    destination: Destination = field(repr=False)
    verified_at: datetime | None

    @property
    def state(self) -> str | None:
        """The US state of a postal address."""
        return self.destination.state if isinstance(self.destination, PostalAddress) else None


@dataclass(frozen=True, slots=True)
class Profile:
    """What the rules need to know of an account; `country` is ISO 3166-1 alpha-2."""

    country: str
    contacts: tuple[Contact, ...]
    preference: Channel | None
    backup: Channel | None

    def contact(self, kind: ContactKind) -> Contact | None:
        """The account's current contact point of this kind."""
        return next((each for each in self.contacts if each.kind is kind), None)


@dataclass(frozen=True, slots=True)
class Route:
    """The way a case's code goes; completing waits for `least_hold` even where the proofs ask for less."""

    channel: Channel
    contact: Contact
    least_hold: timedelta
    why: str


class NotAllowed(Exception):
    """The policy forbids this. Its text is the reason, fit for the person who asked."""


def check_preference(policy: Policy, profile: Profile, channel: Channel) -> Contact:
    """The contact point that a preference for `channel` would use. Raises `NotAllowed`."""
    contact = profile.contact(CONTACT_FOR_PREFERENCE[channel])
    primary = profile.contact(ContactKind.PRIMARY_EMAIL)
    if channel is Channel.EMAIL and contact and primary and contact.destination == primary.destination:
        raise NotAllowed("The 2-Factor Auth Email must differ from the primary address.")
    return _usable(policy, profile, channel, contact)


def route(policy: Policy, profile: Profile) -> Route:
    """Where the code of a case that opens now goes. Raises `NotAllowed` where no contact point can be used."""
    if profile.preference is None:
        return _without_preference(policy, profile)
    try:
        contact = check_preference(policy, profile, profile.preference)
    except NotAllowed as reason:
        return _preference_not_allowed(policy, profile, str(reason))
    return Route(profile.preference, contact, timedelta(), "the reset preference")


def _without_preference(policy: Policy, profile: Profile) -> Route:
    try:
        contact = check_preference(policy, profile, Channel.EMAIL)
    except NotAllowed:
        contact = _usable(policy, profile, Channel.EMAIL, profile.contact(ContactKind.PRIMARY_EMAIL))
        return Route(Channel.EMAIL, contact, policy.holds.primary_email, "no preference and no 2-Factor Auth Email")
    return Route(Channel.EMAIL, contact, timedelta(), "no preference, so the 2-Factor Auth Email")


def _preference_not_allowed(policy: Policy, profile: Profile, reason: str) -> Route:
    contact = check_preference(policy, profile, Channel.EMAIL)
    return Route(Channel.EMAIL, contact, policy.holds.preference_not_allowed, f"preference not usable: {reason}")


def permit_code(policy: Policy, profile: Profile, channel: Channel, pinned: Contact, until: datetime) -> Permit:
    """The permit for a case's code to its pinned contact. Raises `NotAllowed`, also where the contact has changed."""
    if pinned not in profile.contacts:
        raise NotAllowed("The contact point has changed since the case opened.")
    contact = _usable(policy, profile, channel, pinned)
    return grant(channel, contact.destination, "code of a reset case", until)


def notice_ways(policy: Policy, profile: Profile, carrier: Contact | None) -> list[tuple[Channel, Contact]]:
    """How the notices of a case go out whose code went to `carrier`.

    To every other verified contact point, e-mail first, then SMS where allowed; a letter only where no other address
    exists (NIST SP 800-63B-4 §4.2.3).
    """
    others = [each for each in profile.contacts if carrier is None or each.destination != carrier.destination]
    ways = list(_ways(policy, profile, others, (Channel.EMAIL, Channel.SMS)))
    return ways or list(_ways(policy, profile, others, (Channel.MAIL,)))


def permit_notice(policy: Policy, profile: Profile, channel: Channel, contact: Contact, until: datetime) -> Permit:
    """The permit for a notice. Raises `NotAllowed`."""
    return grant(channel, _usable(policy, profile, channel, contact).destination, "notice of a reset case", until)


def permit_answer(address: str, until: datetime) -> Permit:
    """The permit for the answer to a mail: it goes back to its sender, by e-mail, and never holds a code."""
    return grant(Channel.EMAIL, address, "answer to an inbound mail", until)


def _ways(
    policy: Policy, profile: Profile, contacts: Iterable[Contact], channels: Iterable[Channel]
) -> Iterable[tuple[Channel, Contact]]:
    contacts = list(contacts)
    for channel in channels:
        for contact in contacts:
            if contact.kind in _CARRIES[channel] and _fault(policy, profile, channel, contact) is None:
                yield channel, contact


def _usable(policy: Policy, profile: Profile, channel: Channel, contact: Contact | None) -> Contact:
    if contact is None:
        raise NotAllowed(f"There is no {_NAMES[CONTACT_FOR_PREFERENCE[channel]]} for this account.")
    fault = _fault(policy, profile, channel, contact)
    if fault is not None:
        raise NotAllowed(fault)
    return contact


def _fault(policy: Policy, profile: Profile, channel: Channel, contact: Contact) -> str | None:
    region = policy.region(profile.country)
    if channel not in region.channels:
        return region.reason
    if contact.kind not in _CARRIES[channel]:
        return f"A {_NAMES[contact.kind]} cannot be reached by {channel}."
    if contact.verified_at is None:
        return f"The {_NAMES[contact.kind]} has not been verified."
    return _outside(region, contact)


def _outside(region: Region, contact: Contact) -> str | None:
    if contact.kind is ContactKind.PHONE and not _is_number_of(region, str(contact.destination)):
        return f"The phone number is not one of {region.name}."
    if isinstance(contact.destination, PostalAddress) and not region.covers(contact.destination.country):
        return f"The postal address is not in {region.name}."
    return None


def _is_number_of(region: Region, number: str) -> bool:
    """Whether `number` (E.164) is valid there. A +1 number is not American by its prefix: Canada shares it."""
    try:
        country = phonenumbers.region_code_for_number(phonenumbers.parse(number))
    except phonenumbers.NumberParseException:
        return False
    return country is not None and region.covers(country)


_NAMES = {
    ContactKind.PRIMARY_EMAIL: "primary e-mail address",
    ContactKind.TWO_FACTOR_EMAIL: "2-Factor Auth Email",
    ContactKind.PHONE: "phone number",
    ContactKind.POSTAL_ADDRESS: "postal address",
}
