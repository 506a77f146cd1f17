"""Lob's US verification: how the post can deliver to an address, before the first letter goes there."""

from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, Final

import urllib3
from lob_python.api.us_verifications_api import UsVerificationsApi
from lob_python.model.us_verifications_writable import UsVerificationsWritable

from foundation import clock
from foundation.settings import Settings
from notifiers import lob_client, wire
from notifiers.contract import DeliveryFailed, NotSent, Rejected, Unknown, postal_destination
from notifiers.lob_client import LobClient
from policy.permits import Permit, PostalAddress
from policy.vocabulary import Finding

VERDICTS: Final[Mapping[str, Finding]] = MappingProxyType(
    {
        "deliverable": Finding.DELIVERABLE,
        "deliverable_unnecessary_unit": Finding.UNNECESSARY_UNIT,
        "deliverable_incorrect_unit": Finding.INCORRECT_UNIT,
        "deliverable_missing_unit": Finding.MISSING_UNIT,
        "undeliverable": Finding.UNDELIVERABLE,
    }
)
"""By `deliverability` (https://docs.lob.com/#tag/US-Verifications). Any other word rejects the address."""


class LobVerification:
    """Asks Lob about addresses. With a `test_` key Lob looks nothing up and answers what the address's line asks for.

    Threads may share one.
    """

    def __init__(self, settings: Settings, timeout: urllib3.Timeout = wire.TIMEOUT) -> None:
        self._verifications = UsVerificationsApi(LobClient(settings, timeout))

    def examine(self, permit: Permit) -> Finding:
        """How the post can deliver to the permit's address. Raises as `Examiner.examine` does.

        `Rejected` where Lob cannot read the address, or says of it what we do not know: neither may pass for good.
        """
        address = _address(postal_destination(permit, clock.now()))
        try:
            return _finding(self._verifications.verifySingle(address, _preload_content=False))
        except Unknown as failed:
            raise NotSent(failed.code) from failed


def _finding(answer: urllib3.BaseHTTPResponse) -> Finding:
    if answer.status != HTTPStatus.OK:
        raise _failure(answer)
    verdict = lob_client.parsed(answer).get("deliverability")
    if not isinstance(verdict, str):
        raise NotSent("no_verdict")
    if verdict not in VERDICTS:
        raise Rejected("unknown_verdict")
    return VERDICTS[verdict]


def _failure(answer: urllib3.BaseHTTPResponse) -> DeliveryFailed:
    """All that we send is the address, so a 422 is about nothing else."""
    failed = lob_client.failure(answer)
    return Rejected(failed.code) if answer.status == HTTPStatus.UNPROCESSABLE_ENTITY else failed


def _address(to: PostalAddress) -> Any:
    """Without the name: Lob does not need it for this."""
    return UsVerificationsWritable(
        primary_line=to.line1,
        **({"secondary_line": to.line2} if to.line2 else {}),
        city=to.city,
        state=to.state,
        zip_code=to.zip,
    )
