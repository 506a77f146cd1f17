"""What stands around every page: headers, foreign forms refused, bodies limited, plain error pages, a discreet log."""

import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from foundation import clock
from models.cases import CaseState
from models.database import Database
from tests.installations import Started, email_account, make_installation, start_case
from tests.web.browser import browser, heading_of, prove, type_code
from workflows import closing
from workflows.installation import Installation
from workflows.views import case_view

UNKNOWN = "R-7K2M-9QXW"


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """One engine: none of this depends on which."""
    return f"sqlite:///{tmp_path / 'keyturn.db'}"


@pytest.fixture
def case(installation: Installation) -> Started:
    return start_case(installation, email_account(installation), clock.now())


@pytest.fixture
def without_tables(installation: Installation, tmp_path: Path) -> Iterator[TestClient]:
    """The pages over a database that nobody has migrated."""
    empty = Database(f"sqlite:///{tmp_path / 'empty.db'}")
    with browser(replace(installation, database=empty)) as client:
        yield client
    empty.dispose()


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 200),
        ("POST", "/", 404),
        ("GET", "/health", 200),
        ("GET", "/brand.css", 200),
        ("GET", "/static/page.css", 200),
        ("GET", "/static/nothing.css", 404),
        ("GET", "/nowhere", 404),
        ("GET", "/docs", 404),
        ("GET", "/openapi.json", 404),
        ("GET", "http://127.0.0.1:8420//elsewhere.example/", 404),
        ("PUT", "/", 405),
        ("DELETE", f"/reset/{UNKNOWN}", 405),
        ("GET", f"/?reference={200 * 'R'}", 422),
    ],
)
def test_every_answer_has_the_security_headers(client: TestClient, method: str, path: str, status: int) -> None:
    answer = client.request(method, path)
    assert answer.status_code == status
    assert answer.headers["content-security-policy"] == (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    assert answer.headers["referrer-policy"] == "strict-origin"
    assert answer.headers["x-content-type-options"] == "nosniff"
    may_keep = path.startswith(("/static/page", "/brand"))
    assert answer.headers["cache-control"] == ("no-cache" if may_keep else "no-store")
    assert "strict-transport-security" not in answer.headers


def test_a_method_that_a_page_does_not_know_is_told_which_it_knows(client: TestClient) -> None:
    assert set(client.put("/").headers["allow"].split(", ")) & {"GET", "HEAD", "POST"}


def test_pages_use_nothing_inline_and_nothing_from_elsewhere(client: TestClient) -> None:
    page = client.get("/").text
    assert "style=" not in page
    assert "<style" not in page
    assert "onclick" not in page
    assert page.count("<script") == page.count('<script src="/')


@pytest.fixture
def elsewhere(database_url: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Installation]:
    """An installation with the public address that the test names."""
    made = make_installation(database_url, tmp_path, public_url=request.param)
    yield made
    made.database.dispose()


@pytest.mark.parametrize("elsewhere", ["https://reset.northfold.example"], indirect=True)
def test_https_is_demanded_where_the_site_has_it(elsewhere: Installation) -> None:
    case = start_case(elsewhere, email_account(elsewhere), clock.now())
    with browser(elsewhere) as client:
        answer = type_code(client, case.reference, case.code)
    assert answer.headers["strict-transport-security"] == "max-age=31536000"
    assert "; Secure" in answer.headers["set-cookie"]


@pytest.mark.parametrize("elsewhere", ["http://northfold.example/account"], indirect=True)
def test_the_site_works_below_a_path_that_a_proxy_takes_off(elsewhere: Installation) -> None:
    seen_by_us = "http://northfold.example"
    case = start_case(elsewhere, email_account(elsewhere), clock.now())
    with browser(elsewhere) as client:
        fields = {"reference": case.reference, "code": case.code}
        answer = client.post(f"{seen_by_us}/", data=fields)
        assert answer.headers["location"] == f"/account/reset/{case.reference}"
        assert f"; Path=/account/reset/{case.reference};" in answer.headers["set-cookie"]
        page = client.get(f"{seen_by_us}/")
        assert 'href="/account/static/page.css"' in page.text
        assert client.get(f"{seen_by_us}/static/page.css").status_code == 200


OURS = "http://127.0.0.1:8420"
FORMS = [
    ({}, True),
    ({"Origin": OURS}, True),
    ({"Origin": "http://127.0.0.1:8421"}, False),
    ({"Origin": "https://127.0.0.1:8420"}, False),
    ({"Origin": "https://evil.example"}, False),
    ({"Origin": "null"}, False),
    ({"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost:8420"}, True),
    ({"Sec-Fetch-Site": "none"}, True),
    ({"Sec-Fetch-Site": "same-site", "Origin": OURS}, False),
    ({"Sec-Fetch-Site": "cross-site", "Origin": OURS}, False),
    ({"Sec-Fetch-Site": ""}, False),
]


@pytest.mark.parametrize(("headers", "allowed"), FORMS)
def test_a_form_of_somebody_else_is_refused(
    installation: Installation, client: TestClient, case: Started, headers: dict[str, str], allowed: bool
) -> None:
    answer = client.post("/", data={"reference": case.reference, "code": case.code}, headers=headers)
    assert answer.status_code == (303 if allowed else 403)
    proven = case_view(installation, case.reference).state is not CaseState.REQUESTED
    assert proven is allowed


def test_every_form_is_guarded(installation: Installation, client: TestClient, case: Started) -> None:
    prove(client, case)
    stop = f"/stop/{case.reference}/{closing.stop_token(installation, case.id)}"
    of_case = f"/reset/{case.reference}"
    for path in ("/", "/resend", f"/confirm/{case.reference}/{case.token}", stop, f"{of_case}/stop"):
        answer = client.post(path, data={"reference": case.reference}, headers={"Sec-Fetch-Site": "cross-site"})
        assert (answer.status_code, heading_of(answer)) == (403, "This form came from another page")
    answer = client.post(f"{of_case}/passphrase", headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert case_view(installation, case.reference).is_open


def test_a_link_from_somewhere_else_opens(client: TestClient) -> None:
    assert client.get("/", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 200


@pytest.mark.parametrize("in_pieces", [False, True])
def test_a_huge_body_gets_a_page_that_says_so(client: TestClient, in_pieces: bool) -> None:
    pieces = [b"reference=", *[1024 * b"a"] * 16]
    content = iter(pieces) if in_pieces else b"".join(pieces)
    answer = client.post("/", content=content, headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert (answer.status_code, heading_of(answer)) == (413, "That was too long")
    assert "content-security-policy" in answer.headers


BOUNDARY = "multipart/form-data; boundary=x"
MALFORMED = {
    "a long reference": ("application/x-www-form-urlencoded", b"reference=" + 101 * b"R", 422),
    "a long code": ("application/x-www-form-urlencoded", b"reference=R&code=" + 101 * b"1", 422),
    "a file": (
        BOUNDARY,
        b'--x\r\nContent-Disposition: form-data; name="code"; filename="a"\r\n\r\nb\r\n--x--\r\n',
        422,
    ),
    "half a part": (BOUNDARY, b"--x\r\nContent-Dis", 404),
    "parts without a boundary": ("multipart/form-data", b"abc", 400),
    "JSON": ("application/json", b'{"reference": "R", "code": "1"}', 404),
    "no text": ("application/x-www-form-urlencoded", b"reference=\xff\xfe%ff%00&code=%ff", 404),
    "no form": ("application/x-www-form-urlencoded", b"&&==%%%", 404),
}


@pytest.mark.parametrize(("kind", "content", "status"), MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_body_gets_a_page(client: TestClient, kind: str, content: bytes, status: int) -> None:
    answer = client.post("/", content=content, headers={"Content-Type": kind})
    assert answer.status_code == status
    assert heading_of(answer) in {"Enter your code", "We could not read that"}
    assert "Need help?" in answer.text


@pytest.mark.parametrize("path", ["/", "/health", "/brand.css", "/static/page.css"])
def test_head_is_answered_like_get(client: TestClient, path: str) -> None:
    assert client.head(path).status_code == 200


def test_a_fault_of_ours_gets_a_plain_page_and_no_traceback(without_tables: TestClient) -> None:
    answer = without_tables.get("/", params={"reference": UNKNOWN})
    assert (answer.status_code, heading_of(answer)) == (500, "Something went wrong on our side")
    assert "content-security-policy" in answer.headers
    assert "Traceback" not in answer.text
    assert "reset_case" not in answer.text


def test_health_says_whether_the_database_answers(client: TestClient, without_tables: TestClient) -> None:
    assert client.get("/health").json() == {"status": "ok"}
    answer = without_tables.get("/health")
    assert (answer.status_code, answer.json()) == (503, {"status": "no database"})


def test_the_log_has_a_line_a_request_without_reference_token_or_code(
    installation: Installation, client: TestClient, case: Started, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    token = closing.stop_token(installation, case.id)
    client.get(f"/confirm/{case.reference}/{case.token}")
    client.get(f"/stop/{case.reference}/{token}")
    client.get("/", params={"reference": case.reference})
    client.get(f"/confirm/{case.reference}/{case.token}/more")
    client.put(f"/confirm/{case.reference}/{case.token}")
    client.get("/static/page.css")
    prove(client, case)
    ours = [record.getMessage().rsplit(" ", 2)[0] for record in caplog.records if record.name == "web.guards"]
    assert ours == [
        "GET /confirm/{reference}/{token} 200",
        "GET /stop/{reference}/{token} 200",
        "GET / 200",
        "GET (other) 404",
        "PUT /confirm/{reference}/{token} 405",
        "GET (other) 200",
        "POST / 303",
        "GET /reset/{reference} 200",
    ]
    for record in caplog.records:
        if not record.name.startswith("httpx2"):  # the client of this test logs what it asks for
            assert not any(secret in record.getMessage() for secret in (case.reference, case.token, token, case.code))


def test_a_fault_is_in_the_log_too(without_tables: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    without_tables.get("/", params={"reference": UNKNOWN})
    (line,) = [record.getMessage() for record in caplog.records if record.name == "web.guards"]
    assert line.startswith("GET / 500 ")
