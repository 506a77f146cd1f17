"""A customer's second steps: setting up apps, security keys, text messages and recovery codes, and removing them."""

import re
from functools import partial
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

import segno
from fastapi import APIRouter, Depends, Form, Query, Response
from fastapi.responses import JSONResponse, PlainTextResponse

from authenticators.listing import Listed
from models.factors import Algorithm
from policy.routing import NotAllowed
from policy.vocabulary import Channel
from tasks.ringing import ring
from web.account_words import clock_words, said_of_code
from web.customer import Now, Short
from web.guards import same_origin
from web.settings_pages import FACTORS, Done, write
from web.site import CurrentSite, Site
from web.visits import Here
from web.words import Said
from workflows import factors
from workflows.account_page import AccountPage, account_page
from workflows.changing import NotNow, check_factors
from workflows.factors import Enrolled, Fault, NoSuchFactorHere, Offer
from workflows.portal import Visit

router = APIRouter(dependencies=[Depends(same_origin)])
page = partial(router.api_route, methods=["GET", "HEAD"])
form = partial(router.api_route, methods=["POST"])

_CODE_SHAPE = re.compile(r"[0-9A-Z]{4}-[0-9A-Z]{5}-[0-9A-Z]{4}-[0-9A-Z]{4}")
_MOST_CODES = 10

Sealed = Annotated[str, Form(max_length=2000)]
KeyAnswer = Annotated[str, Form(max_length=12_000)]
"""What a security key answers, as JSON; some 1 to 3 KB."""


@page("/settings/authentication")
def show(site: CurrentSite, here: Here, now: Now, done: Done = "") -> Response:
    """All second steps, how to set one up, and what happened on the account."""
    return write(site, "authentication.html", account_page(site.installation, here, now), done=done)


@page("/settings/app/new")
def offer_app(
    site: CurrentSite,
    here: Here,
    now: Now,
    algorithm: Annotated[Algorithm, Query()] = Algorithm.SHA1,
    digits: Annotated[int, Query(ge=6, le=8, multiple_of=2)] = 6,
) -> Response:
    """A QR code to scan."""
    return _app_page(site, here, factors.offer_app(site.installation, here, algorithm, digits, now), now)


@form("/settings/app/new")
def add_app(
    site: CurrentSite, here: Here, now: Now, sealed: Sealed = "", code: Short = "", name: Short = ""
) -> Response:
    """Sets the app up, if it shows the right code."""
    done = factors.add_app(site.installation, here, sealed, code, name, now)
    if done.fault is None or done.fault is Fault.KNOWN_ALREADY:
        return _enrolled(site, done)
    offer = factors.offer_again(site.installation, here, sealed, now)
    if offer is None:
        offer = factors.offer_app(site.installation, here, Algorithm.SHA1, 6, now)
    return _app_page(site, here, offer, now, _said(done), name)


@page("/settings/key/new")
def ask_for_key(site: CurrentSite, here: Here, now: Now) -> Response:
    """A button that has the browser ask for the key."""
    check_factors(site.installation, here, now)
    return _key_page(site, here, now)


@form("/settings/key/options")
def key_options(site: CurrentSite, here: Here, now: Now) -> Response:
    """What the browser hands to the key."""
    try:
        return Response(factors.key_options(site.installation, here, now), media_type="application/json")
    except NotNow:
        return JSONResponse({"problem": "Load this page again."}, HTTPStatus.CONFLICT)


@form("/settings/key/new")
def add_key(site: CurrentSite, here: Here, now: Now, answer: KeyAnswer = "", name: Short = "") -> Response:
    """Sets the key up that answered."""
    done = factors.add_key(site.installation, here, answer, name, now)
    return _key_page(site, here, now, _said(done), name) if done.fault else _enrolled(site, done)


@page("/settings/sms")
def ask_for_phone_code(site: CurrentSite, here: Here, now: Now, done: Done = "") -> Response:
    """Codes by text message: a button that sends one, and the form that takes it."""
    check_factors(site.installation, here, now)
    return _sms_page(site, here, now, done=done)


@form("/settings/sms/send")
def send_phone_code(site: CurrentSite, here: Here, now: Now) -> Response:
    """Sends a code to the confirmed phone."""
    try:
        sent = factors.send_phone_code(site.installation, here, now)
    except NotAllowed as reason:
        return _sms_page(site, here, now, Said(409, str(reason)))
    ring(sent.owed)
    if not sent.owed:
        return _sms_page(site, here, now, Said(429, "We cannot send another code yet.", at=sent.next_at))
    return site.go("/settings/sms?done=sent")


@form("/settings/sms")
def add_phone(site: CurrentSite, here: Here, now: Now, code: Short = "") -> Response:
    """Sets the phone up, if this is the code that was sent to it."""
    try:
        checked, done = factors.add_phone(site.installation, here, code, now)
    except NotAllowed as reason:
        return _sms_page(site, here, now, Said(409, str(reason)))
    if said := said_of_code(checked):
        return _sms_page(site, here, now, said)
    return _sms_page(site, here, now, _said(done)) if done.fault is Fault.TOO_MANY else _enrolled(site, done)


@page("/settings/recovery-codes")
def offer_recovery_codes(site: CurrentSite, here: Here, now: Now, done: Done = "") -> Response:
    """What recovery codes are, and a button that makes them."""
    check_factors(site.installation, here, now)
    return write(site, "recovery_codes.html", account_page(site.installation, here, now), done=done)


