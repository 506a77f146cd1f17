"""SMS over the real SDK and real HTTP: what Twilio gets, what each of its failures means, what is never sent twice."""

import base64
import logging
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import urllib3
from pydantic import SecretStr

from notifiers import texts, twilio_client, wire
from notifiers.contract import (
    DeliveryFailed,
    Misconfigured,
    NotSent,
    OutgoingMessage,
    PermitMisused,
    Receipt,
    Unavailable,
    Unknown,
)
from notifiers.twilio_sms import TwilioSms
from policy.vocabulary import Channel, MessageKind
from tests.notifiers.patience import patience
from tests.notifiers.samples import CANCEL_LINK, CODE, CODES, EMAIL, LINK, NAME, PHONE, REFERENCE, message, permit
from tests.notifiers.twilio_samples import FAULTS, IN_DOUBT, is_taken, settings
from tests.servers.ports import LOOPBACK, free_port, port_of
from tests.servers.stand_in import CloseTaken, Instead, Reply
from tests.servers.twilio import ACCOUNT_SID, AUTH_TOKEN, FROM, MESSAGING_SERVICE_SID, Twilio, status
from tests.servers.waiting import until


@pytest.fixture
def twilio() -> Iterator[Twilio]:
    with Twilio() as stand_in:
        yield stand_in


def notifier(base_url: str, timeout: urllib3.Timeout | None = None, **changes: Any) -> TwilioSms:
    return TwilioSms(settings(base_url, **changes), timeout) if timeout else TwilioSms(settings(base_url, **changes))


def code_message(**changes: Any) -> OutgoingMessage:
    """A code that is valid for ten minutes."""
    valid_until = datetime.now(UTC) + timedelta(minutes=10)
    return message(MessageKind.RESET_CODE, Channel.SMS, **{"valid_until": valid_until, **changes})


def in_doubt(sent: OutgoingMessage) -> OutgoingMessage:
    """The message as it is tried again after its first attempt, just now, ended in doubt."""
    return replace(sent, in_doubt_since=datetime.now(UTC))


def failure_of(sending: TwilioSms, sent: OutgoingMessage | None = None) -> DeliveryFailed:
    with pytest.raises(DeliveryFailed) as caught:
        sending.send(sent or code_message(), permit(Channel.SMS))
    return caught.value


def validity_of(twilio: Twilio, sent: OutgoingMessage, until: datetime | None = None) -> int:
    notifier(twilio.base_url).send(sent, permit(Channel.SMS, until=until))
    seconds: int = twilio.sent[-1].form["ValidityPeriod"]
    return seconds


# --- What is sent


def test_an_sms_is_taken_and_the_receipt_holds_twilios_sid(twilio: Twilio) -> None:
    sent = code_message()
    receipt = notifier(twilio.base_url).send(sent, permit(Channel.SMS))

    (taken,) = twilio.sent
    assert receipt == Receipt("twilio", taken.sid)
    assert taken.form == {
        "To": PHONE,
        "From": FROM,
        "Body": texts.sms(sent, datetime.now(UTC)),
        "ValidityPeriod": taken.form["ValidityPeriod"],
        "StatusCallback": f"https://reset.hosting.example/webhooks/twilio/messages/{sent.id}",
    }


def test_a_messaging_service_goes_before_the_number(twilio: Twilio) -> None:
    notifier(twilio.base_url, twilio_messaging_service_sid=MESSAGING_SERVICE_SID).send(
        code_message(), permit(Channel.SMS)
    )

    form = twilio.sent[0].form
    assert ("From" in form, form["MessagingServiceSid"]) == (False, MESSAGING_SERVICE_SID)


@pytest.mark.parametrize("kind", sorted(texts.WRITTEN[Channel.SMS]))
def test_every_kind_of_sms_is_as_the_vendor_describes_it(twilio: Twilio, kind: MessageKind) -> None:
    notifier(twilio.base_url).send(message(kind, Channel.SMS), permit(Channel.SMS))

    assert (len(twilio.sent), twilio.refused) == (1, ())
    assert ("ValidityPeriod" in twilio.sent[0].form) is (kind in CODES | {MessageKind.ENROLMENT_LINK})


def test_twilio_keeps_a_code_for_the_rest_of_its_life(twilio: Twilio) -> None:
    assert 300 < validity_of(twilio, code_message()) <= 600


