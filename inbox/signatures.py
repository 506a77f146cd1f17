"""Signatures of a mail (DKIM, RFC 6376), verified here with the keys that the sender's domain has in DNS.

Only signatures of exactly the domain in From are looked at. Some that others accept count for nothing here, as if they
were not there: those that leave part of the mail open, those of weak or withdrawn keys, those past their date. What
keeps dkimpy from taking long over hostile input is done before it sees the mail.
"""

import logging
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import TypeAlias

import dkim
from dkim.util import InvalidTagValueList, parse_tag_value

from foundation.addresses import normalise_domain
from foundation.settings import Resolver
from inbox.findings import Authenticity, Finding, authentic, forged, unauthenticated
from inbox.signing_keys import NoAnswer, SigningKeys

MAX_SIGNATURES = 3
"""Of the sender's domain; a domain that changes its keys signs twice."""
MAX_SIGNATURE_BYTES = 8_192
"""In one header; a signature with a key of 4,096 bits over thirty headers has 1,500."""
MAX_RECORD_BYTES = 2_048
"""The same key in DNS has 750."""
MIN_KEY_BITS = 1024
"""RFC 8301, section 3.2."""
MAX_KEY_BITS = 4096
"""The same section. The time of a check grows with the square of it, and with the exponent."""
MAX_EXPONENT = 1 << 32
"""Nearly all keys have 65,537."""

_ALGORITHM = b"rsa-sha256"  # rsa-sha1 must not count (RFC 8301, section 3.1); for ed25519 dkimpy wants PyNaCl
_READ = (b"from", b"subject")  # what Keyturn goes by: a mail may have none of these that is not signed
_LONG_BLANK = re.compile(rb"\s{64}")  # on long ones the time of dkimpy's patterns grows with their square, and more
_BLANKS = re.compile(rb"[\t ]+")
_SELECTOR = re.compile(r"(?:[a-z0-9_-]{1,63}\.){0,8}[a-z0-9_-]{1,63}", re.IGNORECASE | re.ASCII)

_SILENT = logging.getLogger(f"{__name__}.dkimpy")  # dkimpy writes into its log what it reads
_SILENT.disabled = True

Tags: TypeAlias = Mapping[bytes, bytes]
"""What a signature or a key says: `d` is `example.com`."""


class _DoesNotCount(Exception):
    """A signature that is as good as none; the text says why, in our words. It never leaves this file."""


def signed_by(domain: str, raw: bytes, resolvers: Sequence[Resolver], now: datetime) -> Finding:
    """Return whether `domain`, in IDNA's ASCII form, signed the mail `raw`. Never raises."""
    try:
        return _best(_findings(raw, domain, SigningKeys(resolvers), now))
    except NoAnswer:
        return unauthenticated("the key of its signature could not be asked for, because DNS gave no answer")


def _best(findings: Iterable[Finding]) -> Finding:
    """Return the first that proves the mail, else the first that does not hold, else the first."""
    seen = []
    for finding in findings:
        if finding.authenticity is Authenticity.AUTHENTIC:
            return finding
        seen.append(finding)
    not_holding = [finding for finding in seen if finding.authenticity is Authenticity.FORGED]
    return next(iter(not_holding + seen), unauthenticated("it has no signature of the sender's domain"))


def _findings(raw: bytes, domain: str, keys: SigningKeys, now: datetime) -> Iterator[Finding]:
    try:
        mail = dkim.DKIM(raw, logger=_SILENT)
    except Exception:  # noqa: BLE001 - whatever trips dkimpy, it is the sender's doing
        yield unauthenticated("its header is such that its signatures cannot be read")
        return
    body = mail.body
    for index, tags in islice(_signatures(mail, domain), MAX_SIGNATURES):
        mail.body = _canonical(body, tags)
        yield _checked(mail, index, tags, keys, now)


