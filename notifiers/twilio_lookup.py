"""Twilio's Lookup: what kind of line a phone number is, before anything is sent to it.

https://www.twilio.com/docs/lookup/v2-api/line-type-intelligence
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import urllib3

from foundation import clock
from foundation.settings import Settings
from notifiers import twilio_client, wire
from notifiers.contract import Misconfigured, NotSent, Rejected, Unknown, text_destination
from policy.permits import Permit
from policy.vocabulary import Channel, Finding

_ASKED = "line_type_intelligence"
_NO_SUCH_NUMBER = "http_404 20404"  # any other 404 is a wrong base URL

# By `type`; null, which is what it says of a number that it cannot place, is unknown, like a word that is new to us.
_FINDINGS: Final[Mapping[str | None, Finding]] = MappingProxyType(
    {
        "mobile": Finding.MOBILE,
        "landline": Finding.LANDLINE,
        "fixedVoip": Finding.FIXED_VOIP,
        "nonFixedVoip": Finding.NON_FIXED_VOIP,
        "personal": Finding.PERSONAL,
        "tollFree": Finding.TOLL_FREE,
        "premium": Finding.PREMIUM,
        "sharedCost": Finding.SHARED_COST,
        "uan": Finding.UAN,
        "voicemail": Finding.VOICEMAIL,
        "pager": Finding.PAGER,
    }
)


class TwilioLookup:
    """Examines phone numbers. Threads may share one: each borrows a connection, and nothing else in it changes."""

    def __init__(self, settings: Settings, timeout: urllib3.Timeout = wire.TIMEOUT) -> None:
        self._numbers = twilio_client.client(settings, timeout).lookups.v2.phone_numbers

    def examine(self, permit: Permit) -> Finding:
        """The kind of line. Raises as `Examiner.examine` does; `Rejected` where there is no such number."""
        channel = Channel.VOICE if permit.channel is Channel.VOICE else Channel.SMS
        number = text_destination(permit, channel, clock.now())
        try:
            found = self._numbers(number).fetch(fields=_ASKED)
            return _finding(found.valid, found.line_type_intelligence)
        except Unknown as failure:
            raise NotSent(failure.code) from failure
        except Misconfigured as failure:
            if failure.code == _NO_SUCH_NUMBER:
                raise Rejected(failure.code) from failure
            raise
        except twilio_client.UNREADABLE:
            raise NotSent("unreadable_number") from None


def _finding(valid: Any, line: Any) -> Finding:
    if valid is False:
        raise Rejected("no_such_number")
    if valid is not True:
        raise ValueError("an answer without `valid`")
    return _FINDINGS.get(line["type"] if line else None, Finding.UNKNOWN)
