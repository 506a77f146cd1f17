"""What each message says on each channel, written from templates that are compiled once.

Mails and letters share their words (`templates/content`), which say no more than "paragraph", "code" or "button"; the
folders `text`, `html` and `letter` say what those look like, so that a mail's two parts cannot come to differ.
A template sees only what its kind may hold, and a missing value is an error, never a gap. All words come through the
catalogue of texts, so that a translation is one file.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import escape

from foundation.catalogue import Terms, gettext, ngettext, pgettext
from notifiers import phrases
from notifiers.contract import Brand, OutgoingMessage
from policy.permits import PostalAddress
from policy.vocabulary import Change, Channel, MessageKind

_TEMPLATES = Path(__file__).with_name("templates")

_NOTICES: Final = (
    MessageKind.NOTICE_OPENED,
    MessageKind.NOTICE_HOLD_STARTED,
    MessageKind.NOTICE_COMPLETED,
    MessageKind.NOTICE_CANCELLED,
    MessageKind.NOTICE_DENIED,
)
WRITTEN: Final[Mapping[Channel, frozenset[MessageKind]]] = MappingProxyType(
    {
        Channel.EMAIL: frozenset(MessageKind) - {MessageKind.SIGN_IN_CODE},
        Channel.SMS: frozenset(MessageKind) - {MessageKind.NOTICE_CODE_BY_MAIL, MessageKind.INBOX_ANSWER},
        Channel.VOICE: frozenset({MessageKind.RESET_CODE, MessageKind.CONTACT_CODE, MessageKind.ENROLMENT_CODE}),
        Channel.MAIL: frozenset(
            {MessageKind.RESET_CODE, MessageKind.CONTACT_CODE, MessageKind.NOTICE_CHANGED, *_NOTICES}
        ),
    }
)
"""Which kinds have a text for which channel."""

_SUBJECTS: Final = Terms(
    "subject of a mail",
    {
        MessageKind.RESET_CODE: "Your code for resetting two-factor sign-in",
        MessageKind.NOTICE_OPENED: "Somebody asked to reset your two-factor sign-in",
        MessageKind.NOTICE_HOLD_STARTED: "Your two-factor sign-in will be reset after a waiting time",
        MessageKind.NOTICE_COMPLETED: "Your two-factor sign-in has been reset",
        MessageKind.NOTICE_CANCELLED: "The reset of your two-factor sign-in was stopped",
        MessageKind.NOTICE_DENIED: "The reset of your two-factor sign-in was refused",
        MessageKind.NOTICE_CODE_BY_MAIL: "A code sent by e-mail does not count",
        MessageKind.INBOX_ANSWER: "We have received your e-mail",
        MessageKind.CONTACT_CODE: "Your code for confirming a new contact",
        MessageKind.ENROLMENT_CODE: "Your code for setting up a new second step",
        MessageKind.ENROLMENT_LINK: "Set up your new second step of signing in",
        MessageKind.NOTICE_CHANGED: "A notice about your two-factor sign-in",
    },
)

_CHANGES: Final = Terms(
    "what happened on an account",
    {
        Change.PREFERENCE: "The way that codes for resets are sent was changed.",
        Change.BACKUP: "The second way that codes for resets are sent was changed.",
        Change.PASSPHRASE: "The passphrase for resets was set, changed or removed.",
        Change.TWO_FACTOR_EMAIL: "The e-mail address for resets was changed.",
        Change.PHONE: "The phone number for resets was changed.",
        Change.POSTAL_ADDRESS: "The postal address for resets was changed.",
        Change.PRIMARY_EMAIL: "The main e-mail address was changed.",
        Change.FACTOR_ADDED: "A new second step of signing in was set up.",
        Change.FACTOR_REMOVED: "A second step of signing in was removed.",
        Change.FACTOR_SUSPENDED: "A second step of signing in was reported as stolen and does not work.",
        Change.FACTOR_RESTORED: "A second step of signing in that was reported as stolen works again.",
        Change.FACTOR_DISABLED: "After too many wrong codes in a row, no second step works until a reset.",
        Change.RECOVERY_CODE_USED: "One of the recovery codes was used. It does not work again.",
        Change.RECOVERY_CODES_MADE: "New recovery codes were made. The old ones no longer work.",
        Change.KEY_COPIED: "A sign-in with a security key was refused, because the key may have been copied.",
    },
)


class NoSuchText(Exception):
    """A bug in the caller: this kind of message does not travel on this channel. `WRITTEN` says which do."""


@dataclass(frozen=True, slots=True)
class EmailText:
    """A mail; `text` and `html` say the same. The subject holds no code."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class VoiceLine:
    """One line of a call. What is `slow` is said word by word, with a second between them."""

    words: str = field(repr=False)
    slow: bool = False


