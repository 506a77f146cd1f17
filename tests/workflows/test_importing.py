"""Importing accounts: all rows or none, every bad one named; contacts keep their versions, secrets are sealed."""

import csv
from collections.abc import Iterator, Mapping
from io import StringIO

import pytest
from sqlalchemy import select, update

from authenticators import totp
from authenticators.totp import App
from models.accounts import Account, AccountStatus, ContactPoint
from models.base import AnyRow
from models.cases import Actor
from models.factors import Algorithm, Authenticator, AuthenticatorKind
from models.messages import Message
from policy.vocabulary import Change, Channel, ContactKind, Finding
from tests.installations import (
    HOUR,
    PASSPHRASE,
    PHONE,
    START,
    TOTP_SECRET,
    VERIFIED,
    address_of,
    by_hand,
    email_account,
    letter_account,
    make_installation,
    rows,
    sms_account,
    start_case,
)
from tests.workflows.racing import at_once
from workflows.closing import cancel
from workflows.importing import Imported, NothingImported, import_accounts
from workflows.installation import Installation
from workflows.passphrases import passphrase_matches
from workflows.views import account_view

GOOD: dict[str, object] = {"ref": "DANA", "name": "Dana Whitfield", "country": "US"}
EMAILS: dict[str, object] = {
    "primary_email": "Dana@Primary.Example",
    "primary_email_verified": "2024-03-02",
    "two_factor_email": "dana@factor.example",
    "two_factor_email_verified": "2024-03-02T10:00:00+02:00",
}


def imported(installation: Installation, *accounts: Mapping[str, object]) -> Imported:
    return import_accounts(installation, accounts, START)


def faults_of(installation: Installation, *accounts: Mapping[str, object]) -> tuple[str, ...]:
    with pytest.raises(NothingImported) as refusal:
        import_accounts(installation, accounts, START)
    assert str(refusal.value).splitlines()[1:] == list(refusal.value.faults)
    return refusal.value.faults


def account_rows(installation: Installation) -> list[AnyRow]:
    return rows(installation, select(Account.__table__).order_by(Account.ref))


def contact_rows(installation: Installation, kind: ContactKind) -> list[AnyRow]:
    statement = select(ContactPoint.__table__).where(ContactPoint.kind == kind).order_by(ContactPoint.version)
    return rows(installation, statement)


def test_a_row_creates_an_account_with_its_contacts(installation: Installation) -> None:
    phone = {"phone": "+1 (202) 555-0142", "phone_verified": VERIFIED, "preference": "sms", "backup": "email"}
    assert imported(installation, GOOD | EMAILS | phone) == Imported(created=1, updated=0, owed=())
    account = account_view(installation, "DANA")
    assert (account.name, account.country, account.status) == ("Dana Whitfield", "US", AccountStatus.ACTIVE)
    assert (account.preference, account.backup, account.passphrase_set) == (Channel.SMS, Channel.EMAIL, False)
    stored = rows(installation, select(ContactPoint.kind, ContactPoint.value, ContactPoint.version))
    assert {tuple(each) for each in stored} == {
        (ContactKind.PRIMARY_EMAIL, "dana@primary.example", 1),
        (ContactKind.TWO_FACTOR_EMAIL, "dana@factor.example", 1),
        (ContactKind.PHONE, "+12025550142", 1),
    }


def test_times_are_utc_where_they_name_no_zone(installation: Installation) -> None:
    imported(installation, GOOD | EMAILS)
    (primary,), (factor,) = (
        contact_rows(installation, kind) for kind in (ContactKind.PRIMARY_EMAIL, ContactKind.TWO_FACTOR_EMAIL)
    )
    assert primary.verified_at.isoformat() == "2024-03-02T00:00:00+00:00"
    assert factor.verified_at.isoformat() == "2024-03-02T08:00:00+00:00"


def test_blank_and_missing_cells_of_a_csv_mean_not_given(installation: Installation) -> None:
    text = "ref,name,country,primary_email,phone,preference\nDANA,Dana,US,dana@primary.example,,\nRUTH,Ruth,US\n"
    assert imported(installation, *csv.DictReader(StringIO(text))).created == 2
    assert [len(account_view(installation, ref).contacts) for ref in ("DANA", "RUTH")] == [1, 0]


