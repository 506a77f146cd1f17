"""What a customer does with a reset: gives the code, then the passphrase, sees where it stands, stops it.

No GET changes anything: scanners of mail open every link. Whoever has proven a case gets a session for its pages.
"""

from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Cookie, Depends, Form, HTTPException, Query, Response

from foundation import clock
from models.cases import Actor, CaseState
from models.messages import Delivery, MessageStatus
from policy.vocabulary import Channel
from tasks.ringing import ring
from web import sessions, words
from web.guards import same_origin
from web.site import CurrentSite, Site
from web.steps import is_password_missing, steps
from web.words import Said
from workflows import closing, codes, enrolment, proving, stolen, views
from workflows.answers import Answer, Problem
from workflows.cases import UnknownCase
from workflows.enrolment import Grant, GrantState
from workflows.references import read_reference
from workflows.views import CaseView

router = APIRouter(dependencies=[Depends(same_origin)])
page = partial(router.api_route, methods=["GET", "HEAD"])
form = partial(router.api_route, methods=["POST"])

Now = Annotated[datetime, Depends(clock.now)]
Short = Annotated[str, Form(max_length=100)]
Long = Annotated[str, Form(max_length=1000)]


class NotProven(Exception):
    """The browser has no session for this case: its reader gives the code first."""

    def __init__(self, reference: str) -> None:
        super().__init__("no session for this case")
        self.reference = reference


def _case_in_path(site: CurrentSite, reference: str, now: Now) -> CaseView:
    known = read_reference(reference)
    if known is None:
        raise UnknownCase
    return _seen(site, known, now)


InPath = Annotated[CaseView, Depends(_case_in_path)]


def _proven_case(site: CurrentSite, view: InPath, now: Now, case: Annotated[str | None, Cookie()] = None) -> CaseView:
    if sessions.session_of(site, case, view.id, now) is None:
        raise NotProven(view.reference)
    return view


Proven = Annotated[CaseView, Depends(_proven_case)]


@page("/")
def ask_for_code(site: CurrentSite, now: Now, reference: Annotated[str, Query(max_length=100)] = "") -> Response:
    """The form for reference and code."""
    return _code_page(site, reference, now)


@form("/")
def take_code(site: CurrentSite, now: Now, reference: Short = "", code: Short = "") -> Response:
    """Proves the case with the code, and lets the browser in."""
    known = read_reference(reference)
    if known is None:
        return _code_page(site, reference, now, words.UNKNOWN_REFERENCE)
    if not code.strip():
        return _code_page(site, known, now, words.NO_CODE_TYPED)
    try:
        answer = proving.prove_code(site.installation, known, code, actor=Actor.CUSTOMER, now=now)
    except UnknownCase:
        return _code_page(site, reference, now, words.UNKNOWN_REFERENCE)
    return _let_in(site, answer, now)


@form("/resend")
def send_code_again(site: CurrentSite, now: Now, reference: Short = "") -> Response:
    """Sends the code again; the page that comes then says where to, or why not."""
    known = read_reference(reference)
    if known is None:
        raise UnknownCase
    answer = codes.resend(site.installation, known, actor=Actor.CUSTOMER, now=now)
    ring(answer.owed)
    if answer.problem:
        return _refused(site, answer, now)
    return site.go(f"/?reference={known}")


@page("/confirm/{reference}/{token}")
def ask_to_go_on(site: CurrentSite, view: InPath, now: Now) -> Response:
    """Says what was asked and when, and asks whether to go on."""
    if view.takes_code:
        return site.page("confirm.html", view=view)
    return _closed(site, view, now, 410) if not view.is_open else _to_case(site, view.reference)


@form("/confirm/{reference}/{token}")
def take_link(site: CurrentSite, view: InPath, token: str, now: Now) -> Response:
    """Proves the case with the link, and lets the browser in."""
    return _let_in(site, proving.prove_link(site.installation, view.reference, token, now=now), now)


def _stoppable_case(site: CurrentSite, view: InPath, token: str) -> CaseView:
    if not closing.is_stop_token(site.installation, view.id, token):
        raise HTTPException(404)
    return view


Stoppable = Annotated[CaseView, Depends(_stoppable_case)]


@page("/stop/{reference}/{token}")
def ask_to_stop(site: CurrentSite, view: Stoppable, now: Now) -> Response:
    """Says what will happen, and asks once more."""
    if not view.is_open:
        return _closed(site, view, now, 410)
    return site.page("stop.html", view=view, proven=False)


@form("/stop/{reference}/{token}")
def stop_by_link(site: CurrentSite, view: Stoppable, now: Now) -> Response:
    """Stops the reset."""
    answer = _cancel(site, view, "stop link", now)
    return _closed(site, _seen(site, view.reference, now), now, 410 if answer.problem else 200)


@page("/reset/{reference}")
def show_case(site: CurrentSite, view: Proven, now: Now) -> Response:
    """Where the reset stands, and what is missing."""
    return _case_page(site, view, now)


@form("/reset/{reference}/passphrase")
def take_passphrase(site: CurrentSite, view: Proven, now: Now, passphrase: Long = "") -> Response:
    """Proves the case with the passphrase."""
    if not passphrase.strip():
        return _case_page(site, view, now, words.NO_PASSPHRASE_TYPED)
    answer = proving.prove_passphrase(site.installation, view.reference, passphrase, actor=Actor.CUSTOMER, now=now)
    ring(answer.owed)
    if answer.problem is Problem.WRONG_PASSPHRASE:
        return _case_page(site, view, now, words.said(answer))
    response = _to_case(site, view.reference)
    if answer.problem is None:
        sessions.grant(response, site, view.id, view.reference, now, passphrase_given=True)
    return response


