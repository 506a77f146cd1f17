"""A mail that its sender's domain signed is authentic, and no change of it is; no key and no signature takes long.

The mails are signed in the tests, and a DNS server on loopback shows the keys.
"""

import base64
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from inbox.authenticity import Trust, authenticity_of
from inbox.boundary import Boundary
from inbox.findings import Authenticity, Finding
from tests.inbox.dkim_signer import Signer
from tests.servers.dns import Dns, Instead, dns_server

AUTHENTIC, UNAUTHENTICATED, FORGED = Authenticity.AUTHENTIC, Authenticity.UNAUTHENTICATED, Authenticity.FORGED
NOW = datetime.now(UTC)  # dkimpy compares t= with the real time
SENDER = "victim@bank.example"
MAIL = (
    b"From: Victim <victim@bank.example>\r\nTo: support@example.net\r\nSubject: I lost my phone\r\n"
    b"Date: Mon, 2 Mar 2026 08:59:00 +0000\r\n\r\nPlease  reset my second factor.\t\r\n\r\n\r\n"
)
NAME = "key._domainkey.bank.example."
KEY = Signer.new()
# No key as short as this can be made with the library that makes the others.
SHORT = Signer(Path(__file__).with_name("rsa512.pem").read_bytes())


@pytest.fixture(scope="module")
def server() -> Iterator[Dns]:
    with dns_server() as running:
        yield running


@pytest.fixture(name="dns")
def dns_with_key(server: Dns) -> Dns:
    server.asked.clear()
    server.answers.clear()
    server.answers[NAME] = (KEY.record,)
    return server


def found(raw: bytes, dns: Dns, *, sender: str = SENDER, now: datetime = NOW) -> Finding:
    return authenticity_of(raw, (), sender, Trust(resolvers=(dns.resolver,)), now)


# --- Signatures that hold


@pytest.mark.parametrize("c", [b"relaxed/relaxed", b"relaxed/simple", b"simple/relaxed", b"simple/simple", b"relaxed"])
def test_a_signed_mail_is_authentic_however_it_is_made_canonical(dns: Dns, c: bytes) -> None:
    assert found(KEY.signed(MAIL, c=c), dns) == Finding(AUTHENTIC, "a signature of the sender's domain holds (DKIM)")


def test_a_mail_signed_by_dkimpy_itself_is_authentic(dns: Dns) -> None:
    assert found(dkim.sign(MAIL, b"key", b"bank.example", KEY.pem) + MAIL, dns).authenticity is AUTHENTIC


@pytest.mark.parametrize(
    "tags",
    [
        {"h": b"from:from:subject:subject"},
        {"h": b"From : Subject"},
        {"d": b"BANK.Example"},
        {"i": b"@mail.bank.example"},
        {"q": b"dns/txt"},
        {"t": str(int(NOW.timestamp())).encode()},
    ],
)
def test_the_spellings_of_one_signature_make_no_difference(dns: Dns, tags: dict[str, bytes]) -> None:
    assert found(KEY.signed(MAIL, **tags), dns).authenticity is AUTHENTIC


def test_a_mail_with_the_line_ends_of_a_maildir_is_still_signed(dns: Dns) -> None:
    assert found(KEY.signed(MAIL).replace(b"\r\n", b"\n"), dns).authenticity is AUTHENTIC


def test_a_domain_beyond_ascii_signs_in_its_ascii_form(dns: Dns) -> None:
    mail = MAIL.replace(b"bank.example", "müller.example".encode())
    dns.answers["key._domainkey.xn--mller-kva.example."] = (KEY.record,)
    signed = KEY.signed(mail, d=b"xn--mller-kva.example")
    assert found(signed, dns, sender="victim@xn--mller-kva.example").authenticity is AUTHENTIC


def test_a_key_may_lie_under_another_name(dns: Dns) -> None:
    dns.answers[NAME] = "key.provider.example."
    dns.answers["key.provider.example."] = (KEY.record,)
    assert found(KEY.signed(MAIL), dns).authenticity is AUTHENTIC


