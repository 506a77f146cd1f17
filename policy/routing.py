"""Where a message may go: the channel and contact of a case, who is told besides, the permit at the last moment.

One check, `_usable`, stands at all three doors: when a preference is set (`check_preference`), when a case opens
(`route`), and before a provider is called (`permit_…`).
"""

from collections.abc import Container, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

import phonenumbers

from policy.permits import Destination, Permit, PostalAddress, grant
from policy.rules import Policy, Region
from policy.vocabulary import Channel, ContactKind, Finding

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
    """A current contact point of an account; `verified_at` is None until a code sent to it came back.

    `finding` is what a vendor found out about it; None where none was asked yet.
    """

    id: UUID
    kind: ContactKind
    version: int
    destination: Destination = field(repr=False)
    verified_at: datetime | None
    finding: Finding | None = None

    @property
    def state(self) -> str | None:
        """The US state of a postal address."""
        return self.destination.state if isinstance(self.destination, PostalAddress) else None


@dataclass(frozen=True, slots=True)
class Profile:
    """What the rules need to know of an account; `country` is ISO 3166-1 alpha-2, `state` a US state or None."""

    country: str
    contacts: tuple[Contact, ...]
    preference: Channel | None
    backup: Channel | None
    state: str | None = None

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


class RegionForbids(NotAllowed):
    """The customer's region does not have this channel. The 2-Factor Auth Email may be used, with the policy's hold."""


class Unsuitable(NotAllowed):
    """What the number or address turned out to be. Only the backup channel, chosen in advance, may stand in."""


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
    except Unsuitable as reason:
        return _backup(policy, profile, str(reason))
    except NotAllowed as reason:
        return instead_of_preference(policy, profile, str(reason))
    return Route(profile.preference, contact, timedelta(), "the reset preference")


def instead_of_preference(policy: Policy, profile: Profile, reason: str) -> Route:
    """The way to the 2-Factor Auth Email, with its hold, where the region forbids another. Raises `NotAllowed`."""
    contact = check_preference(policy, profile, Channel.EMAIL)
    return Route(Channel.EMAIL, contact, policy.holds.preference_not_allowed, f"preference not usable: {reason}")


def _without_preference(policy: Policy, profile: Profile) -> Route:
    try:
        contact = check_preference(policy, profile, Channel.EMAIL)
    except NotAllowed:
        contact = _usable(policy, profile, Channel.EMAIL, profile.contact(ContactKind.PRIMARY_EMAIL))
        return Route(Channel.EMAIL, contact, policy.holds.primary_email, "no preference and no 2-Factor Auth Email")
    return Route(Channel.EMAIL, contact, timedelta(), "no preference, so the 2-Factor Auth Email")


def _backup(policy: Policy, profile: Profile, reason: str) -> Route:
    if profile.backup is None:
        raise Unsuitable(reason)
    contact = check_preference(policy, profile, profile.backup)
    return Route(profile.backup, contact, timedelta(), f"the backup channel: {reason}")


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


def check_reachable(policy: Policy, profile: Profile, channel: Channel, contact: Contact) -> Contact:
    """The contact point, if a code that confirms it may go there: verified or not. Raises `NotAllowed`."""
    if fault := _forbidden(policy, profile, channel, contact):
        raise fault
    return contact


def permit_confirmation(
    policy: Policy, profile: Profile, channel: Channel, contact: Contact, until: datetime
) -> Permit:
    """The permit for the code that confirms a new contact point. Raises `NotAllowed`."""
    destination = check_reachable(policy, profile, channel, contact).destination
    return grant(channel, destination, "code for a new contact point", until)


def permit_account_code(
    policy: Policy, profile: Profile, channel: Channel, contact: Contact, until: datetime
) -> Permit:
    """The permit for a code that belongs to no case, to a verified contact point. Raises `NotAllowed`."""
    return grant(channel, _usable(policy, profile, channel, contact).destination, "code of an account", until)


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
    region = policy.region(profile.country, profile.state)
    if channel not in region.channels:
        # Said first: whoever is told that a number is missing enters one in vain.
        raise RegionForbids(region.reason)
    if contact is None:
        raise NotAllowed(f"There is no {_NAMES[CONTACT_FOR_PREFERENCE[channel]]} for this account.")
    fault = _fault(policy, profile, channel, contact)
    if fault is not None:
        raise fault
    return contact


