"""The REST API: who may call it, what each call answers, and refusals that do not tell why."""

import json
import logging
from datetime import UTC, datetime, timedelta

import pyotp
import pytest
from httpx2 import Response
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update
from starlette.testclient import TestClient

from models.access import ApiKey
from models.accounts import Account, AccountStatus
from models.cases import CaseState
from policy.vocabulary import Change
from tests.installations import (
    START,
    TOTP_SECRET,
    by_hand,
    deliver_all,
    email_account,
    rows,
    sms_account,
    start_case,
)
from workflows import api_keys
from workflows.installation import Installation
from workflows.views import case_view

ALIKE = {
    "outcome": "refused",
    "authenticator": None,
    "enrol_again": False,
    "recovery_codes_left": None,
    "replacement_code": None,
    "retry_after": 0,
    "quarantine_until": None,
}


@pytest.fixture
def key(installation: Installation) -> str:
    return api_keys.add(installation, "billing", START)


@pytest.fixture
def api(client: TestClient, key: str) -> TestClient:
    client.headers["Authorization"] = f"Bearer {key}"
    return client


def problem(answer: Response) -> tuple[int, str]:
    """Status and type of a problem."""
    assert answer.headers["content-type"] == "application/problem+json"
    told = answer.json()
    assert told["status"] == answer.status_code
    assert set(told) == {"type", "title", "status", "detail"}
    return answer.status_code, told["type"].rpartition("/")[2]


def verify(api: TestClient, ref: str = "DANA", **evidence: object) -> Response:
    return api.post(f"/v1/accounts/{ref}/verify", json=evidence)


def code_now() -> str:
    return pyotp.TOTP(TOTP_SECRET).now()


# --- Who may call


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer x", "Basic abc", "bearer keyturn_x", "Bearer ü"])
def test_without_a_key_that_works_nothing_is_answered(client: TestClient, authorization: str) -> None:
    answer = client.get("/v1/accounts/DANA", headers={b"Authorization": authorization.encode()})
    assert problem(answer) == (401, "unauthorized")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_revoked_key_works_no_longer(installation: Installation, api: TestClient) -> None:
    sms_account(installation)
    assert api.get("/v1/accounts/DANA").status_code == 200
    api_keys.revoke(installation, "billing", START)
    assert problem(api.get("/v1/accounts/DANA")) == (401, "unauthorized")


def test_a_key_is_stored_as_a_digest_and_its_use_is_noted(
    installation: Installation, api: TestClient, key: str
) -> None:
    sms_account(installation)
    api.get("/v1/accounts/DANA")
    (row,) = rows(installation, select(ApiKey.__table__))
    assert row.last_used_at is not None
    assert key not in str(row)


def test_two_working_keys_have_two_names(installation: Installation, key: str) -> None:
    with pytest.raises(api_keys.NameTaken):
        api_keys.add(installation, "billing", START)
    api_keys.revoke(installation, "billing", START)
    assert api_keys.add(installation, "billing", START) != key
    with pytest.raises(api_keys.UnknownKey):
        api_keys.revoke(installation, "other", START)


# --- Verify


def test_a_right_code_says_which_authenticator_it_was(installation: Installation, api: TestClient) -> None:
    sms_account(installation, totp_secret=TOTP_SECRET)
    told = verify(api, code=code_now(), address="192.0.2.10").json()
    assert told["outcome"] == "accepted"
    assert told["authenticator"]["kind"] == "totp"
    assert verify(api, code=code_now()).json() == ALIKE


@pytest.mark.parametrize(
    "evidence",
    [
        {"code": "000000"},
        {"code": ""},
        {"code": "ABCD-EFGH-JKMN-PQRS-T"},
        {"code": "'; --"},
        {"assertion": {}},
        {"assertion": {"id": "x", "response": {"clientDataJSON": "AAAA"}}},
        {"assertion": {"id": 7, "rawId": None, "type": [], "response": "x"}},
    ],
)
def test_whatever_is_wrong_the_answer_is_the_same(
    installation: Installation, api: TestClient, evidence: dict[str, object]
) -> None:
    sms_account(installation, totp_secret=TOTP_SECRET)
    answer = api.post("/v1/accounts/DANA/verify", json=evidence)
    assert (answer.status_code, answer.json()) == (200, ALIKE)


