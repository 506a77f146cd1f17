"""Enrolling, removing and restoring factors in the settings; each counts only once it has proven itself."""

from datetime import datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pyotp
import pytest
from sqlalchemy import select, update

from models.accounts import Account, ContactPoint
from models.factors import Algorithm, Authenticator, AuthenticatorKind
from policy.routing import NotAllowed
from policy.vocabulary import Change
from tests.installations import (
    DAY,
    HOUR,
    MINUTE,
    SECOND,
    START,
    TOTP_SECRET,
    by_hand,
    deliver_all,
    email_account,
    rows,
    sms_account,
    wrong,
)
from tests.workflows.racing import at_once
from tests.workflows.visits import visit, visit_with_factor
from workflows import factors
from workflows.account_codes import CodeFault
from workflows.changing import NotNow, Obstacle
from workflows.factors import Enrolled, Fault, NoSuchFactorHere, Offer
from workflows.installation import Installation
from workflows.portal import Visit
from workflows.showing_factors import Shown
from workflows.sign_in import Outcome, verify


def code_of(offer: Offer, when: datetime) -> str:
    """What the app that read the offer shows."""
    given = {name: values[0] for name, values in parse_qs(urlsplit(offer.uri).query).items()}
    app = pyotp.parse_uri(offer.uri)
    assert isinstance(app, pyotp.TOTP)
    assert given["secret"] == offer.app.secret
    return app.at(when)


def offer(installation: Installation, here: Visit, now: datetime = START) -> Offer:
    return factors.offer_app(installation, here, Algorithm.SHA1, 6, now)


def add(installation: Installation, here: Visit, offered: Offer, code: str, now: datetime = START) -> Enrolled:
    return factors.add_app(installation, here, offered.sealed, code, "My phone", now)


def enrolled(installation: Installation) -> list[tuple[AuthenticatorKind, str]]:
    statement = select(Authenticator.kind, Authenticator.label).where(Authenticator.revoked_at.is_(None))
    return [(each.kind, each.label) for each in rows(installation, statement)]


def outcome(installation: Installation, code: str, now: datetime = START) -> Outcome:
    return verify(installation, "DANA", Shown(code), address=None, now=now).outcome


# --- Apps


@pytest.mark.parametrize(("algorithm", "digits"), [(Algorithm.SHA1, 6), (Algorithm.SHA256, 8), (Algorithm.SHA1, 8)])
def test_an_app_counts_after_one_right_code_and_not_with_that_code_again(
    installation: Installation, algorithm: Algorithm, digits: int
) -> None:
    sms_account(installation)
    here = visit(installation)
    offered = factors.offer_app(installation, here, algorithm, digits, START)
    assert enrolled(installation) == []
    code = code_of(offered, START)
    assert len(code) == digits
    done = add(installation, here, offered, code)
    assert (done.fault, done.is_first) == (None, True)
    assert enrolled(installation) == [(AuthenticatorKind.TOTP, "My phone")]
    assert outcome(installation, code) is Outcome.REFUSED
    later = START + MINUTE
    assert outcome(installation, code_of(offered, later), later) is Outcome.ACCEPTED


def test_a_wrong_code_enrols_nothing_and_the_offer_stays(installation: Installation) -> None:
    sms_account(installation)
    here = visit(installation)
    offered = offer(installation, here)
    assert add(installation, here, offered, wrong(code_of(offered, START))).fault is Fault.WRONG_CODE
    assert enrolled(installation) == []
    again = factors.offer_again(installation, here, offered.sealed, START + MINUTE)
    assert again == offered
    assert add(installation, here, offered, code_of(offered, START)).fault is None


@pytest.mark.parametrize("minutes", [3, -4])
def test_a_clock_that_is_off_is_told_by_how_much(installation: Installation, minutes: int) -> None:
    sms_account(installation)
    here = visit(installation)
    offered = offer(installation, here)
    done = add(installation, here, offered, code_of(offered, START + minutes * MINUTE))
    assert (done.fault, done.skew) == (Fault.CLOCK_IS_OFF, timedelta(minutes=minutes))
    assert enrolled(installation) == []