def test_a_csv_line_with_too_many_cells_is_a_bad_row(installation: Installation) -> None:
    text = "ref,name,country\nDANA,Dana,US,surplus\n"
    (fault,) = faults_of(installation, *csv.DictReader(StringIO(text)))
    assert fault.startswith("row 1: ")
    assert "surplus" not in fault


BAD: dict[str, tuple[dict[str, object], str]] = {
    "a column that there is not": ({"colour": "red"}, "colour: "),
    "no name": ({"name": ""}, "name: "),
    "a ref that is none": ({"ref": "DANA 1"}, "ref: "),
    "a country in small letters": ({"country": "us"}, "country: "),
    "a line break in the name": ({"name": "Dana\nWhitfield"}, "name: "),
    "an address that is none": ({"primary_email": "dana"}, "primary_email: is not an e-mail address"),
    "an address twice": (
        {"primary_email": "dana@primary.example", "two_factor_email": "DANA@primary.example"},
        "two_factor_email: must differ from primary_email",
    ),
    "a phone number without its country": (
        {"phone": "202 555 0142"},
        "phone: is not a valid phone number; write it as +12025550142",
    ),
    "a phone number that nobody has": ({"phone": "+1 111 111 1111"}, "phone: is not a valid phone number"),
    "a time that is none": ({"primary_email_verified": "yesterday"}, "primary_email_verified: "),
    "half a postal address": (
        {"postal_line1": "48 Orchard Lane", "postal_city": "Millbrook"},
        "postal address: needs line1, city, state and zip",
    ),
    "a ZIP without its zero": (
        {"postal_line1": "48 Orchard Lane", "postal_city": "Millbrook", "postal_state": "VT", "postal_zip": "5450"},
        "postal_zip: ",
    ),
    "an unknown channel": ({"preference": "fax"}, "preference: "),
    "the same channel twice": (
        EMAILS | {"preference": "email", "backup": "email"},
        "backup: must differ from preference",
    ),
    "a passphrase that is too short": ({"passphrase": "violet"}, "passphrase: "),
    "a passphrase of blanks": ({"passphrase": " " * 12}, "passphrase: "),
    "a secret that is too short": (
        {"totp_secret": "JBSWY3DPEHPK3PX"},
        "totp_secret: has a secret of less than 80 bits",
    ),
    "a line of an app that counts": (
        {"totp_secret": f"otpauth://hotp/A:b?secret={TOTP_SECRET}&counter=0"},
        "totp_secret: is not an otpauth://totp/ line",
    ),
    "SMS outside the United States": (
        {"country": "DE", "phone": "+493012345678", "phone_verified": VERIFIED, "preference": "sms"},
        "preference: sms is not possible. Outside the United States, resets go by e-mail only",
    ),
    "SMS to a number that is not American": (
        {"phone": "+14165550142", "phone_verified": VERIFIED, "preference": "sms"},
        "preference: sms is not possible. The phone number is not one of the United States.",
    ),
    "SMS to a number that was not verified": (
        {"phone": "+12025550142", "preference": "sms"},
        "preference: sms is not possible. The phone number has not been verified.",
    ),
    "e-mail without a second address": (
        {"primary_email": "dana@primary.example", "primary_email_verified": VERIFIED, "preference": "email"},
        "preference: email is not possible. There is no 2-Factor Auth Email for this account.",
    ),
    "a letter without an address": (
        EMAILS | {"preference": "email", "backup": "mail"},
        "backup: mail is not possible. There is no postal address for this account.",
    ),
}


@pytest.fixture(scope="module")
def any_installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """One for all bad rows: they are found before the database is asked for anything."""
    made = make_installation("", tmp_path_factory.mktemp("data"))
    yield made
    made.database.dispose()


@pytest.mark.parametrize(("columns", "fault"), BAD.values(), ids=BAD)
def test_a_bad_row_is_refused_with_its_reason(
    any_installation: Installation, columns: dict[str, object], fault: str
) -> None:
    (found,) = faults_of(any_installation, GOOD | columns)
    assert found.startswith(f"row 1: {fault}")