def test_after_a_reset_every_answer_asks_for_enrolment(installation: Installation, api: TestClient) -> None:
    sms_account(installation, totp_secret=TOTP_SECRET)
    by_hand(installation, update(Account).values(status=AccountStatus.ENROLMENT_PENDING))
    assert api.get("/v1/accounts/DANA").json()["second_factor"] == "enrolment_required"
    for code in (code_now(), "000000"):
        assert verify(api, code=code).json() == ALIKE | {"outcome": "enrolment_required"}
    for kind in ("sms", "security_key"):
        answer = api.post("/v1/accounts/DANA/sign-in-challenges", json={"kind": kind})
        assert problem(answer) == (409, "enrolment-required")


def test_without_a_factor_there_is_nothing_to_ask_for(installation: Installation, api: TestClient) -> None:
    sms_account(installation)
    assert api.get("/v1/accounts/DANA").json()["second_factor"] == "not_enrolled"
    assert verify(api, code="000000").json() == ALIKE | {"outcome": "not_enrolled"}
    answer = api.post("/v1/accounts/DANA/sign-in-challenges", json={"kind": "sms"})
    assert problem(answer) == (409, "not-enrolled")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"code": "1", "assertion": {}},
        {"code": 123456},
        {"code": "1", "more": 1},
        {"code": "1", "address": "nowhere"},
        {"code": "1" * 201},
        [],
        "code",
        None,
    ],
)
def test_a_wrong_body_is_refused_and_not_repeated(installation: Installation, api: TestClient, body: object) -> None:
    sms_account(installation)
    answer = api.post("/v1/accounts/DANA/verify", json=body)
    assert problem(answer) == (422, "invalid")
    assert "nowhere" not in answer.text
    assert "1" * 201 not in answer.text


