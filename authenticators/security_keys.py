"""Security keys (WebAuthn level 3: YubiKeys and passkeys): registering one, signing in with one, refusing a copied one.

A browser is given a challenge, which counts once and for five minutes, and answers with what the key signed. What it
answers is hostile until it has been verified.
"""

import json
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Literal, TypeAlias, TypeVar
from uuid import UUID

import webauthn
from sqlalchemy import Connection, and_, bindparam, delete, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from webauthn.helpers import (
    base64url_to_bytes,
    decode_credential_public_key,
    decoded_public_key_to_cryptography,
    parse_client_data_json,
)
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    AuthenticatorTransport,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from models.base import AnyRow, new_id
from models.factors import Authenticator, AuthenticatorKind, Ceremony, KeyChallenge, SecurityKey

UserVerification: TypeAlias = Literal["preferred", "required", "discouraged"]
"""The policy's `sign_in.user_verification`."""
Response: TypeAlias = str | dict[str, Any]
"""What the browser's credential says of itself (`toJSON()`), as text or as read from it."""

_CHALLENGE_VALID = timedelta(minutes=5)  # WebAuthn L3 §15.1 has browsers wait for 5 to 10 minutes
_CHALLENGE_BYTES = 32  # WebAuthn L3 §13.4.3: 16 at least
_LONGEST_ID = 1023  # bytes; WebAuthn L3 §7.1 step 25
_LONGEST_RESPONSE = 1 << 16  # characters
_ALGORITHMS = (
    COSEAlgorithmIdentifier.ECDSA_SHA_256,
    COSEAlgorithmIdentifier.EDDSA,
    COSEAlgorithmIdentifier.RSASSA_PKCS1_v1_5_SHA_256,
)

_T = TypeVar("_T")


class Reason(StrEnum):
    """Why what a browser answered does not count."""

    UNREADABLE = "unreadable"
    UNKNOWN_CHALLENGE = "unknown_challenge"
    EXPIRED = "expired"
    NOT_VERIFIED = "not_verified"
    NO_USER_VERIFICATION = "no_user_verification"
    ALREADY_REGISTERED = "already_registered"
    UNKNOWN_KEY = "unknown_key"
    SUSPENDED = "suspended"
    COPIED = "copied"


_SAID = MappingProxyType(
    {
        Reason.UNREADABLE: "The browser's answer cannot be read. Try again.",
        Reason.UNKNOWN_CHALLENGE: "This was answered before, or asked elsewhere. Try again.",
        Reason.EXPIRED: "That took more than five minutes. Try again.",
        Reason.NOT_VERIFIED: "The security key's answer is not right. Try again.",
        Reason.NO_USER_VERIFICATION: "The security key must ask for its PIN or a finger. Set that up and try again.",
        Reason.ALREADY_REGISTERED: "This security key is registered already. Use another one.",
        Reason.UNKNOWN_KEY: "This security key is not registered here. Use one that is.",
        Reason.SUSPENDED: "This security key is suspended. Use another factor.",
        Reason.COPIED: "This security key may have been copied. Remove it, and register another one.",
    }
)


class BadKey(Exception):
    """What the browser answered does not count, for `reason`. Ask the browser anew, with a new challenge.

    Catch it within the transaction: rolling back would let the challenge count again.
    """

    def __init__(self, reason: Reason) -> None:
        super().__init__(_SAID[reason])
        self.reason = reason


class KeyCopied(BadKey):
    """The key's counter did not go up, so there may be a copy of it (WebAuthn L3 §6.1.1). Tell the customer."""

    def __init__(self, authenticator_id: UUID) -> None:
        super().__init__(Reason.COPIED)
        self.authenticator_id = authenticator_id


@dataclass(frozen=True, slots=True)
class Asserted:
    """The key that signed in; `label` is its owner's name for it."""

    authenticator_id: UUID
    label: str


