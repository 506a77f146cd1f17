"""Mail of machines is known by its headers, and a header that is merely there does not make a person a machine."""

import pytest

from inbox.reading import read


def sign(headers: bytes) -> str | None:
    return read(headers + b"\n\nI lost my phone").machine_sign


PERSON = b"From: dana@x.example\n"


@pytest.mark.parametrize(
    "headers",
    [
        PERSON + b"Auto-Submitted: auto-replied",
        PERSON + b"auto-submitted: Auto-Generated; type=vacation",
        PERSON + b"Auto-Submitted: notify",
        PERSON + b"Auto-Submitted:",
        PERSON + b"Precedence: bulk",
        PERSON + b"Precedence: LIST",
        PERSON + b"Precedence: junk ",
        PERSON + b"Precedence: auto_reply",
        PERSON + b"List-Id: <news.x.example>",
        PERSON + b"List-Unsubscribe: <mailto:out@x.example>",
        PERSON + b"Return-Path: <>",
        PERSON + b"Return-Path:  < > ",
        PERSON + b"Content-Type: multipart/report; report-type=delivery-status; boundary=b",
        PERSON + b"Content-Type:\n MULTIPART/Report; boundary=b",
        PERSON + b"Content-Type: message/delivery-status",
        PERSON + b"X-Autoreply: yes",
        PERSON + b"X-Auto-Reply: yes",
        PERSON + b"X-Autorespond: 1",
        PERSON + b"X-Loop: support@x.example",
        b"From: MAILER-DAEMON (Mail Delivery System)",
        b"From: Mail Delivery System <MAILER-DAEMON@mx.x.example>",
        b"From: postmaster@x.example",
        b"From: no-reply@x.example",
        b"From: NoReply@x.example",
        b"From: Shop <no_reply+4711@x.example>",
        b"From: do-not-reply@x.example",
        b"From: donotreply@x.example, second@x.example",
    ],
)
def test_a_machine_is_known(headers: bytes) -> None:
    assert sign(headers)
    assert read(headers + b"\n\n").machine_sign


@pytest.mark.parametrize(
    "headers",
    [
        PERSON,
        PERSON + b"Auto-Submitted: no",
        PERSON + b"Auto-Submitted: No (a person)",
        PERSON + b"Auto-Submitted: no; owner=dana",
        PERSON + b"Precedence: first-class",
        PERSON + b"Precedence: special-delivery",
        PERSON + b"Return-Path: <dana@x.example>",
        PERSON + b"X-Auto-Response-Suppress: All",
        PERSON + b"Content-Type: multipart/mixed; boundary=report",
        PERSON + b"X-List: yes\nListing: 3",
        PERSON + b"Subject: no-reply@x.example does not answer",
        PERSON + b"Reply-To: no-reply@x.example",
        b"From: Noreen Postmasterson <noreen.replyson@x.example>",
        b"From: a.no-reply@x.example",
    ],
)
def test_a_person_is_no_machine(headers: bytes) -> None:
    assert sign(headers.rstrip(b"\n")) is None


def test_the_sign_holds_nothing_that_the_sender_chose() -> None:
    assert sign(PERSON + b"Auto-Submitted: secret-words") == sign(PERSON + b"Auto-Submitted: auto-replied")
    assert sign(PERSON + b"List-Secret-Words: secret-words") == sign(PERSON + b"List-Id: x")
