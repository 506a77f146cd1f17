"""Addresses over the real SDK and real HTTP: what each verdict means, and that no fault lets an address pass."""

import logging
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import urllib3
from pydantic import SecretStr

from foundation.settings import Settings
from notifiers import wire
from notifiers.contract import DeliveryFailed, Misconfigured, NotSent, PermitMisused, Rejected, Unavailable
from notifiers.lob_verification import VERDICTS, LobVerification
from policy import rules
from policy.permits import PostalAddress
from policy.vocabulary import Channel, Finding
from tests.notifiers.patience import patience
from tests.notifiers.samples import HOME, permit
from tests.servers.lob import API_KEY, EMPTY, NONSENSE, Lob, status
from tests.servers.ports import LOOPBACK, free_port
from tests.servers.stand_in import CloseTaken, CloseUnread, Fault, Hang, Instead, Reply, Truncated

LONG = 60  # seconds: longer than any test waits


@pytest.fixture
def lob() -> Iterator[Lob]:
    with Lob() as stand_in:
        yield stand_in


def verification(base_url: str, key: str = API_KEY, timeout: urllib3.Timeout = wire.TIMEOUT) -> LobVerification:
    return LobVerification(Settings(lob_base_url=base_url, lob_api_key=SecretStr(key)), timeout)


def failure_of(examining: LobVerification, address: PostalAddress = HOME) -> DeliveryFailed:
    with pytest.raises(DeliveryFailed) as caught:
        examining.examine(permit(Channel.MAIL, address))
    return caught.value


def test_lob_gets_the_address_and_no_name(lob: Lob) -> None:
    verification(lob.base_url).examine(permit(Channel.MAIL))

    assert lob.verifications == (
        {
            "primary_line": "12 Mill Street",
            "secondary_line": "Apt 4",
            "city": "Millbrook",
            "state": "VT",
            "zip_code": "05001",
        },
    )


def test_an_address_without_a_second_line_is_asked_about_without_one(lob: Lob) -> None:
    verification(lob.base_url).examine(permit(Channel.MAIL, replace(HOME, line2="")))

    assert "secondary_line" not in lob.verifications[0]


@pytest.mark.parametrize(
    ("verdict", "finding", "refused"),
    [
        ("deliverable", Finding.DELIVERABLE, False),
        ("deliverable_unnecessary_unit", Finding.UNNECESSARY_UNIT, False),
        ("deliverable_incorrect_unit", Finding.INCORRECT_UNIT, True),
        ("deliverable_missing_unit", Finding.MISSING_UNIT, True),
        ("undeliverable", Finding.UNDELIVERABLE, True),
    ],
)
def test_each_verdict_is_a_finding_that_the_shipped_policy_judges(
    lob: Lob, verdict: str, finding: Finding, refused: bool
) -> None:
    lob.verdict(HOME.line1, verdict)

    assert verification(lob.base_url).examine(permit(Channel.MAIL)) is finding
    assert (finding in rules.load().channels[Channel.MAIL].refuses) is refused
    assert VERDICTS[verdict] is finding


@pytest.mark.parametrize("verdict", ["", "deliverable_by_drone", "DELIVERABLE"])
def test_a_verdict_that_we_do_not_know_never_passes_for_deliverable(lob: Lob, verdict: str) -> None:
    lob.verdict(HOME.line1, verdict)

    failed = failure_of(verification(lob.base_url))
    assert (type(failed), failed.code) == (Rejected, "unknown_verdict")


