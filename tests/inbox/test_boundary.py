"""What the boundary server wrote is believed, and nothing that a sender can write is.

Each attack is a mail of somebody at attacker.example with a From of bank.example, as it lies in the inbox: with the
lines that our own servers put on top of it.
"""

import email
from datetime import UTC, datetime
from email.policy import compat32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inbox.authenticity import Trust, authenticity_of
from inbox.boundary import Boundary
from inbox.decoding import Headers, unfolded
from inbox.findings import Authenticity, Finding
from inbox.reading import read

AUTHENTIC, UNAUTHENTICATED, FORGED = Authenticity.AUTHENTIC, Authenticity.UNAUTHENTICATED, Authenticity.FORGED
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
TRUST = Trust(Boundary("mx.example.net", "in1.example.net"))
STORE = b"Received: from in1.example.net (in1.example.net [10.0.0.5])\r\n\tby store.example.net with LMTP id 7\r\n"
LINE = (
    b"Received: from mail.attacker.example (mail.attacker.example [203.0.113.9])\r\n"
    b"\tby in1.example.net (Postfix) with ESMTPS id 4C1\r\n"
    b"\tfor <support@example.net>; Mon, 2 Mar 2026 08:59:00 +0000\r\n"
)
PASS = b"dmarc=pass header.from=bank.example"


def results(text: bytes, name: bytes = b"Authentication-Results", id_: bytes = b"mx.example.net") -> bytes:
    return name + b": " + id_ + b"; " + text + b"\r\n"


def found(lines: bytes, from_: bytes = b"victim@bank.example", trust: Trust = TRUST) -> Finding:
    raw = lines + b"From: " + from_ + b"\r\nSubject: I lost my phone\r\n\r\nHello\r\n"
    sender = read(raw).sender
    assert sender is not None
    return authenticity_of(raw, headers_of(raw), sender, trust, NOW)


def headers_of(raw: bytes) -> Headers:
    message = email.message_from_bytes(raw, policy=compat32)
    return [(name.lower(), unfolded(value)) for name, value in message.raw_items()]


# --- What is believed


@pytest.mark.parametrize(
    "lines",
    [
        results(PASS) + LINE,
        STORE + results(PASS) + LINE,
        results(PASS) + STORE + LINE,
        STORE + results(b"spf=fail smtp.mailfrom=x.example") + results(PASS) + LINE,
        results(PASS, id_=b"MX.Example.NET") + LINE,
        results(PASS, name=b"AUTHENTICATION-RESULTS") + LINE,
        results(b"dmarc=pass\r\n\t(p=none)\r\n header.from\r\n\t=bank.example") + LINE,
        results(b"dmarc=pass header.from=BANK.example") + LINE,
        results(b"dkim=pass header.d=bank.example") + LINE,
        results(b"dmarc=none header.from=bank.example; dkim=pass header.d=bank.example") + LINE,
        results(b"dkim=fail header.d=attacker.example; dkim=pass header.d=bank.example") + LINE,
        results(b"dkim=fail header.d=bank.example; dmarc=pass header.from=bank.example") + LINE,
        results(PASS) + b"Received: by IN1.example.net; Mon, 2 Mar 2026 08:59:00 +0000\r\n",
    ],
)
def test_what_stands_above_the_boundarys_line_in_its_name_is_believed(lines: bytes) -> None:
    assert found(lines).authenticity is AUTHENTIC


def test_a_maildir_ends_lines_in_its_own_way() -> None:
    assert found((STORE + results(PASS) + LINE).replace(b"\r\n", b"\n")).authenticity is AUTHENTIC
    assert found((LINE + results(PASS)).replace(b"\r\n", b"\n")).authenticity is UNAUTHENTICATED


def test_domains_are_compared_as_addresses_are() -> None:
    lines = results(b"dmarc=pass header.from=xn--mller-kva.example") + LINE
    assert found(lines, "jo@müller.example".encode()).authenticity is AUTHENTIC
    lines = results("dmarc=pass header.from=MÜLLER.example".encode()) + LINE
    assert found(lines, b"jo@xn--mller-kva.example").authenticity is AUTHENTIC


@pytest.mark.parametrize(
    "text",
    [
        b"dmarc=fail header.from=bank.example",
        b"dmarc=fail",
        b"dmarc=fail header.from=bank.example; dkim=pass header.d=bank.example",
        b"dkim=fail header.d=bank.example",
        b"dkim=fail header.d=bank.example; dkim=pass header.d=attacker.example",
        PASS + b"; dmarc=fail header.from=bank.example",
    ],
)
def test_a_proof_that_did_not_hold_makes_a_mail_forged(text: bytes) -> None:
    assert found(results(text) + LINE).authenticity is FORGED


