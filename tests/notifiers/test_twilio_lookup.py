"""Lookup over the real SDK and real HTTP: what kind of line a number is, and that not knowing it sends nothing."""

import logging
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import urllib3
from pydantic import SecretStr

from notifiers.contract import DeliveryFailed, Misconfigured, NotSent, PermitMisused, Rejected, Unavailable, Unknown
from notifiers.twilio_lookup import TwilioLookup
from policy.vocabulary import Channel, Finding
from tests.notifiers.patience import patience
from tests.notifiers.samples import PHONE, permit
from tests.notifiers.twilio_samples import FAULTS, settings
from tests.servers.ports import LOOPBACK, free_port, port_of
from tests.servers.stand_in import Instead, Reply
from tests.servers.twilio import AUTH_TOKEN, Twilio, status


@pytest.fixture
def twilio() -> Iterator[Twilio]:
    with Twilio() as stand_in:
        yield stand_in


def lookup(base_url: str, timeout: urllib3.Timeout | None = None, **changes: Any) -> TwilioLookup:
    chosen = settings("http://127.0.0.1:9", twilio_lookups_base_url=base_url, **changes)
    return TwilioLookup(chosen, timeout) if timeout else TwilioLookup(chosen)


def failure_of(examining: TwilioLookup) -> DeliveryFailed:
    with pytest.raises(DeliveryFailed) as caught:
        examining.examine(permit(Channel.SMS))
    return caught.value


@pytest.mark.parametrize(
    ("line_type", "finding"),
    [
        ("mobile", Finding.MOBILE),
        ("landline", Finding.LANDLINE),
        ("fixedVoip", Finding.FIXED_VOIP),
        ("nonFixedVoip", Finding.NON_FIXED_VOIP),
        ("personal", Finding.PERSONAL),
        ("tollFree", Finding.TOLL_FREE),
        ("premium", Finding.PREMIUM),
        ("sharedCost", Finding.SHARED_COST),
        ("uan", Finding.UAN),
        ("voicemail", Finding.VOICEMAIL),
        ("pager", Finding.PAGER),
        ("unknown", Finding.UNKNOWN),
        ("satellite", Finding.UNKNOWN),
        (None, Finding.UNKNOWN),
    ],
)
@pytest.mark.parametrize("channel", [Channel.SMS, Channel.VOICE])
def test_each_line_type_is_found(twilio: Twilio, channel: Channel, line_type: str | None, finding: Finding) -> None:
    twilio.set_line_type(PHONE, line_type)

    assert lookup(twilio.base_url).examine(permit(channel)) is finding
    assert (twilio.looked_up, twilio.refused) == ((PHONE,), ())


def test_a_number_of_which_nothing_is_known_is_unknown(twilio: Twilio) -> None:
    twilio.fail(Instead(Reply(200, b'{"valid": true, "line_type_intelligence": null}')))

    assert lookup(twilio.base_url).examine(permit(Channel.SMS)) is Finding.UNKNOWN


def test_a_number_that_does_not_exist_is_the_recipients_fault(twilio: Twilio) -> None:
    twilio.fail(
        Instead(Reply(200, b'{"valid": false, "validation_errors": ["TOO_SHORT"], "line_type_intelligence": null}')),
        status(404),
    )
    failures = [failure_of(lookup(twilio.base_url)) for _ in range(2)]

    assert [(type(each), each.code) for each in failures] == [
        (Rejected, "no_such_number"),
        (Rejected, "http_404 20404"),
    ]


# A number that Lookup does not know is the one difference; and nothing was to be sent, so nothing is in doubt.
DIFFERENT = {"404": Rejected}


@pytest.mark.parametrize("name", FAULTS)
def test_each_failure_means_one_thing_and_never_unknown(twilio: Twilio, name: str) -> None:
    fault, meaning, code = FAULTS[name]
    twilio.fail(fault)

    failed = failure_of(lookup(twilio.base_url, patience(fault)))

    assert type(failed) is (NotSent if meaning is Unknown else DIFFERENT.get(name, meaning))
    assert failed.code == (code if code != "no_sid" else "unreadable_number")


@pytest.mark.parametrize(
    "body",
    [
        b'{"valid": "yes"}',
        b'{"valid": true, "line_type_intelligence": "mobile"}',
        b'{"valid": true, "line_type_intelligence": {"type": []}}',
        b'{"valid": true, "line_type_intelligence": {"carrier_name": null}}',
    ],
)
def test_an_answer_that_cannot_be_read_finds_nothing(twilio: Twilio, body: bytes) -> None:
    twilio.fail(Instead(Reply(200, body)))

    failed = failure_of(lookup(twilio.base_url))
    assert (type(failed), failed.code) == (NotSent, "unreadable_number")


def test_what_refuses_the_connection_was_not_asked() -> None:
    failed = failure_of(lookup(f"http://{LOOPBACK}:{free_port()}"))

    assert (type(failed), failed.code) == (NotSent, "NewConnectionError")


def test_the_vendors_wait_is_passed_on(twilio: Twilio) -> None:
    twilio.fail(status(429, retry_after=17))
    failed = failure_of(lookup(twilio.base_url))

    assert isinstance(failed, Unavailable)
    assert failed.retry_after == timedelta(seconds=17)


def test_a_wrong_token_is_our_own_fault(twilio: Twilio) -> None:
    assert isinstance(failure_of(lookup(twilio.base_url, twilio_auth_token=SecretStr("another"))), Misconfigured)


def test_a_permit_that_does_not_fit_asks_nothing(twilio: Twilio) -> None:
    for misused in (permit(Channel.EMAIL), permit(Channel.MAIL), permit(Channel.SMS, until=datetime.now(UTC))):
        with pytest.raises(PermitMisused):
            lookup(twilio.base_url).examine(misused)
    assert twilio.connections == 0


def test_threads_share_it_with_a_connection_each_at_most(twilio: Twilio) -> None:
    examining = lookup(twilio.base_url)
    with ThreadPoolExecutor(8) as pool:
        findings = set(pool.map(lambda _: examining.examine(permit(Channel.SMS)), range(200)))

    assert (findings, len(twilio.looked_up), twilio.connections <= 8) == ({Finding.MOBILE}, 200, True)


def test_a_connection_that_was_closed_while_idle_is_replaced() -> None:
    with Twilio() as first:
        examining, port = lookup(first.base_url), port_of(first.base_url)
        examining.examine(permit(Channel.SMS))
    with Twilio(port) as second:
        examining.examine(permit(Channel.SMS))

        assert len(second.looked_up) == 1


def test_neither_number_nor_key_is_logged_or_printed_even_when_everything_is_logged(
    twilio: Twilio, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    written = []
    caplog.set_level(logging.DEBUG)
    for name in ("urllib3", "urllib3.connectionpool", "twilio", "twilio.http_client"):
        caplog.set_level(logging.DEBUG, logger=name)

    examining = lookup(twilio.base_url)
    examining.examine(permit(Channel.SMS))
    for fault, _, _ in FAULTS.values():
        twilio.fail(fault)
        written.append("".join(traceback.format_exception(failure_of(lookup(twilio.base_url, patience(fault))))))
    written += [caplog.text, *capfd.readouterr(), repr(examining), repr(vars(examining))]

    assert "GET /v2/PhoneNumbers/•••?Fields=line_type_intelligence" in caplog.text
    assert not [secret for secret in (AUTH_TOKEN, PHONE[1:]) for text in written if secret in text]
