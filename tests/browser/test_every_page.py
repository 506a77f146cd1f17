"""Each page that no walk stops at, looked at on a phone and at a desk."""

from datetime import timedelta

import pyotp
from playwright.sync_api import expect

from policy.vocabulary import Channel
from tests.browser.conftest import Demo, imported, row
from tests.browser.looking import Person, look_at, read_qr
from tests.end_to_end.processes import keyturn
from tests.servers.waiting import until

PASSPHRASE = "violet harbour lamp"
PAGES = {
    "settings-frozen-or-not": "/settings",
    "contact-email": "/settings/contact/two_factor_email",
    "contact-phone": "/settings/contact/phone",
    "contact-postal": "/settings/contact/postal_address",
    "contact-remove": "/settings/contact/phone/remove",
    "passphrase-new": "/settings/passphrase",
    "passphrase-remove": "/settings/passphrase/remove",
    "key-new": "/settings/key/new",
    "sms-new": "/settings/sms",
    "recovery-codes-page": "/settings/recovery-codes",
}


def test_every_other_page_of_a_reset_fits_and_is_accessible(demo: Demo, person: Person) -> None:
    more = row("STOLEN", "US", "sms", PASSPHRASE), row("DENIED", "US", "sms")
    imported(demo, row("ROUTES", "DE", "email"), row("NOBODY", "US", "sms"), *more)
    reference = demo.opens("ROUTES")
    text = demo.newest(Channel.EMAIL, f"/confirm/{reference}").body
    person.opens(link_in(text, "/confirm/"))
    person.reads("Go on with the reset?")
    look_at(person.page, "confirm-link")
    person.opens(link_in(text, "/stop/"))
    person.reads("Stop this reset?")
    look_at(person.page, "stop")
    person.presses("Stop this reset")
    person.reads("This reset was stopped")
    look_at(person.page, "cancelled")
    person.opens(f"{demo.pages}/nowhere")
    look_at(person.page, "failure")
    other_ends_of_a_reset_are_looked_at(demo, person)
    the_link_asks_another_browser_for_a_code(demo, person)
    who_comes_too_late_is_told_so(person)


def other_ends_of_a_reset_are_looked_at(demo: Demo, person: Person) -> None:
    reference = demo.opens("STOLEN")
    person.opens(demo.pages)
    person.types("Reference", reference)
    person.types("Code", demo.newest_code(Channel.SMS, reference))
    person.presses("Confirm code")
    person.reads("Enter your reset passphrase")
    person.page.context.clear_cookies()
    person.opens(f"{demo.pages}/?reference={reference}")
    look_at(person.page, "elsewhere")
    denied = demo.opens("DENIED")
    enters_wrong_codes(demo, person, denied, demo.newest_code(Channel.SMS, denied))
    expect(person.page.get_by_role("link", name="This was the last try for it")).to_be_visible()
    look_at(person.page, "code-tries-used-up")
    with person.page.expect_navigation():
        person.presses("Send a new code")
    enters_wrong_codes(demo, person, denied, demo.newest_code(Channel.SMS, denied, sends=2))
    person.reads("This reset was refused")
    look_at(person.page, "denied")
    person.opens(f"{demo.pages}/outbox")
    look_at(person.page, "outbox")


def enters_wrong_codes(demo: Demo, person: Person, reference: str, right: str) -> None:
    """Until the code has no tries left."""
    wrong = "11111111" if right != "1111 1111" else "22222222"
    for _ in range(5):
        person.opens(f"{demo.pages}/?reference={reference}")
        person.types("Code", wrong)
        with person.page.expect_navigation():
            person.presses("Confirm code")


def link_in(text: str, part: str) -> str:
    """The address in a message that has this part."""
    return next(word for word in text.split() if part in word)


def the_link_asks_another_browser_for_a_code(demo: Demo, person: Person) -> None:
    reference = demo.opens("NOBODY")
    person.opens(demo.pages)
    person.types("Reference", reference)
    person.types("Code", demo.newest_code(Channel.SMS, reference))
    person.presses("Confirm code")
    person.reads("Nothing more to do for now")
    demo.move_clock("25h", timedelta(hours=25))
    address = link_in(demo.newest(Channel.SMS, f"/reset/{reference}/enrol/").body, "/enrol/")
    person.opens(address)
    person.reads("Set up a new second step")
    look_at(person.page, "enrol-ready")
    person.page.context.clear_cookies()
    person.opens(address)
    look_at(person.page, "enrol-code")
    person.presses("Send me a code")
    expect(person.page.get_by_text("A code is on its way to you")).to_be_visible()
    person.types("Code", "12345678")
    person.presses("Confirm code")
    expect(person.page.get_by_role("alert")).to_contain_text("not right")
    person.types("Code", demo.newest_code(Channel.SMS, "@localhost #"))
    person.presses("Confirm code")
    person.reads("Enable Two-Factor Authentication")
    person.page.context.clear_cookies()
    person.opens(demo.settings_link("NOBODY"))
    person.presses("Change 2-Factor Auth Email")
    person.reads("Set up a new second step first")
    look_at(person.page, "obstacle-enrolment")
    demo.move_clock("25h", timedelta(hours=25))
    person.opens(f"{demo.pages}/?reference={demo.opens('ROUTES')}")
    demo.move_clock("4d", timedelta(days=4))
    person.page.reload()
    person.reads("The time for this reset is over")
    look_at(person.page, "expired")
    person.opens(address)