def test_a_key_of_1024_bits_is_the_shortest_that_counts(dns: Dns) -> None:
    key = Signer.new(1024)
    dns.answers[NAME] = (key.record,)
    assert found(key.signed(MAIL), dns).authenticity is AUTHENTIC


def test_lines_that_servers_put_on_top_change_nothing(dns: Dns) -> None:
    assert found(b"Received: by in1.example.net; x\r\n" + KEY.signed(MAIL), dns).authenticity is AUTHENTIC


def test_a_mail_that_is_sent_again_to_somebody_else_stays_authentic(dns: Dns) -> None:
    # By design: a signature says who wrote a mail, not when, or to whom the envelope took it.
    again = b"Return-Path: <attacker@attacker.example>\r\nDelivered-To: support@example.net\r\n" + KEY.signed(MAIL)
    assert found(again, dns, now=NOW + timedelta(days=400)).authenticity is AUTHENTIC


_PIECES = st.sampled_from([b" ", b"\t", b"\r\n", b"\n", b"x", b" \r\n", b"\r", b"\t \t"])


@given(body=st.lists(_PIECES).map(b"".join), c=st.sampled_from([b"relaxed/relaxed", b"simple/simple"]))
def test_every_text_is_made_canonical_as_its_signer_does(server: Dns, body: bytes, c: bytes) -> None:
    server.answers[NAME] = (KEY.record,)
    assert found(KEY.signed(MAIL + body, c=c), server).authenticity is AUTHENTIC


# --- Signatures that do not fit

SIGNED = KEY.signed(MAIL)
SIGNATURE = SIGNED.removesuffix(MAIL)
BROKEN = SIGNATURE.replace(b"bh=", b"bh=AAAA")


@pytest.mark.parametrize(
    "raw",
    [
        SIGNED.replace(b"reset my", b"remove my"),
        SIGNED + b"P.S. My new address is attacker@attacker.example\r\n",
        SIGNED.replace(b"victim@", b"manager@"),
        SIGNED.replace(b"lost my phone", b"need a reset"),
        b"From: victim@bank.example\r\n" + KEY.signed(MAIL.replace(b"victim", b"manager"), h=b"from:from:subject"),
        KEY.signed(MAIL, h=b"from:subject:subject").replace(b"DKIM-", b"Subject: reset my 2FA\r\nDKIM-"),
        Signer.new(1024).signed(MAIL),
    ],
    ids=["text", "text after", "From", "Subject", "second From", "second Subject", "another key"],
)
def test_what_was_changed_after_it_was_signed_is_forged(dns: Dns, raw: bytes) -> None:
    assert found(raw, dns) == Finding(FORGED, "the signature of the sender's domain does not fit the mail (DKIM)")


def test_one_signature_that_holds_is_enough(dns: Dns) -> None:
    assert found(BROKEN + SIGNED, dns).authenticity is AUTHENTIC


def test_one_that_does_not_fit_is_not_excused_by_one_that_does_not_count(dns: Dns) -> None:
    useless = SIGNATURE.replace(b"s=key", b"s=gone")
    assert found(useless + BROKEN + MAIL, dns).authenticity is FORGED


# --- Signatures that do not count


def test_a_signature_over_a_mail_without_from_proves_no_sender(dns: Dns) -> None:
    raw = KEY.signed(MAIL[MAIL.index(b"To:") :], h=b"to:subject")
    assert found(raw, dns).authenticity is UNAUTHENTICATED


@pytest.mark.parametrize("name", [b"From", b"Subject"])
def test_a_second_header_on_top_that_is_not_signed_makes_the_signature_count_for_nothing(dns: Dns, name: bytes) -> None:
    raw = name + b": attacker@attacker.example\r\n" + SIGNED
    assert found(raw, dns).authenticity is UNAUTHENTICATED