def test_twilio_keeps_a_code_no_longer_than_the_permit_allows(twilio: Twilio) -> None:
    assert validity_of(twilio, code_message(), until=datetime.now(UTC) + timedelta(minutes=5)) <= 300


@pytest.mark.parametrize(("life", "seconds"), [(timedelta(days=3), 36_000), (timedelta(seconds=-5), 1)])
def test_the_life_that_twilio_hears_of_is_within_its_bounds(twilio: Twilio, life: timedelta, seconds: int) -> None:
    now = datetime.now(UTC)

    assert validity_of(twilio, code_message(valid_until=now + life), until=now + timedelta(days=9)) == seconds


def test_a_base_url_with_a_path_keeps_it(twilio: Twilio) -> None:
    failed = failure_of(notifier(f"{twilio.base_url}/vendors/twilio/"))

    assert failed.code == "http_404 20404"
    assert (
        twilio.refused[0]
        .violations[0]
        .message.startswith(f"The requested resource /vendors/twilio/2010-04-01/Accounts/{ACCOUNT_SID}/Messages.json")
    )


def test_the_sdks_own_variables_lead_nowhere_else(twilio: Twilio, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("EDGE", "sydney"), ("REGION", "au1"), ("ACCOUNT_SID", "AC1"), ("AUTH_TOKEN", "another")):
        monkeypatch.setenv(f"TWILIO_{name}", value)
    notifier(twilio.base_url).send(code_message(), permit(Channel.SMS))

    assert len(twilio.sent) == 1


# --- Connections


def test_one_connection_carries_one_sms_after_another(twilio: Twilio) -> None:
    sending = notifier(twilio.base_url)
    for _ in range(20):
        sending.send(code_message(), permit(Channel.SMS))

    assert (len(twilio.sent), twilio.connections) == (20, 1)


def test_threads_share_a_notifier_with_a_connection_each_at_most(twilio: Twilio) -> None:
    sending = notifier(twilio.base_url)
    messages = [code_message() for _ in range(200)]
    with ThreadPoolExecutor(8) as pool:
        receipts = list(pool.map(lambda each: sending.send(each, permit(Channel.SMS)), messages))

    sids = {taken.form["StatusCallback"].rpartition("/")[2]: taken.sid for taken in twilio.sent}
    assert sids == {str(sent.id): receipt.provider_id for sent, receipt in zip(messages, receipts, strict=True)}
    assert twilio.connections <= 8


def test_a_connection_that_was_closed_while_idle_is_replaced() -> None:
    with Twilio() as first:
        sending, port = notifier(first.base_url), port_of(first.base_url)
        sending.send(code_message(), permit(Channel.SMS))
    with Twilio(port) as second:
        sending.send(code_message(), permit(Channel.SMS))

        assert len(second.sent) == 1


def test_waiting_has_an_end() -> None:
    pools = notifier("https://api.twilio.example")._messages._version.domain.twilio.http_client._pools

    assert [pool.timeout for pool in pools.values()] == [wire.TIMEOUT, wire.TIMEOUT]


# --- Failures


@pytest.mark.parametrize("name", FAULTS)
def test_each_failure_means_one_thing_and_nothing_is_tried_again(twilio: Twilio, name: str) -> None:
    fault, meaning, code = FAULTS[name]
    twilio.fail(fault)

    failed = failure_of(notifier(twilio.base_url, patience(fault)))
    assert (type(failed), failed.code) == (meaning, code)
    if is_taken(fault):
        until(lambda: twilio.sent, "the message is taken")
    # A second try of its own would have met no fault, and so would have been taken.
    assert len(twilio.sent) == is_taken(fault)


def test_what_refuses_the_connection_got_nothing() -> None:
    failed = failure_of(notifier(f"http://{LOOPBACK}:{free_port()}"))

    assert (type(failed), failed.code) == (NotSent, "NewConnectionError")


def test_a_redirect_is_not_followed(twilio: Twilio) -> None:
    with Twilio() as elsewhere:
        twilio.fail(Instead(Reply(307, headers={"Location": f"{elsewhere.base_url}/"})))
        failed = failure_of(notifier(twilio.base_url))

        assert (type(failed), elsewhere.connections, twilio.sent) == (Misconfigured, 0, ())


