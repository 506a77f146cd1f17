"""The settings in a customer's words: what was done, what stands in the way, and the account's history."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Any

from web.words import Said
from workflows.account_codes import Checked, CodeFault
from workflows.account_history import AccountLine
from workflows.changing import Obstacle

_TOLD = " We have told your other contact points."

DONE = MappingProxyType(
    {
        "saved": f"Saved.{_TOLD}",
        "added": f"Your new second step works from now on.{_TOLD}",
        "known": "This second step was set up already.",
        "removed": f"Removed.{_TOLD}",
        "restored": f"It works again.{_TOLD}",
        "renamed": "The new name is saved.",
        "sent": "A code is on its way.",
        "confirmed": "Thank you. You can make changes for the next few minutes.",
    }
)
"""What a page says at its top after something was done; the address names the word."""

OBSTACLES = MappingProxyType(
    {
        Obstacle.FROZEN: (
            "Your settings are closed while a reset is open",
            "Somebody has asked to reset your second step. Until that ends, nothing can be changed here.",
        ),
        Obstacle.ENROLMENT_REQUIRED: (
            "Set up a new second step first",
            "A reset removed your second steps. Open the link in our message about it, or the reset's own page.",
        ),
        Obstacle.ENROLMENT_ONLY: (
            "Here you can only set up second steps",
            "You came here after a reset. To change anything else, open the settings from your account again.",
        ),
        Obstacle.ENROLMENT_OVER: (
            "This way to a new second step is closed",
            "It was used already, or its time is over. If you still cannot sign in, ask for a reset again.",
        ),
    }
)
"""Heading and text of the page that says why nothing can be changed now."""


def said_of_code(checked: Checked) -> Said | None:
    """What a page says of a typed code; None where it counts."""
    match checked.fault:
        case None:
            return None
        case CodeFault.WRONG:
            return Said(400, f"This code is not right. Tries left: {checked.tries_left}.", "code")
        case CodeFault.MALFORMED:
            return Said(400, "That is not a whole code. Check what you typed; it was not counted as a try.", "code")
        case CodeFault.NONE_VALID:
            return Said(409, "No code works at the moment: it has run out, or its tries are used up. Send a new one.")


def clock_words(ahead: timedelta) -> str:
    """`3 minutes fast`."""
    seconds = abs(int(ahead.total_seconds()))
    count, unit = (seconds // 60, "minute") if seconds >= 60 else (seconds, "second")  # noqa: PLR2004 - a minute
    return f"{count} {unit}{'' if count == 1 else 's'} {'fast' if ahead > timedelta() else 'slow'}"


_KINDS = MappingProxyType(
    {
        "totp": "an authenticator app",
        "sms": "a code by text message",
        "security_key": "a security key",
        "recovery_codes": "a recovery code",
        "two_factor_email": "2-Factor Auth Email",
        "phone": "phone number",
        "postal_address": "postal address",
    }
)
_CHANNELS = MappingProxyType({"email": "e-mail", "sms": "text message", "voice": "phone call", "mail": "letter"})
_CHANGED = MappingProxyType(
    {
        "primary_email_changed": "The primary e-mail address was changed",
        "two_factor_email_changed": "The 2-Factor Auth Email was changed",
        "phone_changed": "The phone number was changed",
        "postal_address_changed": "The postal address was changed",
        "passphrase_changed": "The reset passphrase was changed",
        "preference_changed": "The way that reset codes take was changed",
        "backup_changed": "The backup for reset codes was changed",
        "portal_link_made": "A link to these settings was made, after a sign-in",
        "portal_entered": "These settings were opened",
        "factor_added": "A second step was set up",
        "factor_removed": "A second step was removed",
        "factor_renamed": "A second step was given another name",
        "factor_restored": "A second step that was stopped works again",
        "factor_suspended": "A second step was stopped, because it was said to be stolen",
        "recovery_codes_made": "New recovery codes were made",
        "key_copied": "A security key was refused: a copy of it may exist",
    }
)


_WITH_FACTS = MappingProxyType(
    {
        "preference_changed": "The way that reset codes take was changed: {channel}",
        "backup_changed": "The backup for reset codes was changed: {channel}",
        "passphrase_changed": "The reset passphrase was {is_set}",
        "contact_confirmed": "A new {kind} was confirmed",
        "contact_removed": "The {kind} was removed",
        "factor_shown": "A second step was shown: {kind}",
        "factor_refused": "A second step was refused ({in_a_row} in a row)",
        "recovery_code_used": "A recovery code was used; {left} are left",
        "clock_is_off": "A code was refused, because the clock of the app is {seconds_ahead}",
    }
)
_FACTS: Mapping[str, Callable[[Any], str]] = MappingProxyType(
    {
        "channel": lambda channel: _CHANNELS.get(channel, "none"),
        "kind": lambda kind: _KINDS.get(kind, kind),
        "is_set": lambda is_set: "set" if is_set else "removed",
        "seconds_ahead": lambda seconds: clock_words(timedelta(seconds=seconds)),
    }
)


def line_words(line: AccountLine) -> str:
    """One line of the account's history."""
    facts = {name: _FACTS[name](fact) if name in _FACTS else fact for name, fact in line.facts.items()}
    plain = _CHANGED.get(line.event, line.event.replace("_", " ").capitalize())
    try:
        return _WITH_FACTS.get(line.event, plain).format(**facts)
    except KeyError:
        # Written by the billing system, whose lines say less.
        return plain
