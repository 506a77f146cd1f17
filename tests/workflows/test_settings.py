"""What a customer changes in the settings: allowed with a current second factor, confirmed by a code, and told."""

from datetime import datetime

import pyotp
import pytest
from sqlalchemy import select, update

from models.accounts import Account, AccountEvent, AccountStatus, ContactPoint
from models.cases import Actor
from models.messages import MessageStatus
from policy.permits import PostalAddress
from policy.routing import NotAllowed
from policy.vocabulary import Change, Channel, ContactKind, MessageKind
from tests.installations import (
    DAY,
    HOUR,
    MINUTE,
    PHONE,
    SECOND,
    START,
    TOTP_SECRET,
    address_of,
    by_hand,
    deliver_all,
    email_account,
    factor_address_of,
    rows,
    sms_account,
    start_case,
    wrong,
)
from tests.workflows.racing import at_once
from tests.workflows.visits import visit, visit_with_factor
from workflows import contact_changes, factors, preferences
from workflows.account_codes import CodeFault
from workflows.account_page import account_page
from workflows.changing import NotNow, Obstacle
from workflows.contact_changes import NothingProposed
from workflows.installation import Installation
from workflows.parcels import Parcel
from workflows.passphrases import passphrase_matches
from workflows.portal import Visit
from workflows.preferences import BadPassphrase, SameChannel
from workflows.showing_factors import Shown
from workflows.sign_in import verify

NEW_ADDRESS = "dana@somewhere-else.example"
NEW_PHONE = "+12025550147"
HOME = PostalAddress("Dana", "48 Orchard Lane", "", "Millbrook", "VT", "05450", "US")
GOOD_PASSPHRASE = "seven grey herons waiting"


def propose(
    installation: Installation,
    here: Visit,
    now: datetime = START,
    destination: str | PostalAddress = NEW_ADDRESS,
    kind: ContactKind = ContactKind.TWO_FACTOR_EMAIL,
    channel: Channel = Channel.EMAIL,
) -> Parcel:
    """Enters a new contact point, and answers with what was sent there."""
    proposal = contact_changes.propose(installation, here, kind, destination, channel, now)
    (parcel,) = deliver_all(installation, proposal.owed, now)
    return parcel


def current(installation: Installation, kind: ContactKind) -> list[str]:
    statement = select(ContactPoint.value).where(ContactPoint.kind == kind, ContactPoint.replaced_at.is_(None))
    return [each.value for each in rows(installation, statement)]


def obstacle(installation: Installation, here: Visit, now: datetime = START) -> Obstacle:
    with pytest.raises(NotNow) as refusal:
        preferences.set_preference(installation, here, Channel.EMAIL, now)
    return refusal.value.obstacle


# --- Who may


def test_without_a_factor_enrolled_no_factor_is_asked_for(installation: Installation) -> None:
    sms_account(installation)
    preferences.set_preference(installation, visit(installation), Channel.EMAIL, START)
    assert rows(installation, select(Account.preference)) == [(Channel.EMAIL,)]


def test_with_a_factor_enrolled_it_was_shown_within_ten_minutes(installation: Installation) -> None:
    sms_account(installation, totp_secret=TOTP_SECRET)
    assert obstacle(installation, visit(installation)) is Obstacle.FACTOR_NEEDED
    here = visit_with_factor(installation)
    preferences.set_preference(installation, here, Channel.EMAIL, START + 10 * MINUTE - SECOND)
    assert obstacle(installation, here, START + 10 * MINUTE) is Obstacle.FACTOR_NEEDED


def test_while_a_reset_is_open_nothing_is_changed(installation: Installation) -> None:
    sms_account(installation)
    here = visit(installation)
    start_case(installation, "DANA")
    assert obstacle(installation, here) is Obstacle.FROZEN
    with pytest.raises(NotNow):
        contact_changes.propose(installation, here, ContactKind.TWO_FACTOR_EMAIL, NEW_ADDRESS, Channel.EMAIL, START)
    with pytest.raises(NotNow):
        preferences.set_passphrase(installation, here, GOOD_PASSPHRASE, START)


def test_after_a_reset_a_password_alone_changes_and_enrols_nothing(installation: Installation) -> None:
    sms_account(installation)
    here = visit(installation)
    by_hand(installation, update(Account).values(status=AccountStatus.ENROLMENT_PENDING))
    assert obstacle(installation, here) is Obstacle.ENROLMENT_REQUIRED


# --- Preference and backup