@pytest.mark.parametrize("order", [1, -1])
def test_of_two_headers_that_contradict_each_other_the_worse_counts(order: int) -> None:
    both = [results(PASS), results(b"dmarc=fail header.from=bank.example")]
    assert found(b"".join(both[::order]) + LINE).authenticity is FORGED
    both = [results(PASS), results(b"dmarc=none header.from=bank.example")]
    assert found(b"".join(both[::order]) + LINE).authenticity is UNAUTHENTICATED
    both = [results(b"dkim=pass header.d=bank.example"), results(b"dkim=fail header.d=bank.example")]
    finding = found(b"".join(both[::order]) + LINE)
    assert (finding.authenticity, "others that do not" in finding.reason) == (UNAUTHENTICATED, True)


# --- What is not

HELO = b"Received: from %b (unknown [203.0.113.9])\r\n\tby in1.example.net (Postfix) with ESMTP id 4C1; x\r\n"
FORGED_LINE = (
    b"Received: from bank.example by in1.example.net (Postfix) with ESMTPS id 1; Mon, 2 Mar 2026 08:00:00 +0000\r\n"
)
ATTACKS = {
    "below the true line": LINE + results(PASS),
    "below the true line, with a forged line under it": LINE + results(PASS) + FORGED_LINE,
    "the same where an inner server stands above": STORE + LINE + results(PASS) + FORGED_LINE,
    "a comment opened in HELO hides the true line": HELO % b"(" + results(PASS) + FORGED_LINE,
    "a quotation opened in HELO hides it": HELO % b'"' + results(PASS) + FORGED_LINE,
    "another by in HELO hides it": HELO % b"x by other.example" + results(PASS) + FORGED_LINE,
    "8-bit bytes in HELO hide it": HELO % b"\xff\xfe\xe2\x80\xa8" + results(PASS) + FORGED_LINE,
    "no line of the boundary": STORE + results(PASS),
    "a line of a host whose name ends in ours": results(PASS) + b"Received: from x by evil-in1.example.net; x\r\n",
    "a line of a host whose name begins with ours": results(PASS) + b"Received: by in1.example.net.evil.example; x\r\n",
    "a line that names ours as the client": results(PASS) + STORE,
    "X-Received": results(PASS) + b"X-Received: by in1.example.net; x\r\n",
    "another server's name": results(PASS, id_=b"mx.attacker.example") + LINE,
    "a name that begins with ours": results(PASS, id_=b"mx.example.net.attacker.example") + LINE,
    "a name that ends in ours": results(PASS, id_=b"attacker.mx.example.net") + LINE,
    "ours as a comment": results(PASS, id_=b"(mx.example.net) mx.attacker.example") + LINE,
    "ours after another": results(PASS, id_=b"mx.attacker.example mx.example.net") + LINE,
    "ours before another": results(PASS, id_=b"mx.example.net, mx.attacker.example") + LINE,
    "ours in letters that look alike": results(PASS, id_="mx.e\N{CYRILLIC SMALL LETTER HA}ample.net".encode()) + LINE,
    "ours with an 8-bit byte": results(PASS, id_=b"mx.example.net\xff") + LINE,
    "no name": b"Authentication-Results: " + PASS + b"\r\n" + LINE,
    "another version": results(PASS, id_=b"mx.example.net 2") + LINE,
    "ARC-Authentication-Results": b"ARC-Authentication-Results: i=1; mx.example.net; " + PASS + b"\r\n" + LINE,
    "ARC- without its number": results(PASS, name=b"ARC-Authentication-Results") + LINE,
    "X-Authentication-Results": results(PASS, name=b"X-Authentication-Results") + LINE,
    "Authentication-Results-Original": results(PASS, name=b"Authentication-Results-Original") + LINE,
    "Received-SPF": b"Received-SPF: pass (mx.example.net: " + PASS + b")\r\n" + LINE,
    "in a comment": results(b"spf=none (" + PASS + b") smtp.mailfrom=attacker.example") + LINE,
    "in a comment, after a semicolon": results(b"spf=none (x; " + PASS + b") smtp.mailfrom=attacker.example") + LINE,
    "in a reason": results(b'spf=fail reason="; ' + PASS + b'" smtp.mailfrom=attacker.example') + LINE,
    "in a reason with an escaped quote": results(b'spf=fail reason="\\"; ' + PASS + b'"') + LINE,
    "in a quoted local part": results(b'spf=pass smtp.mailfrom="; ' + PASS + b' "@attacker.example') + LINE,
    "as another method's property": results(b"spf=fail policy.dmarc=pass header.from=bank.example") + LINE,
    "as another method": results(b"x-dmarc=pass header.from=bank.example") + LINE,
    "as another version of the method": results(b"dmarc/2=pass header.from=bank.example") + LINE,
    "as an outcome that begins with pass": results(b"dmarc=pass-none header.from=bank.example") + LINE,
    "bestguesspass": results(b"dmarc=bestguesspass header.from=bank.example") + LINE,
    "without header.from": results(b"dmarc=pass") + LINE,
    "header.from in another result": results(b"dmarc=pass; spf=fail header.from=bank.example") + LINE,
    "another header.from": results(b"dmarc=pass header.from=attacker.example") + LINE,
    "two header.from": results(b"dmarc=pass header.from=attacker.example header.from=bank.example") + LINE,
    "header.from of a subdomain": results(b"dmarc=pass header.from=x.bank.example") + LINE,
    "header.from that begins with ours": results(b"dmarc=pass header.from=bank.example.attacker.example") + LINE,
    "header.from that ends in ours": results(b"dmarc=pass header.from=attacker-bank.example") + LINE,
    "header.from with a dot at the end": results(b"dmarc=pass header.from=bank.example.") + LINE,
    "header.from in letters that look alike": results("dmarc=pass header.from=b\u0430nk.example".encode()) + LINE,
    "header.from with a Kelvin sign": results("dmarc=pass header.from=ban\N{KELVIN SIGN}.example".encode()) + LINE,
    "header.from as a whole address": results(b"dmarc=pass header.from=victim@bank.example") + LINE,
    "envelope.from": results(b"dmarc=pass smtp.mailfrom=bank.example") + LINE,
    "a signature of another domain": results(b"dkim=pass header.d=attacker.example") + LINE,
    "a signature in the name of a user": results(b"dkim=pass header.d=attacker.example header.i=@bank.example") + LINE,
    "a signature of the domain above": results(b"dkim=pass header.d=example") + LINE,
    "a signature of a domain below": results(b"dkim=pass header.d=x.bank.example") + LINE,
    "two header.d": results(b"dkim=pass header.d=attacker.example header.d=bank.example") + LINE,
    "SPF alone": results(b"spf=pass smtp.mailfrom=attacker.example") + LINE,
    "SPF of the same domain": results(b"spf=pass smtp.mailfrom=bank.example") + LINE,
    "SPF and HELO": results(b"spf=pass smtp.helo=bank.example smtp.mailfrom=victim@bank.example") + LINE,
    "ARC": results(b"arc=pass header.d=bank.example header.from=bank.example") + LINE,
    "a check that could not be made": results(b"dmarc=temperror header.from=bank.example") + LINE,
    "no check": results(b"none") + LINE,
    "no check, and one": results(b"none; " + PASS) + LINE,
    "10,000 comments in each other": results(b"(" * 10_000 + b")" * 10_000 + PASS) + LINE,
    "100 kB": results(PASS + b"; x=pass (" + b"x" * 100_000 + b")") + LINE,
    "an 8-bit byte in the method": results(b"dm\xe4rc=pass; \xff" + PASS) + LINE,
    "folded inside the word": results(b"dmarc=pa\r\n ss header.from=bank.example") + LINE,
    "folded inside the domain": results(b"dmarc=pass header.from=bank\r\n .example") + LINE,
    "a blank line that is none": results(b"spf=none\r\n \t\r\n ;" + PASS + b" x") + LINE,
    "an encoded word": results(b"=?utf-8?q?dmarc=3Dpass?= header.from=bank.example") + LINE,
}


