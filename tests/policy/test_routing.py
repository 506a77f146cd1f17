"""Where a message may go: the rules, told once more in the simplest way, against every door that hands out a way."""

import tomllib
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy import rules
from policy.permits import Destination, PostalAddress
from policy.routing import (
    Contact,
    NotAllowed,
    Profile,
    check_preference,
    notice_ways,
    permit_answer,
    permit_code,
    permit_notice,
    route,
)
from policy.rules import SHIPPED, Policy
from policy.vocabulary import Channel, ContactKind

NOW = datetime(2026, 11, 24, 18, 0, tzinfo=UTC)
UNTIL = NOW + timedelta(minutes=10)
NO_HOLD, THREE_DAYS = timedelta(), timedelta(hours=72)
PRIMARY, TWO_FACTOR, PHONE, POSTAL = ContactKind

COUNTRIES_OF_NUMBERS = {
    "+12025550142": "US",  # Washington
    "+19075550142": "US",  # Alaska
    "+18085550142": "US",  # Hawaii
    "+17872345678": "PR",
    "+16712345678": "GU",
    "+13402345678": "VI",
    "+16702345678": "MP",
    "+16842345678": "AS",
    "+14165550142": "CA",  # Toronto
    "+16045550142": "CA",  # Vancouver
    "+18764123456": "JM",
    "+12423591234": "BS",
    "+18092345678": "DO",
    "+18682911234": "TT",
    "+14413701234": "BM",
    "+4915123456789": "DE",
    "+447400123456": "GB",
    "+12025550": "",  # too short for a number
    "2025550142": "",  # not in E.164
    "none": "",
    "whatsapp:+12025550142": "",  # goes elsewhere
    "client:+12025550142": "",
    "+1-202-555-0142": "",
    "+1202555014\u0662": "",
}
OF_THE_UNITED_STATES = {"US", "PR", "GU", "VI", "AS", "MP", "UM"}
CARRIED_BY = {
    PRIMARY: {Channel.EMAIL},
    TWO_FACTOR: {Channel.EMAIL},
    PHONE: {Channel.SMS, Channel.VOICE},
    POSTAL: {Channel.MAIL},
}
CHOSEN_FOR = {
    Channel.EMAIL: TWO_FACTOR,
    Channel.SMS: PHONE,
    Channel.VOICE: PHONE,
    Channel.MAIL: POSTAL,
}


def home(country: str = "US") -> PostalAddress:
    return PostalAddress("Dana Whitfield", "12 Mill Street", "", "Millbrook", "VT", "05001", country)


def contact(kind: ContactKind, destination: Destination, *, verified: bool = True, version: int = 1) -> Contact:
    return Contact(UUID(int=list(ContactKind).index(kind) + 1), kind, version, destination, NOW if verified else None)


ALL = (
    contact(PRIMARY, "dana@whitfield.example"),
    contact(TWO_FACTOR, "dana@other.example"),
    contact(PHONE, "+12025550142"),
    contact(POSTAL, home()),
)


def customer(country: str = "US", contacts: tuple[Contact, ...] = ALL, preference: Channel | None = None) -> Profile:
    return Profile(country, contacts, preference, None)


def without(*kinds: ContactKind) -> tuple[Contact, ...]:
    return tuple(each for each in ALL if each.kind not in kinds)


def with_other(other: Contact) -> tuple[Contact, ...]:
    return (*without(other.kind), other)


# --- Policies, customers and places of every sort, and the rules told in the simplest way

channels = st.sampled_from(Channel)
countries = st.sampled_from(["US", "PR", "GU", "CA", "JM", "DE", "GB", "ZZ"])
mails = st.sampled_from(["dana@whitfield.example", "dana@other.example", "jo@other.example"])
postal_addresses = countries.map(home)
numbers = st.sampled_from(sorted(COUNTRIES_OF_NUMBERS))


def contacts_of(kind: ContactKind, destinations: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Contact, ...]]:
    made = st.builds(contact, st.just(kind), destinations, verified=st.sampled_from([True, True, True, False]))
    return st.lists(made, max_size=1).map(tuple)


