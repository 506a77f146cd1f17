"""Twilio's SDK over kept connections: where its requests go, how long they wait, and what its answers mean.

The SDK builds requests and reads records. Its own HTTP client is not used: it has one timeout for everything, keeps
Retry-After from whoever catches its exceptions, and logs the customer's number.
"""

import json
import logging
from collections.abc import Callable, Container, Iterable, Mapping
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

import urllib3
from twilio.base.exceptions import TwilioException
from twilio.http import HttpClient
from twilio.http.response import Response
from twilio.rest import Client
from urllib3.exceptions import HTTPError

from foundation.settings import Settings
from notifiers import taxonomy, wire
from notifiers.contract import DeliveryFailed, NotSent, Receipt, Unavailable, Unknown
from notifiers.taxonomy import Meaning

PROVIDER: Final = "twilio"

UNREADABLE: Final = (TwilioException, ValueError, TypeError, AttributeError, KeyError)
"""What the SDK raises where an answer of 2xx is not what was promised. Their texts may quote it: do not chain them."""

# Twilio's clock and ours may differ; and it cuts off what is below a second.
_CLOCKS_APART = timedelta(seconds=10)
_CODES = range(1, 100_000)
_PAGE_SIZE = 1000  # records, the most that Twilio puts on one page


def client(settings: Settings, timeout: urllib3.Timeout) -> Client:
    """The SDK's client. Whatever is called through it raises a `DeliveryFailed` where Twilio answers no 2xx."""
    return Client(
        settings.twilio_account_sid,
        settings.twilio_auth_token.get_secret_value(),
        http_client=_KeptConnections(settings, timeout),
        # Not empty, or else the SDK would read the process's TWILIO_EDGE, and go elsewhere than the settings say.
        environment={"TWILIO_EDGE": ""},
    )


class _KeptConnections(HttpClient):  # type: ignore[misc]
    """Carries the SDK's requests to the hosts that the settings name."""

    def __init__(self, settings: Settings, timeout: urllib3.Timeout) -> None:
        super().__init__(logging.getLogger(__name__), is_async=False)
        base_urls = {
            "api.twilio.com": settings.twilio_base_url,
            "lookups.twilio.com": settings.twilio_lookups_base_url,
        }
        self._paths = {host: urlsplit(base_url).path for host, base_url in base_urls.items()}
        self._pools = {
            host: wire.kept_connections(base_url, settings.worker_threads, timeout)
            for host, base_url in base_urls.items()
        }

    def request(
        self,
        method: str,
        uri: str,
        params: Mapping[str, object] | None,
        data: Mapping[str, object] | None,
        headers: Mapping[str, str],
        auth: tuple[str, str],
        **__: object,  # the pool has its own rules for timeouts and redirects
    ) -> Response:
        """Twilio's answer of 2xx. Raises a `DeliveryFailed` for any other, and where there is none."""
        host, _, path = uri.removeprefix("https://").partition("/")
        query = f"?{urlencode(params)}" if params else ""
        try:
            answer = self._pools[host].urlopen(
                method,
                f"{self._paths[host]}/{path}{query}",
                body=urlencode(data, doseq=True) if data else None,
                headers={**headers, **urllib3.make_headers(basic_auth=":".join(auth))},
            )
        except HTTPError as error:
            raise wire.without_answer(error) from error
        if not HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
            raise _failure(answer)
        return Response(answer.status, answer.data.decode(), answer.headers)


def _failure(answer: urllib3.BaseHTTPResponse) -> DeliveryFailed:
    code = _twilios_code(answer.data)
    meaning = taxonomy.TWILIO.get(code or 0) or taxonomy.of_status(answer.status)
    if answer.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        meaning = Meaning.OURS
    word = f"http_{answer.status} {code}" if code else f"http_{answer.status}"
    return taxonomy.failure(meaning, word, wire.retry_after(answer.headers))


def _twilios_code(body: bytes) -> int | None:
    """The `code` of an error. Its sentence is not read: it may quote the number."""
    try:
        code = json.loads(body)["code"]
    except (ValueError, TypeError, KeyError):
        return None
    return code if type(code) is int and code in _CODES else None


# --- What the channels have in common


def receipt(create: Callable[..., Any], **fields: object) -> Receipt:
    """The receipt for what the SDK's `create` makes of `fields`. Raises a `DeliveryFailed`."""
    try:
        sid = create(**fields).sid
    except UNREADABLE:
        sid = None
    if not isinstance(sid, str) or not sid:
        raise Unknown("no_sid")
    return Receipt(PROVIDER, sid)


def taken_since(
    begin: datetime, known: Container[str], page: Callable[..., Iterable[Any]], **filters: str
) -> list[Any]:
    """What Twilio took since `begin` and we do not know yet, of the records that the SDK's `page` lists, oldest first.

    Twilio's own filters by date leave out what is still queued, so the date is compared here; and one page of all that
    an account ever sent to one number is enough.
    Raises a `DeliveryFailed`, but never `Unknown` or `NotSent`: that the question failed says nothing of the message.
    """
    try:
        records = list(page(page_size=_PAGE_SIZE, **filters))
    except (NotSent, Unknown) as failure:
        raise Unavailable(failure.code, None) from failure
    except UNREADABLE:
        raise Unavailable("unreadable_list", None) from None
    lately = [each for each in records if each.sid and (each.date_created or begin) >= begin - _CLOCKS_APART]
    # Twilio lists the newest first. Whoever is in doubt for longer asks sooner, so the oldest is likelier its own.
    return [each for each in reversed(lately) if each.sid not in known]