def test_one_bad_row_imports_nothing_and_every_bad_row_is_named(installation: Installation) -> None:
    faults = faults_of(
        installation,
        GOOD,
        GOOD | {"ref": "RUTH", "country": "usa", "colour": "red"},
        GOOD | {"ref": "JONAS"},
        GOOD | {"ref": "JONAS"},
        GOOD | {"ref": "HANNA", "preference": "sms"},
    )
    assert [fault.split(":")[0] for fault in faults] == ["row 2", "row 2", "row 4", "row 5"]
    assert faults[2] == "row 4: ref: stands in an earlier row too"
    assert account_rows(installation) == []


def test_a_fault_never_repeats_what_it_found(installation: Installation) -> None:
    secrets = {"passphrase": "hunter2", "totp_secret": "hunter2", "primary_email": "hunter2", "phone": "hunter2"}
    line = {"totp_secret": "otpauth://totp/A:b?secret=hunter2"}
    faults = faults_of(installation, GOOD | secrets, GOOD | {"ref": "RUTH"} | line)
    assert len(faults) == 5
    assert not [fault for fault in faults if "hunter2" in fault]


def test_an_account_is_frozen_while_its_case_is_open(installation: Installation) -> None:
    case = start_case(installation, email_account(installation))
    before = account_rows(installation)
    faults = faults_of(installation, GOOD, GOOD | {"ref": "JONAS", "passphrase": PASSPHRASE})
    assert faults == (f"row 2: JONAS is frozen while its reset {case.reference} is open",)
    assert account_rows(installation) == before
    cancel(installation, case.reference, actor=Actor.AGENT, now=START + HOUR, how="by telephone")
    assert imported(installation, GOOD | {"ref": "JONAS", "passphrase": PASSPHRASE}).updated == 1


def test_a_row_for_a_known_account_brings_it_up_to_date(installation: Installation) -> None:
    ref = sms_account(installation, backup="email", passphrase=PASSPHRASE)
    (before,) = account_rows(installation)
    changed = GOOD | EMAILS | {"name": "Dana Ebert", "country": "DE", "preference": "email"}
    done = imported(installation, changed)
    assert (done.created, done.updated) == (0, 1)
    (after,) = account_rows(installation)
    assert (after.id, after.ref, after.passphrase_hash) == (before.id, ref, before.passphrase_hash)
    assert (after.name, after.country, after.preference, after.backup) == ("Dana Ebert", "DE", Channel.EMAIL, None)


def test_an_unchanged_contact_keeps_its_row_and_its_version(installation: Installation) -> None:
    for _ in range(2):
        letter_account(installation)
    for kind in (ContactKind.PRIMARY_EMAIL, ContactKind.POSTAL_ADDRESS):
        (contact,) = contact_rows(installation, kind)
        assert (contact.version, contact.replaced_at) == (1, None)


def test_an_unchanged_contact_can_be_verified_and_lose_that_again(installation: Installation) -> None:
    for verified, year in (("", None), ("2024-03-02", 2024), ("2025-03-02", 2025), ("", None)):
        email_account(installation, primary_email_verified=verified)
        (contact,) = contact_rows(installation, ContactKind.PRIMARY_EMAIL)
        assert (contact.version, contact.verified_at and contact.verified_at.year) == (1, year)


def test_a_changed_contact_is_a_new_version_beside_the_old_one(installation: Installation) -> None:
    email_account(installation)
    for address in ("second@primary.example", address_of("JONAS")):
        email_account(installation, primary_email=address)
    versions = contact_rows(installation, ContactKind.PRIMARY_EMAIL)
    assert [(each.version, each.value, each.replaced_at) for each in versions] == [
        (1, address_of("JONAS"), START),
        (2, "second@primary.example", START),
        (3, address_of("JONAS"), None),
    ]


def test_a_contact_that_loses_its_verification_is_told_and_counts_as_recent(installation: Installation) -> None:
    email_account(installation)
    row = {"ref": "JONAS", "name": "JONAS", "country": "DE", "preference": "", "two_factor_email_verified": ""}
    mails = {"primary_email": "jonas@primary.example", "primary_email_verified": VERIFIED}
    done = imported(installation, row | mails | {"two_factor_email": "jonas@factor.example"})
    assert Change.TWO_FACTOR_EMAIL in {each.change for each in rows(installation, select(Message.change))}
    assert done.owed
    assert rows(installation, select(Account.changed_by_billing_at)) == [(START,)]