def test_an_offer_is_for_one_account_and_for_half_an_hour(installation: Installation) -> None:
    sms_account(installation)
    sms_account(installation, "OMAR", phone="+12025550149")
    here = visit(installation)
    offered = offer(installation, here)
    code = code_of(offered, START)
    assert add(installation, visit(installation, "OMAR"), offered, code).fault is Fault.OFFER_OVER
    late = START + 30 * MINUTE + SECOND
    assert add(installation, here, offered, code_of(offered, late), late).fault is Fault.OFFER_OVER
    for forged in ("", "x", offered.sealed[:-2], "\ud800"):
        assert factors.add_app(installation, here, forged, code, "", START).fault is Fault.OFFER_OVER


def test_one_offer_enrols_once_also_for_two_at_once(installation: Installation) -> None:
    sms_account(installation)
    here = visit(installation)
    offered = offer(installation, here)
    code = code_of(offered, START)

    def try_it() -> str:
        try:
            return add(installation, here, offered, code).fault or "enrolled"
        except NotNow as refusal:
            return refusal.obstacle

    done = at_once(*[try_it] * 4)
    assert done.count("enrolled") == 1
    assert len(enrolled(installation)) == 1


def test_a_second_factor_needs_the_first(installation: Installation) -> None:
    sms_account(installation, totp_secret=TOTP_SECRET)
    here = visit(installation)
    with pytest.raises(NotNow) as refusal:
        offer(installation, here)
    assert refusal.value.obstacle is Obstacle.FACTOR_NEEDED
    with_factor = visit_with_factor(installation)
    offered = offer(installation, with_factor)
    assert add(installation, with_factor, offered, code_of(offered, START)).fault is None
    assert len(enrolled(installation)) == 2


def test_every_added_factor_is_told(installation: Installation) -> None:
    sms_account(installation)
    here = visit(installation)
    offered = offer(installation, here)
    owed = add(installation, here, offered, code_of(offered, START)).owed
    assert {each.change for each in deliver_all(installation, owed, START)} == {Change.FACTOR_ADDED}


def test_an_account_has_at_most_twenty_factors(installation: Installation) -> None:
    sms_account(installation, totp_secret=TOTP_SECRET)
    here = visit_with_factor(installation)
    for _ in range(19):
        offered = offer(installation, here)
        assert add(installation, here, offered, code_of(offered, START)).fault is None
    offered = offer(installation, here)
    assert add(installation, here, offered, code_of(offered, START)).fault is Fault.TOO_MANY


# --- SMS codes


def phone_code(installation: Installation, here: Visit, now: datetime = START) -> str:
    (parcel,) = deliver_all(installation, factors.send_phone_code(installation, here, now).owed, now)
    return parcel.code or ""


def test_a_phone_is_enrolled_by_the_code_that_was_sent_to_it(installation: Installation) -> None:
    sms_account(installation)
    here = visit(installation)
    code = phone_code(installation, here)
    checked, refused = factors.add_phone(installation, here, wrong(code), START)
    assert (checked.fault, refused.fault) == (CodeFault.WRONG, Fault.WRONG_CODE)
    assert enrolled(installation) == []
    checked, done = factors.add_phone(installation, here, code, START)
    assert (checked.fault, done.fault, done.is_first) == (None, None, True)
    assert enrolled(installation) == [(AuthenticatorKind.SMS, "SMS codes")]


def test_no_phone_is_enrolled_where_the_region_has_no_text_messages(installation: Installation) -> None:
    email_account(installation)
    with pytest.raises(NotAllowed):
        factors.send_phone_code(installation, visit(installation, "JONAS"), START)


def test_a_phone_that_was_never_verified_is_not_enrolled(installation: Installation) -> None:
    sms_account(installation)
    by_hand(installation, update(ContactPoint).values(verified_at=None))
    with pytest.raises(NotAllowed):
        factors.send_phone_code(installation, visit(installation), START)


# --- Recovery codes, names, removing


def test_recovery_codes_need_another_factor(installation: Installation) -> None:
    sms_account(installation)
    with pytest.raises(NoSuchFactorHere):
        factors.make_recovery_codes(installation, visit(installation), START)


