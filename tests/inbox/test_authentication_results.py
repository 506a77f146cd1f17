"""Authentication-Results are read as RFC 8601 spells them; anything else in them is nothing, and takes no time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inbox.authentication_results import MAX_DEPTH, MAX_LENGTH, AuthenticationResults, Result, parse

PASS = Result("dmarc", "pass", (("header.from", "example.com"),))


@pytest.mark.parametrize(
    "value",
    [
        "mx.example.net; dmarc=pass header.from=example.com",
        " mx.example.net 1; dmarc=pass header.from=example.com",
        "mx.example.net;dmarc=pass header.from=example.com;",
        "mx.example.net; dmarc=pass header.from(a)=(b)example.com(c)",
        'mx.example.net; DMARC = PASS HEADER.FROM = "example.com"',
        '"mx.example.net"; dmarc/1=pass header.from="example\\.com"',
        "(a) mx.example.net (b;c) 1 (d) ; (e) dmarc (f) / (g) 1 (h) = (i) pass (j) header (k) . (l) from = example.com",
        "mx.example.net; dmarc=pass(p=none; dis=none)header.from=example.com",
        "mx.example.net;\tdmarc=pass (\\) header.from=bank.example ;) header.from=example.com",
        f"mx.example.net; dmarc=pass {'(' * MAX_DEPTH}{')' * MAX_DEPTH} header.from=example.com",
    ],
)
def test_one_result_in_all_its_spellings(value: str) -> None:
    assert parse(value) == AuthenticationResults("mx.example.net", (PASS,))


def test_what_real_servers_write_is_read() -> None:
    header = parse(
        "mx.example.net; dkim=pass (2048-bit key; unprotected) header.d=example.com header.i=@example.com "
        'header.a=rsa-sha256 header.s=2024 header.b=q/Z+4=; dkim-atps=neutral; spf=pass reason="mailfrom; (p=none)" '
        'smtp.mailfrom="a b"@bounce.example.com; iprev=pass policy.iprev=2001:db8::1 (mail.example.com); '
        "arc=none smtp.remote-ip=192.0.2.1; dmarc=pass (p=REJECT sp=REJECT dis=NONE) header.from=example.com"
    )
    assert header is not None
    assert [(result.method, result.outcome) for result in header.results] == [
        ("dkim", "pass"),
        ("dkim-atps", "neutral"),
        ("spf", "pass"),
        ("iprev", "pass"),
        ("arc", "none"),
        ("dmarc", "pass"),
    ]
    assert header.results[0].only("header.b") == "q/Z+4="
    assert header.results[2].only("smtp.mailfrom") == '"a b"@bounce.example.com'
    assert header.results[5].only("header.from") == "example.com"


@pytest.mark.parametrize("value", ["mx.example.net; none", "mx.example.net 1 ; (x) None (y)", "mx.example.net"])
def test_a_server_that_checked_nothing_says_so(value: str) -> None:
    assert parse(value) == AuthenticationResults("mx.example.net", ())


def test_a_method_of_another_version_is_another_method() -> None:
    header = parse("mx.example.net; dmarc/2=pass header.from=example.com")
    assert header is not None
    assert header.results[0].method == "dmarc/2"


def test_a_property_that_is_there_twice_has_no_value() -> None:
    header = parse("mx.example.net; dmarc=pass header.from=example.com header.from=bank.example")
    assert header is not None
    assert header.results[0].only("header.from") is None


@pytest.mark.parametrize(
    "value",
    [
        "",
        ";",
        "; dmarc=pass",
        "mx.example.net 2; dmarc=pass",
        "mx.example.net other.example; dmarc=pass",
        "mx.example.net, other.example; dmarc=pass",
        "mx.example.net dmarc=pass",
        "mx.example.net;; dmarc=pass",
        "mx.example.net; dmarc",
        "mx.example.net; dmarc=",
        "mx.example.net; =pass",
        "mx.example.net; dmarc=pass!",
        'mx.example.net; dmarc="pass"',
        "mx.example.net; dmarc==pass",
        "mx.example.net; dm\N{ARABIC LETTER ALEF}rc=pass",
        "mx.example.net; dmarc=pass from=example.com",
        "mx.example.net; dmarc=pass header.=example.com",
        "mx.example.net; dmarc=pass header.from=",
        "mx.example.net; dmarc=pass header.from=example.com, dkim=pass",
        "mx.example.net; dmarc=pass header.from=<example.com>",
        'mx.example.net; dmarc=pass header.from="example.com',
        'mx.example.net; dmarc=pass header.from="example.com"x',
        "mx.example.net; dmarc=pass header.from=example.com\x00",
        "mx.example.net; dmarc=pass header.from=\x0bexample.com",
        "mx.example.net; dmarc=pass\rheader.from=example.com",
        "mx.example.net; dmarc=pass (header.from=example.com",
        "mx.example.net; dmarc=pass ) header.from=example.com",
        "mx.example.net; dmarc=pass (\\) header.from=example.com",
        "mx.example.net; none; dmarc=pass",
        "mx.example.net; dmarc=pass; none",
        "mx.example.net; none=pass dmarc=pass",
        f"mx.example.net; dmarc=pass {'(' * (MAX_DEPTH + 1)}{')' * (MAX_DEPTH + 1)} header.from=example.com",
        f"mx.example.net; dmarc=pass {'(' * 10_000}{')' * 10_000}",
        f"mx.example.net; dmarc=pass ({'x' * MAX_LENGTH})",
    ],
)
def test_what_is_spelled_wrong_counts_for_nothing(value: str) -> None:
    assert parse(value) is None


_PIECES = st.sampled_from(
    [
        "mx",
        ";",
        "dmarc",
        "=",
        "pass",
        " ",
        "(",
        ")",
        '"',
        "\\",
        "none",
        "header",
        ".",
        "from",
        "1",
        "/",
        "@",
        "\x00",
        "ä",
    ]
)


@given(st.text() | st.lists(_PIECES).map("".join))
def test_no_text_makes_it_raise(value: str) -> None:
    header = parse(value)
    assert header is None or all(result.method and result.outcome for result in header.results)


@pytest.mark.parametrize(
    "piece", ["(", "()", '"', '"\\', "\\", ";", "a=b ", "=", "@", ". ", "a.b=c ", '""@', " \t", "(\\"]
)
def test_the_longest_header_is_read_within_no_time(piece: str) -> None:
    # Quadratic time over this many pieces would be minutes.
    for begin in ("", "mx", "mx; a=b ", "mx; a=b c.d=", "mx; a=b (", 'mx; a=b c.d="'):
        for _ in range(5):
            parse((begin + piece * MAX_LENGTH)[:MAX_LENGTH])
