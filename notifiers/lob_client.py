"""Lob's SDK over kept connections, and what Lob's answers mean: what letters and verifications have in common."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

import urllib3
from lob_python import ApiClient, Configuration
from urllib3.exceptions import HTTPError

from foundation.settings import Settings
from notifiers import taxonomy, wire
from notifiers.contract import DeliveryFailed
from notifiers.taxonomy import Meaning

PROVIDER: Final = "lob"
US: Final = "US"
"""The country of every address that we give to Lob; it takes territories and military addresses for states."""

_WORD = re.compile(r"[a-z_]{1,60}")
# The only thing that is read in a sentence of Lob's: `to.address_zip must be …` is about the recipient.
_ABOUT_RECIPIENT = re.compile(r"[\"'`]?to[.\[]")


class LobClient(ApiClient):  # type: ignore[misc] # it comes without types
    """The SDK's client with a transport of ours, which hands over every answer as it came, whatever its status.

    The SDK's own follows a redirect to another host, breaks on a failure whose body is not UTF-8 or on one of TLS, puts
    bodies (that is, addresses) into its exceptions and its DEBUG log, and writes a filter by metadata in a way that
    Lob's API does not describe. Call the APIs over this client with `_preload_content=False`: they then answer with
    the `urllib3` response, whose body has been read, or raise a `DeliveryFailed` where there is no answer.

    Threads may share one: each call borrows a connection, and nothing else that is read again changes.
    """

    def __init__(self, settings: Settings, timeout: urllib3.Timeout) -> None:
        base_url = settings.lob_base_url
        super().__init__(
            Configuration(host=f"{urlsplit(base_url).path}/v1", username=settings.lob_api_key.get_secret_value())
        )
        self.user_agent = "keyturn"
        self._kept = wire.kept_connections(base_url, settings.worker_threads, timeout)

    def request(
        self,
        method: str,
        url: str,
        query_params: Iterable[tuple[str, Any]] | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        body: object = None,
        **_: object,
    ) -> urllib3.BaseHTTPResponse:
        """One exchange with Lob; what the SDK calls. `url` is a path. Raises a `DeliveryFailed`."""
        query = urlencode([pair for name, value in query_params or () for pair in _pairs(name, value)])
        target = f"{url}?{query}" if query else url
        content = None if body is None else json.dumps(body)
        try:
            return self._kept.urlopen(method, target, body=content, headers=headers)
        except HTTPError as error:
            # The error names the path and the host; the metadata in the path are opaque ids.
            raise wire.without_answer(error) from error


def failure(answer: urllib3.BaseHTTPResponse) -> DeliveryFailed:
    """What an answer means that holds no receipt. A 422 about anything but the recipient's address is our own fault."""
    word, sentence = _error(answer.data)
    meaning = taxonomy.of_status(answer.status)
    if answer.status in range(400, 500):
        meaning = taxonomy.LOB.get(word, meaning)
    if answer.status == HTTPStatus.UNPROCESSABLE_ENTITY and _ABOUT_RECIPIENT.match(sentence):
        meaning = Meaning.RECIPIENT
    return taxonomy.failure(meaning, f"http_{answer.status} {word}".strip(), wire.retry_after(answer.headers))


def error_word(answer: urllib3.BaseHTTPResponse) -> str:
    """Lob's word for a failure; empty where it gives none."""
    return _error(answer.data)[0]


def parsed(answer: urllib3.BaseHTTPResponse) -> dict[str, Any]:
    """The answer's JSON object; empty where it holds none."""
    try:
        body = json.loads(answer.data)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _pairs(name: str, value: object) -> Iterator[tuple[str, object]]:
    """As the description says (`style: deepObject`): `metadata[message_id]=…`."""
    if isinstance(value, Mapping):
        yield from ((f"{name}[{part}]", each) for part, each in value.items())
    else:
        yield name, value


def _error(body: bytes) -> tuple[str, str]:
    """Lob's word for a failure, if it is one, and its sentence, which is never kept: it may repeat the address."""
    try:
        error = json.loads(body)["error"]
        word, sentence = str(error["code"]), str(error["message"])
    except (ValueError, TypeError, KeyError):
        return "", ""
    return (word if _WORD.fullmatch(word) else ""), sentence