def test_the_menu_names_every_channel_and_why_one_cannot_be_chosen(installation: Installation) -> None:
    email_account(installation)
    from workflows.accounts import account_id_of, lock_account

    with installation.database.begin() as connection:
        profile = lock_account(connection, account_id_of(connection, "JONAS")).profile(connection)
    listed = {each.channel: each.why_not for each in preferences.choices(installation.policy, profile)}
    assert listed[Channel.EMAIL] is None
    for channel in (Channel.SMS, Channel.VOICE, Channel.MAIL):
        reason = listed[channel]
        assert reason is not None


def test_what_the_region_forbids_cannot_be_chosen_by_any_hand(installation: Installation) -> None:
    email_account(installation)
    here = visit(installation, "JONAS")
    for channel in (Channel.SMS, Channel.VOICE, Channel.MAIL):
        with pytest.raises(NotAllowed):
            preferences.set_preference(installation, here, channel, START)
        with pytest.raises(NotAllowed):
            preferences.set_backup(installation, here, channel, START)


def test_the_backup_is_another_channel_than_the_preference(installation: Installation) -> None:
    sms_account(installation)
    here = visit(installation)
    with pytest.raises(SameChannel):
        preferences.set_backup(installation, here, Channel.SMS, START)
    preferences.set_backup(installation, here, Channel.EMAIL, START)
    with pytest.raises(SameChannel):
        preferences.set_preference(installation, here, Channel.EMAIL, START)
    preferences.set_backup(installation, here, None, START)


def test_saving_what_is_set_already_tells_nobody(installation: Installation) -> None:
    sms_account(installation)
    here = visit(installation)
    assert preferences.set_preference(installation, here, Channel.SMS, START) == ()
    assert preferences.set_backup(installation, here, None, START) == ()
    assert preferences.remove_passphrase(installation, here, START) == ()
    assert contact_changes.remove(installation, here, ContactKind.POSTAL_ADDRESS, START) == ()
    events = {each.event for each in rows(installation, select(AccountEvent.event))}
    assert events == {"portal_link_made", "portal_entered"}


def test_every_change_is_told_to_all_contact_points_and_kept(installation: Installation) -> None:
    sms_account(installation)
    owed = preferences.set_preference(installation, visit(installation), Channel.EMAIL, START)
    told = deliver_all(installation, owed, START)
    assert {(each.kind, each.change) for each in told} == {(MessageKind.NOTICE_CHANGED, Change.PREFERENCE)}
    assert {each.permit.destination for each in told} == {address_of("DANA"), factor_address_of("DANA"), PHONE}
    (kept,) = rows(installation, select(AccountEvent).where(AccountEvent.event == "preference_changed"))
    assert kept.actor is Actor.CUSTOMER


# --- Contact points


def test_a_new_address_counts_when_the_code_that_was_sent_there_comes_back(installation: Installation) -> None:
    sms_account(installation)
    here = visit(installation)
    parcel = propose(installation, here)
    assert (parcel.kind, parcel.permit.destination) == (MessageKind.CONTACT_CODE, NEW_ADDRESS)
    assert current(installation, ContactKind.TWO_FACTOR_EMAIL) == [factor_address_of("DANA")]
    assert parcel.code is not None
    confirmed = contact_changes.confirm(
        installation, here, ContactKind.TWO_FACTOR_EMAIL, parcel.code, START + DAY - SECOND - HOUR * 23
    )
    assert confirmed.checked.fault is None
    assert current(installation, ContactKind.TWO_FACTOR_EMAIL) == [NEW_ADDRESS]


def test_the_old_address_is_told_that_it_was_replaced(installation: Installation) -> None:
    sms_account(installation)
    here = visit(installation)
    code = propose(installation, here).code or ""
    owed = contact_changes.confirm(installation, here, ContactKind.TWO_FACTOR_EMAIL, code, START).owed
    told = deliver_all(installation, owed, START + MINUTE)
    assert {each.change for each in told} == {Change.TWO_FACTOR_EMAIL}
    assert {each.permit.destination for each in told} == {address_of("DANA"), factor_address_of("DANA"), PHONE}


def test_an_unconfirmed_address_gets_no_code_of_a_reset_and_no_notice(installation: Installation) -> None:
    email_account(installation)
    propose(installation, visit(installation, "JONAS"))
    start_case(installation, "JONAS")
    sent = rows(
        installation,
        select(ContactPoint.value).where(ContactPoint.proposed_until.is_not(None)),
    )
    assert [each.value for each in sent] == [NEW_ADDRESS]
    from models.messages import Message

    kinds = rows(
        installation,
        select(Message.kind)
        .join(ContactPoint, ContactPoint.id == Message.contact_id)
        .where(ContactPoint.value == NEW_ADDRESS),
    )
    assert [each.kind for each in kinds] == [MessageKind.CONTACT_CODE]