@pytest.mark.parametrize("lines", ATTACKS.values(), ids=ATTACKS)
def test_nothing_that_a_sender_can_write_proves_a_sender(lines: bytes) -> None:
    assert found(lines).authenticity is UNAUTHENTICATED


def test_a_name_with_a_kelvin_sign_is_not_ours() -> None:
    trust = Trust(Boundary("mk.example.net", "in1.example.net"))
    assert found(results(PASS, id_=b"mK.example.net") + LINE, trust=trust).authenticity is AUTHENTIC
    lines = results(PASS, id_="m\N{KELVIN SIGN}.example.net".encode()) + LINE
    assert found(lines, trust=trust).authenticity is UNAUTHENTICATED


@pytest.mark.parametrize("mark", [b"\r", b"\x00"])
def test_a_header_that_others_may_read_differently_proves_nothing(mark: bytes) -> None:
    lines = results(PASS) + LINE + b"X-Note: x" + mark + b"X-More: x\r\n"
    assert found(lines).authenticity is UNAUTHENTICATED
    assert found(lines.replace(mark + b"X-More", b"\r\nX-More")).authenticity is AUTHENTIC


def test_a_from_that_only_python_sees_proves_nothing() -> None:
    # To a server that ends lines as SMTP does, this is a mail of attacker@bank.example, and rightly passes.
    raw = results(PASS) + LINE + b"X-Note: x\rFrom: victim@bank.example\r\rFrom: attacker@bank.example\r\n\r\nHello\r\n"
    assert read(raw).sender == "victim@bank.example"
    finding = authenticity_of(raw, headers_of(raw), "victim@bank.example", TRUST, NOW)
    assert finding.authenticity is UNAUTHENTICATED


