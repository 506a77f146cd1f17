"""Authenticator apps (RFC 6238): their secrets, which time step a typed code is of, and the rows that keep both."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from urllib.parse import quote
from uuid import UUID

import pyotp
from sqlalchemy import Connection, bindparam, insert, or_, select, update

from foundation.keyring import Keyring
from models.base import new_id
from models.factors import Algorithm, Authenticator, AuthenticatorKind, TotpApp

_PURPOSE = "totp"

_WINDOW = 1  # time steps, either way: RFC 6238 §5.2
_FARTHEST_SKEW = timedelta(minutes=10)
_STRONG_BITS = 112  # NIST SP 800-63B-4 §3.1.4.1; pyotp refuses less
_HASHES = MappingProxyType(
    {Algorithm.SHA1: hashlib.sha1, Algorithm.SHA256: hashlib.sha256, Algorithm.SHA512: hashlib.sha512}
)

_ENROLLED = (
    select(
        Authenticator.id,
        Authenticator.label,
        Authenticator.sealed_secret,
        Authenticator.suspended_at,
        TotpApp.algorithm,
        TotpApp.digits,
        TotpApp.period,
        TotpApp.last_step,
    )
    .join(TotpApp, TotpApp.authenticator_id == Authenticator.id)
    .where(Authenticator.account_id == bindparam("account_id"), Authenticator.revoked_at.is_(None))
    .order_by(Authenticator.created_at, Authenticator.id)
)
_TAKE_STEP = (
    update(TotpApp)
    .where(
        TotpApp.authenticator_id == bindparam("of"),
        or_(TotpApp.last_step.is_(None), TotpApp.last_step < bindparam("step")),
    )
    .values(last_step=bindparam("step"))
)
_USE = (
    update(Authenticator)
    .where(Authenticator.id == bindparam("of"), Authenticator.revoked_at.is_(None))
    .values(last_used_at=bindparam("now"))
)


@dataclass(frozen=True, slots=True)
class App:
    """What an authenticator app holds: `secret` in base 32 without padding; `period`, in seconds, is a time step."""

    secret: str = field(repr=False)
    algorithm: Algorithm = Algorithm.SHA1
    digits: int = 6
    period: int = 30

    @property
    def key(self) -> bytes:
        """The secret as HMAC takes it."""
        return base64.b32decode(self.secret + "=" * (-len(self.secret) % 8))

    @property
    def bits(self) -> int:
        """The length of the secret."""
        return len(self.key) * 8

    @property
    def is_weak(self) -> bool:
        """Whether the secret is shorter than NIST allows: its codes count, but its customer should enrol again."""
        return self.bits < _STRONG_BITS


def new_app(algorithm: Algorithm = Algorithm.SHA1, digits: int = 6) -> App:
    """A fresh secret, as long as what the hash gives (RFC 4226 §4 R6, RFC 6238 §5.1): SHA-1 160 bits, SHA-256 256."""
    key = secrets.token_bytes(_HASHES[algorithm]().digest_size)
    return App(in_base32(key), algorithm, digits)


def in_base32(key: bytes) -> str:
    """A secret as an `App` has it: base 32 without padding."""
    return base64.b32encode(key).decode().rstrip("=")


def hotp(secret: bytes, counter: int, digits: int, algorithm: Algorithm) -> str:
    """The code for `counter` (RFC 4226 §5.3), `digits` decimal digits, whatever the secret's length."""
    tag = hmac.digest(secret, counter.to_bytes(8, "big"), algorithm.value)
    offset = tag[-1] & 0xF
    number = int.from_bytes(tag[offset : offset + 4], "big") & 0x7FFF_FFFF
    return f"{number % 10**digits:0{digits}}"


def code_at(app: App, step: int) -> str:
    """The app's code in this time step."""
    if app.is_weak:
        return hotp(app.key, step, app.digits, app.algorithm)
    return pyotp.HOTP(app.secret, digits=app.digits, digest=_HASHES[app.algorithm]).at(step)


def step_at(app: App, now: datetime) -> int:
    """The time step at `now`: how many periods have passed since 1970 (RFC 6238 §4.2)."""
    return int(now.timestamp()) // app.period


def matching_step(app: App, typed: str, now: datetime, after: int | None) -> int | None:
    """The time step whose code was typed: at most one away from now's, and later than `after`, the last one accepted.

    `typed` is taken as it is: a blank in it makes it wrong. Have `take_step` take the step before the code counts.
    """
    here = step_at(app, now)
    late_enough = (step for step in range(here - _WINDOW, here + _WINDOW + 1) if after is None or step > after)
    # The latest, because a code that two steps have in common would count again in the later one.
    return max(_steps_of(app, typed, late_enough), default=None)