def test_new_recovery_codes_take_the_place_of_the_old(installation: Installation) -> None:
    sms_account(installation, totp_secret=TOTP_SECRET)
    here = visit_with_factor(installation)
    old, _ = factors.make_recovery_codes(installation, here, START)
    new, owed = factors.make_recovery_codes(installation, here, START)
    assert len(set(old) | set(new)) == 20
    assert outcome(installation, old[0]) is Outcome.REFUSED
    assert outcome(installation, new[0]) is Outcome.ACCEPTED
    assert {each.change for each in deliver_all(installation, owed, START)} == {Change.RECOVERY_CODES_MADE}


def test_with_the_last_factor_the_recovery_codes_go(installation: Installation) -> None:
    sms_account(installation, totp_secret=TOTP_SECRET)
    here = visit_with_factor(installation)
    codes, _ = factors.make_recovery_codes(installation, here, START)
    (app,) = rows(installation, select(Authenticator.id).where(Authenticator.kind == AuthenticatorKind.TOTP))
    factors.remove(installation, here, app.id, START)
    assert enrolled(installation) == []
    assert outcome(installation, codes[0]) is Outcome.NOT_ENROLLED


def test_what_is_of_another_account_is_neither_renamed_nor_removed_nor_restored(installation: Installation) -> None:
    sms_account(installation, totp_secret=TOTP_SECRET)
    sms_account(installation, "OMAR", phone="+12025550149", totp_secret=TOTP_SECRET)
    others = select(Authenticator.id).join(Account, Account.id == Authenticator.account_id)
    (other,) = rows(installation, others.where(Account.ref == "OMAR"))
    here = visit_with_factor(installation)
    with pytest.raises(NoSuchFactorHere):
        factors.remove(installation, here, other.id, START)
    with pytest.raises(NoSuchFactorHere):
        factors.rename(installation, here, other.id, "Mine", START)
    with pytest.raises(NoSuchFactorHere):
        factors.restore(installation, here, other.id, START)
    assert len(enrolled(installation)) == 2


def test_a_name_is_changed_and_an_empty_one_refused(installation: Installation) -> None:
    sms_account(installation, totp_secret=TOTP_SECRET)
    here = visit_with_factor(installation)
    (app,) = rows(installation, select(Authenticator.id))
    factors.rename(installation, here, app.id, " Blue phone ", START)
    assert enrolled(installation) == [(AuthenticatorKind.TOTP, "Blue phone")]
    with pytest.raises(NoSuchFactorHere):
        factors.rename(installation, here, app.id, "  ", START)


def test_what_cannot_be_printed_stays_out_of_a_name(installation: Installation) -> None:
    sms_account(installation)
    here = visit(installation)
    offered = offer(installation, here)
    factors.add_app(installation, here, offered.sealed, code_of(offered, START), "My\x00 \n\u202ephone", START)
    assert enrolled(installation) == [(AuthenticatorKind.TOTP, "My phone")]


def test_removing_is_told_and_takes_effect_at_once(installation: Installation) -> None:
    sms_account(installation, totp_secret=TOTP_SECRET)
    here = visit_with_factor(installation)
    offered = offer(installation, here)
    add(installation, here, offered, code_of(offered, START))
    (first, *_) = rows(installation, select(Authenticator.id).order_by(Authenticator.created_at, Authenticator.id))
    owed = factors.remove(installation, here, first.id, START)
    assert {each.change for each in deliver_all(installation, owed, START)} == {Change.FACTOR_REMOVED}
    later = START + HOUR
    assert outcome(installation, pyotp.TOTP(TOTP_SECRET).at(later), later) is Outcome.REFUSED
    assert outcome(installation, code_of(offered, later), later) is Outcome.ACCEPTED
    with pytest.raises(NoSuchFactorHere):
        factors.remove(installation, here, first.id, START)


def test_a_stale_visit_removes_nothing(installation: Installation) -> None:
    sms_account(installation, totp_secret=TOTP_SECRET)
    here = visit_with_factor(installation)
    (app,) = rows(installation, select(Authenticator.id))
    with pytest.raises(NotNow):
        factors.remove(installation, here, app.id, START + DAY)
