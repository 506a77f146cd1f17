"""US mail over Lob: a letter is printed at the moment that we name, and until then it can be recalled.

Lob keeps an idempotency key for 24 hours: the same key with the same bytes is the same letter, however often it is
sent. So a letter of which it is not known whether Lob took it is sent again while that holds and its date lies ahead;
afterwards, or where Lob refuses it, Lob is asked for the letters that bear the message's id.
"""

import re
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any, Final
from uuid import UUID

import urllib3
from lob_python.api.letters_api import LettersApi
from lob_python.model.address_editable import AddressEditable
from lob_python.model.country_extended import CountryExtended
from lob_python.model.letter_editable import LetterEditable
from lob_python.model.ltr_id import LtrId
from lob_python.model.ltr_use_type import LtrUseType
from lob_python.model.mail_type import MailType
from lob_python.model.metadata_model import MetadataModel

from foundation import clock
from foundation.settings import Settings
from notifiers import lob_client, taxonomy, texts, wire
from notifiers.contract import (
    Absent,
    DeliveryFailed,
    Misconfigured,
    OutgoingMessage,
    Receipt,
    Unaddressable,
    Unavailable,
    Undecided,
    Unknown,
    postal_destination,
)
from notifiers.lob_client import PROVIDER, US, LobClient
from notifiers.phrases import one_line
from policy.permits import Permit, PostalAddress

# Characters (https://docs.lob.com/#tag/Letters/operation/letter_create).
_LONGEST_NAME: Final = 40
_LONGEST_LINE: Final = 64
_LONGEST_CITY: Final = 200

_KEY_COUNTS: Final = timedelta(hours=24)
"""From when Lob first sees an idempotency key (https://docs.lob.com/#section/Idempotent-Requests)."""
_UNDER_WAY: Final = timedelta(hours=1)  # left of that time for a request that is slow to arrive
_CLOCKS_DIFFER: Final = timedelta(minutes=1)

# A refusal with one of these says nothing of what Lob has.
_SAYS_NOTHING: Final = frozenset({401, 403, 408, 429})
_LETTER_ID: Final = re.compile(r"ltr_[a-zA-Z0-9]+")


class LobLetter:
    """The live mail channel. Threads may share one: each borrows a connection, and nothing else in it changes."""

    def __init__(self, settings: Settings, timeout: urllib3.Timeout = wire.TIMEOUT) -> None:
        self._letters = LettersApi(LobClient(settings, timeout))
        self._sender = _sender(settings)

    def send(self, message: OutgoingMessage, permit: Permit) -> Receipt:
        """Hands the letter to Lob, to be printed at `leaves_at`, or finds out that Lob has it.

        Raises as `Notifier.send` does; `Absent` only where the letter's date has passed, or its key does not count any
        more, and Lob does not have it.
        """
        now = clock.now()
        to = postal_destination(permit, now)
        if message.in_doubt_since is None:
            return self._sent(message, to, now)
        return self._sent_again(message, to, message.in_doubt_since, now)

    def recall(self, provider_id: str) -> bool:
        """Takes a letter back; False where it has gone to be printed. Raises a `DeliveryFailed`."""
        answer = self._letters.cancel(LtrId(provider_id), _preload_content=False)
        if answer.status == HTTPStatus.UNPROCESSABLE_ENTITY:
            return False
        if answer.status == HTTPStatus.NOT_FOUND and lob_client.error_word(answer) == taxonomy.LOB_NO_SUCH_LETTER:
            return True  # taken back before, by a request whose answer was lost
        if answer.status == HTTPStatus.OK and lob_client.parsed(answer).get("deleted") is True:
            return True
        raise lob_client.failure(answer)

    def find(self, message_id: UUID) -> str | None:
        """The id of the letter that bears the message's, or None if Lob has none. Raises a `DeliveryFailed`."""
        wanted = MetadataModel(message_id=str(message_id))
        answer = self._letters.list(metadata=wanted, _preload_content=False)
        if answer.status != HTTPStatus.OK:
            raise lob_client.failure(answer)
        letters = lob_client.parsed(answer).get("data")
        # One that we did not ask for shows that Lob did not look for ours.
        if not isinstance(letters, list) or not all(_bears(each, message_id) for each in letters):
            raise Unknown("unreadable_list")
        return letters[0]["id"] if letters else None

    def _sent(self, message: OutgoingMessage, to: PostalAddress, now: datetime) -> Receipt:
        if not _date_lies_ahead(message, now):
            raise Absent("date_passed")
        return _receipt(self._answer_to(message, to))

    def _sent_again(self, message: OutgoingMessage, to: PostalAddress, since: datetime, now: datetime) -> Receipt:
        """A letter that Lob may have. Its key stands for it as long as Lob remembers it."""
        answer = None
        if _date_lies_ahead(message, now) and now < since + _KEY_COUNTS - _UNDER_WAY:
            answer = self._answer_to(message, to)
            if answer.status not in range(400, 500) or answer.status in _SAYS_NOTHING:
                return _receipt(answer)
        if found := self._looked_for(message.id, since, now):
            return found
        if answer is None:
            raise Absent("not_at_vendor")
        # An earlier request of ours may be at work still: what it makes is in no list yet.
        return _receipt(answer)

    def _looked_for(self, message_id: UUID, since: datetime, now: datetime) -> Receipt | None:
        try:
            found = self.find(message_id)
        except DeliveryFailed as failed:
            raise _no_list(failed, since, now) from failed
        return Receipt(PROVIDER, found) if found else None

    def _answer_to(self, message: OutgoingMessage, to: PostalAddress) -> urllib3.BaseHTTPResponse:
        # The same message makes the same key and the same bytes, in whatever process.
        answer: urllib3.BaseHTTPResponse = self._letters.create(
            _letter(message, _recipient(to), self._sender),
            idempotency_key=f"{message.id}:{_date(message).isoformat()}",
            _preload_content=False,
        )
        return answer