REDIRECT = Instead(Reply(307, headers={"Location": f"http://{LOOPBACK}:1/v1/us_verifications"}))
NO_VERDICT = Instead(Reply(200, b'{"deliverability":null}'))
FAULTS: dict[str, tuple[Fault, type[DeliveryFailed], str]] = {
    "400": (status(400), Misconfigured, "http_400 bad_request"),
    "401": (status(401, "invalid_api_key"), Misconfigured, "http_401 invalid_api_key"),
    "403": (status(403, "unauthorized"), Misconfigured, "http_403 unauthorized"),
    "404": (status(404, "not_found"), Misconfigured, "http_404 not_found"),
    "422": (status(422, "invalid"), Rejected, "http_422 invalid"),
    "429": (status(429, retry_after=17), Unavailable, "http_429 bad_request"),
    "500": (status(500), NotSent, "http_500 bad_request"),
    "503": (status(503), Unavailable, "http_503 bad_request"),
    "hang": (Hang(LONG), NotSent, "ReadTimeoutError"),
    "reset before it was read": (CloseUnread(), NotSent, "ProtocolError"),
    "reset after it was read": (CloseTaken(), NotSent, "ProtocolError"),
    "truncated": (Truncated(), NotSent, "ProtocolError"),
    "empty 200": (EMPTY, NotSent, "no_verdict"),
    "200 with nonsense": (NONSENSE, NotSent, "no_verdict"),
    "200 without a verdict": (NO_VERDICT, NotSent, "no_verdict"),
    "empty 201": (Instead(Reply(201)), NotSent, "http_201"),
    "307 to another host": (REDIRECT, Misconfigured, "http_307"),
}
"""What each fault means; nothing is ever in doubt, because nothing was to be sent."""


@pytest.mark.parametrize(("fault", "meaning", "code"), FAULTS.values(), ids=FAULTS)
def test_no_fault_lets_an_address_pass_or_is_in_doubt(
    lob: Lob, fault: Fault, meaning: type[DeliveryFailed], code: str
) -> None:
    examining = verification(lob.base_url, timeout=patience(fault))
    lob.fail(fault)

    failed = failure_of(examining)
    assert (type(failed), failed.code) == (meaning, code)
    assert examining.examine(permit(Channel.MAIL)) is Finding.DELIVERABLE


def test_what_refuses_the_connection_is_asked_again() -> None:
    assert isinstance(failure_of(verification(f"http://{LOOPBACK}:{free_port()}")), NotSent)


def test_an_address_that_lob_cannot_read_is_rejected_and_a_wrong_key_is_our_own_fault(lob: Lob) -> None:
    assert isinstance(failure_of(verification(lob.base_url), replace(HOME, zip="9")), Rejected)
    assert isinstance(failure_of(verification(lob.base_url, "another")), Misconfigured)


def test_threads_share_one_with_a_connection_each_at_most(lob: Lob) -> None:
    examining = verification(lob.base_url)
    with ThreadPoolExecutor(8) as pool:
        findings = list(pool.map(lambda _: examining.examine(permit(Channel.MAIL)), range(200)))

    assert findings == [Finding.DELIVERABLE] * 200
    assert (len(lob.verifications), lob.connections <= 8) == (200, True)


def test_a_permit_that_does_not_fit_asks_nothing(lob: Lob) -> None:
    for misfit in (permit(Channel.EMAIL), permit(Channel.MAIL, until=datetime.now(UTC))):
        with pytest.raises(PermitMisused):
            verification(lob.base_url).examine(misfit)

    assert lob.connections == 0


def test_nothing_secret_is_logged_even_when_everything_is_logged(lob: Lob, caplog: pytest.LogCaptureFixture) -> None:
    examining, written = verification(lob.base_url), []
    caplog.set_level(logging.DEBUG)
    for name in ("urllib3", "urllib3.connectionpool", "lob_python", "lob_python.rest"):
        caplog.set_level(logging.DEBUG, logger=name)

    examining.examine(permit(Channel.MAIL))
    for fault in (status(500, message=HOME.line1), status(422, message=HOME.line1), CloseTaken(), Hang(LONG)):
        lob.fail(fault)
        written.append(
            "".join(traceback.format_exception(failure_of(verification(lob.base_url, timeout=patience(fault)))))
        )
    written += [caplog.text, repr(examining), repr(vars(examining))]

    assert "POST /v1/us_verifications" in caplog.text
    for secret in (API_KEY, "dGVzdF9rZXktb2YtdGhlLXRlc3Rz", "Maria", "Mill", "05001"):
        assert not [text for text in written if secret in text], secret
