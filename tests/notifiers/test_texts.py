"""What customers read and hear: the rules that every text keeps, on every channel."""

import re
from dataclasses import replace
from html import unescape
from typing import Any

import pytest
from jinja2 import UndefinedError

from notifiers import texts
from notifiers.contract import Brand
from notifiers.texts import VoiceLine
from policy.vocabulary import Change, Channel, MessageKind
from tests.notifiers.samples import (
    ACCOUNT_CODES,
    BRAND,
    CANCEL_LINK,
    CLOSED,
    CODE,
    CODES,
    ENROLMENT_LINK,
    HOME,
    LETTER_CODE,
    LINK,
    LINKS,
    NAME,
    NOTICES,
    NOW,
    REFERENCE,
    message,
)

EVERY = [(channel, kind) for channel, kinds in texts.WRITTEN.items() for kind in sorted(kinds)]
ONE_MESSAGE = 160  # signs of the GSM alphabet in one text message; in a joined one, 153 a part
TWO_MESSAGES = 2 * 153
WITH_TWO = {MessageKind.NOTICE_HOLD_STARTED, MessageKind.ENROLMENT_LINK}  # a link, a time, and whom to call


def rendered(channel: Channel, kind: MessageKind, **changes: Any) -> str:
    """All that the recipient reads or hears, as one text."""
    sent = message(kind, channel, **changes)
    match channel:
        case Channel.EMAIL:
            mail = texts.email(sent)
            return f"{mail.subject}\n{mail.text}\n{mail.html}"
        case Channel.SMS:
            return texts.sms(sent, NOW)
        case Channel.VOICE:
            script = texts.voice(sent, NOW)
            return "\n".join(line.words for line in (*script.before_key, *script.after_key))
        case _:
            return texts.letter(sent, HOME)


def words_of_text(text: str) -> list[str]:
    """The words of a plain mail without what only its layout adds: rules below headings, colons before links."""
    text = re.sub(r"^-+ ?$", "", text, flags=re.MULTILINE)
    return re.sub(r":(?=\nhttps)", "", text).split()


def words_of_page(page: str) -> list[str]:
    """The words that a browser shows."""
    body = page.partition("<body")[2].partition(">")[2]
    return unescape(re.sub(r"<[^>]*>", lambda tag: "" if "span" in tag[0] else " ", body)).split()


@pytest.mark.parametrize(("channel", "kind"), EVERY)
def test_the_customer_sees_the_operator_and_never_our_name(channel: Channel, kind: MessageKind) -> None:
    text = rendered(channel, kind)

    assert BRAND.name in text
    assert "keyturn" not in text.lower()


@pytest.mark.parametrize(("channel", "kind"), EVERY)
def test_nothing_unfinished_is_sent(channel: Channel, kind: MessageKind) -> None:
    assert not re.search(r"\{\{|\}\}|\{%|\bNone\b|Undefined|StrEnum", rendered(channel, kind))


@pytest.mark.parametrize("kind", sorted(texts.WRITTEN[Channel.EMAIL]))
def test_both_parts_of_a_mail_say_the_same(kind: MessageKind) -> None:
    mail = texts.email(message(kind))

    assert words_of_page(mail.html) == words_of_text(mail.text)


@pytest.mark.parametrize("kind", sorted(texts.WRITTEN[Channel.EMAIL]))
def test_a_subject_holds_no_digit_and_is_one_line(kind: MessageKind) -> None:
    assert re.fullmatch(r"[A-Z][^\d\n]{10,70}", texts.email(message(kind)).subject)


def test_a_mail_begins_with_what_it_is_about() -> None:
    first = texts.email(message(MessageKind.RESET_CODE)).text.partition("\n\n")[0]

    assert first == (
        "Hello Maria Lopez. Use this code to go on with resetting your two-factor\n"
        "sign-in at Example Hosting. It works until Tuesday 24 November 2026,\n"
        "18:15 UTC."
    )


def test_the_code_of_a_mail_stands_alone_on_a_line_in_groups() -> None:
    mail = texts.email(message(MessageKind.RESET_CODE))

    assert "\n    4821 7306\n" in mail.text
    assert re.search(r"<p [^>]*>4821 7306</p>", mail.html)


def test_a_mail_can_be_answered_by_typing() -> None:
    text = " ".join(texts.email(message(MessageKind.RESET_CODE)).text.split())

    assert f"go to reset.hosting.example and enter the reference {REFERENCE} and the code" in text


def test_a_page_of_a_mail_loads_nothing() -> None:
    html = texts.email(message(MessageKind.RESET_CODE)).html

    assert set(re.findall(r"(?:href|src)=\"([^\"]*)\"", html)) == {LINK, CANCEL_LINK}
    assert not re.search(r"<(script|img|link|iframe)\b|url\(", html)


