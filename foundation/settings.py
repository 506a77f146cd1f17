"""The one place for settings: read from `KEYTURN_*`, checked once, frozen.

`load()` answers with `Settings` or raises `BadSettings`, whose text has one line a fault and names the variable.
"""

import re
from contextlib import suppress
from enum import StrEnum
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, NamedTuple
from urllib.parse import SplitResult, urlsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from foundation.addresses import normalise_address
from foundation.standard_webhooks import is_secret

PREFIX = "KEYTURN_"


class Mode(StrEnum):
    """`live` sends; `demo` writes what would be sent into the data folder and lets the clock be moved."""

    LIVE = "live"
    DEMO = "demo"


class ImapTls(StrEnum):
    """How the connection to the IMAP server is encrypted: from its first byte, after STARTTLS, or not at all."""

    TLS = "tls"
    STARTTLS = "starttls"
    NONE = "none"


class BadSettings(Exception):
    """The environment holds a setting that Keyturn cannot work with. Mend the variables it names and start again."""


# Links are made by adding to it: no blank, no user, no query.
_WEB_ADDRESS = re.compile(r"https?://([^\s/?#@:\[\]]+|\[[0-9a-fA-F:.]+\])(:[0-9]{1,5})?(/[^\s?#]*)?")


def _web_address(value: str) -> str:
    if not _WEB_ADDRESS.fullmatch(value):
        raise ValueError("must be a web address such as https://reset.example.com")
    _ = urlsplit(value).port  # raises where it is too high for one
    return value.rstrip("/")


def _webhook_secret(value: SecretStr) -> SecretStr:
    if value.get_secret_value() and not is_secret(value.get_secret_value()):
        raise ValueError("must be whsec_ and 24 bytes or more in base 64")
    return value


# Of the 64 that a local part may have (RFC 5321 §4.5.3.1.1), a plus and 42 letters follow.
_LONGEST_BEFORE_PLUS = 21


def _mail_address(value: str) -> str:
    if value and normalise_address(value) != value:
        raise ValueError("must be a mail address in small letters such as support@example.com")
    if value.find("@") > _LONGEST_BEFORE_PLUS:
        raise ValueError(f"may have {_LONGEST_BEFORE_PLUS} letters before the @ at most")
    return value


def _known_scheme(*schemes: str) -> AfterValidator:
    beginnings = tuple(f"{scheme}://" for scheme in schemes)

    def check(value: str) -> str:
        if value and not value.startswith(beginnings):
            raise ValueError(f"must begin with one of: {', '.join(beginnings)}")
        return value

    return AfterValidator(check)


def _split(value: object) -> object:
    return tuple(part for part in map(str.strip, value.split(",")) if part) if isinstance(value, str) else value


class Resolver(NamedTuple):
    """A DNS server that is asked for others: its IP address and UDP port."""

    address: str
    port: int


_RESOLVER = re.compile(r"(?:(?P<v4>[0-9.]+)|\[(?P<v6>[0-9A-Fa-f:.]+)\])(?::(?P<port>[0-9]{1,5}))?")
_DNS_PORT = 53


def _resolver(text: str) -> Resolver:
    found = _RESOLVER.fullmatch(text)
    port = int(found["port"] or _DNS_PORT) if found else 0
    try:
        address = ip_address(found["v4"] or found["v6"]) if found else None
    except ValueError:
        address = None
    if address is None or not 0 < port < 1 << 16:
        raise ValueError("must be IP addresses such as 192.0.2.53, 192.0.2.53:5353 or [2001:db8::53]")
    return Resolver(str(address), port)


def _resolvers(value: object) -> object:
    return tuple(_resolver(part.strip()) for part in value.split(",")) if isinstance(value, str) else value


HostName = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{0,255}$")]


# A domain name in its ASCII form. The last part of an IPv4 address has no letter.
_DOMAIN = re.compile(r"(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*(?=[a-z0-9-]*[a-z])[a-z0-9-]{1,63}")


def _relying_party(value: str) -> str:
    if value and not _DOMAIN.fullmatch(value):
        raise ValueError("must be a domain in small letters such as example.com, not an IP address")
    return value


