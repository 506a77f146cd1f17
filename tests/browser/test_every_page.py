"""Each page of the settings that no walk stops at, looked at on a phone and at a desk."""

import pyotp
from playwright.sync_api import expect

from tests.browser.conftest import Demo, imported, row
from tests.browser.looking import Person, look_at, read_qr

PAGES = {
    "settings-frozen-or-not": "/settings",
    "contact-email": "/settings/contact/two_factor_email",
    "contact-phone": "/settings/contact/phone",
    "contact-postal": "/settings/contact/postal_address",
    "contact-remove": "/settings/contact/phone/remove",
    "passphrase-new": "/settings/passphrase",
    "key-new": "/settings/key/new",
    "sms-new": "/settings/sms",
    "recovery-codes-page": "/settings/recovery-codes",
}


def test_every_other_page_fits_and_is_accessible(demo: Demo, person: Person) -> None:
    imported(demo, row("PAGES", "US", "sms", "violet harbour lamp"), row("ABROAD", "DE", "email"))
    person.opens(demo.settings_link("PAGES"))
    person.reads("Additional Settings")
    an_app_is_added(demo, person)
    for name, path in PAGES.items():
        person.opens(demo.pages + path)
        look_at(person.page, name)
    the_pages_of_a_factor_are_looked_at(demo, person)
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
