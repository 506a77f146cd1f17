"""Reading hostile mail: its sender is one address or nobody, and no bytes bring out anything but Mail or Unreadable."""

from email.message import EmailMessage
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from inbox.limits import MAX_BYTES, MAX_LINES, MAX_RECIPIENTS
from inbox.reading import MAX_TEXT, Mail, Unreadable, read
from inbox.sender import SenderProblem

EXAMPLES = [file.read_bytes() for file in sorted((Path(__file__).parents[2] / "examples").glob("*.eml"))]
VICTIM = "victim@bank.example"


def with_from(*values: bytes) -> Mail:
    return read(b"".join(b"From: " + value + b"\r\n" for value in values) + b"Subject: hello\r\n\r\nHello\r\n")


def with_header(header: bytes, body: bytes = b"Hello") -> Mail:
    return read(b"From: dana@x.example\n" + header + b"\n\n" + body)


# --- Who wrote it


@pytest.mark.parametrize(
    "value",
    [
        b"dana@x.example",
        b"<dana@x.example>",
        b"Dana Whitfield <dana@x.example>",
        b'"Whitfield, Dana" <DANA@X.example>',
        b'"Dana (\\"D\\") <victim@bank.example>" <dana@x.example>',
        b"Dana Whitfield (Pottery) <dana@x.example>",
        b"dana@x.example (Dana Whitfield)",
        b"=?utf-8?q?victim=40bank=2Eexample?= <dana@x.example>",
        b"=?utf-8?b?PHZpY3RpbUBiYW5rLmV4YW1wbGU+?= <dana@x.example>",
        b"J\xc3\xb6rg <dana@x.example>",
        b"J\xf6rg <dana@x.example>",
        b"Dana\r\n Whitfield\r\n <dana@x.example>",
        b"Dana L. O'Neil-Whitfield & Sons <dana@x.example>",
        b'"' + b"x" * 60_000 + b'" <dana@x.example>',
    ],
)
def test_one_from_with_one_address_is_the_sender(value: bytes) -> None:
    assert with_from(value).sender == "dana@x.example"


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (b"", SenderProblem.NOT_ONE_ADDRESS),
        (b"<>", SenderProblem.NOT_ONE_ADDRESS),
        (b"Dana", SenderProblem.NOT_COMPARABLE),
        (b"dana@x.example, victim@bank.example", SenderProblem.NOT_ONE_ADDRESS),
        (b"Whitfield, Dana <dana@x.example>", SenderProblem.NOT_ONE_ADDRESS),
        (b"victim@bank.example <dana@x.example>", SenderProblem.NOT_ONE_ADDRESS),
        (b"<victim@bank.example> <dana@x.example>", SenderProblem.NOT_ONE_ADDRESS),
        (b"<dana@x.example> victim@bank.example", SenderProblem.NOT_ONE_ADDRESS),
        (b"dana@x.example (<victim@bank.example>)", SenderProblem.NOT_ONE_ADDRESS),
        (b"(" * 500 + b")" * 500 + b"dana@x.example", SenderProblem.NOT_ONE_ADDRESS),
        (b"undisclosed-recipients:;", SenderProblem.NOT_ONE_ADDRESS),
        (b"Friends: victim@bank.example;", SenderProblem.NOT_ONE_ADDRESS),
        (b"A: B: victim@bank.example;;", SenderProblem.NOT_ONE_ADDRESS),
        (b"<@relay.example:victim@bank.example>", SenderProblem.NOT_COMPARABLE),
        (b'"', SenderProblem.NOT_ONE_ADDRESS),
        (b'"victim"@bank.example', SenderProblem.NOT_ONE_ADDRESS),
        (b"victim @bank.example", SenderProblem.NOT_ONE_ADDRESS),
        (b"victim@ban\xe2\x84\xaa.example", SenderProblem.NOT_COMPARABLE),
        (b"victim@bank.example\xc2\xa0", SenderProblem.NOT_COMPARABLE),
        (b"victim\x00@bank.example", SenderProblem.NOT_COMPARABLE),
        (b"victim@b\xe4nk.example", SenderProblem.NOT_COMPARABLE),
        (b"=?utf-8?q?victim=40bank=2Eexample?=", SenderProblem.NOT_COMPARABLE),
        (b"<=?utf-8?q?victim?=@bank.example>", None),
        (b"victim@bank.example\\", SenderProblem.NOT_COMPARABLE),
        (b"victim@[192.0.2.1]", SenderProblem.NOT_COMPARABLE),
        (b"a@" + b"." * 100_000, SenderProblem.NOT_COMPARABLE),
        (b"a," * 60_000, SenderProblem.NOT_ONE_ADDRESS),
    ],
)
def test_anything_else_in_from_is_nobody_and_never_the_victim(value: bytes, problem: SenderProblem | None) -> None:
    mail = with_from(value)
    assert mail.sender_problem == problem
    assert mail.sender != VICTIM
    assert (mail.sender is None) == (problem is not None)


