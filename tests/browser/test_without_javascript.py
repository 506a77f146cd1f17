"""With JavaScript off everything but security keys works: settings, apps, recovery codes, a reset, the way back in."""

import re

import pyotp
from playwright.sync_api import expect

from policy.vocabulary import Channel
from tests.browser.conftest import Demo, imported, row
from tests.browser.looking import PHONE, Person, take_picture

PASSPHRASE = "seven grey herons waiting"


def test_without_javascript_a_customer_sets_up_changes_and_resets(demo: Demo, plain_person: Person) -> None:
    imported(demo, row("PLAIN", "US", "sms"))
    enters(demo, plain_person)
    app = an_app_is_set_up_by_typing_its_key(demo, plain_person)
    the_second_step_is_shown(demo, plain_person, app)
    a_new_address_is_confirmed(demo, plain_person)
    the_preference_is_changed(plain_person)
    a_passphrase_is_set(plain_person)
    a_security_key_says_what_it_needs(plain_person)
    codes_by_text_message_are_turned_on_and_off(demo, plain_person)
    the_customer_resets_and_comes_back_in(demo, plain_person)


def enters(demo: Demo, person: Person) -> None:
    address = demo.settings_link("PLAIN")
    person.opens(address)
    person.reads("Your settings for signing in")
    take_picture(person.page, "plain-enter", PHONE)
    person.presses("Go on to your settings")
    person.reads("Additional Settings")
    person.opens(address)
    expect(person.page.get_by_role("heading", level=1)).not_to_have_text(re.compile("Your settings for signing in"))
    take_picture(person.page, "plain-enter-used", PHONE)
    person.opens(f"{demo.pages}/settings/authentication")


def an_app_is_set_up_by_typing_its_key(demo: Demo, person: Person) -> pyotp.TOTP:
    person.presses("Add an authenticator app")
    person.reads("Add an authenticator app")
    app = pyotp.TOTP(person.page.locator("code.key").inner_text().replace(" ", ""))
    person.types("Code", app.at(demo.now))
    person.presses("Confirm code")
    person.reads("Recovery codes")
    person.presses("Make ten recovery codes")
    person.reads("Save your recovery codes")
    with person.page.expect_download() as download:
        person.presses("Download")
    assert len(re.findall(r"^\S{4}-\S+$", download.value.path().read_text(), re.MULTILINE)) == 10
    person.presses("I have saved them")
    person.presses("Additional Settings")
    person.reads("Additional Settings")
    return app


def the_second_step_is_shown(demo: Demo, person: Person, app: pyotp.TOTP) -> None:
    # In a visit of its own: the one before has shown the app's first code.
    person.opens(demo.settings_link("PLAIN"))
    person.presses("Go on to your settings")
    person.presses("Show it now")
    person.reads("Show your second step")
    person.types("Code", "123")
    person.presses("Confirm code")
    expect(person.page.get_by_role("alert")).to_be_visible()
    take_picture(person.page, "plain-confirm-refused", PHONE)
    person.types("Code", app.at(demo.next_step))
    person.presses("Confirm code")
    person.reads("Additional Settings")


def a_new_address_is_confirmed(demo: Demo, person: Person) -> None:
    person.presses("Change 2-Factor Auth Email")
    person.reads("Change your 2-Factor Auth Email")
    person.types("New 2-Factor Auth Email", "no address")
    person.presses("Send a code to this address")
    expect(person.page.get_by_role("alert")).to_be_visible()
    take_picture(person.page, "plain-contact-wrong", PHONE)
    person.types("New 2-Factor Auth Email", "plain@elsewhere.example")
    person.presses("Send a code to this address")
    person.reads("Confirm your new 2-Factor Auth Email")
    take_picture(person.page, "plain-contact-confirm", PHONE)
    person.types("Code", demo.newest_code(Channel.EMAIL, "contact"))
    person.presses("Confirm code")
    person.reads("Additional Settings")
    # Both addresses that were there before are told.
    for told in ("plain@primary.example", "plain@factor.example"):
        demo.newest(Channel.EMAIL, "happened on your account", to=told)


def the_preference_is_changed(person: Person) -> None:
    person.chooses("2-factor Auth Reset Preference", "E-mail")
    person.presses("Save preference")
    person.reads("Additional Settings")
    expect(person.page.get_by_label("2-factor Auth Reset Preference")).to_have_value("email")


def a_passphrase_is_set(person: Person) -> None:
    person.presses("Set reset passphrase")
    person.reads("Set a reset passphrase")
    for first, again in (("password1", "password1"), (PASSPHRASE, "another one altogether")):
        person.types("New passphrase", first)
        person.types("The same passphrase again", again)
        person.presses("Save passphrase")
        expect(person.page.get_by_role("alert")).to_be_visible()
    take_picture(person.page, "plain-passphrase-set", PHONE)
    person.types("New passphrase", PASSPHRASE)
    person.types("The same passphrase again", PASSPHRASE)
    person.presses("Save passphrase")
    person.reads("Additional Settings")


def a_security_key_says_what_it_needs(person: Person) -> None:
    person.presses("Authentication")
    person.presses("Add a security key")
    person.reads("Add a security key")
    expect(person.page.locator("noscript")).to_be_attached()
    take_picture(person.page, "plain-key", PHONE)


def codes_by_text_message_are_turned_on_and_off(demo: Demo, person: Person) -> None:
    person.opens(f"{demo.pages}/settings/sms")
    person.presses("Send me a code")
    person.types("Code", demo.newest_code(Channel.SMS, "@localhost #"))
    person.presses("Confirm code")
    person.reads("Two-Factor Authentication is on")
    person.presses("Turn off SMS codes")
    person.reads("Remove SMS codes?")
    person.presses("Remove it")
    person.reads("Two-Factor Authentication is on")
    expect(person.page.get_by_text("Turn on codes by text message")).to_be_visible()


def the_customer_resets_and_comes_back_in(demo: Demo, person: Person) -> None:
    reference = demo.opens("PLAIN")
    person.opens(demo.pages)
    person.types("Reference", reference)
    person.types("Code", demo.newest_code(Channel.EMAIL, reference))
    person.presses("Confirm code")
    person.reads("Enter your reset passphrase")
    person.types("Reset passphrase", f" {PASSPHRASE} ")
    person.presses("Confirm passphrase")
    person.reads("Your two-factor sign-in has been reset")
    person.presses("Set up a new second step")
    person.reads("Enable Two-Factor Authentication")
    person.presses("Add an authenticator app")
    person.reads("Add an authenticator app")
    app = pyotp.TOTP(person.page.locator("code.key").inner_text().replace(" ", ""))
    person.types("Code", app.at(demo.now))
    person.presses("Confirm code")
    person.reads("Recovery codes")
    assert demo.verify("PLAIN", code=app.at(demo.next_step))["outcome"] == "accepted"
