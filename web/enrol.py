"""Back in after a reset: the link in our message, the proof again, and the way to a new second factor.

The link alone grants nothing. With the session that proved the case it leads on; without, the reset passphrase is asked
for, or a new code. It stands under the case's address, so that the case's cookie comes with it.
"""

from datetime import timedelta
from functools import partial
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Cookie, Depends, HTTPException, Response

from policy.routing import NotAllowed
from tasks.ringing import ring
from web import sessions, visits
from web.customer import InPath, Long, Now, Proven, Short
from web.guards import same_origin
from web.sessions import Session
from web.site import CurrentSite, Site
from web.words import Said
from workflows import enrolment, granting
from workflows.enrolment import AskedProof, EnrolmentFault, Grant, GrantState
from workflows.enrolment import Proven as ProvenAgain
from workflows.views import CaseView

router = APIRouter(dependencies=[Depends(same_origin)])
page = partial(router.api_route, methods=["GET", "HEAD"])
form = partial(router.api_route, methods=["POST"])


def _granted(site: CurrentSite, view: InPath, token: str, now: Now) -> Grant:
    if not granting.is_enrolment_token(site.installation, view.id, token):
        raise HTTPException(404)
    return enrolment.grant_of(site.installation, view.reference, now)


Granted = Annotated[Grant, Depends(_granted)]


def _session(site: CurrentSite, view: InPath, now: Now, case: Annotated[str | None, Cookie()] = None) -> Session | None:
    return sessions.session_of(site, case, view.id, now)


InSession = Annotated[Session | None, Depends(_session)]


@form("/reset/{reference}/enrol")
def begin(site: CurrentSite, view: Proven, session: InSession, now: Now) -> Response:
    """For the browser that has proven the case."""
    given = session is not None and session.passphrase_given
    proven = enrolment.begin(site.installation, view.reference, now, passphrase_given=given)
    return _go_on(site, view, proven, granting.enrolment_token(site.installation, view.id), now)


@page("/reset/{reference}/enrol/{token}")
def open_link(site: CurrentSite, view: InPath, token: str, grant: Granted, session: InSession) -> Response:
    """Says what comes next: a button, or the proof that is asked for."""
    is_proven = session is not None and (session.passphrase_given or grant.proof is not AskedProof.PASSPHRASE)
    return _page(site, view, grant, token=token, is_proven=is_proven)


@form("/reset/{reference}/enrol/{token}/code")
def send_code(site: CurrentSite, view: InPath, token: str, grant: Granted, now: Now) -> Response:
    """Sends a new code to the contact point that was proven."""
    try:
        queued = enrolment.send_code(site.installation, view.reference, now)
    except NotAllowed as reason:
        return _page(site, view, grant, token=token, said=Said(409, str(reason)))
    ring(queued.owed)
    if not queued.owed:
        later = queued.next_at or now + timedelta(hours=1)
        return _page(site, view, grant, token=token, said=Said(429, "You can ask for another code from", at=later))
    return _page(site, view, grant, token=token, sent=True)


@form("/reset/{reference}/enrol/{token}")
def prove_again(
    site: CurrentSite, view: InPath, token: str, grant: Granted, now: Now, code: Short = "", passphrase: Long = ""
) -> Response:
    """The proof again."""
    if grant.proof is AskedProof.PASSPHRASE:
        proven = enrolment.prove_passphrase(site.installation, view.reference, passphrase, now)
    else:
        proven = enrolment.prove_code(site.installation, view.reference, code, now)
    return _go_on(site, view, proven, token, now)


def _go_on(site: Site, view: CaseView, proven: ProvenAgain, token: str, now: Now) -> Response:
    if proven.cookie is None:
        grant = enrolment.grant_of(site.installation, view.reference, now)
        return _page(site, view, grant, token=token, said=_said(proven))
    response = site.go("/settings/authentication")
    visits.let_in(response, site, proven.cookie)
    return response


def _page(
    site: Site,
    view: CaseView,
    grant: Grant,
    *,
    token: str,
    is_proven: bool = False,
    said: Said | None = None,
    sent: bool = False,
) -> Response:
    if grant.state is not GrantState.OPEN:
        return site.page("enrol_over.html", HTTPStatus.GONE, view=view, grant=grant)
    status = said.status if said else 200
    return site.page(
        "enrol.html", status, view=view, grant=grant, token=token, is_proven=is_proven, said=said, sent=sent
    )


def _said(proven: ProvenAgain) -> Said | None:
    if proven.fault is None or proven.fault is EnrolmentFault.NOT_OPEN:
        return None
    status, text, field = _WORDS[proven.fault]
    left = "" if proven.tries_left is None else f" Tries left: {proven.tries_left}."
    return Said(status, text + left, field)


_WORDS = {
    EnrolmentFault.PASSPHRASE_FIRST: (
        409,
        "In this browser only the code was given. Give your reset passphrase, too.",
        "passphrase",
    ),
    EnrolmentFault.WRONG_PASSPHRASE: (400, "This passphrase is not right.", "passphrase"),
    EnrolmentFault.WRONG_CODE: (400, "This code is not right.", "code"),
    EnrolmentFault.MALFORMED_CODE: (
        400,
        "A code has 8 digits, in a letter 10. Check what you typed; it was not counted as a try.",
        "code",
    ),
    EnrolmentFault.NO_VALID_CODE: (
        409,
        "No code works at the moment: none was sent, it has run out, or its tries are used up. Ask for a new one.",
        None,
    ),
    EnrolmentFault.TRIES_USED_UP: (409, "The tries are used up. Please contact us.", None),
}
