"""The one place for settings: read from `KEYTURN_*`, checked once, frozen.

`load()` answers with `Settings` or raises `BadSettings`, whose text has one line a fault and names the variable.
"""

from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

PREFIX = "KEYTURN_"


class Mode(StrEnum):
    """`live` sends; `demo` writes what would be sent into the data folder and lets the clock be moved."""

    LIVE = "live"
    DEMO = "demo"


class BadSettings(Exception):
    """The environment holds a setting that Keyturn cannot work with. Mend the variables it names and start again."""


def _web_address(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("must be a web address such as https://reset.example.com")
    return value.rstrip("/")


def _known_scheme(*schemes: str) -> AfterValidator:
    def check(value: str) -> str:
        if value and urlsplit(value).scheme not in schemes:
            raise ValueError(f"must begin with one of: {', '.join(s + '://' for s in schemes)}")
        return value

    return AfterValidator(check)


def _split(value: object) -> object:
    return tuple(part for part in value.split(",") if part) if isinstance(value, str) else value


WebAddress = Annotated[str, AfterValidator(_web_address)]
Seconds = Annotated[float, Field(gt=0, le=3600)]


class Settings(BaseSettings):
    """Everything an operator can set. Each field is the variable `KEYTURN_` + its name in capitals."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore", hide_input_in_errors=True)

    mode: Mode = Field(
        default=Mode.LIVE, description="`live`, or `demo`: nothing leaves the machine, and the clock can be moved."
    )
    data_dir: Path = Field(
        default=Path("keyturn-data"), description="The folder that holds whatever Keyturn keeps in files."
    )
    database_url: Annotated[str, _known_scheme("sqlite", "postgresql")] = Field(
        default="", description="`postgresql://…`; SQLite in the data folder if empty."
    )
    broker_url: Annotated[str, _known_scheme("filesystem", "amqp", "amqps", "redis", "rediss")] = Field(
        default="", description="`amqp://…` or `redis://…`; files in the data folder if empty."
    )
    queue_prefix: Annotated[str, Field(pattern=r"^[a-z0-9._-]{1,64}$")] = Field(
        default="keyturn", description="First part of every queue's name, for several installations on one broker."
    )
    keys: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        default=(),
        description="Encryption keys (`keyturn new-key`), newest first, separated by commas. With SQLite, a key file "
        "in the data folder is made if empty.",
    )
    policy_file: Path | None = Field(default=None, description="A policy in TOML instead of the shipped one.")
    public_url: WebAddress = Field(default="http://127.0.0.1:8420", description="Where customers reach the pages.")
    web_host: str = Field(default="127.0.0.1", description="The address that the web process listens on.")
    web_port: Annotated[int, Field(ge=1, le=65535)] = Field(default=8420, description="The port that it listens on.")
    maildir: Path | None = Field(
        default=None, description="The watched Maildir; `maildir` in the data folder if empty."
    )
    worker_threads: Annotated[int, Field(ge=1, le=256)] = Field(
        default=8, description="Messages that one worker sends at the same time."
    )
    lease_seconds: Annotated[float, Field(ge=1, le=3600)] = Field(
        default=60,
        description="After this long without a result, a message that a worker took is taken again. Longer than "
        "the slowest vendor call (14 s).",
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

    @model_validator(mode="before")
    @classmethod
    def _keys_from_commas(cls, values: dict[str, object]) -> dict[str, object]:
        return {**values, "keys": _split(values["keys"])} if "keys" in values else values

    @model_validator(mode="after")
    def _server_database_needs_keys(self) -> Self:
        # A key file per machine would leave each machine unable to read what another one encrypted.
        if self.database_url.startswith("postgresql") and not self.keys:
            raise ValueError(f"{PREFIX}KEYS: must be set with PostgreSQL; `keyturn new-key` makes one")
        return self

    @property
    def is_demo(self) -> bool:
        return self.mode is Mode.DEMO

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


def _one_line_a_fault(error: ValidationError) -> str:
    return "\n".join(_line(fault["loc"], fault["msg"]) for fault in error.errors(include_url=False))


def _line(where: tuple[int | str, ...], what: str) -> str:
    what = what.removeprefix("Value error, ")
    return f"{PREFIX}{str(where[0]).upper()}: {what}" if where else what
