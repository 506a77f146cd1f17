"""Calls over the real SDK and real HTTP, and what a call says: no code before a key, none in what starts the call."""

import logging
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import urllib3

from notifiers import texts, twiml
from notifiers.contract import (
    DeliveryFailed,
    NotSent,
    OutgoingMessage,
    PermitMisused,
    Receipt,
    Unavailable,
    Unknown,
)
from notifiers.texts import NoSuchText, VoiceLine, VoiceScript
from notifiers.twilio_voice import TwilioVoice
from policy.vocabulary import Channel, MessageKind
from tests.notifiers.patience import patience
from tests.notifiers.samples import BRAND, CODE, LINK, NAME, PHONE, REFERENCE, message, permit
from tests.notifiers.twilio_samples import FAULTS, IN_DOUBT, is_taken, settings
from tests.servers.ports import LOOPBACK, free_port, port_of
from tests.servers.stand_in import CloseTaken
from tests.servers.twilio import ACCOUNT_SID, AUTH_TOKEN, FROM, Twilio
from tests.servers.waiting import until

CALL_LINK = "https://reset.hosting.example/calls/R-7K3M-9QXD/c2lnbmVkLWNhbGwtbGluaw"
KEY_LINK = f"{CALL_LINK}/key?a=1&b=2"


@pytest.fixture
def twilio() -> Iterator[Twilio]:
    with Twilio() as stand_in:
        yield stand_in


def notifier(base_url: str, timeout: urllib3.Timeout | None = None) -> TwilioVoice:
    return TwilioVoice(settings(base_url), timeout) if timeout else TwilioVoice(settings(base_url))


def code_call(**changes: Any) -> OutgoingMessage:
    return message(MessageKind.RESET_CODE, Channel.VOICE, **{"call_link": CALL_LINK, **changes})


def in_doubt(sent: OutgoingMessage) -> OutgoingMessage:
    """The message as it is tried again after its first attempt, just now, ended in doubt."""
    return replace(sent, in_doubt_since=datetime.now(UTC))


def failure_of(calling: TwilioVoice, sent: OutgoingMessage | None = None) -> DeliveryFailed:
    with pytest.raises(DeliveryFailed) as caught:
        calling.send(sent or code_call(), permit(Channel.VOICE))
    return caught.value


# --- What starts a call


def test_a_call_is_taken_with_a_link_and_without_a_word_of_what_it_says(twilio: Twilio) -> None:
    sent = code_call()
    receipt = notifier(twilio.base_url).send(sent, permit(Channel.VOICE))

    (taken,) = twilio.calls
    assert receipt == Receipt("twilio", taken.sid)
    # Among what is not here: Twiml, Record and MachineDetection.
    assert taken.form == {
        "To": PHONE,
        "From": FROM,
        "Url": CALL_LINK,
        "Method": "POST",
        "Timeout": 25,
        "StatusCallback": f"https://reset.hosting.example/webhooks/twilio/calls/{sent.id}",
        "StatusCallbackEvent": ["completed"],
    }
    assert twilio.refused == ()


def test_a_call_without_a_link_is_a_bug_and_nobody_is_called(twilio: Twilio) -> None:
    with pytest.raises(NoSuchText, match="needs its call_link"):
        notifier(twilio.base_url).send(code_call(call_link=None), permit(Channel.VOICE))

    assert twilio.connections == 0


def test_a_permit_that_does_not_fit_calls_nobody(twilio: Twilio) -> None:
    calling = notifier(twilio.base_url)

    for misused in (permit(Channel.SMS), permit(Channel.VOICE, until=datetime.now(UTC))):
        with pytest.raises(PermitMisused):
            calling.send(code_call(), misused)
    assert twilio.connections == 0


def test_threads_share_a_notifier_with_a_connection_each_at_most(twilio: Twilio) -> None:
    calling = notifier(twilio.base_url)
    with ThreadPoolExecutor(8) as pool:
        receipts = list(pool.map(lambda _: calling.send(code_call(), permit(Channel.VOICE)), range(200)))

    assert {receipt.provider_id for receipt in receipts} == {call.sid for call in twilio.calls}
    assert (len(twilio.calls), twilio.connections <= 8) == (200, True)