def _signatures(mail: dkim.DKIM, domain: str) -> Iterator[tuple[int, Tags]]:
    values = [value for name, value in mail.headers if name.lower() == b"dkim-signature"]
    for index, value in enumerate(values):
        tags = _tags(value)
        if normalise_domain(tags.get(b"d", b"").decode("ascii", "replace")) == domain:
            yield index, tags


def _tags(value: bytes) -> Tags:
    if len(value) > MAX_SIGNATURE_BYTES or _LONG_BLANK.search(value):
        return {}
    try:
        tags: Tags = parse_tag_value(value)
    except InvalidTagValueList:
        return {}
    return tags


def _canonical(body: bytes, tags: Tags) -> bytes:
    """Take out the blanks that dkimpy would take out of a relaxed body, where its time grows with their square."""
    if tags.get(b"c", b"").endswith(b"/relaxed"):
        return _BLANKS.sub(b" ", body).replace(b" \r\n", b"\r\n")
    return body


def _checked(mail: dkim.DKIM, index: int, tags: Tags, keys: SigningKeys, now: datetime) -> Finding:
    """Check one signature. Raises NoAnswer."""
    try:
        _must_cover(mail, tags)
        _must_be_in_time(tags, now)
        holds = _holds(mail, index, _key(tags, keys))
    except NoAnswer:
        raise
    except _DoesNotCount as why:
        return unauthenticated(f"the signature of the sender's domain does not count: {why}")
    except Exception:  # noqa: BLE001 - whatever trips dkimpy, it is the sender's doing
        return unauthenticated("the signature of the sender's domain cannot be read")
    if holds:
        return authentic("a signature of the sender's domain holds (DKIM)")
    return forged("the signature of the sender's domain does not fit the mail (DKIM)")


def _must_cover(mail: dkim.DKIM, tags: Tags) -> None:
    if tags[b"a"] != _ALGORITHM:
        raise _DoesNotCount("its algorithm is not rsa-sha256")
    if b"l" in tags:
        raise _DoesNotCount("it leaves the end of the text open")
    signed = [name.strip().lower() for name in tags[b"h"].split(b":")]
    present = [name.lower() for name, _ in mail.headers]
    # Many leave the Message-ID out. If it is signed, another one on top would hide that the mail came before.
    read = (*_READ, b"message-id") if b"message-id" in signed else _READ
    if b"from" not in signed or any(present.count(name) > signed.count(name) for name in read):
        raise _DoesNotCount("it leaves the sender, the subject or the Message-ID open")


def _must_be_in_time(tags: Tags, now: datetime) -> None:
    if b"x" in tags and int(tags[b"x"]) < now.timestamp():
        raise _DoesNotCount("it has expired")


def _key(tags: Tags, keys: SigningKeys) -> bytes:
    """Return the record of the signature's key, if it is one to rely on."""
    selector = tags[b"s"].decode("ascii")
    if not _SELECTOR.fullmatch(selector):
        raise _DoesNotCount("it names no key")
    record = keys.record(selector, tags[b"d"].decode("ascii").lower())
    if record is None or len(record) > MAX_RECORD_BYTES:
        raise _DoesNotCount("its key is not in DNS")
    said: Tags = parse_tag_value(record)
    if not said.get(b"p"):
        raise _DoesNotCount("its key has been withdrawn")
    if b"y" in said.get(b"t", b"").split(b":"):
        raise _DoesNotCount("its key is there for tests only")
    key, bits, _, for_reports = dkim.evaluate_pk("", record)
    if not key or for_reports or not (MIN_KEY_BITS <= bits <= MAX_KEY_BITS and key["publicExponent"] < MAX_EXPONENT):
        raise _DoesNotCount("its key is too weak, too long or for something else")
    return record


def _holds(mail: dkim.DKIM, index: int, record: bytes) -> bool:
    tags, signed_headers, values = mail.verify_headerprep(index)
    try:
        return bool(mail.verify_sig(tags, signed_headers, values[index], lambda *_, **__: record))
    except dkim.ValidationError:  # of what is left to find, only that the text is another one
        return False
