"""How often one network address was refused at sign-in within an hour, whosever account it was.

An IPv6 address counts as its /64, which is what one customer of a provider has. Only keyed digests are stored.
"""

from datetime import datetime, timedelta
from ipaddress import IPv4Address, ip_address, ip_network

from sqlalchemy import Connection, bindparam, delete, select, text

from models.access import CrowdedAddress
from models.base import UtcDateTime
from workflows.installation import Installation

WITHIN = timedelta(hours=1)

_FIND = select(CrowdedAddress.refused, CrowdedAddress.since).where(CrowdedAddress.digest == bindparam("digest"))
# Both engines know this form; a count whose hour is over begins anew.
_COUNT = text(
    "INSERT INTO crowded_address (digest, refused, since) VALUES (:digest, 1, :now) "
    "ON CONFLICT (digest) DO UPDATE SET "
    "refused = CASE WHEN crowded_address.since <= :over THEN 1 ELSE crowded_address.refused + 1 END, "
    "since = CASE WHEN crowded_address.since <= :over THEN excluded.since ELSE crowded_address.since END"
).bindparams(bindparam("now", type_=UtcDateTime()), bindparam("over", type_=UtcDateTime()))
_FORGET = delete(CrowdedAddress).where(CrowdedAddress.since <= bindparam("over"))


def wait_for(installation: Installation, connection: Connection, address: str, now: datetime) -> datetime | None:
    """Until when nothing from this address is looked at; None where it may try. Raises `ValueError` for no address."""
    row = connection.execute(_FIND, {"digest": _digest(installation, address)}).one_or_none()
    if row is None or row.refused < installation.policy.sign_in.wrong_per_address:
        return None
    end: datetime = row.since + WITHIN
    return end if end > now else None


def count(installation: Installation, connection: Connection, address: str, now: datetime) -> None:
    """One more was refused."""
    connection.execute(_COUNT, {"digest": _digest(installation, address), "now": now, "over": now - WITHIN})


def forget_old(connection: Connection, now: datetime) -> None:
    """Deletes what no longer counts."""
    connection.execute(_FORGET, {"over": now - WITHIN})


def _digest(installation: Installation, address: str) -> bytes:
    parsed = ip_address(address)
    # Servers that listen on both write an IPv4 address as an IPv6 one (RFC 4291 §2.5.5.2).
    plain = getattr(parsed, "ipv4_mapped", None) or parsed
    whose = plain if isinstance(plain, IPv4Address) else ip_network((plain, 64), strict=False)
    return installation.keyring.digest(str(whose).encode(), purpose="network address")
