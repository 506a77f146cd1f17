"""Importing apps for accounts that are here: all lines or none, nothing twice, nothing that was removed comes back."""

from uuid import UUID

import pytest
from sqlalchemy import select

from authenticators import totp
from authenticators.revoking import revoke_all
from authenticators.totp import App
from models.accounts import Account, AccountStatus
from models.cases import Actor
from models.factors import Authenticator
from policy.vocabulary import Change
from tests.installations import HOUR, START, TOTP_SECRET, by_hand, deliver_all, email_account, rows, start_case
from tests.workflows.racing import at_once
from workflows import account_history
from workflows.closing import cancel
from workflows.importing import NothingImported
from workflows.importing_totp import ImportedTotp, import_totp
from workflows.installation import Installation

BARE = "JBSWY3DPEHPK3PXP"
STRONG = f"otpauth://totp/A:b?secret={TOTP_SECRET}"
WEAK = f"otpauth://totp/A:b?secret={BARE}&digits=8"


def imported(installation: Installation, *lines: tuple[str, str]) -> ImportedTotp:
    return import_totp(installation, lines, START)


def counts(done: ImportedTotp) -> tuple[int, int, int]:
    return done.added, done.known, done.weak


def faults_of(installation: Installation, *lines: tuple[str, str]) -> tuple[str, ...]:
    with pytest.raises(NothingImported) as refusal:
        imported(installation, *lines)
    assert BARE[:8] not in str(refusal.value)
    return refusal.value.faults


def id_of(installation: Installation, ref: str) -> UUID:
    (row,) = rows(installation, select(Account.id).where(Account.ref == ref))
    return UUID(str(row.id))


def apps_of(installation: Installation, ref: str) -> list[App]:
    with installation.database.read() as connection:
        found = totp.enrolled(connection, installation.keyring, id_of(installation, ref))
    return [each.app for each in found]


def test_lines_add_apps_to_their_accounts_and_the_history_says_so(installation: Installation) -> None:
    for ref in ("JONAS", "HANNA"):
        email_account(installation, ref)
    assert counts(imported(installation, ("JONAS", STRONG), ("HANNA", STRONG), ("JONAS", WEAK))) == (3, 0, 1)
    assert apps_of(installation, "JONAS") == [App(TOTP_SECRET), App(BARE, digits=8)]
    assert apps_of(installation, "HANNA") == [App(TOTP_SECRET)]
    with installation.database.read() as connection:
        (line,) = account_history.lines(connection, id_of(installation, "HANNA"))
    assert (line.event, line.actor, line.at, line.facts) == ("factor_added", Actor.BILLING, START, {"how": "import"})


def test_the_same_lines_again_add_nothing_however_they_are_written(installation: Installation) -> None:
    email_account(installation, totp_secret=TOTP_SECRET)
    assert counts(imported(installation, ("JONAS", STRONG), ("JONAS", WEAK), ("JONAS", WEAK))) == (1, 2, 2)
    again = WEAK.replace(BARE, "jbsw-y3dp-ehpk-3pxp")
    assert counts(imported(installation, ("JONAS", STRONG), ("JONAS", again))) == (0, 2, 1)
    assert len(apps_of(installation, "JONAS")) == 2


def test_a_customer_is_told_of_a_further_app_and_not_of_the_first(installation: Installation) -> None:
    email_account(installation)
    assert imported(installation, ("JONAS", STRONG)).owed == ()
    told = deliver_all(installation, imported(installation, ("JONAS", WEAK)).owed, START)
    assert {each.change for each in told} == {Change.FACTOR_ADDED}


def test_the_same_lines_at_once_are_added_once(installation: Installation) -> None:
    refs = [email_account(installation, f"A-{number}") for number in range(10)]
    lines = [(ref, STRONG) for ref in refs]
    orders = (lines, lines[::-1], lines[5:] + lines[:5])
    done = at_once(*[lambda order=order: imported(installation, *order) for order in orders])
    assert sum(each.added for each in done) == len(refs)
    assert len(rows(installation, select(Authenticator.id))) == len(refs)


def test_one_bad_line_adds_nothing_and_every_bad_one_is_named(installation: Installation) -> None:
    email_account(installation)
    faults = faults_of(
        installation,
        ("JONAS", STRONG),
        ("JONAS", STRONG.replace("totp", "hotp", 1)),
        ("NOBODY", STRONG),
        ("JONAS", ""),
        ("NO\0BODY", WEAK),
        ("JONAS", f"otpauth://totp/A:b?secret={BARE[:12]}"),
    )
    assert [fault.split(":")[0] for fault in faults] == ["row 2", "row 3", "row 4", "row 5", "row 6"]
    assert faults[1] == "row 3: ref: no account has it"
    assert faults[4] == "row 6: uri: has a secret of less than 80 bits"
    assert rows(installation, select(Authenticator.id)) == []


def test_columns_in_the_wrong_order_show_no_secret(installation: Installation) -> None:
    ref = email_account(installation)
    assert faults_of(installation, (WEAK, ref), (BARE, ref)) == (
        "row 1: ref: no account has it",
        "row 1: uri: is not an otpauth://totp/ line; codes that are counted (hotp) cannot be taken",
        "row 2: ref: no account has it",
        "row 2: uri: is not an otpauth://totp/ line; codes that are counted (hotp) cannot be taken",
    )


def test_an_account_is_frozen_while_its_case_is_open(installation: Installation) -> None:
    case = start_case(installation, email_account(installation))
    email_account(installation, "HANNA")
    faults = faults_of(installation, ("HANNA", STRONG), ("JONAS", STRONG))
    assert faults == (f"row 2: JONAS is frozen while its reset {case.reference} is open",)
    assert apps_of(installation, "HANNA") == []
    cancel(installation, case.reference, actor=Actor.AGENT, now=START + HOUR, how="by telephone")
    assert imported(installation, ("JONAS", STRONG)).added == 1


def test_what_was_removed_here_does_not_come_back(installation: Installation) -> None:
    email_account(installation, totp_secret=TOTP_SECRET)
    with installation.database.begin() as connection:
        revoke_all(connection, id_of(installation, "JONAS"), START)
    (fault,) = faults_of(installation, ("JONAS", STRONG))
    assert fault.startswith("row 1: JONAS had an app or all factors removed here")


def test_an_account_that_waits_for_its_enrolment_gets_none_by_import(installation: Installation) -> None:
    email_account(installation)
    pending = Account.__table__.update().values(status=AccountStatus.ENROLMENT_PENDING)  # type: ignore[attr-defined]
    by_hand(installation, pending)
    (fault,) = faults_of(installation, ("JONAS", STRONG))
    assert fault.endswith("its customer enrols a new one")