def skew_of(app: App, typed: str, now: datetime) -> timedelta | None:
    """How far the phone's clock is ahead, or behind if negative, where this would be the code of a clock that is off.

    To the time step, up to 10 minutes; None for a code that `matching_step` takes and for one that is wrong.
    """
    here = step_at(app, now)
    reach = int(_FARTHEST_SKEW.total_seconds()) // app.period
    steps = (here + away for away in range(-reach, reach + 1) if abs(away) > _WINDOW)
    nearest = min((step - here for step in _steps_of(app, typed, steps)), key=abs, default=None)
    return None if nearest is None else timedelta(seconds=nearest * app.period)


def _steps_of(app: App, typed: str, steps: Iterable[int]) -> list[int]:
    if len(typed) != app.digits or not (typed.isascii() and typed.isdigit()):
        return []
    # Every step is compared, also after a match, so that the time taken does not tell which one it was.
    return [step for step in steps if hmac.compare_digest(typed, code_at(app, step))]


def uri(app: App, issuer: str, account_name: str) -> str:
    """The otpauth URI from which an app takes its secret, mostly as a QR code.

    https://github.com/google/google-authenticator/wiki/Key-Uri-Format: the issuer stands in the label and as a
    parameter, neither name holds a colon, a blank is %20, and what is the default is left out.
    """
    # pyotp's own leaves colons and slashes in the label, where apps split it, and raises for weak secrets.
    brand, name = _encoded(issuer), _encoded(account_name)
    parameters = {"secret": app.secret, "issuer": brand}
    usual = App(app.secret)
    if app.algorithm is not usual.algorithm:
        parameters["algorithm"] = app.algorithm.upper()
    if app.digits != usual.digits:
        parameters["digits"] = str(app.digits)
    if app.period != usual.period:
        parameters["period"] = str(app.period)
    return f"otpauth://totp/{brand}:{name}?" + "&".join(f"{key}={value}" for key, value in parameters.items())


def _encoded(name: str) -> str:
    return quote(" ".join(name.replace(":", " ").split()), safe="", errors="replace")


@dataclass(frozen=True, slots=True)
class Enrolled:
    """An account's authenticator app; `suspended` while its customer says that it was stolen."""

    id: UUID
    label: str
    app: App
    last_step: int | None
    suspended: bool


def add(  # noqa: PLR0913 - a row, and what there is to say of it
    connection: Connection,
    keyring: Keyring,
    account_id: UUID,
    app: App,
    *,
    label: str,
    now: datetime,
    authenticator_id: UUID | None = None,
    last_step: int | None = None,
) -> UUID:
    """Enrols an app and answers with its authenticator's id; `last_step` is that of the code that proved it."""
    row_id = authenticator_id or new_id()
    row = {
        "id": row_id,
        "account_id": account_id,
        "kind": AuthenticatorKind.TOTP,
        "label": label,
        "sealed_secret": keyring.seal(app.secret.encode(), purpose=_PURPOSE, row=row_id),
        "created_at": now,
    }
    connection.execute(insert(Authenticator), row)
    details = {"algorithm": app.algorithm, "digits": app.digits, "period": app.period, "last_step": last_step}
    connection.execute(insert(TotpApp), details | {"authenticator_id": row_id})
    return row_id


def enrolled(connection: Connection, keyring: Keyring, account_id: UUID) -> list[Enrolled]:
    """The account's apps that are not revoked, oldest first. Raises `CannotOpen` or `WrongPlace`."""
    found = []
    for row in connection.execute(_ENROLLED, {"account_id": account_id}):
        secret = keyring.open(row.sealed_secret, purpose=_PURPOSE, row=row.id).decode()
        app = App(secret, row.algorithm, row.digits, row.period)
        found.append(Enrolled(row.id, row.label, app, row.last_step, row.suspended_at is not None))
    return found


def take_step(connection: Connection, authenticator_id: UUID, step: int, now: datetime) -> bool:
    """Takes a time step, so that its code counts this once and no earlier one counts afterwards (RFC 6238 §5.2).

    False where this or a later step was taken first, or the app has been revoked: then the code must not count.
    """
    taken = connection.execute(_TAKE_STEP, {"of": authenticator_id, "step": step}).rowcount == 1
    return taken and connection.execute(_USE, {"of": authenticator_id, "now": now}).rowcount == 1