def _fault(policy: Policy, profile: Profile, channel: Channel, contact: Contact) -> NotAllowed | None:
    region = policy.region(profile.country, profile.state)
    if channel not in region.channels:
        return RegionForbids(region.reason)
    if contact.verified_at is None and contact.kind in _CARRIES[channel]:
        return NotAllowed(f"The {_NAMES[contact.kind]} has not been verified.")
    return _forbidden(policy, profile, channel, contact)


def _forbidden(policy: Policy, profile: Profile, channel: Channel, contact: Contact) -> NotAllowed | None:
    """What stands in the way of any message there."""
    region = policy.region(profile.country, profile.state)
    if channel not in region.channels:
        return RegionForbids(region.reason)
    if contact.kind not in _CARRIES[channel]:
        return NotAllowed(f"A {_NAMES[contact.kind]} cannot be reached by {channel}.")
    return _outside(region, contact) or _unsuitable(policy.channels[channel].refuses, contact)


def _outside(region: Region, contact: Contact) -> NotAllowed | None:
    if contact.kind is ContactKind.PHONE and not _is_number_of(region, str(contact.destination)):
        return NotAllowed(f"The phone number is not one of {region.name}.")
    if isinstance(contact.destination, PostalAddress) and not region.is_of(contact.destination.country):
        return NotAllowed(f"The postal address is not in {region.name}.")
    return None


def _is_number_of(region: Region, number: str) -> bool:
    """Whether `number` (E.164) is valid there. A +1 number is not American by its prefix: Canada shares it."""
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return False
    # The parser finds a number in much that is none, such as `whatsapp:+1…`, which would go elsewhere.
    if phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164) != number:
        return False
    country = phonenumbers.region_code_for_number(parsed)
    return country is not None and region.is_of(country)


def _unsuitable(refused: Container[Finding], contact: Contact) -> NotAllowed | None:
    found = contact.finding or _finding_by_number(contact)
    return Unsuitable(f"The {_NAMES[contact.kind]} {_FOUND[found]}.") if found in refused and found else None


def _finding_by_number(contact: Contact) -> Finding | None:
    """What the numbering plan tells of a phone number; it seldom tells a mobile from a landline in the US."""
    if contact.kind is not ContactKind.PHONE:
        return None
    return _KINDS_OF_NUMBERS.get(phonenumbers.number_type(phonenumbers.parse(str(contact.destination))))


_KINDS_OF_NUMBERS = {
    phonenumbers.PhoneNumberType.FIXED_LINE: Finding.LANDLINE,
    phonenumbers.PhoneNumberType.TOLL_FREE: Finding.TOLL_FREE,
    phonenumbers.PhoneNumberType.PREMIUM_RATE: Finding.PREMIUM,
    phonenumbers.PhoneNumberType.SHARED_COST: Finding.SHARED_COST,
    phonenumbers.PhoneNumberType.VOIP: Finding.NON_FIXED_VOIP,
    phonenumbers.PhoneNumberType.PERSONAL_NUMBER: Finding.PERSONAL,
    phonenumbers.PhoneNumberType.PAGER: Finding.PAGER,
    phonenumbers.PhoneNumberType.UAN: Finding.UAN,
    phonenumbers.PhoneNumberType.VOICEMAIL: Finding.VOICEMAIL,
}
_FOUND = {
    Finding.MOBILE: "is a mobile number",
    Finding.LANDLINE: "is a landline",
    Finding.FIXED_VOIP: "is an internet telephone at a fixed address",
    Finding.NON_FIXED_VOIP: "is an internet telephone number, which anybody can get",
    Finding.PERSONAL: "is a personal number that forwards calls",
    Finding.TOLL_FREE: "is a toll-free number",
    Finding.PREMIUM: "is a premium rate number",
    Finding.SHARED_COST: "is a shared cost number",
    Finding.UAN: "is a company's universal number",
    Finding.VOICEMAIL: "is a voicemail box",
    Finding.PAGER: "is a pager",
    Finding.UNKNOWN: "is of a kind that is not known",
    Finding.DELIVERABLE: "can be delivered to",
    Finding.UNNECESSARY_UNIT: "names a unit that is not needed",
    Finding.INCORRECT_UNIT: "names a unit that is not in that building",
    Finding.MISSING_UNIT: "lacks the number of the flat or unit",
    Finding.UNDELIVERABLE: "cannot be delivered to",
}
_NAMES = {
    ContactKind.PRIMARY_EMAIL: "primary e-mail address",
    ContactKind.TWO_FACTOR_EMAIL: "2-Factor Auth Email",
    ContactKind.PHONE: "phone number",
    ContactKind.POSTAL_ADDRESS: "postal address",
}