def _origin(url: str) -> str:
    """The origin as a browser writes it: without a path, and without the port that its scheme implies."""
    address = urlsplit(url)
    return _origin_of(address, str(address.hostname))


def _page(public_url: str) -> str:
    """The pages' origin as security keys need it: no IP address is an RP ID, but this machine has a name, too."""
    address = urlsplit(public_url)
    host = str(address.hostname)
    return _origin_of(address, "localhost" if _is_loopback(host) else host)


def _origin_of(address: SplitResult, host: str) -> str:
    implied = address.port in (None, {"http": 80, "https": 443}[address.scheme])
    name = f"[{host}]" if ":" in host else host
    return f"{address.scheme}://{name}" + ("" if implied else f":{address.port}")


def _origins(value: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(_checked_origin(each) for each in value)


def _checked_origin(value: str) -> str:
    try:
        origin = _origin(_web_address(value))
    except ValueError:
        origin = ""
    if origin != value.rstrip("/"):
        raise ValueError("must be origins such as https://my.example.com, separated by commas")
    if not _is_secure(origin):
        raise ValueError("must begin with https://, but for localhost")
    return origin


def _is_secure(origin: str) -> bool:
    # What a browser lets use security keys: https://www.w3.org/TR/secure-contexts/#is-origin-trustworthy
    return origin.startswith("https://") or _is_under(origin, "localhost")


def _is_under(origin: str, domain: str) -> bool:
    return f".{urlsplit(origin).hostname}".endswith(f".{domain}")


def _is_address(host: str) -> bool:
    with suppress(ValueError):
        return bool(ip_address(host))
    return False


def _is_loopback(host: str) -> bool:
    with suppress(ValueError):
        return ip_address(host).is_loopback
    return host == "localhost"


WebAddress = Annotated[str, AfterValidator(_web_address)]
Seconds = Annotated[float, Field(gt=0, le=3600)]
# Neither a control character, which would end a command, nor a wildcard of IMAP's.
Folder = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f%*]{1,200}$")]


