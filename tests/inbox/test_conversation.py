"""Whom a mail is sent to and which mails it answers: only what can be compared, each once, and never without end."""

import pytest

from inbox.conversation import MAX_REFERENCES
from inbox.limits import MAX_RECIPIENTS
from inbox.reading import Mail, Unreadable, read


def with_header(header: bytes) -> Mail:
    return read(b"From: dana@x.example\r\n" + header + b"\r\n\r\nHello\r\n")


@pytest.mark.parametrize(
    ("header", "to"),
    [
        (b"To: support@host.example", ("support@host.example",)),
        (b"To: Support <SUPPORT+r-abc@Host.Example>", ("support+r-abc@host.example",)),
        (b"To: a@x.example, Jo <jo@x.example>,\r\n\tkim@x.example", ("a@x.example", "jo@x.example", "kim@x.example")),
        (b'To: "Doe, <jane@x.example>" <jo@x.example>', ("jo@x.example",)),
        (b"To: jo@x.example (was: jane@x.example)", ("jo@x.example",)),
        (b"To: Team: a@x.example, b@x.example;", ("a@x.example", "b@x.example")),
        (b"To: jo@m\xc3\xbcller.example", ("jo@xn--mller-kva.example",)),
        (b"To: jo@ban\xe2\x84\xaa.example", ()),
        (b"To: undisclosed-recipients:;", ()),
        (b"To: jo", ()),
        (b'To: "jo@x.example', ()),
        (b"To: <<<jo@x.example", ("jo@x.example",)),
        (b"Bcc: jo@x.example\r\nReply-To: jo@x.example\r\nX-To: jo@x.example", ()),
        (
            b"X-Original-To: d@x.example\nDelivered-To: c@x.example\nCc: b@x.example\nTo: a@x.example\nTo: b@x.example",
            ("a@x.example", "b@x.example", "c@x.example", "d@x.example"),
        ),
    ],
)
def test_recipients_are_the_comparable_addresses_each_once(header: bytes, to: tuple[str, ...]) -> None:
    assert with_header(header).to == to


@pytest.mark.parametrize("name", [b"To", b"CC", b"bcc", b"Delivered-To", b"X-Original-To"])
def test_a_mail_to_more_than_a_hundred_is_not_read(name: bytes) -> None:
    addresses = [b"a%d@x.example" % number for number in range(MAX_RECIPIENTS + 1)]
    assert with_header(name + b": " + b",\r\n ".join(addresses[1:])).sender
    with pytest.raises(Unreadable, match="has more than 100 recipients"):
        with_header(name + b": " + b",\r\n ".join(addresses))
    with pytest.raises(Unreadable, match="has more than 100 recipients"):
        with_header(b"\r\n".join(name + b": " + address for address in addresses))


@pytest.mark.parametrize(
    ("header", "references"),
    [
        (b"X-None: x", ()),
        (b"In-Reply-To: <a@x>", ("<a@x>",)),
        (b"References: <a@x> <b@x>\r\n <c@x>\r\nIn-Reply-To: <c@x>", ("<c@x>", "<a@x>", "<b@x>")),
        (b"References: <a@x><b@x>", ("<a@x>", "<b@x>")),
        (b"In-Reply-To: Your message of Monday <a@x>", ("<a@x>",)),
        (b"References: <a\x00@x> <b b@x> <" + b"c" * 300 + b"> <d@x>", ("<d@x>",)),
        (b"References: <a@x> not-one", ("<a@x>",)),
    ],
)
def test_references_are_what_it_answers_directly_and_then_the_rest(header: bytes, references: tuple[str, ...]) -> None:
    assert with_header(header).references == references


def test_references_are_kept_up_to_a_number() -> None:
    mail = with_header(b"References: " + b"\r\n ".join(b"<%d@x.example>" % number for number in range(4_000)))
    assert mail.references == tuple(f"<{number}@x.example>" for number in range(MAX_REFERENCES))


@pytest.mark.parametrize("scrap", [b"<", b"(", b'"', b'"\\', b"a,", b"<a", b"()", b"a@" + b"a." * 60_000])
def test_headers_made_to_cost_time_are_read(scrap: bytes) -> None:
    value = (scrap * (50_000 // len(scrap) + 1))[:100_000]
    for name in (b"To: ", b"References: ", b"Message-ID: "):
        assert with_header(name + value).sender == "dana@x.example"