@dataclass(frozen=True, slots=True)
class VoiceScript:
    """What a call says, line by line. The code is in `after_key` only, so that a voicemail never records it.

    At `before_key` the person called presses 1 to hear the rest, or 9 to stop the reset or end the code.
    """

    before_key: tuple[VoiceLine, ...]
    after_key: tuple[VoiceLine, ...]


def email(message: OutgoingMessage) -> EmailText:
    """The mail. Raises `NoSuchText`, and `jinja2.UndefinedError` where the message lacks a value."""
    _written(message.kind, Channel.EMAIL)
    subject = _SUBJECTS[message.kind]
    values = {**_values(message), "subject": subject}
    text, html = (environment.get_template(f"{message.kind}.j2").render(values) for environment in (_TEXT, _HTML))
    return EmailText(subject, phrases.wrapped(text), html)


def sms(message: OutgoingMessage, now: datetime) -> str:
    """The text message, in GSM's alphabet if that loses nothing. Raises as `email` does."""
    _written(message.kind, Channel.SMS)
    values = {**_values(message), "help": _help(message.brand), "host": _host(message.typed_at)}
    return phrases.gsm(_SMS.get_template(f"{message.kind}.j2").render(values, **_life(message, now)).strip())


def voice(message: OutgoingMessage, now: datetime) -> VoiceScript:
    """The call's script. Raises as `email` does."""
    _written(message.kind, Channel.VOICE)
    values = {**_values(message), **_life(message, now), "kind": message.kind}
    code = phrases.spoken_code(values["code"])
    lines = _VOICE.get_template("after_key.j2").render(values).splitlines()
    after_key = tuple(VoiceLine(line, slow=line == code) for line in lines)
    return VoiceScript(voice_greeting(message.brand, message.kind), after_key)


def voice_greeting(brand: Brand, kind: MessageKind) -> tuple[VoiceLine, ...]:
    """What a call with this kind of code says before a key is pressed: nothing of a case."""
    words = _VOICE.get_template("before_key.j2").render(brand=brand, kind=kind)
    return tuple(VoiceLine(line) for line in words.splitlines())


def letter(message: OutgoingMessage, address: PostalAddress | None) -> str:
    """The letter as an HTML page of US letter size, the same bytes each time. Raises as `email` does.

    Without an address the vendor prints both addresses: the page is for its printer and keeps their place free.
    """
    _written(message.kind, Channel.MAIL)
    values = {name: value for name, value in _values(message).items() if name not in _NOT_ON_PAPER}
    page = _LETTER.get_template(f"{message.kind}.j2")
    return page.render(values, subject=_SUBJECTS[message.kind], address=address)


def _written(kind: MessageKind, channel: Channel) -> None:
    if kind not in WRITTEN[channel]:
        raise NoSuchText(f"there is no {kind} for {channel}")