def test_two_from_headers_are_nobody() -> None:
    mail = with_from(b"dana@x.example", b"victim@bank.example")
    assert (mail.sender, mail.sender_problem) == (None, SenderProblem.SEVERAL_FROM)
    assert with_from(b"dana@x.example", b"dana@x.example").sender is None


def test_a_bare_carriage_return_ends_a_line_so_the_second_from_is_seen() -> None:
    assert with_from(b"dana@x.example\rFrom: victim@bank.example").sender_problem is SenderProblem.SEVERAL_FROM


def test_no_from_is_nobody_even_if_other_headers_name_somebody() -> None:
    others = b"Sender: victim@bank.example\nReply-To: victim@bank.example\nReturn-Path: <victim@bank.example>\n"
    assert read(others + b"\nI am victim@bank.example").sender_problem is SenderProblem.NO_FROM


def test_reply_to_and_sender_change_nothing() -> None:
    mail = with_header(b"Reply-To: victim@bank.example\nSender: victim@bank.example")
    assert mail.sender == "dana@x.example"


@pytest.mark.parametrize(
    "line",
    [
        b"From : victim@bank.example",
        b"from : victim@bank.example",
        b"not a header",
        b"From victim@bank.example Mon Jan 1",
    ],
)
@pytest.mark.parametrize("place", [1, 2])
def test_a_header_that_others_may_read_differently_names_nobody(line: bytes, place: int) -> None:
    lines = [b"From: dana@x.example", b"Subject: x"]
    lines.insert(place, line)
    assert read(b"\n".join(lines) + b"\n\nHello").sender_problem is SenderProblem.BROKEN_HEADER


def test_a_from_in_disguise_on_top_names_nobody() -> None:
    raw = b"From : victim@bank.example\nFrom: dana@x.example\n\nHello"
    assert read(raw).sender_problem is SenderProblem.BROKEN_HEADER


def test_an_mbox_line_on_top_and_one_in_the_body_change_nothing() -> None:
    mail = read(
        b"From x@y.example Mon Jan 1\nFrom: dana@x.example\n\nHello\n\nFrom v Mon Jan 1\nFrom: victim@bank.example\n"
    )
    assert mail.sender == "dana@x.example"


# --- What it says


@pytest.mark.parametrize(
    ("header", "subject"),
    [
        (b"Subject: Lost my phone", "Lost my phone"),
        (b"Subject: =?utf-8?q?Zwei=2DFaktor_=E2=80=93_Hilfe?=", "Zwei-Faktor \N{EN DASH} Hilfe"),
        (b"Subject: =?utf-8?b?w6TDtg==?= =?iso-8859-1?q?=FC?=", "äöü"),
        (b"Subject: =?utf-8?b?4oI=?= =?utf-8?b?rA==?=", "€"),
        (b"Subject: caf\xc3\xa9", "café"),
        (b"Subject: caf\xe9", "café"),
        (b"Subject: folded\n  over lines", "folded over lines"),
        (b"Subject: =?nonsense?q?hi?=", "hi"),
        (b"Subject: =?punycode?q?b9b9b9?=", "b9b9b9"),
        (b"Subject: =?utf-8?b?!!!!?=", ""),
        (b"Subject: =?utf-8?b?a?=", "=?utf-8?b?a?="),
        (b"Subject: a=?utf-8?q?=00=0D=0A?=b", "a b"),
        (b"Subject: =?utf-7?q?+2AA-?=", "+2AA-"),
        (b"Subject: \xe2\x80\xaegnp.exe", "gnp.exe"),
        (b"X-None: x", ""),
        (b"Subject: one\nSubject: two", "one"),
        (b"Subject: " + b"x" * 100_000, "x" * 500),
        (b"Subject: " + b"=?utf-8?q?x?= " * 8_000, None),
    ],
)
def test_subjects_are_decoded_into_one_clean_line(header: bytes, subject: str | None) -> None:
    read_subject = with_header(header).subject
    assert subject is None or read_subject == subject
    assert read_subject.isprintable()