profiles = st.builds(
    Profile,
    countries,
    st.tuples(
        contacts_of(PRIMARY, mails),
        contacts_of(TWO_FACTOR, mails),
        contacts_of(PHONE, numbers),
        contacts_of(POSTAL, postal_addresses),
    ).map(lambda parts: tuple(each for part in parts for each in part)),
    channels | st.none(),
    channels | st.none(),
)


def region(countries_: set[str], channels_: set[Channel]) -> dict[str, Any]:
    return {"name": "a place", "countries": countries_, "channels": channels_, "reason": "Not there."}


regions = st.lists(st.builds(region, st.sets(countries), st.sets(channels)), max_size=2).flatmap(
    lambda some: st.builds(region, st.just({"*"}), st.sets(channels)).map(lambda rest: [*some, rest])
)
any_regions = st.one_of(st.just(tomllib.loads(SHIPPED.read_text())["regions"]), regions)


def policy_of(regions_: list[dict[str, Any]]) -> Policy:
    return Policy.model_validate({**tomllib.loads(SHIPPED.read_text()), "regions": regions_})


def may_go(regions_: list[dict[str, Any]], profile: Profile, channel: Channel, to: Contact) -> bool:
    """The rule: the customer's region allows the channel, which leads to this verified contact, which lies there."""
    place = next(each for each in regions_ if {profile.country, "*"} & set(each["countries"]))
    lies_in = {PHONE: COUNTRIES_OF_NUMBERS.get(str(to.destination)), POSTAL: getattr(to.destination, "country", None)}
    country = lies_in.get(to.kind, profile.country)
    return (
        channel in place["channels"]
        and channel in CARRIED_BY[to.kind]
        and to.verified_at is not None
        and bool(country)
        and bool({country, "*"} & set(place["countries"]))
    )


def chosen(regions_: list[dict[str, Any]], profile: Profile, channel: Channel) -> Contact | None:
    """The rule for a preference: its contact may be used, and a 2-Factor Auth Email is not the primary address."""
    to, primary = profile.contact(CHOSEN_FOR[channel]), profile.contact(PRIMARY)
    if to is None or (channel is Channel.EMAIL and primary and primary.destination == to.destination):
        return None
    return to if may_go(regions_, profile, channel, to) else None


def or_none(ask: Callable[..., Any], *arguments: Any) -> Any:
    try:
        return ask(*arguments)
    except NotAllowed:
        return None


# --- Every door


@given(any_regions, profiles)
def test_no_door_leads_where_the_rules_do_not_and_each_leads_where_they_do(
    regions_: list[dict[str, Any]], profile: Profile
) -> None:
    policy = policy_of(regions_)
    for channel, to in product(Channel, profile.contacts):
        for permit in (permit_code, permit_notice):
            granted = or_none(permit, policy, profile, channel, to, UNTIL)
            assert (granted is not None) is may_go(regions_, profile, channel, to)
            assert granted is None or (granted.channel, granted.destination, granted.until) == (
                channel,
                to.destination,
                UNTIL,
            )


@given(any_regions, profiles, channels)
def test_a_preference_can_be_set_exactly_if_its_contact_can_be_used(
    regions_: list[dict[str, Any]], profile: Profile, channel: Channel
) -> None:
    assert or_none(check_preference, policy_of(regions_), profile, channel) == chosen(regions_, profile, channel)


@given(any_regions, profiles)
def test_a_code_goes_to_the_preference_or_to_the_second_address_or_last_of_all_to_the_primary(
    regions_: list[dict[str, Any]], profile: Profile
) -> None:
    wanted = chosen(regions_, profile, profile.preference) if profile.preference else None
    second, primary = chosen(regions_, profile, Channel.EMAIL), profile.contact(PRIMARY)
    expected = None
    if wanted:
        expected = (profile.preference, wanted, NO_HOLD)
    elif second:
        expected = (Channel.EMAIL, second, THREE_DAYS if profile.preference else NO_HOLD)
    elif profile.preference is None and primary and may_go(regions_, profile, Channel.EMAIL, primary):
        expected = (Channel.EMAIL, primary, THREE_DAYS)
    found = or_none(route, policy_of(regions_), profile)
    assert (found and (found.channel, found.contact, found.least_hold)) == expected


