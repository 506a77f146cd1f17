"""Where vendors say what became of a message: each request proves whose it is before anything in it is read.

What is proven is stored, a bell is rung, and the answer is 204: a task does the rest. These are no forms of a browser,
so no page of somebody else is kept from sending them; a signature is what counts.
"""

import logging
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Header, HTTPException, Request, Response
from fastapi.responses import PlainTextResponse
from starlette.requests import ClientDisconnect

from foundation import clock
from notifiers import lob_receipts, sendgrid_receipts, twilio_receipts
from notifiers.receipts import Word
from notifiers.twilio_receipts import Form
from tasks.ringing import ring_for_receipts
from web.guards import WEBHOOKS
from web.site import CurrentSite, Site
from workflows import receipts
from workflows.receipts import Said

log = logging.getLogger(__name__)

router = APIRouter(prefix=WEBHOOKS)
receive = partial(router.api_route, methods=["POST"])

Now = Annotated[datetime, Depends(clock.now)]


async def _raw_body(request: Request) -> bytes:
    """The bytes as they came, which are what is signed. Nothing else here is async: the rest waits for a database."""
    try:
        return await request.body()
    except ClientDisconnect:
        raise HTTPException(400) from None


RawBody = Annotated[bytes, Depends(_raw_body)]


def _form_of_twilio(
    request: Request, site: CurrentSite, body: RawBody, x_twilio_signature: Annotated[str | None, Header()] = None
) -> Form:
    form = Form.read(body)
    twilio_receipts.verify(site.settings, _public_url(request, site), form, x_twilio_signature)
    return form


def _public_url(request: Request, site: Site) -> str:
    """The URL that Twilio was given, and signs: a proxy may show another one here."""
    path, query = request.scope["raw_path"].decode("latin-1"), request.url.query
    return f"{site.settings.public_url}{path}{'?' if query else ''}{query}"


TwilioForm = Annotated[Form, Depends(_form_of_twilio)]
"""A form that Twilio has signed, for whatever Twilio asks. Raises `Unsigned`."""


@receive("/twilio/messages/{message_id}")
def hear_of_sms(site: CurrentSite, message_id: UUID, form: TwilioForm, now: Now) -> Response:
    """An SMS has a new status."""
    return _take(site, twilio_receipts.message_words(form, message_id), now)


@receive("/twilio/calls/{message_id}")
def hear_of_call(site: CurrentSite, message_id: UUID, form: TwilioForm, now: Now) -> Response:
    """A call has a new status."""
    return _take(site, twilio_receipts.call_words(form, message_id), now)


@receive("/sendgrid")
def hear_of_mails(
    site: CurrentSite,
    body: RawBody,
    now: Now,
    signature: Annotated[str | None, Header(alias="X-Twilio-Email-Event-Webhook-Signature")] = None,
    timestamp: Annotated[str | None, Header(alias="X-Twilio-Email-Event-Webhook-Timestamp")] = None,
) -> Response:
    """Things happened to some mails."""
    return _take(site, sendgrid_receipts.words(site.settings, body, signature, timestamp), now)


@receive("/lob")
def hear_of_letter(
    site: CurrentSite,
    body: RawBody,
    now: Now,
    lob_signature: Annotated[str | None, Header()] = None,
    lob_signature_timestamp: Annotated[str | None, Header()] = None,
) -> Response:
    """Something happened to a letter."""
    return _take(site, lob_receipts.words(site.settings, body, lob_signature, lob_signature_timestamp, now), now)


def _take(site: Site, words: Sequence[Word], now: datetime) -> Response:
    said = [Said(**asdict(word)) for word in words]
    ring_for_receipts(receipts.take(site.installation, said, now))
    return Response(status_code=204)


def refuse(_request: Request, error: Exception) -> Response:
    """The answer to a request that is not proven to be a vendor's. The log says why, and the answer does not."""
    log.warning("a request to the webhooks is refused: %s", error)
    return PlainTextResponse("The signature is missing, wrong or too old.\n", 403)


def put_aside(_request: Request, error: Exception) -> Response:
    """The answer to a vendor's request that cannot be read: taken, because it would only come again as it is."""
    log.warning("a signed request to the webhooks cannot be read: %s", error)
    return Response(status_code=204)