@pytest.mark.parametrize(("channel", "kind"), [(c, k) for c, k in EVERY if k in CODES])
def test_a_code_comes_with_the_warning_never_to_tell_it(channel: Channel, kind: MessageKind) -> None:
    assert re.search(r"[Nn]ever tell anyone( the code)?, not even us", rendered(channel, kind))


@pytest.mark.parametrize(("channel", "kind"), [(c, k) for c, k in EVERY if k not in CODES])
def test_only_a_code_message_can_show_a_code(channel: Channel, kind: MessageKind) -> None:
    assert CODE not in rendered(channel, kind, code=CODE).replace(" ", "")


@pytest.mark.parametrize(("channel", "kind"), [(c, k) for c, k in EVERY if k not in LINKS])
def test_a_message_without_a_link_of_its_own_shows_none(channel: Channel, kind: MessageKind) -> None:
    assert LINK not in rendered(channel, kind, link=LINK)


@pytest.mark.parametrize("channel", [Channel.EMAIL, Channel.SMS])
@pytest.mark.parametrize("kind", NOTICES - CLOSED)
def test_a_notice_of_an_open_case_can_be_answered_with_this_was_not_me(channel: Channel, kind: MessageKind) -> None:
    assert CANCEL_LINK in rendered(channel, kind)


@pytest.mark.parametrize(("channel", "kind"), [(c, k) for c, k in EVERY if k in NOTICES | {MessageKind.NOTICE_CHANGED}])
def test_every_notice_says_whom_to_call(channel: Channel, kind: MessageKind) -> None:
    assert BRAND.support_phone in rendered(channel, kind)
    assert BRAND.support_email in rendered(channel, kind, brand=replace(BRAND, support_phone=""))


@pytest.mark.parametrize(("channel", "kind"), EVERY)
def test_a_brand_with_a_name_only_will_do(channel: Channel, kind: MessageKind) -> None:
    text = rendered(channel, kind, brand=Brand("Tiny Host", "", "", "", "#000000"))

    assert "Tiny Host" in text
    assert not re.search(r"at \.|to \.|call ?[.:]|at ,", text)


def test_the_answer_to_a_mail_tells_nothing_of_a_case_or_a_person() -> None:
    known = message(MessageKind.INBOX_ANSWER, code=CODE, link=LINK)
    unknown = message(
        MessageKind.INBOX_ANSWER, customer_name=None, reference=None, cancel_link=None, asked_through=None
    )

    assert texts.email(known) == texts.email(unknown)
    for secret in (REFERENCE, CODE, LINK, CANCEL_LINK, NAME):
        assert secret not in rendered(Channel.EMAIL, MessageKind.INBOX_ANSWER, code=CODE, link=LINK)


def test_a_text_message_begins_with_the_code_and_ends_in_webotp_form() -> None:
    first, last = texts.sms(message(MessageKind.RESET_CODE, Channel.SMS), NOW).split("\n")

    assert first.startswith("4821 7306 is your Example Hosting code")
    assert "valid 10 min" in first
    assert last == "@reset.hosting.example #48217306"


def test_webotp_names_the_host_without_port_and_path() -> None:
    sent = message(MessageKind.RESET_CODE, Channel.SMS, typed_at="127.0.0.1:8420/reset")

    assert texts.sms(sent, NOW).endswith("\n@127.0.0.1 #48217306")


@pytest.mark.parametrize("kind", sorted(texts.WRITTEN[Channel.SMS]))
def test_a_text_message_is_one_part_where_possible(kind: MessageKind) -> None:
    short = replace(BRAND, name="Northhost")
    text = texts.sms(message(kind, Channel.SMS, brand=short, typed_at="reset.north.example"), NOW)

    assert text.isascii()
    assert len(text) <= (TWO_MESSAGES if kind in WITH_TWO else ONE_MESSAGE)


@pytest.mark.parametrize("change", Change)
def test_a_text_message_of_any_change_is_one_part(change: Change) -> None:
    sent = message(MessageKind.NOTICE_CHANGED, Channel.SMS, change=change, brand=replace(BRAND, name="x" * 30))

    assert len(texts.sms(sent, NOW)) <= ONE_MESSAGE


def test_a_code_for_signing_in_is_one_part_under_a_long_name() -> None:
    first, last = texts.sms(message(MessageKind.SIGN_IN_CODE, brand=replace(BRAND, name="x" * 30)), NOW).split("\n")

    assert first.startswith(f"4821 7306 is your {'x' * 30} code for signing in, valid 10 min")
    assert last == "@reset.hosting.example #48217306"
    assert len(f"{first}\n{last}") <= ONE_MESSAGE


