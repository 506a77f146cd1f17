"""What the rules say of a mail's phrases: each finds what it is for, and not what only looks like it."""

import pytest

from inbox.hearing import Heard
from inbox.rules import ENOUGH, rule_signs


def signs(text: str) -> set[str]:
    return set(rule_signs(Heard("", text).own))


@pytest.mark.parametrize(
    ("text", "sign"),
    [
        ("I lost my YubiKey.", "[factor lost]"),
        ("My phone was stolen.", "[device lost]"),
        ("I have a new phone.", "[device replaced]"),
        ("I can't log in.", "[cannot get in]"),
        ("It asks for the authenticator.", "[factor named]"),
        ("Please reset my 2FA.", "[reset asked]"),
        ("Please remove the 2FA.", "[removal asked]"),
        ("My colleague lost her phone.", "[of another]"),
        ("Never mind.", "[doubted]"),
    ],
)
def test_each_rule_finds_what_it_is_for(text: str, sign: str) -> None:
    assert sign in signs(text)


@pytest.mark.parametrize(
    ("text", "sign"),
    [
        ("I did not lose my YubiKey.", "[factor lost]"),
        ("If I lost my YubiKey, what then?", "[factor lost]"),
        ("I lost the password of my phone.", "[device lost]"),
        ("My colleague lost her phone.", "[device lost]"),
        ("How do you reset 2FA?", "[reset asked]"),
    ],
)
def test_what_is_denied_supposed_another_s_or_asked_about_is_not_found(text: str, sign: str) -> None:
    assert sign not in signs(text)


@pytest.mark.parametrize(
    "text", ["I lost my YubiKey.", "I lost my phone and can't log in.", "Please reset my 2FA.", "YubiKey verloren"]
)
def test_what_is_enough_is_said(text: str) -> None:
    assert ENOUGH in signs(text)


@pytest.mark.parametrize("text", ["I lost my phone.", "I can't log in.", "I lost my YubiKey. Never mind, I found it."])
def test_what_is_not_enough_or_doubted_is_not(text: str) -> None:
    assert ENOUGH not in signs(text)
