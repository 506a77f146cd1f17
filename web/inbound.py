"""Where mails are posted: by SendGrid's Inbound Parse, and by help desks.

Each request proves whose it is, before its body is read as far as that can be, and is stored as it came. What is in it
is looked at by the judge.
"""

import logging

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import PlainTextResponse

from foundation import standard_webhooks
from foundation.standard_webhooks import BadSignature
from inbox import packages
from inbox.packages import Source
from inbox.reading import Unreadable
from notifiers import sendgrid_signature
from notifiers.receipts import Unsigned
from tasks.taking import take
from web.guards import INBOUND
from web.site import CurrentSite, Site
from web.webhooks import Now, RawBody

log = logging.getLogger(__name__)

router = APIRouter(prefix=INBOUND)


def _sendgrid_may_post(site: CurrentSite, request: Request) -> None:
    settings = site.settings
    if settings.sendgrid_inbound_unsigned:
        return
    if not settings.sendgrid_inbound_key or sendgrid_signature.SIGNATURE not in request.headers:
        raise Unsigned("KEYTURN_SENDGRID_INBOUND_KEY is not set, or Inbound Parse does not sign")


def _helpdesk_may_post(site: CurrentSite, request: Request) -> None:
    if not site.settings.helpdesk_secret.get_secret_value() or "webhook-signature" not in request.headers:
        raise BadSignature("KEYTURN_HELPDESK_SECRET is not set, or the help desk does not sign")


@router.api_route("/sendgrid", methods=["POST"], dependencies=[Depends(_sendgrid_may_post)])
def take_from_sendgrid(site: CurrentSite, request: Request, body: RawBody) -> Response:
    """A form with the mail in it, raw or in parts."""
    _verify_sendgrid(site, request, body)
    try:
        delivery_id = packages.digest_of_form(body)
    except Unreadable as fault:
        # SendGrid sends again for three days what is not answered with 200, and it would not become a form.
        log.warning("a request to Inbound Parse %s", fault)
        return Response(status_code=200)
    take(site.installation, Source.SENDGRID, delivery_id, body)
    return Response(status_code=200)


@router.api_route("/helpdesk", methods=["POST"], dependencies=[Depends(_helpdesk_may_post)])
def take_from_helpdesk(site: CurrentSite, request: Request, body: RawBody, now: Now) -> Response:
    """JSON with the raw mail as base 64 in `raw`, signed as Standard Webhooks."""
    secret = site.settings.helpdesk_secret.get_secret_value()
    delivery_id = standard_webhooks.verified_id(request.headers, body, secret, now)
    take(site.installation, Source.HELPDESK, delivery_id, body)
    try:
        packages.opened(Source.HELPDESK, body)
    except Unreadable as fault:
        # It is stored, for a person; whoever connects the help desk sees here that something is wrong.
        return PlainTextResponse(f"It {fault}.\n", 422)
    return Response(status_code=204)


def _verify_sendgrid(site: Site, request: Request, body: bytes) -> None:
    settings = site.settings
    if settings.sendgrid_inbound_unsigned:
        return
    shown = (request.headers.get(sendgrid_signature.SIGNATURE), request.headers.get(sendgrid_signature.TIMESTAMP))
    sendgrid_signature.verify(settings.sendgrid_inbound_key, "KEYTURN_SENDGRID_INBOUND_KEY", body, *shown)


def refuse(_request: Request, error: Exception) -> Response:
    """The answer to a help desk that has not signed. The log says why, and the answer what to look at."""
    log.warning("a mail from a help desk is refused: %s", error)
    return PlainTextResponse("The signature is missing, wrong or too old.\n", 403)