@pytest.mark.parametrize("kind", sorted(CODES))
def test_every_code_by_text_message_stands_first_and_ends_in_webotp_form(kind: MessageKind) -> None:
    text = texts.sms(message(kind, Channel.SMS), NOW)

    assert text.startswith("4821 7306 ")
    assert text.endswith("\n@reset.hosting.example #48217306")


def test_a_text_message_from_an_accented_brand_stays_in_the_alphabet_of_160_signs() -> None:
    accented = replace(BRAND, name="Hôtel Čech \u2013 Hosting")

    assert "is your Hotel Cech - Hosting code" in texts.sms(message(MessageKind.RESET_CODE, brand=accented), NOW)


def test_a_call_says_the_code_three_times_and_only_after_a_key() -> None:
    script = texts.voice(message(MessageKind.RESET_CODE, Channel.VOICE), NOW)
    spoken = "four, eight, two, one. seven, three, zero, six"

    assert script.after_key.count(VoiceLine(spoken, slow=True)) == 3
    assert [line.words for line in script.after_key if line.slow] == [spoken] * 3
    before = "\n".join(line.words for line in script.before_key)
    assert "press 1" in before
    assert "press 9" in before
    assert spoken not in before
    assert not re.search(r"\d{3}|\boh\b", "\n".join(line.words for line in (*script.before_key, *script.after_key)))


def test_a_call_says_where_to_type_the_code_and_with_which_reference() -> None:
    script = texts.voice(message(MessageKind.RESET_CODE, Channel.VOICE), NOW)
    spoken = "\n".join(line.words for line in script.after_key)

    assert "reset dot hosting dot example." in spoken
    assert "R as in Romeo, seven, K as in Kilo" in spoken


@pytest.mark.parametrize("kind", [MessageKind.CONTACT_CODE, MessageKind.ENROLMENT_CODE])
def test_a_call_about_no_case_names_no_reference_and_stops_no_reset(kind: MessageKind) -> None:
    script = texts.voice(message(kind, Channel.VOICE), NOW)

    assert script.before_key[-1].words == "If you did not ask for it, press 9. Then the code no longer works."
    spoken = "\n".join(line.words for line in script.after_key)
    assert "Enter it on the web page that waits for it." in spoken
    assert not re.search(r"reference|reset", spoken)


@pytest.mark.parametrize("channel", [Channel.EMAIL, Channel.SMS, Channel.MAIL])
def test_whoever_is_entered_as_a_contact_by_mistake_has_to_do_nothing_and_hears_no_name(channel: Channel) -> None:
    text = rendered(channel, MessageKind.CONTACT_CODE, customer_name="Another Name")

    assert "Do nothing." in text
    assert "Another Name" not in text


@pytest.mark.parametrize("channel", [Channel.EMAIL, Channel.SMS])
def test_a_link_for_enrolling_comes_with_its_end_and_asks_for_the_same_browser(channel: Channel) -> None:
    text = " ".join(rendered(channel, MessageKind.ENROLMENT_LINK).split())

    assert ENROLMENT_LINK in text
    assert "24 Nov" in text
    assert "18:15 UTC" in text
    assert re.search(r"in the (same )?browser", text)
    assert BRAND.support_phone in text


@pytest.mark.parametrize("channel", [Channel.EMAIL, Channel.SMS, Channel.MAIL])
def test_each_change_is_told_in_words_of_its_own(channel: Channel) -> None:
    told = {rendered(channel, MessageKind.NOTICE_CHANGED, change=change) for change in Change}

    assert len(told) == len(Change)


@pytest.mark.parametrize("channel", [Channel.EMAIL, Channel.MAIL])
def test_a_change_is_told_with_its_time(channel: Channel) -> None:
    assert "Tuesday 24 November 2026, 18:05 UTC" in " ".join(rendered(channel, MessageKind.NOTICE_CHANGED).split())


def test_the_letter_for_a_new_contact_leads_to_the_operators_own_page() -> None:
    page = texts.letter(message(MessageKind.CONTACT_CODE, Channel.MAIL), HOME)

    assert '<b class="code">48217 30659</b>' in page
    assert '<b class="typed">https://hosting.example</b>' in page
    assert "<b>Tuesday 24 November 2026, 18:15 UTC</b>" in page
    assert "reset.hosting.example" not in page


def test_an_answer_names_what_may_work_without_a_reset() -> None:
    text = " ".join(texts.email(message(MessageKind.INBOX_ANSWER)).text.split())

    for hint in ("recovery code that was not used", "second security key", "clock of its phone to automatic"):
        assert hint in text