def _receipt(answer: urllib3.BaseHTTPResponse) -> Receipt:
    if answer.status not in range(200, 300):
        raise _no_receipt(answer)
    letter_id = lob_client.parsed(answer).get("id")
    if not _is_letter_id(letter_id):
        raise Unknown("no_letter_id")
    return Receipt(PROVIDER, str(letter_id))


def _no_receipt(answer: urllib3.BaseHTTPResponse) -> DeliveryFailed:
    failed = lob_client.failure(answer)
    if answer.status in taxonomy.LOB_PERHAPS:
        return Unknown(failed.code, wire.retry_after(answer.headers))
    return failed


def _no_list(failed: DeliveryFailed, since: datetime, now: datetime) -> DeliveryFailed:
    """Nothing is sent by looking, so nothing is in more doubt than before: look again later, but not for ever."""
    if now >= since + _KEY_COUNTS:
        return Undecided("vendor_cannot_say")
    if isinstance(failed, Misconfigured):
        return Misconfigured(failed.code)
    return Unavailable(failed.code, failed.retry_after if isinstance(failed, Unavailable) else None)


def _letter(message: OutgoingMessage, to: Any, sender: Any) -> Any:
    return LetterEditable(
        to=to,
        _from=sender,
        file=texts.letter(message, None),
        color=False,
        double_sided=False,
        address_placement="top_first_page",
        use_type=LtrUseType("operational"),
        mail_type=MailType("usps_first_class"),
        send_date=_date(message),
        # Kept by Lob for long, so an opaque id and nothing else.
        metadata=MetadataModel(message_id=str(message.id)),
    )


def _sender(settings: Settings) -> Any:
    name = settings.lob_from_name or one_line(settings.brand_name)
    return AddressEditable(
        name=name[:_LONGEST_NAME],
        address_line1=settings.lob_from_line1,
        address_city=settings.lob_from_city,
        address_state=settings.lob_from_state,
        address_zip=settings.lob_from_zip,
        address_country=CountryExtended(US),
    )


def _recipient(to: PostalAddress) -> Any:
    lengths = ((to.name, _LONGEST_NAME), (to.line1, _LONGEST_LINE), (to.line2, _LONGEST_LINE), (to.city, _LONGEST_CITY))
    if any(len(text) > longest for text, longest in lengths):
        raise Unaddressable("address_too_long")
    return AddressEditable(
        name=to.name,
        address_line1=to.line1,
        **({"address_line2": to.line2} if to.line2 else {}),
        address_city=to.city,
        address_state=to.state,
        address_zip=to.zip,
        address_country=CountryExtended(US),
    )


def _date(message: OutgoingMessage) -> datetime:
    """When the letter is printed, in UTC and whole seconds."""
    if message.leaves_at is None:
        raise ValueError("a letter needs leaves_at")
    return message.leaves_at.astimezone(UTC).replace(microsecond=0)


def _date_lies_ahead(message: OutgoingMessage, now: datetime) -> bool:
    return now + _CLOCKS_DIFFER < _date(message)


def _bears(letter: object, message_id: UUID) -> bool:
    """Whether this is a letter, as Lob lists them, with the message's id."""
    return (
        isinstance(letter, dict)
        and _is_letter_id(letter.get("id"))
        and letter.get("metadata") == {"message_id": str(message_id)}
    )


def _is_letter_id(value: object) -> bool:
    return isinstance(value, str) and _LETTER_ID.fullmatch(value) is not None
