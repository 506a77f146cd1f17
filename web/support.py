"""The page of held mail: an agent sees why each mail is held, and opens a case for its account or dismisses it.

A link that `keyturn inbox page` prints lets an agent in, under the name that decisions are kept with. GET changes
nothing: the link leads to a button first.
"""

from datetime import datetime
from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Cookie, Depends, Form, HTTPException, Response

from foundation import clock
from tasks import showing
from tasks.ringing import ring
from web.guards import same_origin
from web.site import CurrentSite, Site
from workflows import entering, held, views
from workflows.accounts import UnknownAccount
from workflows.entering import PASS_LIFE, Agent
from workflows.held import NotHeld, UnknownMail
from workflows.opening import ResetsDisabled

router = APIRouter(prefix="/support", dependencies=[Depends(same_origin)])
page = partial(router.api_route, methods=["GET", "HEAD"])
form = partial(router.api_route, methods=["POST"])

COOKIE = "agent"

Now = Annotated[datetime, Depends(clock.now)]


class NoPass(Exception):
    """The browser has no pass to held mail. Ask whoever runs Keyturn for a link: `keyturn inbox page --by NAME`."""


def _agent_of_link(site: CurrentSite, token: str, now: Now) -> Agent:
    agent = entering.agent_of_link(site.installation, token, now)
    if agent is None:
        raise NoPass
    return agent


def _agent(site: CurrentSite, now: Now, agent: Annotated[str | None, Cookie()] = None) -> Agent:
    known = entering.agent_of_pass(site.installation, agent or "", now)
    if known is None:
        raise NoPass
    return known


InLink = Annotated[Agent, Depends(_agent_of_link)]
Known = Annotated[Agent, Depends(_agent)]


@page("/enter/{token}")
def ask_to_enter(site: CurrentSite, agent: InLink) -> Response:
    """A button: a program that opens links lets nobody in."""
    return site.page("support_enter.html", agent=agent)


@form("/enter/{token}")
def enter(site: CurrentSite, agent: InLink, now: Now) -> Response:
    """Lets the browser in."""
    response = site.go("/support/mails")
    response.set_cookie(
        COOKIE,
        entering.pass_for(site.installation, agent, now),
        max_age=int(PASS_LIFE.total_seconds()),
        path=f"{site.base}/support",
        secure=site.is_https,
        httponly=True,
        samesite="strict",
    )
    return response


@page("/mails")
def show_held(site: CurrentSite, agent: Known) -> Response:
    """The mails that wait for a person."""
    return site.page("support_mails.html", agent=agent, mails=views.waiting_mails(site.installation))


@page("/mails/{mail_id}")
def show_mail(site: CurrentSite, agent: Known, mail_id: UUID) -> Response:
    """One mail, with its verdict explained."""
    return _mail_page(site, agent, mail_id)


@form("/mails/{mail_id}/open-case")
def open_case(
    site: CurrentSite, agent: Known, mail_id: UUID, now: Now, account: Annotated[str, Form(max_length=200)] = ""
) -> Response:
    """Opens a case for the account that the agent names."""
    try:
        opened = held.open_case_for(site.installation, mail_id, account.strip(), by=agent.name, now=now)
    except (UnknownAccount, ResetsDisabled, NotHeld) as refusal:
        return _mail_page(site, agent, mail_id, _sentence(refusal))
    except UnknownMail:
        raise HTTPException(404) from None
    ring(opened.owed)
    return site.go(f"/support/mails/{mail_id}")


@form("/mails/{mail_id}/dismiss")
def dismiss(site: CurrentSite, agent: Known, mail_id: UUID, now: Now) -> Response:
    """Puts the mail aside."""
    try:
        held.dismiss(site.installation, mail_id, by=agent.name, now=now)
    except NotHeld as refusal:
        return _mail_page(site, agent, mail_id, _sentence(refusal))
    except UnknownMail:
        raise HTTPException(404) from None
    return site.go("/support/mails")


def _sentence(refusal: Exception) -> str:
    said = str(refusal)
    return f"{said[:1].upper()}{said[1:]}."


def _mail_page(site: Site, agent: Agent, mail_id: UUID, refusal: str | None = None) -> Response:
    try:
        mail = showing.show(site.installation, mail_id)
    except UnknownMail:
        raise HTTPException(404) from None
    return site.page("support_mail.html", 409 if refusal else 200, agent=agent, held=mail, refusal=refusal)