@page("/reset/{reference}/stop")
def ask_to_stop_proven(site: CurrentSite, view: Proven) -> Response:
    """The same as by the link, for somebody who has proven the case."""
    if not view.is_open:
        return _to_case(site, view.reference)
    return site.page("stop.html", view=view, proven=True)


@form("/reset/{reference}/stop")
def stop_proven(site: CurrentSite, view: Proven, now: Now) -> Response:
    """Stops the reset."""
    _cancel(site, view, "case page", now)
    return _to_case(site, view.reference)


@page("/reset/{reference}/stolen")
def ask_what_was_stolen(site: CurrentSite, view: Proven) -> Response:
    """The second steps of the account, each with a button that stops it at once."""
    if not view.is_open:
        return _to_case(site, view.reference)
    factors = stolen.factors_of(site.installation, view.reference)
    return site.page("stolen.html", view=view, factors=factors)


@form("/reset/{reference}/stolen")
def suspend(site: CurrentSite, view: Proven, now: Now, factor: Annotated[UUID, Form()]) -> Response:
    """From now on it does not sign in."""
    ring(stolen.report(site.installation, view.reference, factor, now).owed)
    return site.go(f"/reset/{view.reference}/stolen")


def _seen(site: Site, reference: str, now: datetime) -> CaseView:
    """The case as it stands now: expired where its time is over, though the sweep may not have met it yet."""
    view = views.case_view(site.installation, reference)
    if view.is_open and view.expires_at <= now:
        return replace(view, state=CaseState.EXPIRED, closed_at=view.expires_at)
    return view


def _let_in(site: Site, answer: Answer, now: datetime) -> Response:
    ring(answer.owed)
    if answer.problem:
        return _refused(site, answer, now)
    response = _to_case(site, answer.reference)
    sessions.grant(response, site, answer.case_id, answer.reference, now, passphrase_given=False)
    return response


def _refused(site: Site, answer: Answer, now: datetime) -> Response:
    if answer.problem is Problem.CLOSED:
        return _closed(site, _seen(site, answer.reference, now), now, 410)
    if answer.problem is Problem.ALREADY_PROVEN:
        # Perhaps by this very browser, with a double click: then it has the session, and goes on.
        return _to_case(site, answer.reference)
    return _code_page(site, answer.reference, now, words.said(answer))


def _cancel(site: Site, view: CaseView, how: str, now: datetime) -> Answer:
    answer = closing.cancel(site.installation, view.reference, actor=Actor.CUSTOMER, now=now, how=how)
    ring(answer.owed)
    return answer


def _to_case(site: Site, reference: str) -> Response:
    return site.go(f"/reset/{reference}")


def _code_page(site: Site, typed: str, now: datetime, said: Said | None = None) -> Response:
    """The form; or what stands in its place where this case takes no code any more."""
    view = _view_of(site, typed, now)
    if view and not view.is_open:
        return _closed(site, view, now, 410)
    if view and not view.takes_code:
        return site.page("elsewhere.html", 409, view=view)
    reference = view.reference if view else typed
    needs_new_code = view is not None and (_code_is_gone(view, now) or (said is not None and said.new_code))
    status = said.status if said else 200
    return site.page(
        "code.html",
        status,
        reference=reference,
        view=view,
        said=said,
        needs_new_code=needs_new_code,
        nobody_answered=view is not None and _nobody_answered(view),
    )


def _nobody_answered(view: CaseView) -> bool:
    """Whether the call with the code was tried as often as it is tried by itself."""
    return view.channel is Channel.VOICE and view.code is not None and view.code.delivery is Delivery.FAILED


def _code_is_gone(view: CaseView, now: datetime) -> bool:
    """Whether the last code has run out, or could not be delivered."""
    if view.code is None or view.code.status in {MessageStatus.FAILED, MessageStatus.CANCELLED}:
        return True
    return view.code.valid_until is not None and view.code.valid_until <= now


def _view_of(site: Site, typed: str, now: datetime) -> CaseView | None:
    reference = read_reference(typed)
    try:
        return _seen(site, reference, now) if reference else None
    except UnknownCase:
        return None


def _case_page(site: Site, view: CaseView, now: datetime, said: Said | None = None) -> Response:
    if not view.is_open:
        grant = enrolment.grant_of(site.installation, view.reference, now)
        return _closed(site, view, now, 200, grant)
    if view.needs_passphrase:
        status = said.status if said else 200
        return site.page("passphrase.html", status, view=view, steps=steps(view, now), said=said)
    waits = view.hold_until is not None and now < view.hold_until
    return site.page(
        "waiting.html",
        view=view,
        steps=steps(view, now),
        waits=waits,
        password_missing=is_password_missing(view),
    )


def _closed(site: Site, view: CaseView, now: datetime, status: int, grant: Grant | None = None) -> Response:
    """`grant` is for whoever has proven the case."""
    is_enrolled = grant is not None and grant.state is GrantState.USED
    done = steps(view, now, is_enrolled=is_enrolled) if view.state is CaseState.COMPLETED else ()
    return site.page("closed.html", status, view=view, steps=done, grant=grant)