_CURRENT = and_(Authenticator.id == SecurityKey.authenticator_id, Authenticator.revoked_at.is_(None))
_KEYS = (
    select(SecurityKey.credential_id, SecurityKey.transports, SecurityKey.rp_id, Authenticator.suspended_at)
    .join(Authenticator, _CURRENT)
    .where(Authenticator.account_id == bindparam("account_id"))
    .order_by(Authenticator.created_at, Authenticator.id)
)
_FORGET = delete(KeyChallenge).where(
    KeyChallenge.account_id == bindparam("account_id"), KeyChallenge.expires_at < bindparam("now")
)
_TAKE = (
    update(KeyChallenge)
    .where(
        KeyChallenge.challenge == bindparam("given"),
        KeyChallenge.account_id == bindparam("of_account"),
        KeyChallenge.ceremony == bindparam("of_ceremony"),
        KeyChallenge.used_at.is_(None),
    )
    .values(used_at=bindparam("now"))
    .returning(KeyChallenge.expires_at)
)
_IS_KNOWN = select(SecurityKey.authenticator_id).where(SecurityKey.credential_id == bindparam("credential_id"))
# Its owner's row is locked: the key cannot be revoked before its counter is written.
_FIND = (
    select(Authenticator.id, Authenticator.label, Authenticator.suspended_at, SecurityKey.public_key)
    .join(SecurityKey, _CURRENT)
    .where(Authenticator.account_id == bindparam("account_id"), SecurityKey.credential_id == bindparam("credential_id"))
    .with_for_update(of=Authenticator)
)
# WebAuthn L3 §7.2 step 22: up, unless the key counts nothing. Of two at once with the same value one is refused.
_COUNT = (
    update(SecurityKey)
    .where(
        SecurityKey.authenticator_id == bindparam("of"),
        or_(
            SecurityKey.sign_count < bindparam("counted"),
            and_(SecurityKey.sign_count == 0, bindparam("counted") == 0),
        ),
    )
    .values(sign_count=bindparam("counted"))
)
_USE = update(Authenticator).where(Authenticator.id == bindparam("of")).values(last_used_at=bindparam("now"))


def registration_options(  # noqa: PLR0913 - all are facts of the ceremony, and named
    connection: Connection,
    *,
    account_id: UUID,
    user_name: str,
    display_name: str,
    rp_id: str,
    rp_name: str,
    user_verification: UserVerification,
    now: datetime,
) -> str:
    """What `navigator.credentials.create()` is to be given, as JSON (WebAuthn L3 §5.1.8).

    `user_name` and `display_name` are what a browser shows of the account. Its keys are excluded.
    """
    keys = connection.execute(_KEYS, {"account_id": account_id}).all()
    options = webauthn.generate_registration_options(
        rp_id=rp_id,
        rp_name=rp_name,
        user_id=account_id.bytes,
        user_name=user_name,
        user_display_name=display_name,
        challenge=_new_challenge(connection, account_id, Ceremony.REGISTER, now),
        timeout=_milliseconds(_CHALLENGE_VALID),
        # The account is known before its key is asked for: nothing has to be stored in a key with little room.
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.DISCOURAGED,
            user_verification=UserVerificationRequirement(user_verification),
        ),
        exclude_credentials=_descriptors(keys),
        supported_pub_key_algs=list(_ALGORITHMS),
    )
    return webauthn.options_to_json(options)


