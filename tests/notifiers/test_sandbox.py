"""The sandbox writes what would be sent, and the outbox gives it back to people and rehearsals."""

import email
import email.policy
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest

from notifiers import outbox, texts
from notifiers.contract import OutgoingMessage, PermitMisused, Receipt, Rejected
from notifiers.sandbox import Sandbox, SandboxLetter
from policy.permits import PostalAddress
from policy.vocabulary import Channel, MessageKind
from tests.notifiers.samples import CODE, EMAIL, LETTER_CODE, PHONE, message, permit

SENDER = "reset@hosting.example"


def send(folder: Path, channel: Channel, sent: OutgoingMessage | None = None) -> Receipt:
    sent = sent or message(MessageKind.RESET_CODE, channel, valid_until=datetime.now(UTC) + timedelta(minutes=10))
    return Sandbox(channel, folder, SENDER).send(sent, permit(channel))


def parsed(path: Path) -> EmailMessage:
    return email.message_from_bytes(path.read_bytes(), policy=email.policy.default)


@pytest.mark.parametrize(
    ("channel", "to", "code", "suffix"),
    [
        (Channel.EMAIL, EMAIL, CODE, ".eml"),
        (Channel.SMS, PHONE, CODE, ".txt"),
        (Channel.VOICE, PHONE, "four, eight, two, one. seven, three, zero, six", ".txt"),
        (Channel.MAIL, "Maria Lopez, 12 Mill Street, Apt 4, Millbrook, VT 05001, US", LETTER_CODE, ".html"),
    ],
)
def test_a_reader_sees_channel_destination_and_code(
    tmp_path: Path, channel: Channel, to: str, code: str, suffix: str
) -> None:
    receipt = send(tmp_path, channel)

    (item,) = outbox.read(tmp_path)
    assert (item.channel, item.to, item.path.suffix, item.attempt) == (channel, to, suffix, 1)
    assert receipt == Receipt("sandbox", item.receipt_id)
    assert code in item.body or code in item.body.replace(" ", "")
    assert abs(item.sent_at - datetime.now(UTC)) < timedelta(minutes=5)


def test_a_mail_is_a_real_mail_with_the_headers_of_a_live_one(tmp_path: Path) -> None:
    sent = message(MessageKind.RESET_CODE)
    send(tmp_path, Channel.EMAIL, sent)

    (item,) = outbox.read(tmp_path)
    mail, wanted = parsed(item.path), texts.email(sent)
    assert mail.get_content_type() == "multipart/alternative"
    parts = {part.get_content_type(): part.get_content() for part in mail.iter_parts()}
    assert parts == {"text/plain": wanted.text + "\n", "text/html": wanted.html + "\n"}
    assert item.body == parts["text/plain"]
    assert item.html == parts["text/html"]
    assert item.sender == mail["From"]
    assert item.subject == mail["Subject"] == wanted.subject
    assert mail["From"] == "Example Hosting <reset@hosting.example>"
    assert (mail["To"], mail["Reply-To"]) == (EMAIL, "support@hosting.example")
    assert (mail["Auto-Submitted"], mail["X-Auto-Response-Suppress"]) == ("auto-generated", "All")
    assert mail["Message-ID"] == f"<{sent.id}@hosting.example>"
    assert not mail.defects


def test_an_answer_says_that_it_is_one_and_to_which_mail(tmp_path: Path) -> None:
    send(tmp_path, Channel.EMAIL, message(MessageKind.INBOX_ANSWER, in_reply_to="<CAF+1@mail.customer.example>"))

    mail = parsed(outbox.read(tmp_path)[0].path)
    assert mail["Auto-Submitted"] == "auto-replied"
    assert mail["In-Reply-To"] == mail["References"] == "<CAF+1@mail.customer.example>"


@pytest.mark.parametrize(
    "strange", ["no brackets", "<a@b>\r\nBcc: <eve@else.example>", "<a b@c>", "<ü@c.example>", "<>"]
)
def test_a_strangers_message_id_gets_into_a_header_only_in_the_right_shape(tmp_path: Path, strange: str) -> None:
    send(tmp_path, Channel.EMAIL, message(MessageKind.INBOX_ANSWER, in_reply_to=strange))

    mail = parsed(outbox.read(tmp_path)[0].path)
    assert mail["In-Reply-To"] is mail["Bcc"] is None


@pytest.mark.parametrize("to", ["jürgen@customer.example", "maria@müller.example"])
def test_an_address_beyond_ascii_comes_back_as_it_was(tmp_path: Path, to: str) -> None:
    Sandbox(Channel.EMAIL, tmp_path, SENDER).send(message(MessageKind.RESET_CODE), permit(Channel.EMAIL, to))

    assert outbox.read(tmp_path)[0].to == to


def test_a_call_is_its_script_with_the_key_to_press(tmp_path: Path) -> None:
    send(tmp_path, Channel.VOICE)

    (item,) = outbox.read(tmp_path)
    before, after = item.script
    assert item.body == f"{before}\n\n[1 is pressed]\n\n{after}"
    assert "press 1" in before
    assert before.count("four") == 0
    assert after.count("four, eight, two, one.") == 3


def test_a_letter_is_a_page_and_its_body_the_words_on_it(tmp_path: Path) -> None:
    send(tmp_path, Channel.MAIL)

    (item,) = outbox.read(tmp_path)
    assert re.match(r"<!-- To: [^\n]* -->\n<!doctype html>", item.html)
    assert item.html == item.path.read_text()
    assert "\nMaria Lopez\n12 Mill Street\nApt 4\nMillbrook, VT 05001\n" in item.body
    assert "Type this code:\n48217 30659\n" in item.body
    assert "<" not in item.body
    assert "font" not in item.body