def who_comes_too_late_is_told_so(person: Person) -> None:
    person.reads("This way is closed")
    look_at(person.page, "enrol-over")


def test_the_pages_of_support_fit_and_are_accessible(demo: Demo, person: Person) -> None:
    mail = "From: stranger@elsewhere.example\nSubject: hello\nMessage-ID: <1@elsewhere.example>\n\ncan't log in\n"
    keyturn(demo.env, "inbox", "add", "-", stdin=mail)
    until(lambda: keyturn(demo.env, "inbox", "list", "--held"), "the mail to be held")
    person.opens(str(keyturn(demo.env, "inbox", "page", "--by", "Kim")["link"]))
    look_at(person.page, "support-enter")
    person.page.get_by_role("button").first.press("Enter")
    person.page.wait_for_url("**/support/mails")
    look_at(person.page, "support-mails")
    person.page.locator("main a").first.press("Enter")
    person.page.wait_for_url("**/support/mails/*")
    look_at(person.page, "support-mail")


def test_every_other_page_of_the_settings_fits_and_is_accessible(demo: Demo, person: Person) -> None:
    imported(demo, row("PAGES", "US", "sms", PASSPHRASE), row("ABROAD", "DE", "email"))
    person.opens(demo.settings_link("PAGES"))
    person.reads("Additional Settings")
    an_app_is_added(demo, person)
    for name, path in PAGES.items():
        person.opens(demo.pages + path)
        look_at(person.page, name)
    the_pages_of_a_factor_are_looked_at(demo, person)
    a_recovery_code_is_replaced(demo, person)
    a_reset_freezes_the_settings(demo, person)
    a_visit_without_a_cookie_is_told_what_to_do(demo, person)
    abroad_the_menu_says_why_ways_are_missing(demo, person)


def an_app_is_added(demo: Demo, person: Person) -> None:
    person.opens(f"{demo.pages}/settings/app/new")
    app = pyotp.parse_uri(read_qr(person.page, "every-page"))
    assert isinstance(app, pyotp.TOTP)
    person.types("Code", app.at(demo.now))
    person.presses("Confirm code")
    person.reads("Recovery codes")


def the_pages_of_a_factor_are_looked_at(demo: Demo, person: Person) -> None:
    person.opens(f"{demo.pages}/settings/authentication")
    person.presses("Rename Authenticator app")
    person.page.wait_for_url("**/settings/factors/*")
    look_at(person.page, "factor")
    person.opens(f"{demo.pages}/settings/authentication")
    person.presses("Remove Authenticator app")
    person.page.wait_for_url("**/settings/factors/*/remove")
    look_at(person.page, "factor-remove")
    person.opens(f"{demo.pages}/settings/factors/01890000-0000-7000-8000-000000000000")
    look_at(person.page, "factor-missing")


def a_recovery_code_is_replaced(demo: Demo, person: Person) -> None:
    person.opens(f"{demo.pages}/settings/recovery-codes")
    person.presses("Make ten recovery codes")
    person.reads("Save your recovery codes")
    code = person.page.locator(".codes code").first.inner_text()
    person.opens(demo.settings_link("PAGES"))
    person.presses("Show it now")
    person.reads("Show your second step")
    person.types("Code", code.lower().replace("-", " "))
    person.presses("Confirm code")
    person.page.wait_for_url("**/settings/confirm")
    look_at(person.page, "recovery-code-used")


def a_reset_freezes_the_settings(demo: Demo, person: Person) -> None:
    demo.opens("PAGES")
    person.opens(f"{demo.pages}/settings")
    expect(person.page.get_by_text("A reset is open")).to_be_visible()
    look_at(person.page, "settings-frozen")
    person.presses("Save preference")
    person.page.wait_for_url("**/settings/preference")
    look_at(person.page, "obstacle-frozen")


def a_visit_without_a_cookie_is_told_what_to_do(demo: Demo, person: Person) -> None:
    person.page.context.clear_cookies()
    person.opens(f"{demo.pages}/settings")
    look_at(person.page, "settings-closed")


def abroad_the_menu_says_why_ways_are_missing(demo: Demo, person: Person) -> None:
    person.opens(demo.settings_link("ABROAD"))
    person.reads("Additional Settings")
    menu = person.page.get_by_label("2-factor Auth Reset Preference", exact=True)
    assert menu.locator("option").count() == 2
    person.opens_up("Why are other ways not in the menus?")
    expect(person.page.get_by_text("Outside the United States").first).to_be_visible()
    look_at(person.page, "settings-abroad")