@pytest.mark.parametrize(
    ("charset", "body", "text"),
    [
        (b"utf-8", b"gr\xc3\xbcn", "grün"),
        (b"iso-8859-1", b"gr\xfcn \x93quoted\x94", "grün “quoted”"),
        (b"us-ascii", b"gr\xc3\xbcn", "grÃ¼n"),
        (b"koi8-r", b"\xd4\xc5\xcc\xc5\xc6\xcf\xce", "телефон"),
        (b"shift_jis", b"\x93d\x98b", "電話"),
        (b"gb2312", b"\xca\xd6\xbb\xfa", "手机"),
        (b"unknown-8bit", b"gr\xfcn", "grün"),
        (b"utf-8", b"gr\xfcn", "grün"),
        (b"utf-7", b"+2AA- x", "+2AA- x"),
        (b"unicode_escape", b"\\ud800 x", "\\ud800 x"),
        (b"undefined", b"x", "x"),
        (b"idna", b"x", "x"),
        (b"punycode", b"a-b9b9", "a-b9b9"),
        (b"zlib_codec", b"x", "x"),
        (b"a\x00b", b"x", "x"),
        (b'"', b"x", "x"),
        (b"utf-8", b"nul \x00 bell \x07 bidi \xe2\x80\xae end", "nul  bell  bidi  end"),
        (b"utf-8", b"one\r\ntwo\rthree", "one\ntwo\nthree"),
    ],
)
def test_texts_are_decoded_whatever_the_charset_claims(charset: bytes, body: bytes, text: str) -> None:
    assert with_header(b"Content-Type: text/plain; charset=" + charset, body).text == text


def test_a_charset_in_extended_syntax_with_a_nul_does_no_harm() -> None:
    assert with_header(b"Content-Type: text/plain; charset*=a%00b''x", b"hi").text == "hi"


def test_the_plain_part_is_taken_before_html_and_attachments_are_not() -> None:
    mail = EmailMessage()
    mail["From"] = "dana@x.example"
    mail.set_content("plain words")
    mail.add_alternative("<p>html words</p>", subtype="html")
    mail.add_attachment("attached words", filename="notes.txt")
    assert read(mail.as_bytes()).text.strip() == "plain words"


def test_an_attached_mail_does_not_speak_for_the_writer() -> None:
    inner = EmailMessage()
    inner["From"] = VICTIM
    inner.set_content("I lost my phone")
    mail = EmailMessage()
    mail["From"] = "dana@x.example"
    mail.set_content("see attached")
    mail.add_attachment(inner)
    assert read(mail.as_bytes()).text.strip() == "see attached"


def test_html_without_plain_text_becomes_text() -> None:
    page = b"""<html><head><title>no</title><style>p{}</style></head><body><!-- no --><p>Hi,</p>
    <div>my phone&#39;s <b>gone</b>&nbsp;&amp; I can't<br>log in</div><script>no()</script>
    <blockquote>On Monday:<p>old words</p></blockquote><p>Dana</p></body></html>"""
    text = with_header(b"Content-Type: text/html", page).text
    assert text.split("\n") == [
        "Hi,",
        "",
        "my phone's gone & I can't",
        "log in",
        "",
        "> On Monday:",
        "> old words",
        ">",
        "",
        "Dana",
    ]


def test_a_stray_closing_tag_hides_nothing() -> None:
    assert with_header(b"Content-Type: text/html", b"one</style> two</head> three").text == "one two three"


@pytest.mark.parametrize(
    ("page", "text"),
    [
        (b"one <span style='display:none'>two</span> three", "one three"),
        (b'one <DIV Style="color:red; DISPLAY : none;"><div>two</div> two</DIV> three', "one three"),
        (b'one <img style="display:none"> two', "one two"),
        (b'one <b title="display:none">two</b> three', "one two three"),
        (b'one <b style="display:block">two</b> three', "one two three"),
        (b'one <i style="display:none">two', "one"),
    ],
)
def test_what_a_page_does_not_show_is_not_read(page: bytes, text: str) -> None:
    assert with_header(b"Content-Type: text/html", page).text == text


def test_a_mail_whose_lines_end_in_a_bare_carriage_return_is_read() -> None:
    mail = read(b"From: dana@x.example\rSubject: Hi\r\r" + b"Hello again\r" * 20_000)
    assert (mail.sender, mail.subject, mail.text[:6]) == ("dana@x.example", "Hi", "Hello ")


def test_a_blank_plain_part_gives_way_to_html() -> None:
    mail = EmailMessage()
    mail["From"] = "dana@x.example"
    mail.set_content(" \n")
    mail.add_alternative("<p>html words</p>", subtype="html")
    assert read(mail.as_bytes()).text == "html words"