def test_a_connection_that_was_closed_while_idle_is_replaced() -> None:
    with Twilio() as first:
        calling, port = notifier(first.base_url), port_of(first.base_url)
        calling.send(code_call(), permit(Channel.VOICE))
    with Twilio(port) as second:
        calling.send(code_call(), permit(Channel.VOICE))

        assert len(second.calls) == 1


# --- Failures


@pytest.mark.parametrize("name", FAULTS)
def test_each_failure_means_one_thing_and_nobody_is_called_again(twilio: Twilio, name: str) -> None:
    fault, meaning, code = FAULTS[name]
    twilio.fail(fault)

    failed = failure_of(notifier(twilio.base_url, patience(fault)))
    assert (type(failed), failed.code) == (meaning, code)
    if is_taken(fault):
        until(lambda: twilio.calls, "the call is taken")
    # A second try of its own would have met no fault, and so would have been taken.
    assert len(twilio.calls) == is_taken(fault)


def test_what_refuses_the_connection_got_nothing() -> None:
    failed = failure_of(notifier(f"http://{LOOPBACK}:{free_port()}"))

    assert (type(failed), failed.code) == (NotSent, "NewConnectionError")


# --- In doubt


@pytest.mark.parametrize("name", IN_DOUBT)
def test_after_doubt_a_call_is_begun_only_if_twilio_never_had_it(twilio: Twilio, name: str) -> None:
    fault, sent = FAULTS[name][0], code_call()
    twilio.fail(fault)
    again = in_doubt(sent)
    assert isinstance(failure_of(notifier(twilio.base_url, patience(fault)), sent), Unknown)
    if is_taken(fault):
        until(lambda: twilio.calls, "the call is taken")

    receipts = {notifier(twilio.base_url).send(again, permit(Channel.VOICE)) for _ in range(3)}

    (taken,) = twilio.calls
    assert receipts == {Receipt("twilio", taken.sid)}


@pytest.mark.parametrize(
    ("number", "minutes"), [("+12025550143", 0), (PHONE, 1)], ids=["another number", "before the doubt"]
)
def test_another_call_does_not_settle_the_doubt(twilio: Twilio, number: str, minutes: int) -> None:
    calling = notifier(twilio.base_url)
    other = calling.send(code_call(), permit(Channel.VOICE, number))

    doubted = code_call(in_doubt_since=datetime.now(UTC) + timedelta(minutes=minutes))
    receipt = calling.send(doubted, permit(Channel.VOICE))

    assert receipt != other
    assert twilio.calls[1].sid == receipt.provider_id


def test_a_call_that_is_known_does_not_settle_the_doubt_and_of_the_others_the_oldest_does(twilio: Twilio) -> None:
    calling = notifier(twilio.base_url)
    known, own, _later = (calling.send(code_call(), permit(Channel.VOICE)) for _ in range(3))

    doubted = replace(in_doubt(code_call()), known_ids=frozenset({known.provider_id}))
    assert calling.send(doubted, permit(Channel.VOICE)) == own


def test_a_call_from_another_number_does_not_settle_the_doubt(twilio: Twilio) -> None:
    notifier(twilio.base_url).send(code_call(), permit(Channel.VOICE))
    of_another = TwilioVoice(settings(twilio.base_url, twilio_from="+12025550199"))

    # It goes on to call, which the stand-in refuses to a number that the account does not have.
    assert failure_of(of_another, in_doubt(code_call())).code == "http_400 21210"


@pytest.mark.parametrize("name", FAULTS)
def test_nobody_is_called_until_the_doubt_is_settled(twilio: Twilio, name: str) -> None:
    fault, meaning, code = FAULTS[name]
    twilio.fail(fault)

    failed = failure_of(notifier(twilio.base_url, patience(fault)), in_doubt(code_call()))

    assert type(failed) is (Unavailable if meaning is Unknown else meaning)
    assert failed.code == (code if code != "no_sid" else "unreadable_list")
    assert twilio.calls == ()


# --- What is written down