def test_the_vendors_wait_is_passed_on(twilio: Twilio) -> None:
    twilio.fail(status(429, retry_after=17), status(503, retry_after=120), status(503), status(400, error=21611))
    sending = notifier(twilio.base_url)
    failures = [failure_of(sending) for _ in range(4)]

    waits = [failed.retry_after for failed in failures if isinstance(failed, Unavailable)]
    assert waits == [timedelta(seconds=17), timedelta(seconds=120), None, None]


def test_a_wrong_token_or_number_is_our_own_fault(twilio: Twilio) -> None:
    wrong_token = failure_of(notifier(twilio.base_url, twilio_auth_token=SecretStr("another")))
    wrong_number = failure_of(notifier(twilio.base_url, twilio_from="+12025550199"))

    assert [(type(each), each.code) for each in (wrong_token, wrong_number)] == [
        (Misconfigured, "http_401 20003"),
        (Misconfigured, "http_400 21606"),
    ]


@pytest.mark.parametrize("body", [b'{"code": 17.5}', b'{"code": true}', b'{"code": 12025550142}', b"17", b'"code"'])
def test_only_a_code_of_twilios_is_noted(twilio: Twilio, body: bytes) -> None:
    twilio.fail(Instead(Reply(400, body)))

    assert failure_of(notifier(twilio.base_url)).code == "http_400"


def test_a_permit_that_does_not_fit_sends_nothing(twilio: Twilio) -> None:
    sending = notifier(twilio.base_url)

    for misused in (
        permit(Channel.EMAIL),
        permit(Channel.VOICE),
        permit(Channel.SMS, until=datetime.now(UTC)),
    ):
        with pytest.raises(PermitMisused):
            sending.send(code_message(), misused)
    assert twilio.connections == 0


# --- In doubt


@pytest.mark.parametrize("name", IN_DOUBT)
def test_after_doubt_an_sms_is_sent_only_if_twilio_never_had_it(twilio: Twilio, name: str) -> None:
    fault, sent = FAULTS[name][0], code_message()
    twilio.fail(fault)
    again = in_doubt(sent)
    assert isinstance(failure_of(notifier(twilio.base_url, patience(fault)), sent), Unknown)
    if is_taken(fault):
        until(lambda: twilio.sent, "the message is taken")

    receipts = {notifier(twilio.base_url).send(again, permit(Channel.SMS)) for _ in range(3)}

    (taken,) = twilio.sent
    assert receipts == {Receipt("twilio", taken.sid)}


def test_a_message_without_doubt_is_sent_without_asking(twilio: Twilio) -> None:
    sending, sent = notifier(twilio.base_url), code_message()
    for _ in range(2):
        sending.send(sent, permit(Channel.SMS))

    assert len(twilio.sent) == 2


def test_a_notice_in_doubt_is_known_by_its_words(twilio: Twilio) -> None:
    sending = notifier(twilio.base_url)
    stopped, opened = (message(kind, Channel.SMS) for kind in (MessageKind.NOTICE_CANCELLED, MessageKind.NOTICE_OPENED))
    first = sending.send(stopped, permit(Channel.SMS))

    assert sending.send(in_doubt(stopped), permit(Channel.SMS)) == first
    assert sending.send(in_doubt(opened), permit(Channel.SMS)) != first
    assert len(twilio.sent) == 2


@pytest.mark.parametrize(
    ("code", "number", "minutes"),
    [("11112222", PHONE, 0), (CODE, "+12025550143", 0), (CODE, PHONE, 1)],
    ids=["another code", "another number", "before the doubt"],
)
def test_another_message_does_not_settle_the_doubt(twilio: Twilio, code: str, number: str, minutes: int) -> None:
    sending = notifier(twilio.base_url)
    other = sending.send(code_message(code=code), permit(Channel.SMS, number))

    doubted = code_message(in_doubt_since=datetime.now(UTC) + timedelta(minutes=minutes))
    receipt = sending.send(doubted, permit(Channel.SMS))

    assert receipt != other
    assert twilio.sent[1].sid == receipt.provider_id


def test_an_sms_that_is_known_does_not_settle_the_doubt(twilio: Twilio) -> None:
    sending, sent = notifier(twilio.base_url), code_message()
    known = sending.send(sent, permit(Channel.SMS))

    doubted = replace(in_doubt(sent), known_ids=frozenset({known.provider_id}))
    assert sending.send(doubted, permit(Channel.SMS)) == Receipt("twilio", twilio.sent[1].sid)


