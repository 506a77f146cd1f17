"""Showing a second factor in the settings, before a change: a code is typed, or a security key is used."""

from functools import partial
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query, Response
from fastapi.responses import JSONResponse

from tasks.ringing import ring
from web.customer import Now, Short
from web.guards import same_origin
from web.settings_pages import Done, known_page, write
from web.site import CurrentSite, Site
from web.visits import Here
from web.words import Said
from workflows import sign_in
from workflows.account_page import account_page
from workflows.portal import Visit
from workflows.showing_factors import Shown
from workflows.sign_in import CannotSignIn, NoSuchFactor, Outcome, Verified

router = APIRouter(prefix="/settings/confirm", dependencies=[Depends(same_origin)])
page = partial(router.api_route, methods=["GET", "HEAD"])
form = partial(router.api_route, methods=["POST"])

Next = Annotated[str, Query(alias="next", max_length=200)]
NextField = Annotated[str, Form(alias="next", max_length=200)]
Assertion = Annotated[str, Form(max_length=12_000)]


@page("")
def ask(site: CurrentSite, here: Here, now: Now, next_page: Next = "", done: Done = "") -> Response:
    """Asks for a second factor."""
    return _page(site, here, next_page, now, done=done)


@form("")
def confirm(
    site: CurrentSite, here: Here, now: Now, next_page: NextField = "", code: Short = "", answer: Assertion = ""
) -> Response:
    """Checks what was shown, and goes on to the page that asked for it."""
    if not (code.strip() or answer):
        return _page(site, here, next_page, now, Said(400, "Type a code.", "code"))
    verified = sign_in.confirm(site.installation, here, Shown(code, answer), now)
    ring(verified.owed)
    if verified.outcome is Outcome.REFUSED:
        return _page(site, here, next_page, now, _said(verified))
    return _go_on(site, here, verified, known_page(next_page), now)


@form("/sms")
def send_code(site: CurrentSite, here: Here, now: Now, next_page: NextField = "") -> Response:
    """Sends a code by text message."""
    try:
        sent = sign_in.confirm_with_sms(site.installation, here, now)
    except (NoSuchFactor, CannotSignIn):
        return _page(site, here, next_page, now, Said(409, "We cannot send a code now. Use another second step."))
    ring(sent.owed)
    if not sent.owed:
        return _page(site, here, next_page, now, Said(429, "We cannot send another code yet.", at=sent.next_at))
    return site.go(f"/settings/confirm?next={known_page(next_page)}&done=sent")


@form("/options")
def key_options(site: CurrentSite, here: Here, now: Now) -> Response:
    """What the browser hands to the security key."""
    try:
        options = sign_in.confirm_with_key(site.installation, here, now)
    except (NoSuchFactor, CannotSignIn):
        return JSONResponse({"problem": "Load this page again."}, HTTPStatus.CONFLICT)
    return Response(options.options, media_type="application/json")


def _go_on(site: Site, here: Visit, verified: Verified, next_page: str, now: Now) -> Response:
    if verified.matched is None or verified.matched.replacement is None:
        return site.go(f"{next_page}?done=confirmed")
    account = account_page(site.installation, here, now)
    return write(site, "recovery_code_used.html", account, matched=verified.matched, next_page=next_page)


def _said(verified: Verified) -> Said:
    if not verified.wait:
        return Said(400, "This did not count. Type the code that stands there now, or use another second step.", "code")
    seconds = int(verified.wait.total_seconds())
    wait = f"{seconds} seconds" if seconds < 120 else f"{seconds // 60} minutes"  # noqa: PLR2004 - two minutes
    return Said(429, f"This did not count. After several wrong tries, please wait {wait} before the next one.", "code")


def _page(site: Site, here: Visit, next_page: str, now: Now, said: Said | None = None, *, done: str = "") -> Response:
    account = account_page(site.installation, here, now)
    return write(
        site, "settings_confirm.html", account, said=said, done=done, fetches=True, next_page=known_page(next_page)
    )