@form("/settings/recovery-codes")
def make_recovery_codes(site: CurrentSite, here: Here, now: Now) -> Response:
    """Ten new codes, shown this once."""
    codes, owed = factors.make_recovery_codes(site.installation, here, now)
    ring(owed)
    return write(site, "recovery_codes_made.html", account_page(site.installation, here, now), codes=codes)


@form("/settings/recovery-codes/file")
def download(site: CurrentSite, here: Here, codes: Annotated[list[Short] | None, Form()] = None) -> Response:
    """The codes that the page shows, as a text file. Nothing else is written into it."""
    lines = [each for each in codes or [] if _CODE_SHAPE.fullmatch(each)][:_MOST_CODES]
    head = f"{site.settings.brand_name}: recovery codes for {here.ref}. Each signs in once."
    return PlainTextResponse(
        "\r\n".join((head, "", *lines, "")),
        headers={"Content-Disposition": 'attachment; filename="recovery-codes.txt"'},
    )


@page("/settings/factors/{factor_id}")
def show_factor(site: CurrentSite, here: Here, factor_id: UUID, now: Now) -> Response:
    """One second step: its name, and what can be done with it."""
    return _factor_page(site, here, factor_id, now)


@form("/settings/factors/{factor_id}/name")
def rename(site: CurrentSite, here: Here, factor_id: UUID, now: Now, name: Short = "") -> Response:
    """Gives it another name."""
    if not name.strip():
        return _factor_page(site, here, factor_id, now, Said(400, "Type a name.", "name"))
    factors.rename(site.installation, here, factor_id, name, now)
    return site.go(f"{FACTORS}?done=renamed")


@form("/settings/factors/{factor_id}/restore")
def restore(site: CurrentSite, here: Here, factor_id: UUID, now: Now) -> Response:
    """What was said to be stolen has been found."""
    ring(factors.restore(site.installation, here, factor_id, now))
    return site.go(f"{FACTORS}?done=restored")


@page("/settings/factors/{factor_id}/remove")
def ask_to_remove(site: CurrentSite, here: Here, factor_id: UUID, now: Now) -> Response:
    """Asks once more."""
    check_factors(site.installation, here, now)
    account = account_page(site.installation, here, now)
    factor = _factor(account, factor_id)
    return write(site, "factor_remove.html", account, factor=factor, is_last=len(account.factors) == 1)


@form("/settings/factors/{factor_id}/remove")
def remove(site: CurrentSite, here: Here, factor_id: UUID, now: Now) -> Response:
    """Removes it; with the last one, two-factor sign-in is off."""
    ring(factors.remove(site.installation, here, factor_id, now))
    return site.go(f"{FACTORS}?done=removed")


def show_missing(site: Site) -> Response:
    """For a page that names what is not there any more."""
    return site.page("factor_missing.html", HTTPStatus.NOT_FOUND)


def _enrolled(site: Site, done: Enrolled) -> Response:
    ring(done.owed)
    if done.fault is Fault.KNOWN_ALREADY:
        return site.go(f"{FACTORS}?done=known")
    return site.go(f"{'/settings/recovery-codes' if done.is_first else FACTORS}?done=added")


def _said(done: Enrolled) -> Said:
    match done.fault:
        case Fault.CLOCK_IS_OFF if done.skew is not None:
            clock = clock_words(done.skew)
            return Said(400, f"Your phone's clock is {clock}. Set it to automatic, then type the next code.", "code")
        case Fault.OFFER_OVER:
            return Said(410, "The QR code was too old. This is a new one: scan it, then type its code.")
        case Fault.BAD_KEY:
            return Said(400, done.why)
        case Fault.TOO_MANY:
            return Said(409, f"An account has at most {factors.MOST_FACTORS} second steps. Remove one first.")
    return Said(400, "This code is not right. Type the one that the app shows now.", "code")


def _app_page(site: Site, here: Visit, offer: Offer, now: Now, said: Said | None = None, name: str = "") -> Response:
    account = account_page(site.installation, here, now)
    return write(site, "app_new.html", account, said=said, offer=offer, qr=_qr(offer.uri), name=name)


def _qr(uri: str) -> str:
    """As SVG, black on white also where the page is dark: not all cameras read the inverse."""
    return str(segno.make(uri, error="m", micro=False).svg_inline(omitsize=True, dark="#000", light="#fff"))


def _key_page(site: Site, here: Visit, now: Now, said: Said | None = None, name: str = "") -> Response:
    account = account_page(site.installation, here, now)
    return write(site, "key_new.html", account, said=said, fetches=True, name=name)


def _sms_page(site: Site, here: Visit, now: Now, said: Said | None = None, *, done: str = "") -> Response:
    account = account_page(site.installation, here, now)
    return write(site, "sms_new.html", account, said=said, done=done, why_not=account.why_not(Channel.SMS))


def _factor_page(site: Site, here: Visit, factor_id: UUID, now: Now, said: Said | None = None) -> Response:
    account = account_page(site.installation, here, now)
    return write(site, "factor.html", account, said=said, factor=_factor(account, factor_id))


def _factor(account: AccountPage, factor_id: UUID) -> Listed:
    found = next((each for each in account.factors if each.id == factor_id), None)
    if found is None:
        raise NoSuchFactorHere
    return found