@pytest.mark.parametrize(
    "domain",
    [
        b"attacker.example",
        b"example",
        b"mail.bank.example",
        b"bank.example.attacker.example",
        b"attacker-bank.example",
        b"bank.example.",
        b"b\xc3\xa5nk.example",
    ],
)
def test_a_signature_of_another_domain_is_not_even_looked_up(dns: Dns, domain: bytes) -> None:
    dns.answers[f"key._domainkey.{domain.decode().rstrip('.')}."] = (KEY.record,)
    assert found(KEY.signed(MAIL, d=domain), dns) == Finding(
        UNAUTHENTICATED, "it has no signature of the sender's domain"
    )
    assert dns.asked == []


def test_the_domain_above_does_not_sign_for_those_below(dns: Dns) -> None:
    # Who gets the name _domainkey.co.uk, or that of a provider that gives out names below its own, signs for nobody.
    mail = MAIL.replace(b"bank.example", b"bank.co.example")
    dns.answers["key._domainkey.co.example."] = (KEY.record,)
    finding = found(KEY.signed(mail, d=b"co.example", i=b"@bank.co.example"), dns, sender="victim@bank.co.example")
    assert finding.authenticity is UNAUTHENTICATED


@pytest.mark.parametrize(
    ("tags", "why"),
    [
        ({"l": b"10"}, "leaves the end of the text open"),
        ({"h": b"to:subject"}, "leaves the sender, the subject or the Message-ID open"),
        ({"h": b"from:to"}, "leaves the sender, the subject or the Message-ID open"),
        ({"h": b"from:subjects"}, "leaves the sender, the subject or the Message-ID open"),
        ({"a": b"rsa-sha1"}, "algorithm"),
        ({"a": b"ed25519-sha256"}, "algorithm"),
        ({"s": b"a..b"}, "names no key"),
        ({"s": b"a/b"}, "names no key"),
        ({"v": b"2"}, "cannot be read"),
        ({"c": b"relaxed/nofws"}, "cannot be read"),
        ({"q": b"http"}, "cannot be read"),
        ({"i": b"@attacker.example"}, "cannot be read"),
        ({"x": b"soon"}, "cannot be read"),
        ({"x": b"9" * 5_000}, "cannot be read"),
        ({"t": str(int(NOW.timestamp()) + 500_000).encode()}, "cannot be read"),
        ({"z": b"x" * 8_192}, "no signature"),
        ({"z": b" " * 64}, "no signature"),
    ],
)
def test_a_signature_that_leaves_something_open_or_is_none_counts_for_nothing(
    dns: Dns, tags: dict[str, bytes], why: str
) -> None:
    good = tags if tags.get("c") != b"relaxed/nofws" else {}
    raw = KEY.signed(MAIL, **good).replace(b"c=relaxed/relaxed", b"c=" + tags.get("c", b"relaxed/relaxed"))
    finding = found(raw, dns)
    assert (finding.authenticity, why in finding.reason) == (UNAUTHENTICATED, True)


def test_a_message_id_put_on_top_of_a_signed_one_is_noticed(dns: Dns) -> None:
    signed = KEY.signed(b"Message-ID: <1@mail.example>\r\n" + MAIL, h=b"from:to:subject:message-id")
    assert found(signed, dns).authenticity is AUTHENTIC
    assert found(b"Message-ID: <2@mail.example>\r\n" + signed, dns).authenticity is UNAUTHENTICATED


@pytest.mark.parametrize("tag", [b"a", b"d", b"s", b"h", b"bh", b"v"])
def test_a_signature_that_lacks_a_tag_counts_for_nothing(dns: Dns, tag: bytes) -> None:
    assert found(KEY.signed(MAIL, omit=tag), dns).authenticity is UNAUTHENTICATED


def test_a_signature_counts_until_it_expires(dns: Dns) -> None:
    raw = KEY.signed(MAIL, x=str(int(NOW.timestamp()) + 60).encode())
    assert found(raw, dns, now=NOW).authenticity is AUTHENTIC
    expired = found(raw, dns, now=NOW + timedelta(seconds=61))
    assert expired == Finding(UNAUTHENTICATED, "the signature of the sender's domain does not count: it has expired")