def test_unknown_accounts_and_refs_of_no_shape_are_not_found(api: TestClient) -> None:
    answers = (
        api.get("/v1/accounts/NOBODY"),
        verify(api, "NOBODY", code="1"),
        api.post("/v1/accounts/NOBODY/portal-sessions"),
        api.post("/v1/accounts/NOBODY/sign-in-challenges", json={"kind": "sms"}),
    )
    assert {problem(each) for each in answers} == {(404, "unknown-account")}
    assert problem(api.get("/v1/accounts/a%20b"))[0] == 422
    assert problem(api.get("/v1/nothing"))[0] == 404
    assert problem(api.delete("/v1/accounts/NOBODY"))[0] == 405


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
bodies = st.dictionaries(
    st.sampled_from(["code", "assertion", "address", "kind", "account", "signed_in_at"]), json_values
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(bodies)
def test_no_body_is_a_fault_of_ours(installation: Installation, api: TestClient, body: dict[str, object]) -> None:
    if not rows(installation, select(Account.id)):
        sms_account(installation, totp_secret=TOTP_SECRET)
    by_hand(installation, update(Account).values(refused_in_a_row=0, sign_in_waits_until=None))
    for path in ("accounts/DANA/verify", "accounts/DANA/sign-in-challenges", "resets/R-0000-0000/attest-password"):
        answer = api.post(f"/v1/{path}", content=json.dumps(body), headers={"Content-Type": "application/json"})
        assert answer.status_code < 500


# --- Portal sessions, attested passwords


def test_a_portal_session_is_a_link_to_the_settings(installation: Installation, api: TestClient) -> None:
    sms_account(installation)
    answer = api.post("/v1/accounts/DANA/portal-sessions")
    assert answer.status_code == 201
    told = answer.json()
    assert told["url"].startswith(f"{installation.settings.public_url}/settings/enter/")
    left = datetime.fromisoformat(told["expires_at"]) - datetime.now(UTC)
    assert timedelta(minutes=4) < left <= timedelta(minutes=5)


def attest(api: TestClient, reference: str, account: str = "DANA", ago: timedelta = timedelta()) -> Response:
    body = {"account": account, "signed_in_at": (datetime.now(UTC) - ago).isoformat()}
    return api.post(f"/v1/resets/{reference}/attest-password", json=body)


def test_a_password_is_attested_for_the_accounts_own_open_reset(installation: Installation, api: TestClient) -> None:
    sms_account(installation)
    email_account(installation)
    case = start_case(installation, "DANA", datetime.now(UTC))
    for account, reference in (("JONAS", case.reference), ("DANA", "R-0000-0000"), ("DANA", "nonsense")):
        assert problem(attest(api, reference, account)) == (404, "unknown-reset")
    assert attest(api, case.reference, ago=timedelta(minutes=11)).json()["problem"] == "sign_in_not_recent"
    assert attest(api, case.reference, ago=-timedelta(minutes=2)).json()["problem"] == "sign_in_not_recent"
    for far in ("9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z"):
        body = {"account": "DANA", "signed_in_at": far}
        answer = api.post(f"/v1/resets/{case.reference}/attest-password", json=body)
        assert answer.json()["problem"] == "sign_in_not_recent"
    told = attest(api, case.reference.lower()).json()
    assert told == {"reference": case.reference, "state": "requested", "closed_at": None, "problem": None}
    assert [each.kind for each in case_view(installation, case.reference).proofs] == ["password"]


def test_a_sign_in_cancels_the_open_reset(installation: Installation, api: TestClient) -> None:
    sms_account(installation, totp_secret=TOTP_SECRET)
    case = start_case(installation, "DANA", datetime.now(UTC))
    assert api.get("/v1/accounts/DANA").json()["open_reset"] == case.reference
    assert verify(api, code=code_now()).json()["outcome"] == "accepted"
    assert case_view(installation, case.reference).state is CaseState.CANCELLED
    assert api.get("/v1/accounts/DANA").json()["open_reset"] is None


# --- Accounts


def test_an_account_is_shown_without_an_address(installation: Installation, api: TestClient) -> None:
    sms_account(installation, totp_secret=TOTP_SECRET)
    answer = api.get("/v1/accounts/DANA")
    told = answer.json()
    assert (told["ref"], told["second_factor"], told["preference"]) == ("DANA", "required", "sms")
    assert [each["kind"] for each in told["factors"]] == ["totp"]
    assert "example" not in answer.text
    assert TOTP_SECRET not in answer.text


def test_an_account_is_made_changed_and_told(installation: Installation, api: TestClient) -> None:
    body = {
        "name": "Dana",
        "country": "US",
        "primary_email": "d@primary.example",
        "primary_email_verified": "2024-03-02",
    }
    assert api.put("/v1/accounts/DANA", json=body).json() == {"ref": "DANA", "created": True}
    assert api.put("/v1/accounts/DANA", json=body).json() == {"ref": "DANA", "created": False}
    from models.messages import Message

    assert rows(installation, select(Message.id)) == []
    api.put("/v1/accounts/DANA", json=body | {"primary_email": "new@primary.example"})
    sent = deliver_all(installation, [each.id for each in rows(installation, select(Message.id))], datetime.now(UTC))
    assert [(each.change, each.permit.destination) for each in sent] == [(Change.PRIMARY_EMAIL, "d@primary.example")]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": "x", "country": "US", "ref": "OTHER", "more": 1},
        {"name": "x", "country": "USA"},
        [],
    ],
)
def test_a_row_that_is_wrong_changes_nothing(installation: Installation, api: TestClient, body: object) -> None:
    assert problem(api.put("/v1/accounts/DANA", json=body))[0] == 422
    assert rows(installation, select(Account.id)) == []


def test_half_a_character_in_a_passphrase_is_refused(api: TestClient) -> None:
    body = b'{"name": "x", "country": "US", "passphrase": "\\ud800aaaaaaaaaa"}'
    assert problem(api.put("/v1/accounts/DANA", content=body))[0] == 422


def test_a_frozen_account_is_not_changed(installation: Installation, api: TestClient) -> None:
    sms_account(installation)
    start_case(installation, "DANA", datetime.now(UTC))
    answer = api.put("/v1/accounts/DANA", json={"name": "Dana", "country": "US"})
    assert problem(answer) == (422, "refused")
    assert "frozen" in answer.json()["detail"]


def test_no_log_holds_a_key_or_a_code(
    installation: Installation, api: TestClient, key: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    sms_account(installation, totp_secret=TOTP_SECRET)
    verify(api, code="918273")
    url = api.post("/v1/accounts/DANA/portal-sessions").json()["url"]
    logged = caplog.text
    assert key not in logged
    assert "918273" not in logged
    assert url.rpartition("/")[2] not in logged
