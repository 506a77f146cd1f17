"""The REST API of the billing system: links to the settings, checks at sign-in, attested passwords, and accounts.

Every request shows an API key. A check that is refused looks the same for every reason.
"""

import json
from datetime import datetime, timedelta
from http import HTTPStatus
from ipaddress import ip_address
from typing import Annotated, Any, Literal, Self

from fastapi import APIRouter, Body, Depends, Header, Path, Response
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from authenticators.listing import Listed
from foundation import clock
from models.accounts import AccountStatus
from tasks.ringing import ring
from web.problems import Problem, Unauthorized
from web.site import CurrentSite
from workflows import api_keys, importing, portal, proving, sign_in, views
from workflows.accounts import UnknownAccount
from workflows.cases import UnknownCase
from workflows.importing import NothingImported
from workflows.references import read_reference
from workflows.showing_factors import Shown
from workflows.sign_in import CannotSignIn, NoSuchFactor, Outcome, Verified
from workflows.views import AccountView


def _may_ask(site: CurrentSite, now: "Now", authorization: Annotated[str, Header()] = "") -> None:
    scheme, _, key = authorization.partition(" ")
    if scheme.lower() != "bearer" or api_keys.name_of(site.installation, key.strip(), now) is None:
        raise Unauthorized


Now = Annotated[datetime, Depends(clock.now)]
router = APIRouter(prefix="/v1", dependencies=[Depends(_may_ask)])

Ref = Annotated[str, Path(pattern=r"^[A-Za-z0-9._-]{1,64}$")]


def _network_address(value: str) -> str:
    try:
        return str(ip_address(value))
    except ValueError:
        raise ValueError("must be an IP address") from None


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class ChallengeAsked(_Body):
    """What the customer wants to sign in with."""

    kind: Literal["security_key", "sms"]


class Evidence(_Body):
    """What the customer showed: exactly one of a code of any kind, and what the browser's security key answered.

    `address` is the customer's own on the network, for the throttle.
    """

    code: Annotated[str, Field(max_length=200)] | None = None
    assertion: dict[str, Any] | None = None
    address: Annotated[str, Field(max_length=45), AfterValidator(_network_address)] | None = None

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if (self.code is None) == (self.assertion is None):
            raise ValueError("give exactly one of code and assertion")
        return self

    def shown(self) -> Shown:
        """The same for the workflow."""
        return Shown(self.code or "", "" if self.assertion is None else json.dumps(self.assertion))


class Attestation(_Body):
    """The customer `account` has signed in with the password at `signed_in_at`."""

    account: Annotated[str, Field(max_length=64)]
    signed_in_at: AwareDatetime


@router.api_route("/accounts/{ref}/portal-sessions", methods=["POST"], status_code=201)
def make_portal_session(site: CurrentSite, ref: Ref, now: Now) -> dict[str, object]:
    """A link to the settings pages, for a customer who has just signed in."""
    try:
        link = portal.make_link(site.installation, ref, now)
    except UnknownAccount:
        raise _unknown_account() from None
    return {"url": link.url, "expires_at": link.expires_at}


@router.api_route("/accounts/{ref}/sign-in-challenges", methods=["POST"], status_code=201)
def begin_sign_in(
    site: CurrentSite, response: Response, ref: Ref, asked: ChallengeAsked, now: Now
) -> dict[str, object]:
    """Options for a security key, or a code by text message."""
    try:
        if asked.kind == "security_key":
            options = sign_in.begin_with_key(site.installation, ref, now).options
            return {"kind": asked.kind, "options": json.loads(options)}
        sent = sign_in.begin_with_sms(site.installation, ref, now)
    except UnknownAccount:
        raise _unknown_account() from None
    except NoSuchFactor:
        raise Problem(
            HTTPStatus.CONFLICT, "no-such-factor", f"The account has no usable {asked.kind}. Ask for another factor."
        ) from None
    except CannotSignIn as nothing:
        raise Problem(HTTPStatus.CONFLICT, str(nothing.outcome).replace("_", "-"), _WHY[nothing.outcome]) from None
    ring(sent.owed)
    if not sent.owed:
        response.status_code = HTTPStatus.TOO_MANY_REQUESTS
        response.headers["Retry-After"] = str(_seconds(sent.next_at - now if sent.next_at else timedelta(hours=1)))
    return {"kind": asked.kind, "sent_to": sent.sent_to, "next_at": sent.next_at}


