"""The shape of an account in an import: one flat row of texts, as a line of CSV or an object of JSON.

Blank means "not given". Times are ISO 8601, UTC where they name no zone. `…_verified` says when the billing system
verified that contact point; without it no code is ever sent there.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    PlainValidator,
    SecretStr,
    StringConstraints,
    model_validator,
)

from authenticators import otpauth
from authenticators.totp import App
from foundation.addresses import normalise_address
from foundation.phone_numbers import normalise_number
from policy.permits import Destination, PostalAddress
from policy.vocabulary import Channel, ContactKind


def _email(value: str) -> str:
    address = normalise_address(value)
    if address is None:
        raise ValueError("is not an e-mail address")
    return address


def _phone(value: str) -> str:
    number = normalise_number(value)
    if number is None:
        raise ValueError("is not a valid phone number; write it as +12025550142")
    return number


def _in_utc(value: datetime) -> datetime:
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _app(value: object) -> App:
    try:
        return otpauth.read(str(value))
    except otpauth.BadTotp as fault:
        raise ValueError(str(fault)) from None


def _passphrase(value: SecretStr) -> SecretStr:
    if not 8 <= len(value.get_secret_value().strip()) <= 200:  # noqa: PLR2004 - said in the error
        raise ValueError("must have 8 to 200 characters")
    try:
        value.get_secret_value().encode()
    except UnicodeEncodeError:
        raise ValueError("holds a half of a character") from None
    return value


Line = Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
Email = Annotated[str, AfterValidator(_email)]
Phone = Annotated[str, AfterValidator(_phone)]
Moment = Annotated[datetime, AfterValidator(_in_utc)]
TotpApp = Annotated[App, PlainValidator(_app)]


@dataclass(frozen=True, slots=True)
class GivenContact:
    """A contact point as the row gives it."""

    kind: ContactKind
    destination: Destination
    verified_at: datetime | None


class AccountRow(BaseModel):
    """One account. `totp_secret`, base 32 or an otpauth line, enrols a factor when the account is created."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    ref: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,64}$")]
    name: Line
    country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
    primary_email: Email | None = None
    primary_email_verified: Moment | None = None
    two_factor_email: Email | None = None
    two_factor_email_verified: Moment | None = None
    phone: Phone | None = None
    phone_verified: Moment | None = None
    postal_name: Line | None = None
    postal_line1: Line | None = None
    postal_line2: Line | None = None
    postal_city: Line | None = None
    postal_state: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")] | None = None
    postal_zip: Annotated[str, StringConstraints(pattern=r"^\d{5}(-\d{4})?$")] | None = None
    postal_verified: Moment | None = None
    preference: Channel | None = None
    backup: Channel | None = None
    passphrase: Annotated[SecretStr, AfterValidator(_passphrase)] | None = None
    totp_secret: TotpApp | None = None

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if self.two_factor_email is not None and self.two_factor_email == self.primary_email:
            raise ValueError("two_factor_email: must differ from primary_email")
        parts = (self.postal_line1, self.postal_city, self.postal_state, self.postal_zip)
        if any(parts) and not all(parts):
            raise ValueError("postal address: needs line1, city, state and zip")
        if self.backup is not None and self.backup is self.preference:
            raise ValueError("backup: must differ from preference")
        return self

    def contacts(self) -> Iterator[GivenContact]:
        """The contact points that the row gives."""
        if self.primary_email:
            yield GivenContact(ContactKind.PRIMARY_EMAIL, self.primary_email, self.primary_email_verified)
        if self.two_factor_email:
            yield GivenContact(ContactKind.TWO_FACTOR_EMAIL, self.two_factor_email, self.two_factor_email_verified)
        if self.phone:
            yield GivenContact(ContactKind.PHONE, self.phone, self.phone_verified)
        if self.postal_line1 and self.postal_city and self.postal_state and self.postal_zip:
            address = PostalAddress(
                self.postal_name or self.name,
                self.postal_line1,
                self.postal_line2 or "",
                self.postal_city,
                self.postal_state,
                self.postal_zip,
                self.country,
            )
            yield GivenContact(ContactKind.POSTAL_ADDRESS, address, self.postal_verified)