def test_the_fourth_signature_of_a_domain_is_not_looked_at(dns: Dns) -> None:
    useless = SIGNATURE.replace(b"s=key", b"s=gone")
    assert found(useless * 2 + SIGNED, dns).authenticity is AUTHENTIC
    assert found(useless * 3 + SIGNED, dns).authenticity is UNAUTHENTICATED
    assert len(dns.asked) == 6


def test_signatures_of_other_domains_do_not_use_up_the_number(dns: Dns) -> None:
    other = SIGNATURE.replace(b"d=bank.example", b"d=attacker.example")
    assert found(other * 20 + SIGNED, dns).authenticity is AUTHENTIC


@pytest.mark.parametrize("line", [b"no header", b"\xe4: x", b"\tx"])
def test_a_header_that_dkimpy_cannot_read_proves_nothing(dns: Dns, line: bytes) -> None:
    assert found(line + b"\r\n" + SIGNED, dns).authenticity is UNAUTHENTICATED


# --- Keys


def record_of(modulus: int, exponent: int) -> bytes:
    key = rsa.RSAPublicNumbers(exponent, modulus).public_key()
    return b"p=" + base64.b64encode(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


@pytest.mark.parametrize(
    ("record", "why"),
    [
        (b"v=DKIM1; k=rsa; p=", "withdrawn"),
        (b"v=DKIM1; k=rsa", "withdrawn"),
        (b"", "withdrawn"),
        (KEY.record + b"; t=s:y", "for tests only"),
        (KEY.record + b"; s=tlsrpt", "for something else"),
        (KEY.record + b"; s=chat", "for something else"),
        (KEY.record + b"; n=" + b"x" * 2_048, "not in DNS"),
        (KEY.record.replace(b"DKIM1", b"DKIM2"), "cannot be read"),
        (KEY.record.replace(b"k=rsa", b"k=ed25519"), "cannot be read"),
        (KEY.record.replace(b"k=rsa", b"k=dsa"), "cannot be read"),
        (KEY.record[:-80], "cannot be read"),
        (b"p=AAAA", "cannot be read"),
        (b"p=!", "cannot be read"),
        (b"v=spf1 -all", "withdrawn"),
        (record_of((1 << 8191) + 1, 65537), "too long"),
        (record_of((1 << 2047) + 1, (1 << 32) + 1), "too long"),
    ],
)
def test_a_key_that_is_withdrawn_or_none_makes_no_signature_count(dns: Dns, record: bytes, why: str) -> None:
    dns.answers[NAME] = (record,)
    finding = found(SIGNED, dns)
    assert (finding.authenticity, why in finding.reason) == (UNAUTHENTICATED, True)


def test_a_signature_of_a_short_key_counts_for_nothing_even_if_it_fits(dns: Dns) -> None:
    dns.answers[NAME] = (SHORT.record,)
    finding = found(SHORT.signed(MAIL), dns)
    assert (finding.authenticity, "too weak" in finding.reason) == (UNAUTHENTICATED, True)


@pytest.mark.parametrize("answer", [None, (), (KEY.record, KEY.record + b";")], ids=["no name", "no record", "two"])
def test_a_key_that_is_not_there_or_there_twice_makes_no_signature_count(dns: Dns, answer: tuple[bytes, ...]) -> None:
    dns.answers.pop(NAME)
    if answer is not None:
        dns.answers[NAME] = answer
    finding = found(SIGNED, dns)
    assert (finding.authenticity, "its key is not in DNS" in finding.reason) == (UNAUTHENTICATED, True)


@pytest.mark.parametrize("instead", list(Instead))
def test_dns_that_gives_no_answer_proves_nothing_and_breaks_nothing(dns: Dns, instead: Instead) -> None:
    dns.answers["other._domainkey.bank.example."] = instead
    unknown = SIGNED.replace(b"s=key", b"s=other")
    for raw in (unknown, BROKEN + unknown):
        finding = found(raw, dns)
        assert (finding.authenticity, "DNS gave no answer" in finding.reason) == (UNAUTHENTICATED, True)


def test_a_second_server_is_asked_where_the_first_is_silent(dns: Dns) -> None:
    with dns_server() as silent:
        silent.answers[NAME] = Instead.SERVFAIL
        trust = Trust(resolvers=(silent.resolver, dns.resolver))
        assert authenticity_of(SIGNED, (), SENDER, trust, NOW).authenticity is AUTHENTIC


# --- Costly mails

_TAGS = b"v=1; a=rsa-sha256; c=relaxed/relaxed; d=bank.example; s=key; bh=AAAA; b=AAAA; h=from:subject"


@pytest.mark.parametrize(
    "raw",
    [
        b"DKIM-Signature: " + _TAGS + b"\r\n" + MAIL + b" \t" * 2_500_000 + b"x",
        b"DKIM-Signature: " + _TAGS + b"\r\n" + MAIL + (b" " * 999 + b"x") * 5_000,
        b"DKIM-Signature: " + _TAGS + b"\r\n" + MAIL + b"\r\n" * 400_000,
        b"DKIM-Signature: " + _TAGS + b" " * 100_000 + b"x\r\n" + MAIL,
        b"DKIM-Signature: " + _TAGS + b"\r\n " * 30_000 + b"x\r\n" + MAIL,
        b"DKIM-Signature: " + _TAGS + b"; b =" + b"A \r\n " * 1_500 + b"!\r\n" + MAIL,
        b"DKIM-Signature: " + _TAGS + b":" * 8_000 + b"\r\n" + MAIL,
        (b"DKIM-Signature: " + _TAGS + b"\r\n") * 900 + MAIL,
        b"DKIM-Signature: x" + b"\r\n x" * 30_000 + b"\r\n" + MAIL,
    ],
    ids=["blanks", "runs of blanks", "lines", "blanks in it", "folds in it", "b=", "h=", "many", "long"],
)
def test_no_mail_takes_long(dns: Dns, raw: bytes) -> None:
    # As dkimpy does it alone, some of these would take days.
    assert found(raw, dns).authenticity is not AUTHENTIC


@given(
    st.binary() | st.lists(st.sampled_from([SIGNED[:40], MAIL, b"\r\n", b"\n", b":", b";", b"b=", b" "])).map(b"".join)
)
def test_no_bytes_make_it_raise(server: Dns, raw: bytes) -> None:
    server.answers[NAME] = (KEY.record,)
    assert found(raw, server).authenticity is not AUTHENTIC


# --- Beside the boundary


def test_a_signature_is_verified_where_the_boundary_proves_nothing_and_only_there(dns: Dns) -> None:
    trust = Trust(Boundary("mx.example.net", "in1.example.net"), (dns.resolver,))
    line = ("received", "from x by in1.example.net; x")
    for outcome, expected, asked in (("fail", FORGED, 0), ("pass", AUTHENTIC, 0), ("none", AUTHENTIC, 1)):
        said = ("authentication-results", f"mx.example.net; dmarc={outcome} header.from=bank.example")
        dns.asked.clear()
        assert authenticity_of(SIGNED, [said, line], SENDER, trust, NOW).authenticity is expected
        assert len(dns.asked) == asked


def test_both_reasons_are_told(dns: Dns) -> None:
    trust = Trust(Boundary("mx.example.net", "in1.example.net"), (dns.resolver,))
    assert authenticity_of(SIGNED, (), SENDER, trust, NOW).reason == (
        "it did not come in through the boundary server; a signature of the sender's domain holds (DKIM)"
    )


def test_what_dkimpy_reads_reaches_no_log(dns: Dns, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    for raw in (SIGNED, SIGNED.replace(b"reset my", b"remove my"), SIGNED.replace(b"s=key", b"s=gone")):
        found(raw, dns)
    assert "bank.example" not in caplog.text