def test_a_wrong_code_costs_a_try_and_the_last_one_ends_the_code(installation: Installation) -> None:
    sms_account(installation)
    here = visit(installation)
    code = propose(installation, here).code or ""
    kind = ContactKind.TWO_FACTOR_EMAIL
    answers = [contact_changes.confirm(installation, here, kind, wrong(code), START).checked for _ in range(5)]
    assert [each.tries_left for each in answers] == [4, 3, 2, 1, 0]
    late = contact_changes.confirm(installation, here, kind, code, START).checked
    assert late.fault is CodeFault.NONE_VALID
    assert contact_changes.confirm(installation, here, kind, "123", START).checked.fault is CodeFault.NONE_VALID


def test_a_code_that_is_too_old_confirms_nothing(installation: Installation) -> None:
    sms_account(installation)
    here = visit(installation)
    parcel = propose(installation, here, destination=NEW_PHONE, kind=ContactKind.PHONE, channel=Channel.SMS)
    checked = contact_changes.confirm(
        installation, here, ContactKind.PHONE, parcel.code or "", START + 10 * MINUTE
    ).checked
    assert checked.fault is CodeFault.NONE_VALID
    assert current(installation, ContactKind.PHONE) == [PHONE]


def test_of_two_who_confirm_at_once_one_replaces_the_address(installation: Installation) -> None:
    sms_account(installation)
    here = visit(installation)
    code = propose(installation, here).code or ""

    def confirm() -> str:
        try:
            fault = contact_changes.confirm(installation, here, ContactKind.TWO_FACTOR_EMAIL, code, START).checked.fault
        except NothingProposed:
            return "nothing proposed"
        return fault or "confirmed"

    done = at_once(confirm, confirm)
    assert done.count("confirmed") == 1
    assert current(installation, ContactKind.TWO_FACTOR_EMAIL) == [NEW_ADDRESS]


def test_a_second_proposal_takes_the_place_of_the_first(installation: Installation) -> None:
    sms_account(installation)
    here = visit(installation)
    first = propose(installation, here).code or ""
    second = propose(installation, here, destination="second@somewhere-else.example").code or ""
    kind = ContactKind.TWO_FACTOR_EMAIL
    assert contact_changes.confirm(installation, here, kind, first, START).checked.fault is not None
    assert contact_changes.confirm(installation, here, kind, second, START).checked.fault is None
    assert current(installation, kind) == ["second@somewhere-else.example"]


def test_what_cannot_be_reached_there_is_refused_before_anything_is_sent(installation: Installation) -> None:
    sms_account(installation)
    here = visit(installation)
    refused: list[tuple[ContactKind, str | PostalAddress, Channel]] = [
        (ContactKind.TWO_FACTOR_EMAIL, address_of("DANA"), Channel.EMAIL),
        (ContactKind.TWO_FACTOR_EMAIL, factor_address_of("DANA"), Channel.EMAIL),
        (ContactKind.PHONE, "+16135550123", Channel.SMS),
        (ContactKind.PHONE, "+18005550199", Channel.SMS),
    ]
    for kind, destination, channel in refused:
        with pytest.raises(NotAllowed):
            contact_changes.propose(installation, here, kind, destination, channel, START)


def test_a_postal_address_is_confirmed_by_a_letter(installation: Installation) -> None:
    sms_account(installation)
    here = visit(installation)
    parcel = propose(installation, here, destination=HOME, kind=ContactKind.POSTAL_ADDRESS, channel=Channel.MAIL)
    assert parcel.code is not None
    assert len(parcel.code) == 10
    later = START + 20 * DAY
    again = visit(installation, now=later)
    kind = ContactKind.POSTAL_ADDRESS
    assert contact_changes.confirm(installation, again, kind, parcel.code, later).checked.fault is None


def test_codes_for_new_contact_points_are_capped(installation: Installation) -> None:
    sms_account(installation)
    here = visit(installation)
    for minute in range(3):
        propose(installation, here, START + minute * MINUTE, f"n{minute}@somewhere-else.example")
    fourth = contact_changes.propose(
        installation,
        here,
        ContactKind.TWO_FACTOR_EMAIL,
        "n4@somewhere-else.example",
        Channel.EMAIL,
        START + 3 * MINUTE,
    )
    assert (fourth.owed, fourth.next_at) == ((), START + HOUR)


def test_removing_a_contact_point_tells_it_and_unsets_what_needs_it(installation: Installation) -> None:
    sms_account(installation, backup="email")
    owed = contact_changes.remove(installation, visit(installation), ContactKind.PHONE, START)
    assert current(installation, ContactKind.PHONE) == []
    assert rows(installation, select(Account.preference, Account.backup)) == [(None, Channel.EMAIL)]
    assert PHONE in {each.permit.destination for each in deliver_all(installation, owed, START)}


