"""Setting second factors up with the keyboard alone, and signing in with each of them."""

import json
from typing import Any

import pyotp
from playwright.sync_api import CDPSession, Page, expect

from policy.vocabulary import Channel
from tests.browser.conftest import Demo, imported, row
from tests.browser.looking import Person, look_at, read_qr

KEY = {"protocol": "ctap2", "transport": "usb", "hasUserVerification": True, "isUserVerified": True}


class Keys:
    """DevTools' virtual authenticators: one is plugged in at a time, as at a computer with one port."""

    def __init__(self, page: Page) -> None:
        self._session: CDPSession = page.context.new_cdp_session(page)
        self._session.send("WebAuthn.enable")
        self._kept: dict[str, Any] = {}
        self._plugged: tuple[str, str] | None = None

    def plug(self, name: str) -> None:
        """Plugs this key in, with what was made on it before."""
        self.unplug()
        made = self._session.send("WebAuthn.addVirtualAuthenticator", {"options": KEY})["authenticatorId"]
        for credential in self._kept.get(name, []):
            self._session.send("WebAuthn.addCredential", {"authenticatorId": made, "credential": credential})
        self._plugged = name, made

    def unplug(self) -> None:
        """Takes the key out, and remembers what is on it."""
        if self._plugged is None:
            return
        name, made = self._plugged
        self._kept[name] = self._session.send("WebAuthn.getCredentials", {"authenticatorId": made})["credentials"]
        self._session.send("WebAuthn.removeVirtualAuthenticator", {"authenticatorId": made})
        self._plugged = None


def test_a_customer_sets_up_every_second_step_and_signs_in_with_each(demo: Demo, person: Person) -> None:
    imported(demo, row("DANA", "US", "sms"))
    enters(demo, person, "DANA")
    look_at(person.page, "additional-settings")
    secret = an_app_is_enabled_off_the_screen(demo, person)
    keys = two_security_keys_are_enrolled(person)
    each_key_signs_in(demo, person, keys)
    each_key_is_shown_before_a_change(demo, person, keys)
    codes_by_text_message_are_turned_on(demo, person)
    accepted = demo.verify("DANA", code=pyotp.TOTP(secret).at(demo.next_step))
    assert (accepted["outcome"], accepted["authenticator"]["kind"]) == ("accepted", "totp")  # type: ignore[index]


def enters(demo: Demo, person: Person, ref: str) -> None:
    """Comes from the billing portal."""
    person.opens(demo.settings_link(ref))
    person.reads("Additional Settings")


def an_app_is_enabled_off_the_screen(demo: Demo, person: Person) -> str:
    person.presses("Authentication")
    person.reads("Enable Two-Factor Authentication")
    look_at(person.page, "enable")
    person.presses("Add an authenticator app")
    person.reads("Add an authenticator app")
    look_at(person.page, "app")
    app = pyotp.parse_uri(read_qr(person.page, "app"))
    assert isinstance(app, pyotp.TOTP)
    assert (app.issuer, app.name) == ("Meadow Hosting", "DANA")
    person.types("Code", "000000" if app.at(demo.now) != "000000" else "000001")
    person.presses("Confirm code")
    person.reads("Add an authenticator app")
    expect(person.page.get_by_role("alert")).to_contain_text("not right")
    look_at(person.page, "app-wrong-code")
    again = pyotp.parse_uri(read_qr(person.page, "app-again"))
    assert again.secret == app.secret
    person.types("Code", app.at(demo.now))
    person.types("Name", "My phone")
    person.presses("Confirm code")
    recovery_codes_are_saved(demo, person)
    return str(app.secret)


def recovery_codes_are_saved(demo: Demo, person: Person) -> None:
    person.reads("Recovery codes")
    look_at(person.page, "recovery-codes-offer")
    person.presses("Make ten recovery codes")
    person.reads("Save your recovery codes")
    look_at(person.page, "recovery-codes")
    codes = person.page.locator(".codes code").all_inner_texts()
    assert len(set(codes)) == 10
    with person.page.expect_download() as download:
        person.presses("Download")
    saved = download.value.path().read_text()
    assert [code for code in codes if code not in saved] == []
    person.presses("I have saved them")
    person.reads("Two-Factor Authentication is on")
    used = demo.verify("DANA", code=codes[0])
    assert (used["outcome"], used["recovery_codes_left"]) == ("accepted", 10)
    assert demo.verify("DANA", code=codes[0])["outcome"] == "refused"


def two_security_keys_are_enrolled(person: Person) -> Keys:
    keys = Keys(person.page)
    for name in ("Blue key", "Spare key"):
        keys.plug(name)
        person.presses("Add a security key")
        person.reads("Add a security key")
        person.types("Name", name)
        person.presses("Add this security key")
        person.reads("Two-Factor Authentication is on")
    keys.unplug()
    expect(person.page.get_by_text("Spare key").first).to_be_visible()
    look_at(person.page, "authentication")
    return keys


def each_key_signs_in(demo: Demo, person: Person, keys: Keys) -> None:
    for name in ("Blue key", "Spare key"):
        keys.plug(name)
        begun = demo.call("POST", "/v1/accounts/DANA/sign-in-challenges", {"kind": "security_key"})
        # What the sign-in page of a billing portal does; the origin is the same here.
        answer = person.page.evaluate(
            """async (given) => {
                const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(given);
                return (await navigator.credentials.get({publicKey})).toJSON();
            }""",
            begun["options"],
        )
        accepted = demo.verify("DANA", assertion=answer)
        assert (accepted["outcome"], accepted["authenticator"]["label"]) == ("accepted", name)  # type: ignore[index]
        assert demo.verify("DANA", assertion=answer)["outcome"] == "refused"
        assert "challenge" in json.dumps(begun["options"])


def each_key_is_shown_before_a_change(demo: Demo, person: Person, keys: Keys) -> None:
    for name in ("Blue key", "Spare key"):
        enters(demo, person, "DANA")
        keys.plug(name)
        person.presses("Show it now")
        person.reads("Show your second step")
        look_at(person.page, "confirm")
        person.presses("Use a security key")
        person.reads("Additional Settings")
        expect(person.page.get_by_text("Show it now")).to_have_count(0)
    keys.unplug()


def codes_by_text_message_are_turned_on(demo: Demo, person: Person) -> None:
    person.presses("Authentication")
    person.presses("Turn on codes by text message")
    person.reads("Turn on codes by text message")
    look_at(person.page, "sms")
    person.presses("Send me a code")
    code = demo.newest_code(Channel.SMS, "@localhost #")
    person.types("Code", code)
    person.presses("Confirm code")
    person.reads("Two-Factor Authentication is on")
    demo.call("POST", "/v1/accounts/DANA/sign-in-challenges", {"kind": "sms"})