@pytest.mark.parametrize(
    ("header", "message_id"),
    [
        (b"Message-ID: <a.b@x.example>", "<a.b@x.example>"),
        (b"Message-ID: <[x@y]>", "<[x@y]>"),
        (b"Message-ID: <a@x> <b@x>", None),
        (b"Message-ID: <a@x>\nMessage-ID: <b@x>", None),
        (b"Message-ID: a@x", None),
        (b"Message-ID: <" + b"a" * 300 + b">", None),
    ],
)
def test_a_message_id_is_exactly_one_or_none(header: bytes, message_id: str | None) -> None:
    assert with_header(header).message_id == message_id


def test_a_mail_in_a_log_shows_no_address_and_no_text() -> None:
    shown = repr(with_header(b"Subject: my subject\nMessage-ID: <my-id@x.example>", b"my text"))
    assert not any(word in shown for word in ("dana", "my subject", "my-id", "my text"))


# --- What is not read


def nested(depth: int, kind: bytes = b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n") -> bytes:
    levels = (kind % (level, level) if b"%d" in kind else kind for level in range(depth))
    return b"From: dana@x.example\n" + b"".join(levels) + b"\nhello"


BRIEF = b"From: dana@x.example\n"
MIXED = BRIEF + b"Content-Type: multipart/mixed; boundary=b\n\n"
REFUSED = {
    "nothing": (b"", "has no header, so it is not a mail"),
    "no header": (b"\n\nhello", "has no header, so it is not a mail"),
    "zeros": (b"\x00" * 1000, "has no header, so it is not a mail"),
    "bytes": (BRIEF + b"\n" + b"x" * MAX_BYTES, "has more than 20,971,520 bytes"),
    "lines": (BRIEF + b"\n" + b"\n" * MAX_LINES, "has more than 500,000 lines"),
    "lines that a bare CR ends": (BRIEF + b"\r\r" + b"\r" * MAX_LINES, "has more than 500,000 lines"),
    "one long header": (b"X: " + b"y" * 1_000_000 + b"\n\nhello", "has more than 131,072 bytes of header"),
    "header bytes": (b"X: y\r\n" * 100_000 + b"\r\nhello", "has more than 131,072 bytes of header"),
    "headers": (b"X:y\n" * 1_001 + b"\nhello", "has more than 1,000 headers"),
    "parts": (MIXED + b"--b\n\nx\n" * 501, "has more than 500 parts"),
    "semicolons": (
        BRIEF + b"Content-Type: text/plain" + b";" * 2_048 + b"\n\nx",
        "has more than 2,048 bytes of Content-Type",
    ),
    "parameters in a part, folded": (
        MIXED + b"--b\ncontent-TYPE: text/plain" + b";\r\n\ta=b" * 400 + b"\n\nx\n--b--",
        "has more than 2,048 bytes of Content-Type",
    ),
    "nesting": (nested(400), "has more than 32 parts within parts"),
    "nesting by one": (nested(33), "has more than 32 parts within parts"),
    "nested mails": (nested(33, b"Content-Type: message/rfc822\n\n"), "has more than 32 parts within parts"),
    "nesting in disguise": (
        nested(33, b"content-type:\n \x1c\tMULTIPART/mixed; boundary=b%d\n\n--b%d\n"),
        "has more than 32 parts within parts",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_mail_or_costs_too_much_is_refused(case: str) -> None:
    raw, reason = REFUSED[case]
    with pytest.raises(Unreadable) as refused:
        read(raw)
    assert refused.value.reason == reason


def test_what_is_just_within_the_limits_is_read() -> None:
    assert read(nested(32)).sender == "dana@x.example"
    assert with_header(b"X: y\n" * 900 + b"X: y").sender == "dana@x.example"
    twenty_mb = b"AAAA" * 19 + b"\n"
    attached = (
        b"--b\n\nhello\n--b\nContent-Type: image/png\nContent-Transfer-Encoding: base64\n\n" + twenty_mb * 250_000
    )
    assert with_header(b"Content-Type: multipart/mixed; boundary=b", attached).text.strip() == "hello"


@pytest.mark.parametrize(
    "scrap",
    [
        b"<!--",
        b"<a",
        b"<div>",
        b"<blockquote>",
        b"&",
        b"<style>",
        b"<" + b"a" * 800_000,
        b"</p ",
        b" \n",
        b'<i style="display:none">',
        b" style='display" * 50_000,
    ],
)  # fmt: skip
def test_html_made_to_cost_time_is_read(scrap: bytes) -> None:
    assert len(with_header(b"Content-Type: text/html", scrap * (900_000 // len(scrap))).text) <= MAX_TEXT


def test_a_text_part_of_megabytes_is_left_out() -> None:
    assert with_header(b"Content-Type: text/plain", b"lost phone\n" * 100_000).text == ""


class Breaking(bytes):
    """Bytes in which something goes wrong that nobody thought of."""

    def count(self, *_: object) -> int:
        raise RecursionError("too deep")


def test_whatever_goes_wrong_inside_is_unreadable() -> None:
    with pytest.raises(Unreadable, match=r"^trips the parser \(RecursionError\)$"):
        read(Breaking(b"From: dana@x.example\n\nHello"))


# --- Whatever the bytes

MUTANTS = max(600, settings().max_examples)

PIECES = st.sampled_from(
    [
        b"From: ", b"\r\n", b"\n", b"\r", b"\n\n", b"Content-Type: ", b"multipart/mixed; boundary=",
        b"multipart/report;", b"b", b"--b", b"--b--", b"text/plain; charset=", b"text/html", b"message/rfc822",
        b"message/delivery-status", b"utf-8", b"utf-7", b"*0*=", b"*=", b"''", b"Content-Transfer-Encoding: ",
        b"base64", b"quoted-printable", b"x-uuencode", b"begin 644 x\n", b"=?utf-8?q?", b"=?utf-8?b?", b"?=",
        b"Subject: ", b"Date: ", b"Message-ID: ", b"<", b">", b'"', b"\\", b"(", b")", b";", b":", b",", b"@", b"\x00",
        b"\xff", b"\xe2\x84\xaa", b"=", b" ", b"\t", b"<!--", b"<p>", b"<blockquote>", b"&#x110000;", b"1", b"Nov",
        b"-0000",
    ],
)  # fmt: skip


def is_read_or_unreadable(raw: bytes) -> None:
    try:
        mail = read(raw)
    except Unreadable:
        return
    assert (mail.sender is None) == (mail.sender_problem is not None)
    for said in (mail.subject, mail.text):
        said.encode("utf-8")
        assert "\0" not in said


@given(st.binary(max_size=500) | st.lists(PIECES | st.binary(max_size=4), max_size=60).map(b"".join))
@example(b"From: a@b.example\nContent-Type: multipart/mixed; boundary*=a\x00b''x\n\nhi")
@example(b"From: a@b.example\nContent-Type: text/html\n\n&#" + b"1" * 5_000 + b";")
@example(b'From: "\nDate: 1 1 1 1:1:1 +99999\nMessage-ID: <[x@y]>\n\n')
@settings(max_examples=MUTANTS)
def test_any_bytes_are_a_mail_or_unreadable(raw: bytes) -> None:
    is_read_or_unreadable(raw)


@given(st.sampled_from(EXAMPLES), st.lists(st.tuples(st.integers(0, 3_000), st.integers(0, 40), PIECES), max_size=8))
@settings(max_examples=MUTANTS)
def test_a_real_mail_with_pieces_replaced_is_a_mail_or_unreadable(
    raw: bytes, changes: list[tuple[int, int, bytes]]
) -> None:
    for place, length, piece in changes:
        raw = raw[:place] + piece + raw[place + length :]
    is_read_or_unreadable(raw)


@pytest.mark.parametrize("name", [b"To", b"CC", b"bcc", b"Delivered-To", b"X-Original-To"])
def test_a_mail_to_more_than_a_hundred_is_not_read(name: bytes) -> None:
    addresses = [b"a%d@x.example" % number for number in range(MAX_RECIPIENTS + 1)]
    assert with_header(name + b": " + b",\r\n ".join(addresses[1:])).sender
    with pytest.raises(Unreadable, match="has more than 100 recipients"):
        with_header(name + b": " + b",\r\n ".join(addresses))
    with pytest.raises(Unreadable, match="has more than 100 recipients"):
        with_header(b"\r\n".join(name + b": " + address for address in addresses))


@pytest.mark.parametrize("scrap", [b"<", b"(", b'"', b'"\\', b"a,", b"<a", b"()", b"a@" + b"a." * 60_000])
def test_headers_made_to_cost_time_are_read(scrap: bytes) -> None:
    value = (scrap * (50_000 // len(scrap) + 1))[:100_000]
    for name in (b"To: ", b"References: ", b"Message-ID: "):
        assert with_header(name + value).sender == "dana@x.example"