def test_clocks_that_differ_by_a_few_seconds_do_not_send_twice(twilio: Twilio) -> None:
    sending, sent = notifier(twilio.base_url), code_message()
    first = sending.send(sent, permit(Channel.SMS))

    ahead = replace(sent, in_doubt_since=datetime.now(UTC) + timedelta(seconds=4))
    assert sending.send(ahead, permit(Channel.SMS)) == first


@pytest.mark.parametrize("name", FAULTS)
def test_nothing_is_sent_until_the_doubt_is_settled(twilio: Twilio, name: str) -> None:
    fault, meaning, code = FAULTS[name]
    twilio.fail(fault)

    failed = failure_of(notifier(twilio.base_url, patience(fault)), in_doubt(code_message()))

    assert type(failed) is (Unavailable if meaning is Unknown else meaning)
    assert failed.code == (code if code != "no_sid" else "unreadable_list")
    assert twilio.sent == ()


def test_nothing_is_known_where_the_question_does_not_arrive() -> None:
    failed = failure_of(notifier(f"http://{LOOPBACK}:{free_port()}"), in_doubt(code_message()))

    assert (type(failed), failed.code) == (Unavailable, "NewConnectionError")


@pytest.mark.parametrize("page", [b'{"messages": [17]}', b'{"messages": 17}', b'{"one": [], "two": []}', b"17"])
def test_a_list_that_cannot_be_read_settles_nothing(twilio: Twilio, page: bytes) -> None:
    twilio.fail(Instead(Reply(200, page)))

    failed = failure_of(notifier(twilio.base_url), in_doubt(code_message()))
    assert (type(failed), failed.code, twilio.sent) == (Unavailable, "unreadable_list", ())


def test_a_listed_message_without_a_date_counts_and_one_without_a_sid_or_text_does_not(twilio: Twilio) -> None:
    records = b'{"sid": null, "body": "48217306"}, {"sid": "SM1", "body": null}, {"sid": "SM2", "body": "48217306"}'
    twilio.fail(Instead(Reply(200, b'{"messages": [' + records + b"]}")))

    receipt = notifier(twilio.base_url).send(in_doubt(code_message()), permit(Channel.SMS))
    assert (receipt.provider_id, twilio.sent) == ("SM2", ())


# --- What is written down


def test_nothing_secret_is_logged_or_printed_even_when_everything_is_logged(
    twilio: Twilio, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    written = []
    caplog.set_level(logging.DEBUG)
    for name in ("urllib3", "urllib3.connectionpool", "twilio", "twilio.http_client", twilio_client.__name__):
        caplog.set_level(logging.DEBUG, logger=name)

    sent = code_message()
    sending = notifier(twilio.base_url)
    sending.send(sent, permit(Channel.SMS))
    sending.send(in_doubt(sent), permit(Channel.SMS))
    quoting = b'{"code": 21211, "message": "+12025550142 is no number for 48217306"}'
    listed = Instead(Reply(202, b'{"body": "4821 7306", "to": "+12025550142"}'))
    for fault, tried in [(each[0], sent) for each in FAULTS.values()] + [
        (Instead(Reply(400, quoting)), sent),
        (listed, in_doubt(sent)),
        (CloseTaken(), in_doubt(sent)),
    ]:
        twilio.fail(fault)
        failed = failure_of(notifier(twilio.base_url, patience(fault)), tried)
        written.append("".join(traceback.format_exception(failed)))
    written += [caplog.text, *capfd.readouterr(), repr(sending), repr(vars(sending))]

    assert f"POST /2010-04-01/Accounts/{ACCOUNT_SID}/Messages.json" in caplog.text
    assert f"GET /2010-04-01/Accounts/{ACCOUNT_SID}/Messages.json?To=" in caplog.text
    password = base64.b64encode(f"{ACCOUNT_SID}:{AUTH_TOKEN}".encode()).decode()
    secrets = (AUTH_TOKEN, password, CODE, "4821 7306", PHONE[1:], EMAIL, NAME, LINK, CANCEL_LINK, REFERENCE)
    assert not [secret for secret in secrets for text in written if secret in text]
