"""Errors of the REST API as problem details (RFC 9457): a type to branch on, a title, and what to do about it."""

from dataclasses import dataclass
from http import HTTPStatus

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

_TYPES = "https://keyturn.invalid/problems/"
"""What the types begin with: names, not addresses, as RFC 9457 §3.1.1 allows."""


@dataclass(frozen=True)
class Problem(Exception):
    """A request of the billing system that cannot be served. `name` is the last part of its type."""

    status: HTTPStatus
    name: str
    detail: str
    retry_after: int | None = None


class Unauthorized(Problem):
    """The request shows no API key that works. `keyturn api-key add` makes one."""

    def __init__(self) -> None:
        super().__init__(HTTPStatus.UNAUTHORIZED, "unauthorized", "Send an API key that works as a bearer token.")


def is_for_api(request: Request) -> bool:
    """Whether the request is one of the REST API's."""
    return request.url.path.startswith("/v1/")


def response_to(error: Exception) -> JSONResponse:
    """The problem as JSON. Nothing that was sent is repeated in it."""
    if isinstance(error, Problem):
        return _of(error)
    if isinstance(error, RequestValidationError):
        return _of(Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid", _faults(error)))
    if isinstance(error, HTTPException):
        status = HTTPStatus(error.status_code)
        return _of(Problem(status, status.name.lower().replace("_", "-"), status.description or status.phrase))
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    return _of(
        Problem(status, "internal", "Something went wrong on our side. Try again; if it happens again, tell us.")
    )


def _of(problem: Problem) -> JSONResponse:
    headers = {"Retry-After": str(problem.retry_after)} if problem.retry_after else {}
    if problem.status is HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    told = {
        "type": f"{_TYPES}{problem.name}",
        "title": problem.status.phrase,
        "status": problem.status.value,
        "detail": problem.detail,
    }
    return JSONResponse(told, problem.status, headers, media_type="application/problem+json")


def _faults(error: RequestValidationError) -> str:
    # What was sent may be a code: a fault names the field and the rule only.
    return "; ".join(f"{'.'.join(map(str, fault['loc'][1:])) or 'body'}: {fault['msg']}" for fault in error.errors())