def test_an_address_cannot_end_the_remark_that_it_stands_in(tmp_path: Path) -> None:
    house = permit(Channel.MAIL, PostalAddress("--> <b>A & B</b>", "1 Main", "", "Town", "VT", "05001", "US"))
    Sandbox(Channel.MAIL, tmp_path, SENDER).send(message(MessageKind.NOTICE_OPENED, Channel.MAIL), house)

    (item,) = outbox.read(tmp_path)
    assert item.to == "--> <b>A & B</b>, 1 Main, Town, VT 05001, US"
    assert item.path.read_text().count("-->") == 1


def test_names_sort_in_the_order_of_sending_over_all_channels(tmp_path: Path) -> None:
    receipts = [send(tmp_path, channel).provider_id for channel in [*Channel, *reversed(Channel)]]

    assert [item.receipt_id for item in outbox.read(tmp_path)] == receipts
    assert [item.path for item in outbox.read(tmp_path)] == sorted(tmp_path.iterdir())


def test_a_message_sent_again_overwrites_nothing_and_shows_as_a_second_attempt(tmp_path: Path) -> None:
    again = message(MessageKind.NOTICE_OPENED)
    receipts = [send(tmp_path, Channel.EMAIL, sent).provider_id for sent in (again, message(again.kind), again)]

    items = outbox.read(tmp_path)
    assert [item.attempt for item in items] == [1, 1, 2]
    assert items[0].message_id == items[2].message_id == again.id
    assert len(set(receipts)) == 3


def test_a_letter_that_was_recalled_is_marked_and_no_other(tmp_path: Path) -> None:
    sending = SandboxLetter(Channel.MAIL, tmp_path / "outbox", SENDER)
    letters = [message(MessageKind.RESET_CODE, Channel.MAIL) for _ in range(2)]
    first, _ = (sending.send(each, permit(Channel.MAIL)).provider_id for each in letters)

    assert [sending.recall(first), sending.recall(first)] == [True, True]
    assert [item.is_stopped for item in outbox.read(tmp_path / "outbox")] == [True, False]
    modes = {path.stat().st_mode & 0o777 for path in (tmp_path / "outbox").iterdir()}
    assert modes == {0o600}


def test_a_letter_is_found_by_its_message_the_newest_first(tmp_path: Path) -> None:
    sending, sent = SandboxLetter(Channel.MAIL, tmp_path, SENDER), message(MessageKind.RESET_CODE, Channel.MAIL)
    assert sending.find(sent.id) is None
    receipts = [sending.send(sent, permit(Channel.MAIL)).provider_id for _ in range(2)]
    sending.send(message(MessageKind.RESET_CODE, Channel.MAIL), permit(Channel.MAIL))

    assert sending.find(sent.id) == receipts[1]


def test_a_part_can_be_read_alone_and_one_be_found_by_its_receipt(tmp_path: Path) -> None:
    again = message(MessageKind.NOTICE_OPENED)
    receipts = [send(tmp_path, Channel.EMAIL, again).provider_id for _ in range(4)]

    assert outbox.read(tmp_path, slice(-2, None)) == outbox.read(tmp_path)[2:]
    assert [outbox.find(tmp_path, receipt) for receipt in receipts] == outbox.read(tmp_path)
    for unknown in ("", "0" * 16, receipts[0][1:], f"{again.id}-{receipts[0]}", f"../{receipts[0]}"):
        assert outbox.find(tmp_path, unknown) is None
    assert outbox.find(tmp_path / "missing", receipts[0]) is None


def test_files_are_for_this_user_only(tmp_path: Path) -> None:
    send(tmp_path / "outbox", Channel.SMS)

    (item,) = outbox.read(tmp_path / "outbox")
    assert item.path.stat().st_mode & 0o777 == 0o600
    assert item.path.parent.stat().st_mode & 0o777 == 0o700


def test_threads_lose_nothing_and_a_reader_sees_only_whole_files(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        sending = [pool.submit(send, tmp_path, Channel.SMS) for _ in range(200)]
        while not all(each.done() for each in sending):
            assert all(CODE in item.body for item in outbox.read(tmp_path))

    assert {item.receipt_id for item in outbox.read(tmp_path)} == {each.result().provider_id for each in sending}
    assert len(list(tmp_path.iterdir())) == 200


def test_an_outbox_that_holds_something_else_or_nothing_can_be_read(tmp_path: Path) -> None:
    (tmp_path / ".0123456789abcdef").write_text("unfinished")
    (tmp_path / "notes.txt").write_text("To: me\n\nbuy milk")

    assert outbox.read(tmp_path) == outbox.read(tmp_path / "missing") == []


def test_a_permit_that_does_not_fit_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(PermitMisused):
        Sandbox(Channel.SMS, tmp_path, SENDER).send(message(MessageKind.RESET_CODE), permit(Channel.VOICE))
    with pytest.raises(PermitMisused):
        Sandbox(Channel.MAIL, tmp_path, SENDER).send(message(MessageKind.RESET_CODE), permit(Channel.EMAIL))
    with pytest.raises(Rejected):
        Sandbox(Channel.EMAIL, tmp_path, SENDER).send(
            message(MessageKind.RESET_CODE), permit(Channel.EMAIL, f"{EMAIL}\nBcc: eve@else.example")
        )

    assert list(tmp_path.iterdir()) == []


def test_an_item_printed_by_mistake_shows_neither_code_nor_address(tmp_path: Path) -> None:
    send(tmp_path, Channel.EMAIL)

    shown = repr(outbox.read(tmp_path))
    assert EMAIL not in shown
    assert CODE not in shown.replace(" ", "")