def register(  # noqa: PLR0913 - all are facts of the ceremony, and named
    connection: Connection,
    *,
    account_id: UUID,
    response: Response,
    label: str,
    rp_id: str,
    origins: Iterable[str],
    user_verification: UserVerification,
    now: datetime,
    authenticator_id: UUID | None = None,
) -> UUID:
    """Enrols the key that answered, under its owner's `label`; its id, which is `authenticator_id` if given.

    Raises `BadKey`. The challenge is spent in any case.
    """
    answer = _read(response, "attestationObject")
    challenge = _take_challenge(connection, answer, account_id, Ceremony.REGISTER, now)
    verified = _verified(
        lambda: webauthn.verify_registration_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=rp_id,
            expected_origin=list(origins),
            supported_pub_key_algs=list(_ALGORITHMS),
        )
    )
    # The statement "none" is not signed: whether the key can be used at all shows here, or when it is needed.
    _verified(lambda: decoded_public_key_to_cryptography(decode_credential_public_key(verified.credential_public_key)))
    if len(verified.credential_id) > _LONGEST_ID:
        raise BadKey(Reason.NOT_VERIFIED)
    _require_user(user_verification, was_verified=verified.user_verified)
    enrolled = {
        "id": authenticator_id or new_id(),
        "account_id": account_id,
        "kind": AuthenticatorKind.SECURITY_KEY,
        "label": label,
        "created_at": now,
    }
    key = {
        "authenticator_id": enrolled["id"],
        "rp_id": rp_id,
        "credential_id": verified.credential_id,
        "public_key": verified.credential_public_key,
        "sign_count": verified.sign_count,
        "transports": _transports(answer),
    }
    _insert(connection, enrolled, key)
    return UUID(str(enrolled["id"]))


def assertion_options(
    connection: Connection,
    *,
    account_id: UUID,
    ceremony: Ceremony,
    rp_id: str,
    user_verification: UserVerification,
    now: datetime,
) -> str | None:
    """What `navigator.credentials.get()` is to be given, as JSON; None where no key of the account can be used."""
    keys = connection.execute(_KEYS, {"account_id": account_id}).all()
    usable = [key for key in keys if key.suspended_at is None and key.rp_id == rp_id]
    if not usable:
        return None
    options = webauthn.generate_authentication_options(
        rp_id=rp_id,
        challenge=_new_challenge(connection, account_id, ceremony, now),
        timeout=_milliseconds(_CHALLENGE_VALID),
        allow_credentials=_descriptors(usable),
        user_verification=UserVerificationRequirement(user_verification),
    )
    return webauthn.options_to_json(options)


def check_assertion(  # noqa: PLR0913 - all are facts of the ceremony, and named
    connection: Connection,
    *,
    account_id: UUID,
    ceremony: Ceremony,
    response: Response,
    rp_id: str,
    origins: Iterable[str],
    user_verification: UserVerification,
    now: datetime,
) -> Asserted:
    """The account's key that signed the challenge of this ceremony. Raises `BadKey`, or `KeyCopied`.

    The challenge is spent in any case.
    """
    answer = _read(response, "authenticatorData", "signature")
    challenge = _take_challenge(connection, answer, account_id, ceremony, now)
    key = _find(connection, account_id, answer)
    verified = _verified(
        lambda: webauthn.verify_authentication_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=rp_id,
            expected_origin=list(origins),
            credential_public_key=key.public_key,
            # The library looks at the counter before it looks at the signature; ours is looked at below.
            credential_current_sign_count=0,
        )
    )
    _require_user(user_verification, was_verified=verified.user_verified)
    if key.suspended_at is not None:
        raise BadKey(Reason.SUSPENDED)
    if connection.execute(_COUNT, {"of": key.id, "counted": verified.new_sign_count}).rowcount != 1:
        raise KeyCopied(key.id)
    connection.execute(_USE, {"of": key.id, "now": now})
    return Asserted(key.id, key.label)


def _new_challenge(connection: Connection, account_id: UUID, ceremony: Ceremony, now: datetime) -> bytes:
    connection.execute(_FORGET, {"account_id": account_id, "now": now})
    challenge = secrets.token_bytes(_CHALLENGE_BYTES)
    row = {
        "id": new_id(),
        "account_id": account_id,
        "ceremony": ceremony,
        "challenge": challenge,
        "created_at": now,
        "expires_at": now + _CHALLENGE_VALID,
    }
    connection.execute(insert(KeyChallenge), row)
    return challenge


