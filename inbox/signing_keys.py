"""The keys of DKIM signatures, as their domain shows them in DNS (RFC 6376, section 3.6.2), asked within a time."""

import time
from collections.abc import Sequence

import dns.exception
import dns.nameserver
import dns.resolver

from foundation.settings import Resolver

LONGEST_SECONDS = 2.0
"""For all questions about one mail."""
_ONE_TRY_SECONDS = 1.0  # a lost packet is sent again
_PAYLOAD = 1232  # bytes of UDP that pass everywhere (DNS flag day 2020); longer answers come over TCP


class NoAnswer(Exception):
    """DNS gave no usable answer in time: that says nothing about the mail. Take the mail as one without a signature."""


class SigningKeys:
    """Asks `resolvers` for keys, until `LONGEST_SECONDS` from its making have passed."""

    def __init__(self, resolvers: Sequence[Resolver]) -> None:
        self._until = time.monotonic() + LONGEST_SECONDS
        self._dns = dns.resolver.Resolver(configure=False)
        self._dns.nameservers = [dns.nameserver.Do53Nameserver(each.address, each.port) for each in resolvers]
        self._dns.timeout = _ONE_TRY_SECONDS
        self._dns.use_edns(0, 0, _PAYLOAD)

    def record(self, selector: str, domain: str) -> bytes | None:
        """Return the record of the key, None if there is not exactly one. Raises NoAnswer."""
        left = self._until - time.monotonic()
        try:
            answer = self._dns.resolve(f"{selector}._domainkey.{domain}.", "TXT", lifetime=max(left, 0))
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return None
        except dns.exception.DNSException:
            raise NoAnswer from None
        records = [b"".join(record.strings) for record in answer]
        return records[0] if len(records) == 1 else None