@given(any_regions, profiles, st.integers(0, 4))
def test_notices_go_to_every_other_address_and_a_letter_only_where_there_is_no_other(
    regions_: list[dict[str, Any]], profile: Profile, number: int
) -> None:
    carrier = profile.contacts[number] if number < len(profile.contacts) else None
    others = [each for each in profile.contacts if carrier is None or each.destination != carrier.destination]

    def ways_by(channel: Channel) -> Iterator[tuple[Channel, Contact]]:
        return ((channel, to) for to in others if may_go(regions_, profile, channel, to))

    expected = [*ways_by(Channel.EMAIL), *ways_by(Channel.SMS)] or list(ways_by(Channel.MAIL))
    ways = notice_ways(policy_of(regions_), profile, carrier)
    assert ways == expected
    for channel, to in ways:
        assert or_none(permit_notice, policy_of(regions_), profile, channel, to, UNTIL)
        assert carrier is None or to.destination != carrier.destination


# --- The same, said by example


@pytest.mark.parametrize(("number", "country"), COUNTRIES_OF_NUMBERS.items())
def test_a_number_is_american_by_what_it_is_and_not_by_its_prefix(number: str, country: str) -> None:
    profile = customer(contacts=with_other(contact(PHONE, number)))
    for channel in (Channel.SMS, Channel.VOICE):
        allowed = or_none(check_preference, rules.load(), profile, channel)
        assert (allowed is not None) is (country in OF_THE_UNITED_STATES)


@pytest.mark.parametrize("country", ["US", "PR", "GU"])
@pytest.mark.parametrize("preference", list(Channel))
def test_in_the_united_states_and_puerto_rico_every_preference_is_allowed(country: str, preference: Channel) -> None:
    found = route(rules.load(), customer(country, preference=preference))
    assert (found.channel, found.contact.kind, found.least_hold) == (preference, CHOSEN_FOR[preference], NO_HOLD)


@pytest.mark.parametrize("country", ["DE", "CA", "JM"])
@pytest.mark.parametrize("preference", [Channel.SMS, Channel.VOICE, Channel.MAIL])
def test_elsewhere_a_preference_that_was_once_allowed_becomes_the_second_address_with_the_hold(
    country: str, preference: Channel
) -> None:
    with pytest.raises(NotAllowed, match="Outside the United States, resets go by e-mail only"):
        check_preference(rules.load(), customer(country), preference)
    found = route(rules.load(), customer(country, preference=preference))
    assert (found.channel, found.contact.kind, found.least_hold) == (Channel.EMAIL, TWO_FACTOR, THREE_DAYS)
    assert found.why.startswith("preference not usable: Outside the United States")


@pytest.mark.parametrize("preference", [Channel.SMS, Channel.VOICE, Channel.MAIL])
def test_a_preference_that_cannot_be_used_never_becomes_the_primary_address(preference: Channel) -> None:
    with pytest.raises(NotAllowed, match="There is no 2-Factor Auth Email"):
        route(rules.load(), customer("DE", without(TWO_FACTOR), preference))


def test_without_a_preference_the_second_address_has_no_hold_and_the_primary_has_72_hours() -> None:
    second, primary = route(rules.load(), customer("DE")), route(rules.load(), customer("DE", without(TWO_FACTOR)))
    assert (second.contact.kind, second.least_hold) == (TWO_FACTOR, NO_HOLD)
    assert (primary.contact.kind, primary.least_hold) == (PRIMARY, THREE_DAYS)


def test_without_a_preference_no_phone_and_no_letter_is_used_even_where_they_are_allowed() -> None:
    with pytest.raises(NotAllowed):
        route(rules.load(), customer(contacts=without(PRIMARY, TWO_FACTOR)))


def test_a_second_address_that_is_the_primary_one_is_none() -> None:
    same = with_other(contact(TWO_FACTOR, "dana@whitfield.example"))
    with pytest.raises(NotAllowed, match="must differ from the primary address"):
        check_preference(rules.load(), customer("DE", same), Channel.EMAIL)
    found = route(rules.load(), customer("DE", same))
    assert (found.contact.kind, found.least_hold) == (PRIMARY, THREE_DAYS)


