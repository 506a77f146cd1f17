"""An enrolled second factor: what all kinds share, and the rows of each kind."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, enum_column


class AuthenticatorKind(StrEnum):
    """An enrolled second factor."""

    TOTP = "totp"
    SMS = "sms"
    SECURITY_KEY = "security_key"
    RECOVERY_CODES = "recovery_codes"


class Algorithm(StrEnum):
    """The hash of a TOTP (RFC 6238 §1.2)."""

    SHA1 = "sha1"
    SHA256 = "sha256"
    SHA512 = "sha512"


class Ceremony(StrEnum):
    """What a browser was asked to do with a security key."""

    REGISTER = "register"
    SIGN_IN = "sign_in"
    CONFIRM = "confirm"


class Authenticator(Base):
    """An enrolled second factor. Revoking keeps the row, so that history can name it, and erases its secret.

    `contact_id` is the phone that SMS codes for sign-in go to. From `suspended_at` on its customer says that it was
    stolen; the case `suspended_in` is where.
    """

    __tablename__ = "authenticator"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), index=True)
    kind: Mapped[AuthenticatorKind] = mapped_column(enum_column(AuthenticatorKind))
    label: Mapped[str] = mapped_column(String(100))
    sealed_secret: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    suspended_at: Mapped[datetime | None]
    suspended_in: Mapped[UUID | None] = mapped_column(ForeignKey("reset_case.id"))
    contact_id: Mapped[UUID | None] = mapped_column(ForeignKey("contact_point.id"))


class TotpApp(Base):
    """What a TOTP needs besides its secret; `period` in seconds. A step is accepted only if later than `last_step`."""

    __tablename__ = "totp_app"

    authenticator_id: Mapped[UUID] = mapped_column(ForeignKey("authenticator.id"), primary_key=True)
    algorithm: Mapped[Algorithm] = mapped_column(enum_column(Algorithm))
    digits: Mapped[int]
    period: Mapped[int]
    last_step: Mapped[int | None] = mapped_column(BigInteger)


class SecurityKey(Base):
    """A WebAuthn credential: the key's own id, its public key as COSE, and the last value of its counter."""

    __tablename__ = "security_key"

    authenticator_id: Mapped[UUID] = mapped_column(ForeignKey("authenticator.id"), primary_key=True)
    rp_id: Mapped[str] = mapped_column(String(253))
    credential_id: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    sign_count: Mapped[int] = mapped_column(BigInteger)
    transports: Mapped[str] = mapped_column(String(100))


class KeyChallenge(Base):
    """What a browser was given for a security key to sign, once, before `expires_at`."""

    __tablename__ = "key_challenge"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), index=True)
    ceremony: Mapped[Ceremony] = mapped_column(enum_column(Ceremony))
    challenge: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class RecoveryCode(Base):
    """One of an account's saved codes. `selector`, its first four signs, finds it; `hash` (argon2id) is of the rest."""

    __tablename__ = "recovery_code"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    authenticator_id: Mapped[UUID] = mapped_column(ForeignKey("authenticator.id"))
    selector: Mapped[str] = mapped_column(String(4))
    hash: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]
    used_at: Mapped[datetime | None]

    __table_args__ = (Index(None, "authenticator_id", "selector", unique=True),)
