"""All is lost: a reset by each of the four channels, out of the sandbox's outbox, and a new second step after it."""

from datetime import timedelta

import pyotp
import pytest
from playwright.sync_api import expect

from policy.vocabulary import Channel
from tests.browser.conftest import Demo, imported, row
from tests.browser.looking import Person, look_at, read_qr

PASSPHRASE = "violet harbour lamp"
HOLD = timedelta(hours=25)

CUSTOMERS = (
    ("SMS", Channel.SMS, "US", PASSPHRASE),
    ("CALL", Channel.VOICE, "US", PASSPHRASE),
    ("MAIL", Channel.EMAIL, "DE", ""),
    ("LETTER", Channel.MAIL, "US", ""),
)


@pytest.mark.parametrize(("ref", "channel", "country", "passphrase"), CUSTOMERS, ids=[each[0] for each in CUSTOMERS])
def test_who_lost_all_comes_back_in(
    demo: Demo, person: Person, ref: str, channel: Channel, country: str, passphrase: str
) -> None:
    imported(demo, row(ref, country, channel, passphrase))
    old = an_app_was_set_up(demo, person, ref)
    reference = demo.opens(ref)
    the_code_is_typed(demo, person, channel, reference)
    if passphrase:
        the_passphrase_is_given(person, passphrase)
    else:
        the_hold_passes(demo, person, reference)
    person.reads("Your two-factor sign-in has been reset")
    look_at(person.page, f"completed-{channel}")
    assert demo.verify(ref, code=old.at(demo.now))["outcome"] == "enrolment_required"
    new = a_new_app_is_set_up(demo, person)
    accepted = demo.verify(ref, code=new.at(demo.next_step))
    assert accepted["outcome"] == "accepted"
    assert accepted["quarantine_until"] is not None
    assert demo.verify(ref, code=old.at(demo.next_step))["outcome"] == "refused"


def test_the_link_in_the_mail_asks_another_browser_for_a_proof(demo: Demo, person: Person) -> None:
    imported(demo, row("LINK", "US", "sms", PASSPHRASE))
    an_app_was_set_up(demo, person, "LINK")
    reference = demo.opens("LINK")
    the_code_is_typed(demo, person, Channel.SMS, reference)
    the_passphrase_is_given(person, PASSPHRASE)
    person.reads("Your two-factor sign-in has been reset")
    text = demo.newest(Channel.SMS, f"/reset/{reference}/enrol/").body
    address = next(word for word in text.split() if "/enrol/" in word)
    person.page.context.clear_cookies()
    person.opens(address)
    person.reads("Set up a new second step")
    look_at(person.page, "enrol-passphrase")
    person.types("Reset passphrase", "violet harbor lamp")
    person.presses("Confirm passphrase")
    expect(person.page.get_by_role("alert")).to_contain_text("not right")
    look_at(person.page, "enrol-wrong-passphrase")
    person.types("Reset passphrase", PASSPHRASE)
    person.presses("Confirm passphrase")
    person.reads("Enable Two-Factor Authentication")
    person.presses("Add an authenticator app")
    enrols(demo, person)
    person.opens(address)
    person.reads("Your new second step is set up")
    look_at(person.page, "enrol-used")


def test_what_was_stolen_is_stopped_and_cancelling_restores_it(demo: Demo, person: Person) -> None:
    imported(demo, row("THIEF", "US", "sms", PASSPHRASE))
    app = an_app_was_set_up(demo, person, "THIEF")
    reference = demo.opens("THIEF")
    the_code_is_typed(demo, person, Channel.SMS, reference)
    person.reads("Enter your reset passphrase")
    person.presses("Stop what was stolen")
    person.reads("Was something stolen?")
    look_at(person.page, "stolen")
    person.presses("It was stolen: stop it")
    expect(person.page.get_by_text("It does not sign in any more")).to_be_visible()
    assert demo.verify("THIEF", code=app.at(demo.next_step))["outcome"] == "refused"
    person.presses("Back to your reset")
    person.presses("This was not me: stop this reset")
    person.presses("Stop this reset")
    person.reads("This reset was stopped")
    assert demo.verify("THIEF", code=app.at(demo.next_step))["outcome"] == "accepted"


def an_app_was_set_up(demo: Demo, person: Person, ref: str) -> pyotp.TOTP:
    person.opens(demo.settings_link(ref))
    person.presses("Authentication")
    person.presses("Add an authenticator app")
    app = enrols(demo, person)
    person.presses("Not now")
    person.presses("Leave the settings")
    return app


def enrols(demo: Demo, person: Person) -> pyotp.TOTP:
    person.reads("Add an authenticator app")
    app = pyotp.parse_uri(read_qr(person.page, "enrolling"))
    assert isinstance(app, pyotp.TOTP)
    person.types("Code", app.at(demo.now))
    person.presses("Confirm code")
    person.reads("Recovery codes")
    return app


def the_code_is_typed(demo: Demo, person: Person, channel: Channel, reference: str) -> None:
    # A call spells the reference out.
    code = demo.newest_code(channel, "" if channel is Channel.VOICE else reference)
    person.opens(demo.pages)
    person.reads("Enter your code")
    look_at(person.page, "code")
    person.types("Reference", reference)
    person.types("Code", code)
    person.presses("Confirm code")


def the_passphrase_is_given(person: Person, passphrase: str) -> None:
    person.reads("Enter your reset passphrase")
    look_at(person.page, "passphrase")
    person.types("Reset passphrase", passphrase)
    person.presses("Confirm passphrase")


def the_hold_passes(demo: Demo, person: Person, reference: str) -> None:
    person.reads("Nothing more to do for now")
    look_at(person.page, "waiting")
    demo.move_clock("25h", HOLD)
    address = f"{demo.pages}/reset/{reference}"
    for _ in range(100):
        person.opens(address)
        if "has been reset" in person.page.get_by_role("heading", level=1).inner_text():
            return
        person.page.wait_for_timeout(200)


def a_new_app_is_set_up(demo: Demo, person: Person) -> pyotp.TOTP:
    person.presses("Set up a new second step")
    person.reads("Enable Two-Factor Authentication")
    person.presses("Add an authenticator app")
    return enrols(demo, person)
