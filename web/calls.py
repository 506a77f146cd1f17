"""What a phone call says: Twilio fetches the greeting when somebody answers, and posts the key that was pressed.

Each request is signed by Twilio, for an address that only the call's own begin carried. The code is read out once a
call, after a key, so that no voicemail records it.
"""

from datetime import datetime
from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, HTTPException, Response

from foundation import clock
from foundation.catalogue import Terms, gettext
from notifiers import texts, twiml
from notifiers.contract import Brand, OutgoingMessage
from policy.vocabulary import MessageKind
from tasks.ringing import ring
from web.site import CurrentSite, Site
from web.webhooks import TwilioForm
from workflows import calls
from workflows.calls import ReadOut, UnknownCall

router = APIRouter()
receive = partial(router.api_route, methods=["POST"])

Now = Annotated[datetime, Depends(clock.now)]

_STOPPED = Terms(
    "end of a phone call, after 9",
    {
        MessageKind.RESET_CODE: "The reset is stopped. Nothing was changed. Goodbye.",
        MessageKind.CONTACT_CODE: "That code no longer works. Nothing was changed. Goodbye.",
        MessageKind.ENROLMENT_CODE: (
            "That code no longer works. Please tell our support at once that you did not ask for it. Goodbye."
        ),
    },
)


def _message_of_call(site: CurrentSite, message_id: UUID, token: str, _form: TwilioForm) -> UUID:
    if not calls.is_token_of(site.installation, message_id, token):
        raise HTTPException(404)
    return message_id


Called = Annotated[UUID, Depends(_message_of_call)]


@receive("/calls/{message_id}/{token}")
def greet(site: CurrentSite, called: Called, token: str) -> Response:
    """What is said to whoever, or whatever, answers."""
    key = f"{site.settings.public_url}/calls/{called}/{token}/key"
    try:
        kind = calls.kind_of(site.installation, called)
    except UnknownCall:
        raise HTTPException(404) from None
    return _says(twiml.greeting(texts.voice_greeting(Brand.of(site.settings), kind), key))


@receive("/calls/{message_id}/{token}/key")
def take_key(site: CurrentSite, called: Called, form: TwilioForm, now: Now) -> Response:
    """1 reads the code out, 9 stops the reset, or ends a code that belongs to none."""
    try:
        return _says(_answer(site, called, form.first("CallSid"), form.first("Digits"), now))
    except UnknownCall:
        raise HTTPException(404) from None


def _answer(site: Site, message_id: UUID, call_id: str, key: str, now: datetime) -> str:
    if key == "9":
        stopped = calls.stop_in_call(site.installation, message_id, call_id, now)
        ring(stopped.owed)
        return twiml.goodbye(_STOPPED[stopped.kind])
    if key != "1":
        return twiml.goodbye(gettext("That key does nothing. Goodbye."))
    heard = calls.read_out(site.installation, message_id, call_id, now)
    if heard is None:
        return twiml.goodbye(gettext("This code is no longer valid. Ask for a new call on the web page. Goodbye."))
    return twiml.reading(_script(site, message_id, heard, now))


def _script(site: Site, message_id: UUID, heard: ReadOut, now: datetime) -> texts.VoiceScript:
    message = OutgoingMessage(
        id=message_id,
        kind=heard.kind,
        brand=Brand.of(site.settings),
        typed_at=site.settings.typed_address,
        requested_at=heard.requested_at,
        reference=heard.reference,
        code=heard.code,
        valid_until=heard.valid_until,
    )
    return texts.voice(message, now)


def _says(twiml: str) -> Response:
    return Response(twiml, media_type="application/xml")