def test_a_phone_that_gets_codes_for_signing_in_is_not_removed(installation: Installation) -> None:
    sms_account(installation)
    here = visit(installation)
    (parcel,) = deliver_all(installation, factors.send_phone_code(installation, here, START).owed, START)
    factors.add_phone(installation, here, parcel.code or "", START)
    with pytest.raises(NotAllowed, match="Turn off codes by text message first"):
        contact_changes.remove(installation, here, ContactKind.PHONE, START)
    assert current(installation, ContactKind.PHONE) == [PHONE]


def chosen(installation: Installation) -> list[object]:
    """The preference, and the current contact points."""
    contacts = select(ContactPoint.value, ContactPoint.verified_at).where(ContactPoint.replaced_at.is_(None))
    return [*rows(installation, select(Account.preference)), *rows(installation, contacts.order_by(ContactPoint.kind))]


def test_the_billing_system_keeps_what_the_customer_chose_and_confirmed(installation: Installation) -> None:
    email_account(installation, two_factor_email="", two_factor_email_verified="", preference="")
    here = visit(installation, "JONAS")
    code = propose(installation, here).code or ""
    contact_changes.confirm(installation, here, ContactKind.TWO_FACTOR_EMAIL, code, START)
    preferences.set_preference(installation, here, Channel.EMAIL, START)
    before = chosen(installation)
    email_account(installation, two_factor_email="", two_factor_email_verified="", preference="")
    email_account(installation, two_factor_email=NEW_ADDRESS, two_factor_email_verified="", preference="")
    assert current(installation, ContactKind.TWO_FACTOR_EMAIL) == [NEW_ADDRESS]
    assert chosen(installation) == before
    assert rows(installation, select(Account.changed_by_billing_at)) == [(None,)]


def test_the_clock_hint_never_tells_of_a_code_that_will_count(installation: Installation) -> None:
    sms_account(installation, totp_secret=TOTP_SECRET)
    early = pyotp.TOTP(TOTP_SECRET).at(START + 5 * MINUTE)
    verify(installation, "DANA", Shown(early), address=None, now=START)
    here = visit(installation)
    for when, told in ((START + MINUTE, None), (START + 10 * MINUTE, None), (START + 11 * MINUTE, 5 * MINUTE)):
        page = account_page(installation, here, when)
        assert page.clock_ahead == told
        assert ("clock_is_off" in {line.event for line in page.history}) is (told is not None)


def test_nothing_proposed_nothing_confirmed(installation: Installation) -> None:
    sms_account(installation)
    with pytest.raises(NothingProposed):
        contact_changes.confirm(installation, visit(installation), ContactKind.PHONE, "12345678", START)


def test_a_code_that_could_not_be_sent_in_time_is_not_sent_late(installation: Installation) -> None:
    sms_account(installation)
    here = visit(installation)
    proposal = contact_changes.propose(installation, here, ContactKind.PHONE, NEW_PHONE, Channel.SMS, START)
    assert deliver_all(installation, proposal.owed, START + 11 * MINUTE) == []
    from models.messages import Message

    statuses = rows(installation, select(Message.status).where(Message.kind == MessageKind.CONTACT_CODE))
    assert [each.status for each in statuses] == [MessageStatus.CANCELLED]


# --- Passphrase


def test_a_passphrase_is_kept_as_a_hash_and_compared_as_people_type(installation: Installation) -> None:
    sms_account(installation)
    preferences.set_passphrase(installation, visit(installation), f"  {GOOD_PASSPHRASE} ", START)
    (kept,) = rows(installation, select(Account.passphrase_hash))
    assert kept.passphrase_hash.startswith("$argon2id$")
    assert passphrase_matches(GOOD_PASSPHRASE, kept.passphrase_hash)


@pytest.mark.parametrize("weak", ["", "short", "password", "aaaaaaaa", "12345678", "qwertyuiop", "x" * 201])
def test_a_passphrase_that_is_easy_to_guess_or_of_no_length_is_refused(installation: Installation, weak: str) -> None:
    sms_account(installation)
    with pytest.raises(BadPassphrase):
        preferences.set_passphrase(installation, visit(installation), weak, START)
    assert rows(installation, select(Account.passphrase_hash)) == [(None,)]


def test_a_removed_passphrase_is_asked_for_no_more_and_told(installation: Installation) -> None:
    sms_account(installation, passphrase=GOOD_PASSPHRASE)
    owed = preferences.remove_passphrase(installation, visit(installation), START)
    assert rows(installation, select(Account.passphrase_hash)) == [(None,)]
    assert {each.change for each in deliver_all(installation, owed, START)} == {Change.PASSPHRASE}
