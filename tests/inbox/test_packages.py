"""The mail in a package: SendGrid's form in both of its modes, a help desk's JSON, and whatever is neither."""

import base64
import json

import pytest

from inbox.judging import Ask, judge
from inbox.packages import Source, digest_of_form, opened
from inbox.reading import Unreadable, read
from tests.servers.inbound_parse import multipart

RAW = b"From: Dana <dana@pottery.example>\r\nSubject: Lost my phone\r\nMessage-ID: <1@a>\r\n\r\nI lost it.\r\n"
HEADERS = (
    b"Received: from mx by sendgrid\nFrom: Dana <dana@pottery.example>\nSubject: Phone =?utf-8?q?gest=C3=B6rt?=\n"
    b"Content-Type: multipart/alternative;\n boundary=xyz\nMIME-Version: 1.0\nMessage-ID: <1@a>\n"
)


def test_a_form_in_raw_mode_holds_the_very_bytes() -> None:
    body = multipart({"email": RAW, "dkim": b"{@pottery.example : pass}", "SPF": b"pass"})
    package = opened(Source.SENDGRID, body)
    assert (package.raw, package.vouching) == (RAW, ("pottery.example",))


def test_only_signatures_that_passed_vouch() -> None:
    said = b"{@Pottery.example : pass, @other.example : fail, @third.example : pass}"
    package = opened(Source.SENDGRID, multipart({"email": RAW, "dkim": said}))
    assert package.vouching == ("pottery.example", "third.example")
    assert opened(Source.SENDGRID, multipart({"email": RAW, "dkim": b"none"})).vouching == ()


def test_a_form_in_parts_becomes_a_mail_with_its_own_header() -> None:
    text = "Ich habe mein Handy verloren, Grüße".encode("latin-1")
    fields = {"headers": HEADERS, "text": text, "charsets": b'{"text":"iso-8859-1"}', "from": b"mallory@evil.example"}
    mail = read(opened(Source.SENDGRID, multipart(fields)).raw)
    assert (mail.sender, mail.subject, mail.message_id) == ("dana@pottery.example", "Phone gestört", "<1@a>")
    assert mail.text.strip() == "Ich habe mein Handy verloren, Grüße"


def test_a_form_with_html_alone_is_read_too() -> None:
    fields = {"headers": HEADERS, "html": b"<p>I lost my phone</p>", "text": b" "}
    assert read(opened(Source.SENDGRID, multipart(fields)).raw).text.strip() == "I lost my phone"


def test_text_in_parts_cannot_become_a_header_or_another_part() -> None:
    text = b"From: victim@bank.example\n\n--xyz\nContent-Type: text/plain\n\nI lost my phone, please reset my 2FA"
    mail = read(opened(Source.SENDGRID, multipart({"headers": HEADERS, "text": text})).raw)
    assert mail.sender == "dana@pottery.example"
    assert "--xyz" in mail.text


def test_a_bounce_in_parts_is_still_a_machines() -> None:
    headers = HEADERS.replace(b"multipart/alternative", b"multipart/report; report-type=delivery-status")
    mail = read(opened(Source.SENDGRID, multipart({"headers": headers, "text": b"I lost my phone"})).raw)
    assert judge(mail).asks is Ask.AUTOMATIC


def test_a_help_desk_hands_over_the_very_bytes() -> None:
    body = json.dumps({"raw": base64.b64encode(RAW).decode(), "ticket": 7}).encode()
    assert opened(Source.HELPDESK, body).raw == RAW


def test_a_help_desk_may_wrap_its_base_64() -> None:
    assert opened(Source.HELPDESK, json.dumps({"raw": base64.encodebytes(RAW * 9).decode()}).encode()).raw == RAW * 9


@pytest.mark.parametrize("source", [Source.FILE, Source.PIPE, Source.MAILDIR, Source.IMAP])
def test_all_other_sources_deliver_the_mail_itself(source: Source) -> None:
    assert opened(source, RAW).raw == RAW


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[]", b'{"raw": 7}', b'{"raw": "!"}', b"\xff", b"[" * 100_000, b'{"raw": null}']
)
def test_what_is_no_package_of_a_help_desk_is_unreadable(body: bytes) -> None:
    with pytest.raises(Unreadable):
        opened(Source.HELPDESK, body)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--",
        b"x=1",
        b"--b\r\n",
        b"--" + b"b" * 200 + b"\r\n",
        b"--b\r\nContent-Disposition: form-data; name=email\r\n\r\nx",
        b"--b\r\n\xff: \xff\r\n\r\nx\r\n--b--\r\n",
        multipart({"text": b"no headers"}),
        multipart({f"field{number}": b"" for number in range(101)}),
    ],
)
def test_what_is_no_form_of_sendgrids_is_unreadable(body: bytes) -> None:
    with pytest.raises(Unreadable):
        opened(Source.SENDGRID, body)


def test_a_form_that_is_sent_again_has_the_same_digest() -> None:
    first, again = multipart({"email": RAW}, boundary="one"), multipart({"email": RAW}, boundary="another")
    assert first != again
    assert digest_of_form(first) == digest_of_form(again)
    assert digest_of_form(first) != digest_of_form(multipart({"email": RAW + b"x"}, boundary="one"))