def test_nothing_secret_is_logged_or_printed_even_when_everything_is_logged(
    twilio: Twilio, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    written = []
    caplog.set_level(logging.DEBUG)
    for name in ("urllib3", "urllib3.connectionpool", "twilio", "twilio.http_client"):
        caplog.set_level(logging.DEBUG, logger=name)

    sent = code_call()
    calling = notifier(twilio.base_url)
    calling.send(sent, permit(Channel.VOICE))
    calling.send(in_doubt(sent), permit(Channel.VOICE))
    for fault, tried in [(each[0], sent) for each in FAULTS.values()] + [(CloseTaken(), in_doubt(sent))]:
        twilio.fail(fault)
        failed = failure_of(notifier(twilio.base_url, patience(fault)), tried)
        written.append("".join(traceback.format_exception(failed)))
    written += [caplog.text, *capfd.readouterr(), repr(calling), repr(vars(calling))]

    assert f"POST /2010-04-01/Accounts/{ACCOUNT_SID}/Calls.json" in caplog.text
    assert f"GET /2010-04-01/Accounts/{ACCOUNT_SID}/Calls.json?To=" in caplog.text
    secrets = (AUTH_TOKEN, CODE, "4821 7306", PHONE[1:], NAME, LINK, CALL_LINK, REFERENCE)
    assert not [secret for secret in secrets for text in written if secret in text]


# --- What a call says


def script(**changes: Any) -> VoiceScript:
    return texts.voice(code_call(**changes), datetime.now(UTC))


def spoken(twiml: str) -> list[str]:
    return [say.text or "" for say in ET.fromstring(twiml).iter("Say")]  # noqa: S314 - our own


def test_the_greeting_says_twice_what_to_press_and_then_hangs_up() -> None:
    response = ET.fromstring(twiml.greeting(script().before_key, KEY_LINK))  # noqa: S314 - our own
    before = [line.words for line in script().before_key]

    gather, hangup = response
    assert (response.tag, gather.tag, hangup.tag) == ("Response", "Gather", "Hangup")
    assert gather.attrib == {
        "input": "dtmf",
        "numDigits": "1",
        "timeout": "10",
        "action": KEY_LINK,
        "method": "POST",
    }
    assert [part.text or part.tag for part in gather] == [*before, "Pause", *before]


def test_a_voicemail_hears_no_code() -> None:
    words = " ".join(spoken(twiml.greeting(script().before_key, KEY_LINK)))

    assert "press 1" in words
    for line in script().after_key:
        assert line.words not in words


def test_the_digits_are_read_three_times_one_by_one_with_a_second_after_each() -> None:
    digits = ["four", "eight", "two", "one", "seven", "three", "zero", "six"]
    response = ET.fromstring(twiml.reading(script()))  # noqa: S314 - our own
    parts = [(part.tag, part.text or part.get("length")) for part in response]

    slow = [part for digit in digits for part in (("Say", digit), ("Pause", "1"))]
    assert parts[0] == ("Say", "Have a pen ready. The code is:")
    assert [start for start in range(len(parts)) if parts[start : start + 16] == slow] == [1, 18, 35]
    assert sum(part == ("Pause", "1") for part in parts) == 24
    assert parts[-2:] == [("Say", "Goodbye."), ("Hangup", None)]


def test_what_is_not_slow_is_said_line_by_line_as_it_is_written() -> None:
    lines = (VoiceLine("Call one. Two, three."), VoiceLine("four, five", slow=True), VoiceLine("Bye."))

    assert spoken(twiml.reading(VoiceScript((), lines))) == [
        "Call one. Two, three.",
        "four",
        "five",
        "Bye.",
    ]


def test_goodbye_says_one_thing_and_hangs_up() -> None:
    assert twiml.goodbye("The reset is stopped.") == (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<Response><Say language="en-US">The reset is stopped.</Say><Hangup /></Response>'
    )


def test_a_brand_is_no_markup() -> None:
    brand = replace(BRAND, name="Q&A <Hangup/> Hosting")

    assert "Q&A <Hangup/> Hosting" in spoken(twiml.greeting(script(brand=brand).before_key, KEY_LINK))[0]
    assert spoken(twiml.goodbye("</Say><Dial>+1</Dial>")) == ["</Say><Dial>+1</Dial>"]
