"""What keeps a message from its vendor before that one is asked: it says nothing of the channel, and loses nothing."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from pydantic import SecretStr
from sqlalchemy import select, update

from foundation import clock
from models.accounts import ContactPoint
from models.cases import Actor
from models.messages import ChannelBreaker, Message, MessageStatus
from policy.vocabulary import Channel, ContactKind, Finding, MessageKind
from tasks.deliver import send_if_due
from tests.installations import by_hand, email_account, letter_account, make_installation, rows, sms_account
from tests.servers.lob import Lob
from tests.servers.sendgrid import SendGrid
from tests.servers.twilio import Twilio
from workflows import breaker
from workflows.installation import Installation
from workflows.opening import Opened, open_case
from workflows.views import case_with_history


def installed(folder: Path, env: Mapping[str, str]) -> Iterator[Installation]:
    fields: dict[str, Any] = {name.removeprefix("KEYTURN_").lower(): value for name, value in env.items()}
    made = make_installation(f"sqlite:///{folder / 'keyturn.db'}", folder, **fields)
    yield made
    made.database.dispose()


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[Installation]:
    """In live mode, with no vendor's key."""
    yield from installed(tmp_path, {})


@pytest.fixture
def equipped(tmp_path: Path) -> Iterator[Installation]:
    with SendGrid() as sendgrid, Twilio() as twilio, Lob() as lob:
        yield from installed(tmp_path, {**sendgrid.env, **twilio.env, **lob.env})


def opened_for(installation: Installation, ref: str) -> Opened:
    # What a vendor finds out about a contact point has tests of its own.
    by_hand(installation, update(ContactPoint).values(finding=Finding.UNKNOWN))
    return open_case(installation, ref, actor=Actor.AGENT, now=clock.now())


def code_of(installation: Installation, opened: Opened) -> UUID:
    codes = select(Message.id).where(Message.kind == MessageKind.RESET_CODE, Message.id.in_(opened.owed))
    (row,) = rows(installation, codes)
    code_id: UUID = row.id
    return code_id


def status_of(installation: Installation, message_id: UUID) -> MessageStatus:
    (row,) = rows(installation, select(Message.status).where(Message.id == message_id))
    status: MessageStatus = row.status
    return status


def reasons(installation: Installation) -> dict[Channel, str]:
    return {each.channel: each.reason for each in breaker.stopped(installation)}


def send_while_stopped(installation: Installation, channel: Channel, message_id: UUID) -> None:
    """Sends the message as the one that tries whether its channel works again."""
    with installation.database.begin() as connection:
        breaker.trip(connection, channel, "http_401", clock.now())
    by_hand(installation, update(ChannelBreaker).where(ChannelBreaker.channel == channel).values(probe_at=clock.now()))
    send_if_due(installation, message_id)
    assert status_of(installation, message_id) is MessageStatus.FAILED


def test_a_channel_that_is_not_there_starts_none_that_is_stopped(bare: Installation) -> None:
    code = code_of(bare, opened_for(bare, sms_account(bare)))
    send_while_stopped(bare, Channel.SMS, code)
    assert reasons(bare) == {Channel.SMS: "http_401"}


def test_an_address_that_is_none_starts_no_channel_that_is_stopped(equipped: Installation) -> None:
    ref = email_account(equipped)
    address = update(ContactPoint).where(ContactPoint.kind == ContactKind.TWO_FACTOR_EMAIL)
    by_hand(equipped, address.values(value="jonas @factor.example"))
    send_while_stopped(equipped, Channel.EMAIL, code_of(equipped, opened_for(equipped, ref)))
    assert reasons(equipped) == {Channel.EMAIL: "http_401"}


def test_an_address_that_no_letter_has_room_for_starts_no_channel_that_is_stopped(equipped: Installation) -> None:
    ref = letter_account(equipped)
    (stored,) = rows(equipped, select(ContactPoint.value).where(ContactPoint.kind == ContactKind.POSTAL_ADDRESS))
    too_long = stored.value.replace("48 Orchard Lane", "48 Orchard Lane " * 5)
    by_hand(equipped, update(ContactPoint).where(ContactPoint.value == stored.value).values(value=too_long))
    send_while_stopped(equipped, Channel.MAIL, code_of(equipped, opened_for(equipped, ref)))
    assert reasons(equipped) == {Channel.MAIL: "http_401"}


def test_a_key_with_a_blank_stops_its_channel_and_the_code_waits_until_it_is_mended(equipped: Installation) -> None:
    blank = SecretStr("an auth token")
    faulty = replace(equipped, settings=equipped.settings.model_copy(update={"twilio_auth_token": blank}))
    opened = opened_for(faulty, sms_account(faulty, backup="email"))
    code = code_of(faulty, opened)
    send_if_due(faulty, code)
    assert reasons(faulty) == {Channel.SMS: "malformed_key"}
    assert status_of(faulty, code) is MessageStatus.QUEUED
    by_hand(faulty, update(ChannelBreaker).values(probe_at=clock.now()))
    by_hand(faulty, update(Message).where(Message.id == code).values(due_at=clock.now()))
    send_if_due(equipped, code)
    assert status_of(equipped, code) is MessageStatus.SENT
    assert reasons(equipped) == {}


def test_a_notice_over_a_channel_that_is_not_there_stands_in_the_history(bare: Installation) -> None:
    opened = opened_for(bare, sms_account(bare))
    for message_id in opened.owed:
        send_if_due(bare, message_id)
    history = case_with_history(bare, opened.reference)[1]
    unsent = [event.facts for event in history if event.event == "notice_unsent"]
    assert unsent == [{"channel": "email", "what": "notice_opened"}] * 2