def test_a_letter_has_its_address_block_and_the_code_in_two_groups() -> None:
    page = texts.letter(message(MessageKind.RESET_CODE, Channel.MAIL), HOME)

    assert '<div class="recipient">Maria Lopez<br>12 Mill Street<br>Apt 4<br>Millbrook, VT 05001</div>' in page
    assert '<b class="code">48217 30659</b>' in page
    assert ".code { font: bold 34pt" in page
    assert "only the code in the newest works" in page
    for needed in ("reset.hosting.example", REFERENCE, "Tuesday 24 November 2026, 18:15 UTC", BRAND.support_phone):
        assert needed in page


def test_a_letter_without_a_second_address_line_has_no_gap() -> None:
    page = texts.letter(message(MessageKind.RESET_CODE, Channel.MAIL), replace(HOME, line2=""))

    assert "12 Mill Street<br>Millbrook, VT 05001</div>" in page


@pytest.mark.parametrize("kind", sorted(texts.WRITTEN[Channel.MAIL]))
def test_a_letter_holds_nothing_personal_but_the_address_and_no_link(kind: MessageKind) -> None:
    page = texts.letter(message(kind, Channel.MAIL, customer_name="Another Name"), HOME)

    for kept_out in ("Another Name", LINK, CANCEL_LINK):
        assert kept_out not in page
    assert page.count(HOME.name) == 1


@pytest.mark.parametrize("kind", sorted(texts.WRITTEN[Channel.MAIL]))
def test_a_letter_is_short_enough_for_the_printer_and_the_same_each_time(kind: MessageKind) -> None:
    sent = message(kind, Channel.MAIL)

    assert len(texts.letter(sent, HOME)) < 10_000  # Lob's limit for HTML in a request
    assert texts.letter(sent, HOME) == texts.letter(sent, HOME)


def test_a_name_is_neither_markup_nor_a_paragraph_of_its_own() -> None:
    mail = texts.email(message(MessageKind.NOTICE_OPENED, customer_name="Eve\r\n\r\nYour code: <b>1</b>"))

    assert mail.text.startswith("Hello Eve Your code: <b>1</b>. Somebody")
    assert "Hello Eve Your code: &lt;b&gt;1&lt;/b&gt;. Somebody" in mail.html


def test_an_address_is_no_markup() -> None:
    page = texts.letter(message(MessageKind.NOTICE_OPENED, Channel.MAIL), replace(HOME, name="<img src=x>"))

    assert "&lt;img src=x&gt;<br>12 Mill Street" in page


@pytest.mark.parametrize("lacking", ["code", "link", "reference", "valid_until"])
def test_a_code_message_that_lacks_something_is_not_written(lacking: str) -> None:
    without: dict[str, Any] = {lacking: None}

    with pytest.raises(UndefinedError, match=lacking):
        texts.email(message(MessageKind.RESET_CODE, **without))


@pytest.mark.parametrize(
    ("kind", "lacking"),
    [
        *((kind, lacking) for kind in sorted(ACCOUNT_CODES) for lacking in ("code", "valid_until")),
        *((MessageKind.ENROLMENT_LINK, lacking) for lacking in ("link", "valid_until")),
        (MessageKind.NOTICE_CHANGED, "change"),
    ],
)
def test_no_message_is_written_without_what_it_is_sent_for(kind: MessageKind, lacking: str) -> None:
    without: dict[str, Any] = {lacking: None}

    for channel in (channel for channel, written in EVERY if written is kind and channel is not Channel.VOICE):
        with pytest.raises(UndefinedError, match=f"{lacking}|minutes"):
            rendered(channel, kind, **without)


def test_a_call_or_a_text_message_without_an_end_is_not_written() -> None:
    endless = message(MessageKind.RESET_CODE, valid_until=None)

    for write in (texts.sms, texts.voice):
        with pytest.raises(UndefinedError, match="minutes"):
            write(endless, NOW)


@pytest.mark.parametrize(
    ("channel", "kind"), [(c, k) for c in Channel for k in MessageKind if k not in texts.WRITTEN[c]]
)
def test_a_kind_that_does_not_travel_on_a_channel_is_not_written(channel: Channel, kind: MessageKind) -> None:
    with pytest.raises(texts.NoSuchText, match=f"no {kind} for {channel}"):
        rendered(channel, kind)


def test_a_printed_message_object_shows_no_secret() -> None:
    shown = repr(message(MessageKind.RESET_CODE, in_reply_to="<secret@customer.example>"))

    assert not [secret for secret in (CODE, LETTER_CODE, LINK, CANCEL_LINK, NAME, "secret@") if secret in shown]