def _take_challenge(
    connection: Connection, answer: Mapping[str, Any], account_id: UUID, ceremony: Ceremony, now: datetime
) -> bytes:
    """The challenge that was answered, which never counts again."""
    client = _readable(lambda: parse_client_data_json(base64url_to_bytes(answer["response"]["clientDataJSON"])))
    key = {"given": client.challenge, "of_account": account_id, "of_ceremony": ceremony, "now": now}
    expires_at = connection.execute(_TAKE, key).scalar_one_or_none()
    if expires_at is None:
        raise BadKey(Reason.UNKNOWN_CHALLENGE)
    if expires_at <= now:
        raise BadKey(Reason.EXPIRED)
    if client.cross_origin:
        # Asked within another site's frame, where nobody sees for whom (WebAuthn L3 §7.1 step 10, §7.2 step 13).
        raise BadKey(Reason.NOT_VERIFIED)
    return client.challenge


def _find(connection: Connection, account_id: UUID, answer: Mapping[str, Any]) -> AnyRow:
    credential_id = _readable(lambda: base64url_to_bytes(answer["rawId"]))
    handle = answer["response"].get("userHandle")
    if handle and _readable(lambda: base64url_to_bytes(handle)) != account_id.bytes:
        raise BadKey(Reason.NOT_VERIFIED)
    key = connection.execute(_FIND, {"account_id": account_id, "credential_id": credential_id}).one_or_none()
    if key is None:
        raise BadKey(Reason.UNKNOWN_KEY)
    return key


def _insert(connection: Connection, enrolled: Mapping[str, object], key: Mapping[str, object]) -> None:
    if connection.execute(_IS_KNOWN, {"credential_id": key["credential_id"]}).first() is not None:
        raise BadKey(Reason.ALREADY_REGISTERED)
    try:
        with connection.begin_nested():
            connection.execute(insert(Authenticator), enrolled)
            connection.execute(insert(SecurityKey), key)
    except IntegrityError:
        # Another transaction registered it in between.
        raise BadKey(Reason.ALREADY_REGISTERED) from None


def _read(response: Response, *needed: str) -> dict[str, Any]:
    """The parts of the answer that are looked at: all of them text of a bearable length."""
    outer = _table(_readable(lambda: json.loads(_text(response))) if isinstance(response, str) else response)
    inner = _table(outer.get("response"))
    parts = {name: _text(inner.get(name)) for name in ("clientDataJSON", *needed)}
    if inner.get("userHandle") is not None:
        parts["userHandle"] = _text(inner["userHandle"])
    names = {name: _text(outer.get(name)) for name in ("id", "rawId", "type")}
    return names | {"response": parts | {"transports": inner.get("transports")}}


def _table(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise BadKey(Reason.UNREADABLE)
    return value


def _text(value: object) -> str:
    if not isinstance(value, str) or len(value) > _LONGEST_RESPONSE:
        raise BadKey(Reason.UNREADABLE)
    return value


def _transports(answer: Mapping[str, Any]) -> str:
    """How the key says that it is reached, as far as there is a word for it (WebAuthn L3 §5.8.4)."""
    said = answer["response"]["transports"]
    return " ".join(each for each in AuthenticatorTransport if isinstance(said, list) and each in said)


def _descriptors(keys: Iterable[AnyRow]) -> list[PublicKeyCredentialDescriptor]:
    return [
        PublicKeyCredentialDescriptor(
            id=key.credential_id, transports=[AuthenticatorTransport(each) for each in key.transports.split()] or None
        )
        for key in keys
    ]


def _readable(read: Callable[[], _T]) -> _T:
    return _or_bad(read, Reason.UNREADABLE)


def _verified(verify: Callable[[], _T]) -> _T:
    return _or_bad(verify, Reason.NOT_VERIFIED)


def _or_bad(look: Callable[[], _T], reason: Reason) -> _T:
    try:
        return look()
    except Exception:  # noqa: BLE001 - the library lets through whatever its parsers of hostile bytes raise
        raise BadKey(reason) from None


def _require_user(user_verification: UserVerification, *, was_verified: bool) -> None:
    if user_verification == "required" and not was_verified:
        raise BadKey(Reason.NO_USER_VERIFICATION)


def _milliseconds(time: timedelta) -> int:
    return time // timedelta(milliseconds=1)
