"""Who wrote a mail: whether the domain in its one From address vouches for it.

Two may answer. The operator's own mail server at the boundary, by what it wrote on top of the mail; else the sender's
domain itself, by a signature that is verified here. Where neither is set up, nothing is trusted.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from foundation.settings import Resolver
from inbox.boundary import Boundary, found_by
from inbox.decoding import Headers
from inbox.findings import Authenticity, Finding, unauthenticated


@dataclass(frozen=True, slots=True)
class Trust:
    """Whose word counts: the boundary's if the mail surely came through it, and the DNS servers in `resolvers`."""

    boundary: Boundary | None = None
    resolvers: Sequence[Resolver] = ()

    @property
    def is_nobody(self) -> bool:
        return self.boundary is None and not self.resolvers


def authenticity_of(raw: bytes, headers: Headers, sender: str, trust: Trust, now: datetime) -> Finding:
    """Say whether the domain of `sender`, the one address in From as `normalise_address` spells it, vouches for `raw`.

    `raw` is within `inbox.limits`, and `headers` are what the parser made of it. Never raises; it takes two seconds
    longer where DNS does not answer. That a mail is authentic does not mean that it is new, or was meant for us: a true
    mail that somebody sends again stays authentic.
    """
    if trust.is_nobody:
        return unauthenticated("nothing is set up that could prove a sender")
    if may_be_misread(raw):
        return unauthenticated("its header is such that other programs may read another sender")
    domain = sender.rpartition("@")[2]
    findings = []
    if trust.boundary:
        findings.append(found_by(trust.boundary, headers, domain))
    if trust.resolvers and all(finding.authenticity is Authenticity.UNAUTHENTICATED for finding in findings):
        from inbox.signatures import signed_by  # brings dkimpy and dnspython, which a start need not wait for

        findings.append(signed_by(domain, raw, trust.resolvers, now))
    return Finding(findings[-1].authenticity, "; ".join(finding.reason for finding in findings))


def may_be_misread(raw: bytes) -> bool:
    """Say whether others may see another From in `raw` than Python's parser does: then what they vouch for is not ours.

    To the parser a carriage return alone ends a line, and two end the header; to mail servers and to DKIM they do not.
    At a NUL many programs stop reading.
    """
    end = _END_OF_HEADER.search(raw)
    return _MISLEADING.search(raw, 0, end.end() if end else len(raw)) is not None


_MISLEADING = re.compile(rb"\r(?!\n)|\x00")
_END_OF_HEADER = re.compile(rb"\n\r?\n")
