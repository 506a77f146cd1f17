"""The domain that security keys are registered for (WebAuthn's RP ID): it cannot change while keys are in use."""

from sqlalchemy import Connection, bindparam, func, select

from models.factors import Authenticator, SecurityKey

_FOREIGN = (
    select(SecurityKey.rp_id, func.count().label("keys"))
    .join(Authenticator, Authenticator.id == SecurityKey.authenticator_id)
    .where(Authenticator.revoked_at.is_(None), SecurityKey.rp_id != bindparam("rp_id"))
    .group_by(SecurityKey.rp_id)
    .order_by(SecurityKey.rp_id)
)


class OtherRelyingParty(Exception):
    """Security keys were registered for another domain, and would all stop working.

    Set `KEYTURN_RP_ID` back to the domain that the text names; or have their owners remove them first.
    """


def require_same_rp(connection: Connection, rp_id: str) -> None:
    """Raises `OtherRelyingParty` where keys that still count were registered for another domain than `rp_id`."""
    foreign = connection.execute(_FOREIGN, {"rp_id": rp_id}).all()
    if foreign:
        kept = ", ".join(f"{row.keys} for {row.rp_id}" for row in foreign)
        raise OtherRelyingParty(
            f"Security keys registered for another domain than {rp_id} would stop working: {kept}. "
            "Set KEYTURN_RP_ID to that domain."
        )
