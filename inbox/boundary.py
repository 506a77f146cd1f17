"""What the operator's own mail server found out about a mail, and which lines of its header are that server's own.

Every server adds its lines on top. So what stands above the Received line of the server at the boundary was written
inside, and all below may have been written by the sender: another Received line in the boundary's name, and results in
its name, too. SPF is not asked: it vouches for the envelope, which need not name the domain of the From address.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from foundation.addresses import normalise_domain
from inbox.authentication_results import Result, parse
from inbox.decoding import Headers
from inbox.findings import Finding, authentic, forged, unauthenticated


@dataclass(frozen=True, slots=True)
class Boundary:
    """The server that every mail comes in through: the name in its Authentication-Results, and its own in Received.

    Only for mails that surely came through it. Where a mail can come in another way, all its lines may be forged.
    """

    authserv_id: str
    host: str


def found_by(boundary: Boundary, headers: Headers, domain: str) -> Finding:
    """Return what `boundary` found out about a mail that claims to come from `domain`, in IDNA's ASCII form."""
    line = _own_line(boundary.host, headers)
    finding = _judged(_results(boundary, headers[:line]), domain) if line is not None else unauthenticated(_NOT_THROUGH)
    if _results(boundary, headers[line or 0 :]):
        return replace(finding, reason=f"{finding.reason}; {_FOREIGN}")
    return finding


_NOT_THROUGH = "it did not come in through the boundary server"
_NOTHING = "the boundary server found nothing that proves the sender's domain"
_CONTRADICTION = "the boundary server found signatures of the sender's domain that hold and others that do not"
_FOREIGN = "results in the name of the boundary server that it did not write were not believed"


def _own_line(host: str, headers: Headers) -> int | None:
    """Return the place of the boundary's own Received line: the first that says `by` that host, wherever it says so.

    A sender chooses words of the true line, such as the name in HELO, and may so break any finer reading of it. Nobody
    can take these two words out of it, and whoever puts them into a line above makes us believe less, never more.
    """
    by_host = re.compile(rf"by[ \t]++{re.escape(host)}(?![\w-]|\.[\w-])", re.IGNORECASE | re.ASCII)
    lines = enumerate(headers)
    return next((at for at, (name, value) in lines if name == "received" and by_host.search(value)), None)


def _results(boundary: Boundary, headers: Headers) -> list[Result]:
    return [result for name, value in headers if name == "authentication-results" for result in _own(boundary, value)]


def _own(boundary: Boundary, value: str) -> Sequence[Result]:
    header = parse(value)
    return header.results if header and _is(boundary.authserv_id, header.authserv_id) else ()


def _is(ours: str, theirs: str) -> bool:
    return theirs.isascii() and theirs.lower() == ours.lower()


def _judged(results: Sequence[Result], domain: str) -> Finding:
    # DMARC first: it knows which signatures and envelopes count for the domain, and what its owner says of the others.
    return _by_dmarc(results, domain) or _by_dkim(results, domain) or unauthenticated(_NOTHING)


def _by_dmarc(results: Sequence[Result], domain: str) -> Finding | None:
    checks = [result for result in results if result.method == "dmarc"]
    if any(check.outcome == "fail" for check in checks):
        return forged("the boundary server says that it fails the sender's domain (DMARC)")
    if checks and all(check.outcome == "pass" and _names_domain(check, "header.from", domain) for check in checks):
        return authentic("the boundary server says that it passes the sender's domain (DMARC)")
    return None


def _by_dkim(results: Sequence[Result], domain: str) -> Finding | None:
    checks = [each for each in results if each.method == "dkim" and _names_domain(each, "header.d", domain)]
    match sorted({check.outcome for check in checks} & {"pass", "fail"}):
        case ["pass"]:
            return authentic("the boundary server says that a signature of the sender's domain holds (DKIM)")
        case ["fail"]:
            return forged("the boundary server says that the signature of the sender's domain does not hold (DKIM)")
        case ["fail", "pass"]:
            return unauthenticated(_CONTRADICTION)
    return None


def _names_domain(result: Result, name: str, domain: str) -> bool:
    value = result.only(name)
    return value is not None and normalise_domain(value) == domain