def test_where_nothing_is_set_up_nothing_is_believed() -> None:
    finding = found(results(PASS) + LINE, trust=Trust())
    assert finding == Finding(UNAUTHENTICATED, "nothing is set up that could prove a sender")


# --- What a person is told


def test_results_in_our_name_that_are_not_ours_are_mentioned_whatever_the_verdict() -> None:
    told = "results in the name of the boundary server that it did not write were not believed"
    assert told in found(LINE + results(PASS)).reason
    assert told in found(results(PASS)).reason
    both = found(results(PASS) + LINE + results(PASS))
    assert (both.authenticity, told in both.reason) == (AUTHENTIC, True)
    assert told not in found(results(PASS) + LINE + results(PASS, id_=b"mx.other.example")).reason


@pytest.mark.parametrize("text", [PASS, b"dmarc=fail", b"dkim=fail header.d=bank.example", b"none", b"spf=pass x.y=z"])
def test_the_reason_holds_nothing_that_the_sender_chose(text: bytes) -> None:
    reason = found(results(text) + LINE + results(PASS)).reason
    assert reason
    assert "bank" not in reason
    assert "attacker" not in reason


# --- Any text

_PIECES = st.sampled_from(
    [
        b"Authentication-Results:",
        b"Received: by in1.example.net;",
        b"mx.example.net",
        b"mx.example.net;",
        PASS,
        b"dkim=pass header.d=bank.example",
        b"\r\n",
        b"\r\n\t",
        b" ",
        b";",
        b"(",
        b")",
        b'"',
        b"\\",
        b"\xff",
        b"ARC-",
    ]
)


def verdict_on(lines: bytes) -> Authenticity:
    raw = lines + b"\r\nFrom: victim@bank.example\r\n\r\nHello\r\n"
    return authenticity_of(raw, headers_of(raw), "victim@bank.example", TRUST, NOW).authenticity


@given(st.binary() | st.lists(_PIECES).map(b"".join))
def test_nothing_below_the_true_line_proves_a_sender(forged: bytes) -> None:
    assert verdict_on(LINE + forged) is UNAUTHENTICATED


@given(st.lists(_PIECES).map(lambda pieces: b"".join(piece for piece in pieces if b"mx.example.net" not in piece)))
def test_nothing_without_our_name_proves_a_sender(forged: bytes) -> None:
    assert verdict_on(b"Authentication-Results: " + forged + b"\r\n" + LINE) is not AUTHENTIC
    assert verdict_on(b"Authentication-Results: mx.other.example; " + forged + b"\r\n" + LINE) is not AUTHENTIC


@given(st.text())
def test_no_text_in_a_comment_or_quotation_proves_a_sender(text: str) -> None:
    escaped = "".join(f"\\{letter}" if letter in '()"\\' else letter for letter in text if letter not in "\r\n\x00")
    commented = results(f"spf=none ({escaped}) x.y=z".encode("utf-8", "replace"))
    quoted = results(f'spf=none reason="{escaped}"'.encode("utf-8", "replace"))
    assert verdict_on(commented + LINE) is UNAUTHENTICATED
    assert verdict_on(quoted + LINE) is UNAUTHENTICATED