class Settings(BaseSettings):
    """Everything an operator can set. Each field is the variable `KEYTURN_` + its name in capitals."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_ignore_empty=True,  # a variable that is set to nothing is not set
        frozen=True,
        extra="ignore",
        hide_input_in_errors=True,
    )

    mode: Mode = Field(
        default=Mode.LIVE, description="`live`, or `demo`: nothing leaves the machine, and the clock can be moved."
    )
    data_dir: Path = Field(
        default=Path("keyturn-data"), description="The folder that holds whatever Keyturn keeps in files."
    )
    database_url: Annotated[str, _known_scheme("sqlite", "postgresql")] = Field(
        default="", repr=False, description="`postgresql://…`; SQLite in the data folder if empty."
    )
    broker_url: Annotated[str, _known_scheme("filesystem", "amqp", "amqps", "redis", "rediss")] = Field(
        default="", repr=False, description="`amqp://…` or `redis://…`; files in the data folder if empty."
    )
    queue_prefix: Annotated[str, Field(pattern=r"^[a-z0-9._-]{1,64}$")] = Field(
        default="keyturn",
        description="First part of every queue's name, for several installations on one broker: small letters, "
        "digits, dots and dashes.",
    )
    keys: Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(_split)] = Field(
        default=(),
        validate_default=True,
        description="Encryption keys (`keyturn new-key`), newest first, separated by commas. With SQLite, a key file "
        "in the data folder is made if empty.",
    )
    policy_file: Path | None = Field(default=None, description="A policy in TOML instead of the shipped one.")
    texts_file: Path | None = Field(
        default=None,
        description="A translation of all that is sent to customers, a compiled catalogue (`.mo`); English if empty.",
    )
    public_url: WebAddress = Field(default="http://127.0.0.1:8420", description="Where customers reach the pages.")
    rp_id: Annotated[str, AfterValidator(_relying_party)] = Field(
        default="",
        description="The domain that security keys are registered for (the WebAuthn RP ID): one that the billing "
        "portal and Keyturn share, such as example.com for my.example.com and reset.example.com. The public address's "
        "host if empty, and localhost for 127.0.0.1. Once keys are registered it must stay.",
    )
    origins: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split), AfterValidator(_origins)] = Field(
        default=(),
        validate_default=True,
        description="The origins whose pages ask for security keys, separated by commas, such as "
        "https://reset.example.com, https://my.example.com. Each is that domain or lies under it. The public address's "
        "if empty.",
    )
    web_host: str = Field(default="127.0.0.1", description="The address that the web process listens on.")
    web_port: Annotated[int, Field(ge=1, le=65535)] = Field(default=8420, description="The port that it listens on.")
    metrics_token: SecretStr = Field(
        default=SecretStr(""),
        description="Whoever shows it as a bearer token reads `/metrics`, for Prometheus. Without it there is no such "
        "page.",
    )
    maildir: Path | None = Field(
        default=None, description="The watched Maildir; `maildir` in the data folder if empty."
    )
    inbox_address: Annotated[str, AfterValidator(_mail_address)] = Field(
        default="",
        description="The address of the support inbox that Keyturn reads. Where it is set, answers to Keyturn's mails "
        "go to `support+…@…`, so that Keyturn knows what they answer. The mail server must deliver those there too.",
    )
    authserv_id: HostName = Field(
        default="",
        description="The name with which your mail server begins the `Authentication-Results` that it writes. Without "
        "it none are believed.",
    )
    boundary_host: HostName = Field(
        default="",
        validate_default=True,
        description="The name of the server that takes mail from the internet, as it stands after `by` in its "
        "`Received` lines. Only results above the first such line are believed. All mail to the inbox must come in "
        "through this server.",
    )
    dkim_resolvers: Annotated[tuple[Resolver, ...], NoDecode, BeforeValidator(_resolvers)] = Field(
        default=(),
        description="IP addresses of DNS servers, separated by commas, that are asked for the keys of DKIM signatures "
        "where the mail server proves nothing. They must be yours: whoever answers says who is authentic. Without them "
        "signatures are not looked at.",
    )
    imap_host: Annotated[str, Field(pattern=r"^[A-Za-z0-9._:-]{0,253}$")] = Field(
        default="",
        description="The IMAP server of the support mailbox, whose mails are all taken. Without it no mailbox is "
        "watched.",
    )
    imap_port: Annotated[int, Field(ge=1, le=65535)] = Field(
        default=993, description="Its port: 993 with `tls`, mostly 143 with `starttls`."
    )
    imap_tls: ImapTls = Field(
        default=ImapTls.TLS,
        description="`tls`, `starttls`, or `none`: not encrypted, and therefore only to a server on this machine.",
    )
    imap_user: str = Field(
        default="", validate_default=True, repr=False, description="The name that the mailbox is opened with."
    )
    imap_password: SecretStr = Field(default=SecretStr(""), validate_default=True, description="Its password.")
    imap_folder: Folder = Field(default="INBOX", description="The folder that is watched.")
    imap_handled_folder: Folder = Field(
        default="Keyturn",
        validate_default=True,
        description="The folder that a mail is moved to once it has been taken; made if missing. Some servers want "
        "`INBOX.Keyturn`.",
    )
    worker_threads: Annotated[int, Field(ge=1, le=256)] = Field(
        default=8, description="Messages that one worker sends at the same time."
    )
    lease_seconds: Annotated[float, Field(ge=1, le=3600)] = Field(
        default=60,
        description="After this long without a result, a message that a worker took is taken again. Longer than "
        "the slowest exchange with a vendor (three calls of 14 s).",
    )
    relay_seconds: Seconds = Field(default=2, description="How often overdue messages are looked for.")
    sweep_seconds: Seconds = Field(
        default=5, description="How often what is too old is expired and ended holds are completed."
    )
    log_level: Annotated[str, Field(pattern=r"^(DEBUG|INFO|WARNING|ERROR)$")] = Field(
        default="INFO", description="DEBUG, INFO, WARNING or ERROR."
    )
    brand_name: str = Field(default="Your hosting company", description="Your name, as customers know it.")
    brand_support_email: str = Field(default="", description="Where customers write to you.")
    brand_support_phone: str = Field(default="", description="Where customers call you.")
    brand_url: str = Field(default="", description="Your own web address.")
    brand_colour: Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")] = Field(
        default="#1d5c8a", description="Your colour, as `#rrggbb`; dark enough for white text on it."
    )
    sendgrid_api_key: SecretStr = Field(
        default=SecretStr(""), description="SendGrid's API key. Without it e-mail is unavailable."
    )
    sendgrid_from: str = Field(default="", description="The sender address that SendGrid has verified.")
    sendgrid_base_url: WebAddress = Field(default="https://api.sendgrid.com", description="Where SendGrid's API is.")
    sendgrid_webhook_key: str = Field(
        default="",
        description="The verification key of SendGrid's signed event webhook, as SendGrid shows it. Without it the "
        "webhook is refused.",
    )
    sendgrid_inbound_key: str = Field(
        default="",
        description="The public key of the security policy of SendGrid's Inbound Parse. Without it mails from there "
        "are refused.",
    )
    sendgrid_inbound_unsigned: bool = Field(
        default=False,
        description="`true` takes mails from Inbound Parse without a signature: then whoever finds the address can "
        "write mails in anybody's name.",
    )
    helpdesk_secret: Annotated[SecretStr, AfterValidator(_webhook_secret)] = Field(
        default=SecretStr(""),
        description="The secret (Standard Webhooks, `whsec_…`) with which a help desk signs the mails that it hands "
        "over. Without it they are refused.",
    )
    twilio_account_sid: Annotated[str, Field(pattern=r"^(AC[0-9a-fA-F]{32})?$")] = Field(
        default="",
        description="Twilio's account SID: AC and 32 digits. Without it SMS and phone calls are unavailable.",
    )
    twilio_auth_token: SecretStr = Field(
        default=SecretStr(""), description="Its auth token, which also signs what Twilio sends to the pages."
    )
    twilio_from: Annotated[str, Field(pattern=r"^(\+[1-9][0-9]{6,14})?$")] = Field(
        default="", description="Your Twilio number, as +12025550100. Phone calls need it."
    )
    twilio_messaging_service_sid: Annotated[str, Field(pattern=r"^(MG[0-9a-fA-F]{32})?$")] = Field(
        default="",
        description="The SID of a Twilio Messaging Service, MG and 32 digits, that sends SMS instead of the number.",
    )
    twilio_base_url: WebAddress = Field(default="https://api.twilio.com", description="Where Twilio's API is.")
    twilio_lookups_base_url: WebAddress = Field(
        default="https://lookups.twilio.com", description="Where Twilio's Lookup API is."
    )
    lob_api_key: SecretStr = Field(
        default=SecretStr(""), description="Lob's secret API key. Without it letters are unavailable."
    )
    lob_webhook_secret: SecretStr = Field(
        default=SecretStr(""), description="The secret of Lob's webhook. Without it the webhook is refused."
    )
    lob_base_url: WebAddress = Field(default="https://api.lob.com", description="Where Lob's API is.")
    lob_from_name: Annotated[str, Field(max_length=40)] = Field(
        default="", description="The name in a letter's return address; `KEYTURN_BRAND_NAME` if empty."
    )
    lob_from_line1: Annotated[str, Field(max_length=64)] = Field(
        default="", description="The street of the return address. Letters need the whole address."
    )
    lob_from_city: Annotated[str, Field(max_length=200)] = Field(default="", description="Its city.")
    lob_from_state: Annotated[str, Field(pattern=r"^([A-Z]{2})?$")] = Field(default="", description="Its state, as VT.")
    lob_from_zip: Annotated[str, Field(pattern=r"^([0-9]{5}(-[0-9]{4})?)?$")] = Field(
        default="", description="Its ZIP code, as 05001 or 05001-1234."
    )

    @field_validator("keys")
    @classmethod
    def _server_database_needs_keys(cls, keys: tuple[SecretStr, ...], others: ValidationInfo) -> tuple[SecretStr, ...]:
        # A key file per machine would leave each machine unable to read what another one encrypted.
        if str(others.data.get("database_url")).startswith("postgresql") and not keys:
            raise ValueError("must be set with PostgreSQL; `keyturn new-key` makes one")
        return keys

    @field_validator("origins")
    @classmethod
    def _origins_lie_under_the_domain(cls, origins: tuple[str, ...], others: ValidationInfo) -> tuple[str, ...]:
        if not {"rp_id", "public_url"} <= others.data.keys():
            return origins
        page = _page(others.data["public_url"])
        domain = others.data["rp_id"] or str(urlsplit(page).hostname)
        for origin in origins or (page,):
            if not _is_under(origin, domain):
                raise ValueError(f"{origin} does not lie under {domain}, which {PREFIX}RP_ID or its default names")
        return origins

    @field_validator("boundary_host")
    @classmethod
    def _boundary_has_both_names(cls, host: str, others: ValidationInfo) -> str:
        if "authserv_id" in others.data and bool(host) != bool(others.data["authserv_id"]):
            # One without the other would look set up and prove nothing.
            raise ValueError(f"must be set if and only if {PREFIX}AUTHSERV_ID is: neither means anything alone")
        return host

    @field_validator("imap_tls")
    @classmethod
    def _only_loopback_goes_unencrypted(cls, tls: ImapTls, others: ValidationInfo) -> ImapTls:
        host = others.data.get("imap_host")
        if tls is ImapTls.NONE and host and not _is_loopback(host):
            raise ValueError("`none` would send the password readable: only to localhost")
        return tls

    @field_validator("imap_user", "imap_password")
    @classmethod
    def _mailbox_needs_login(cls, value: str | SecretStr, others: ValidationInfo) -> str | SecretStr:
        if others.data.get("imap_host") and not len(value):
            raise ValueError(f"must be set with {PREFIX}IMAP_HOST")
        return value

    @field_validator("imap_handled_folder")
    @classmethod
    def _handled_is_another_folder(cls, handled: str, others: ValidationInfo) -> str:
        if handled.lower() == others.data.get("imap_folder", "").lower():
            raise ValueError("must not be the folder that is watched")
        return handled

    @property
    def is_demo(self) -> bool:
        return self.mode is Mode.DEMO

    @property
    def relying_party(self) -> str:
        """The domain that security keys are registered for (WebAuthn's RP ID)."""
        return self.rp_id or str(urlsplit(_page(self.public_url)).hostname)

    @property
    def key_origins(self) -> tuple[str, ...]:
        """The origins whose pages ask for security keys; none where the public address is one that no browser lets."""
        page = _page(self.public_url)
        usable = _is_secure(page) and not _is_address(self.relying_party)
        return self.origins or ((page,) if usable else ())

    @property
    def typed_address(self) -> str:
        """The public address as somebody types it."""
        return self.public_url.split("://", 1)[1]

    @property
    def maildir_path(self) -> Path:
        return self.maildir or self.data_dir / "maildir"

    @property
    def outbox_path(self) -> Path:
        return self.data_dir / "outbox"


@cache
def load() -> Settings:
    """The settings of this process. Raises `BadSettings`."""
    try:
        return Settings()
    except ValidationError as error:
        raise BadSettings(_one_line_a_fault(error)) from None


def make_data_dir(chosen: Settings) -> None:
    """Makes the data folder where there is none, closed to other users. Raises `BadSettings`."""
    try:
        chosen.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise BadSettings(f"{PREFIX}DATA_DIR: {chosen.data_dir} cannot be made ({error.strerror})") from None


def _one_line_a_fault(error: ValidationError) -> str:
    return "\n".join(_line(fault) for fault in error.errors(include_url=False))


def _line(fault: ErrorDetails) -> str:
    name = str(fault["loc"][0])
    what = fault["msg"].removeprefix("Value error, ")
    if fault["type"] == "string_pattern_mismatch":
        # A pattern tells a person little; what the setting is for names an example.
        what = f"has the wrong form. {Settings.model_fields[name].description}"
    return f"{PREFIX}{name.upper()}: {what}"