_WHY = {
    Outcome.ENROLMENT_REQUIRED: "A reset removed the account's factors. The customer has to set up a new one first.",
    Outcome.NOT_ENROLLED: "The account has no second factor.",
}


@router.api_route("/accounts/{ref}/verify", methods=["POST"])
def verify(site: CurrentSite, ref: Ref, evidence: Evidence, now: Now) -> dict[str, object]:
    """Whether the second factor is right, and which one it was."""
    try:
        verified = sign_in.verify(site.installation, ref, evidence.shown(), address=evidence.address, now=now)
    except UnknownAccount:
        raise _unknown_account() from None
    ring(verified.owed)
    return _told(verified)


@router.api_route("/resets/{reference}/attest-password", methods=["POST"])
def attest_password(
    site: CurrentSite, reference: Annotated[str, Path(max_length=20)], attestation: Attestation, now: Now
) -> dict[str, object]:
    """A proof for a case: its customer has just signed in with the password."""
    known = read_reference(reference)
    if known is None or not _is_of(site, known, attestation.account):
        raise Problem(HTTPStatus.NOT_FOUND, "unknown-reset", "This account has no reset with this reference.")
    answer = proving.attest_password(site.installation, known, signed_in_at=attestation.signed_in_at, now=now)
    ring(answer.owed)
    return {
        "reference": answer.reference,
        "state": answer.state,
        "closed_at": answer.closed_at,
        "problem": answer.problem,
    }


@router.api_route("/accounts/{ref}", methods=["GET"])
def show_account(site: CurrentSite, ref: Ref, now: Now) -> dict[str, object]:
    """How the account stands; contact points are masked."""
    try:
        view = views.account_view(site.installation, ref)
    except UnknownAccount:
        raise _unknown_account() from None
    quarantine = view.quarantine_until
    return {
        "ref": view.ref,
        "status": view.status,
        "second_factor": _next(view),
        "preference": view.preference,
        "backup": view.backup,
        "passphrase_set": view.passphrase_set,
        "quarantine_until": quarantine if quarantine and quarantine > now else None,
        "factors": [_factor(each) for each in view.authenticators if each.revoked_at is None],
        "open_reset": next((case.reference for case in view.cases if case.is_open), None),
    }


def _next(view: AccountView) -> str:
    """What a sign-in asks for after the password."""
    if view.status is AccountStatus.ENROLMENT_PENDING:
        return Outcome.ENROLMENT_REQUIRED
    return "required" if any(each.revoked_at is None for each in view.authenticators) else Outcome.NOT_ENROLLED


def _factor(factor: Listed) -> dict[str, object]:
    return {
        "id": factor.id,
        "kind": factor.kind,
        "label": factor.label,
        "created_at": factor.created_at,
        "last_used_at": factor.last_used_at,
        "suspended": factor.suspended_at is not None,
    }


@router.api_route("/accounts/{ref}", methods=["PUT"])
def put_account(site: CurrentSite, ref: Ref, row: Annotated[dict[str, Any], Body()], now: Now) -> dict[str, object]:
    """Creates the account or brings it up to date, with a row as `keyturn account import` takes it."""
    try:
        imported = importing.import_accounts(site.installation, [row | {"ref": ref}], now)
    except NothingImported as refusal:
        told = "; ".join(fault.removeprefix("row 1: ") for fault in refusal.faults)
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "refused", told) from None
    ring(imported.owed)
    return {"ref": ref, "created": imported.created == 1}


def _told(verified: Verified) -> dict[str, object]:
    matched = verified.matched
    factor = {"id": matched.authenticator_id, "kind": matched.kind, "label": matched.label} if matched else None
    return {
        "outcome": verified.outcome,
        "authenticator": factor,
        "enrol_again": bool(matched and matched.is_weak),
        "recovery_codes_left": matched.codes_left if matched else None,
        "replacement_code": matched.replacement if matched else None,
        "retry_after": _seconds(verified.wait),
        "quarantine_until": verified.quarantine_until,
    }


def _is_of(site: CurrentSite, reference: str, ref: str) -> bool:
    try:
        return views.case_view(site.installation, reference).account == ref
    except UnknownCase:
        return False


def _seconds(wait: timedelta) -> int:
    return -int(-wait.total_seconds() // 1)


def _unknown_account() -> Problem:
    return Problem(HTTPStatus.NOT_FOUND, "unknown-account", "No account has this ref. Import it first.")