@pytest.mark.parametrize("kind", list(ContactKind))
def test_what_was_never_verified_gets_no_code(kind: ContactKind) -> None:
    unverified = replace(next(each for each in ALL if each.kind is kind), verified_at=None)
    for channel in CARRIED_BY[kind]:
        with pytest.raises(NotAllowed, match="has not been verified"):
            permit_code(rules.load(), customer(contacts=with_other(unverified)), channel, unverified, UNTIL)


def test_a_postal_address_is_american_only_if_it_says_so() -> None:
    abroad = contact(POSTAL, home("CA"))
    with pytest.raises(NotAllowed, match="not in the United States"):
        check_preference(rules.load(), customer(contacts=with_other(abroad)), Channel.MAIL)


@pytest.mark.parametrize(
    "changes",
    [
        {"id": UUID(int=99)},
        {"version": 2},
        {"destination": "dana@evil.example"},
        {"verified_at": NOW + timedelta(seconds=1)},
        {"verified_at": None},
        {"kind": PRIMARY},
    ],
)
def test_a_pinned_contact_that_has_changed_gets_no_code(changes: dict[str, Any]) -> None:
    pinned = ALL[1]
    assert permit_code(rules.load(), customer(), Channel.EMAIL, pinned, UNTIL).destination == pinned.destination
    changed = customer(contacts=(*without(TWO_FACTOR), replace(pinned, **changes)))
    with pytest.raises(NotAllowed, match="changed since the case opened"):
        permit_code(rules.load(), changed, Channel.EMAIL, pinned, UNTIL)


def test_a_pinned_contact_that_is_gone_gets_no_code() -> None:
    with pytest.raises(NotAllowed, match="changed since the case opened"):
        permit_code(rules.load(), customer(contacts=without(TWO_FACTOR)), Channel.EMAIL, ALL[1], UNTIL)


def test_a_move_abroad_while_a_case_is_open_stops_its_code_at_the_last_moment() -> None:
    pinned = route(rules.load(), customer(preference=Channel.SMS)).contact
    with pytest.raises(NotAllowed, match="Outside the United States"):
        permit_code(rules.load(), customer("DE"), Channel.SMS, pinned, UNTIL)


def test_the_notices_of_a_letter_go_by_email_and_text() -> None:
    ways = notice_ways(rules.load(), customer(), ALL[3])
    assert [(channel, to.kind) for channel, to in ways] == [
        (Channel.EMAIL, PRIMARY),
        (Channel.EMAIL, TWO_FACTOR),
        (Channel.SMS, PHONE),
    ]


@pytest.mark.parametrize("carrier", ALL[:3])
def test_no_notice_is_a_letter_while_there_is_another_address(carrier: Contact) -> None:
    assert Channel.MAIL not in {channel for channel, _ in notice_ways(rules.load(), customer(), carrier)}


def test_a_notice_is_a_letter_where_the_code_had_the_only_address() -> None:
    ways = notice_ways(rules.load(), customer(contacts=without(PRIMARY, TWO_FACTOR)), ALL[2])
    assert [(channel, to.kind) for channel, to in ways] == [(Channel.MAIL, POSTAL)]


def test_with_one_contact_alone_nobody_else_is_told() -> None:
    assert notice_ways(rules.load(), customer(contacts=without(TWO_FACTOR, PHONE, POSTAL)), ALL[0]) == []


def test_an_answer_goes_back_by_email_and_is_no_code() -> None:
    permit = permit_answer("anybody@other.example", UNTIL)
    assert (permit.channel, permit.destination, permit.until) == (Channel.EMAIL, "anybody@other.example", UNTIL)
    assert "code" not in permit.reason


def test_a_region_with_no_channel_leads_nowhere_even_if_it_gives_no_reason() -> None:
    silent = policy_of([region({"*"}, set())])
    silent = silent.model_copy(update={"regions": (silent.regions[0].model_copy(update={"reason": ""}),)})
    for channel, to in product(Channel, ALL):
        with pytest.raises(NotAllowed):
            permit_code(silent, customer(), channel, to, UNTIL)
