"""TOTP (RFC 6238): storing an app's secret, sealed to its row."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, insert

from foundation.keyring import Keyring
from models.base import new_id
from models.factors import Authenticator, AuthenticatorKind

_PURPOSE = "totp"


def add(connection: Connection, keyring: Keyring, account_id: UUID, secret: str, *, label: str, now: datetime) -> None:
    """Enrols an authenticator app; `secret` in base 32."""
    authenticator_id = new_id()
    row = {
        "id": authenticator_id,
        "account_id": account_id,
        "kind": AuthenticatorKind.TOTP,
        "label": label,
        "sealed_secret": keyring.seal(secret.encode(), purpose=_PURPOSE, row=authenticator_id),
        "created_at": now,
    }
    connection.execute(insert(Authenticator), row)