def test_a_contact_that_is_left_out_is_gone_and_its_version_is_not_used_again(installation: Installation) -> None:
    email_account(installation)
    email_account(installation, primary_email="", primary_email_verified="")
    kinds = [each.kind for each in account_view(installation, "JONAS").contacts]
    assert kinds == [ContactKind.TWO_FACTOR_EMAIL]
    email_account(installation)
    assert [each.version for each in contact_rows(installation, ContactKind.PRIMARY_EMAIL)] == [1, 2]


def test_a_passphrase_is_kept_as_its_hash_only(installation: Installation) -> None:
    email_account(installation, passphrase=PASSPHRASE)
    (account,) = account_rows(installation)
    assert account.passphrase_hash.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert passphrase_matches(PASSPHRASE, account.passphrase_hash)


def test_a_new_passphrase_replaces_the_old_one(installation: Installation) -> None:
    for passphrase in (PASSPHRASE, "another long phrase"):
        email_account(installation, passphrase=passphrase)
    (account,) = account_rows(installation)
    assert passphrase_matches("another long phrase", account.passphrase_hash)
    assert not passphrase_matches(PASSPHRASE, account.passphrase_hash)


def test_a_totp_secret_is_sealed_to_its_row(installation: Installation) -> None:
    email_account(installation, totp_secret=TOTP_SECRET)
    (factor,) = rows(installation, select(Authenticator.__table__))
    assert (factor.kind, factor.label, factor.created_at) == (AuthenticatorKind.TOTP, "Authenticator app", START)
    assert TOTP_SECRET not in factor.sealed_secret
    opened = installation.keyring.open(factor.sealed_secret, purpose="totp", row=factor.id)
    assert opened == TOTP_SECRET.encode()


@pytest.mark.parametrize(
    ("given", "app"),
    [
        (TOTP_SECRET, App(TOTP_SECRET)),
        ("jbsw y3dp ehpk 3pxp", App("JBSWY3DPEHPK3PXP")),
        ("otpauth://totp/A:b?secret=JBSWY3DPEHPK3PXP&digits=8", App("JBSWY3DPEHPK3PXP", digits=8)),
        (
            f"otpauth://totp/A:b?secret={TOTP_SECRET}&algorithm=SHA256&digits=8&period=60",
            App(TOTP_SECRET, Algorithm.SHA256, 8, 60),
        ),
    ],
)
def test_a_totp_secret_is_taken_bare_or_as_a_line_and_weak_ones_too(
    installation: Installation, given: str, app: App
) -> None:
    email_account(installation, totp_secret=given)
    (account,) = account_rows(installation)
    with installation.database.read() as connection:
        (factor,) = totp.enrolled(connection, installation.keyring, account.id)
    assert (factor.app, factor.last_step) == (app, None)


def test_a_totp_secret_for_a_known_account_enrols_nothing(installation: Installation) -> None:
    email_account(installation)
    email_account(installation, totp_secret=TOTP_SECRET)
    assert account_view(installation, "JONAS").authenticators == ()


def test_two_imports_of_the_same_new_accounts_at_once_make_them_once(installation: Installation) -> None:
    accounts = [GOOD | {"ref": f"A-{number}"} for number in range(20)]
    done = at_once(*[lambda: imported(installation, *accounts)] * 3)
    assert sum(each.created for each in done) == 20
    assert len(account_rows(installation)) == 20


def test_a_preference_is_refused_for_what_a_vendor_has_found_out_since(installation: Installation) -> None:
    row = {"ref": "DANA", "name": "Dana", "country": "US", **EMAILS, "phone": PHONE, "phone_verified": VERIFIED}
    imported(installation, row)
    found = update(ContactPoint).where(ContactPoint.kind == ContactKind.PHONE).values(finding=Finding.NON_FIXED_VOIP)
    by_hand(installation, found)
    (fault,) = faults_of(installation, row | {"preference": "sms"})
    assert fault.startswith("row 1: preference: sms is not possible.")
    another = row | {"preference": "sms", "phone": "+12025550143"}
    assert imported(installation, another).updated == 1