# What a template may see: never a code in a notice, and nothing of a case or a person in the answer to a mail. A new
# contact may be a stranger's by mistake or on purpose: it is not told a name that somebody typed.
_IN_ANSWERS: Final = ("brand",)
_IN_CASES: Final = ("brand", "requested_at", "asked_through", "customer_name", "reference", "cancel_link")
_IN_NOTICES: Final = (*_IN_CASES, "hold_until")
_IN_CODES: Final = (*_IN_CASES, "code", "link", "typed_at", "valid_until")
_IN_ACCOUNT_CODES: Final = ("brand", "requested_at", "code", "valid_until")
_SEEN: Final[Mapping[MessageKind, tuple[str, ...]]] = MappingProxyType(
    {
        **dict.fromkeys(_NOTICES, _IN_NOTICES),
        MessageKind.RESET_CODE: _IN_CODES,
        MessageKind.NOTICE_CODE_BY_MAIL: (*_IN_CASES, "typed_at"),
        MessageKind.INBOX_ANSWER: _IN_ANSWERS,
        MessageKind.SIGN_IN_CODE: _IN_ACCOUNT_CODES,
        MessageKind.CONTACT_CODE: _IN_ACCOUNT_CODES,
        MessageKind.ENROLMENT_CODE: (*_IN_ACCOUNT_CODES, "customer_name"),
        MessageKind.ENROLMENT_LINK: ("brand", "customer_name", "reference", "link", "valid_until"),
        MessageKind.NOTICE_CHANGED: ("brand", "customer_name", "requested_at", "change"),
    }
)
# Nobody types a link off paper, and whoever opens the envelope learns nothing of the person besides the address.
_NOT_ON_PAPER: Final = frozenset({"customer_name", "link", "cancel_link"})


def _values(message: OutgoingMessage) -> dict[str, Any]:
    values = {name: value for name in _SEEN[message.kind] if (value := getattr(message, name))}
    if "customer_name" in values:
        # A name is what somebody typed once: a line break in it would pass for a paragraph of ours.
        values["customer_name"] = phrases.one_line(values["customer_name"])
    if "change" in values:
        values["change"] = _CHANGES[values["change"]]
    return values


def _life(message: OutgoingMessage, now: datetime) -> dict[str, int]:
    if message.valid_until is None:
        return {}
    return {"minutes": phrases.minutes_between(now, message.valid_until)}


_HELP: Final = Terms(
    "a text message: Please …",
    {
        "phone": "call %(phone)s",
        "email": "write to %(email)s",
        "nowhere": "contact us",
    },
)


def _help(brand: Brand) -> str:
    if brand.support_phone:
        return _HELP["phone"] % {"phone": brand.support_phone}
    return _HELP["email"] % {"email": brand.support_email} if brand.support_email else _HELP["nowhere"]


def _host(address: str) -> str:
    return urlsplit(f"//{address}").hostname or address


def _environment(*folders: str, autoescape: bool) -> Environment:
    environment = Environment(
        loader=FileSystemLoader([_TEMPLATES / folder for folder in folders]),
        autoescape=autoescape,  # noqa: S701 - True for whatever is HTML
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        extensions=("jinja2.ext.i18n",),
    )
    environment.filters |= {filter_.__name__: filter_ for filter_ in _FILTERS}
    environment.install_gettext_callables(  # type: ignore[attr-defined] # the extension's own
        **{each.__name__: _escaped(each) if autoescape else each for each in _LOOK_UP}, newstyle=True
    )
    return environment


def _escaped(look_up: Callable[..., str]) -> Callable[..., str]:
    """What looks like markup in a text is none: Jinja would take a translation for HTML."""
    return lambda *words: escape(look_up(*words))


_LOOK_UP: Final[tuple[Callable[..., str], ...]] = (gettext, ngettext, pgettext)
_FILTERS: Final = (
    phrases.groups,
    phrases.long_time,
    phrases.short_time,
    phrases.spoken_address,
    phrases.spoken_code,
    phrases.spoken_phone,
    phrases.spoken_reference,
)
_TEXT: Final = _environment("text", "content", autoescape=False)
_HTML: Final = _environment("html", "content", autoescape=True)
_LETTER: Final = _environment("letter", "content", autoescape=True)
_SMS: Final = _environment("sms", autoescape=False)
_VOICE: Final = _environment("voice", autoescape=False)
