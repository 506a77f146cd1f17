"""The web application: routes, guards and error pages put together, and the process that serves them."""

from http import HTTPStatus

import uvicorn
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.staticfiles import StaticFiles
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.types import Scope

from foundation.standard_webhooks import BadSignature
from notifiers.receipts import Unreadable, Unsigned
from web import (
    api,
    brand,
    calls,
    confirming,
    customer,
    enrol,
    guards,
    inbound,
    metrics,
    outbox,
    problems,
    settings,
    settings_factors,
    settings_pages,
    site,
    support,
    webhooks,
    words,
)
from web.customer import NotProven
from web.problems import Problem
from web.site import CurrentSite, Site
from web.support import NoPass
from web.visits import NoVisit
from workflows import installation, views
from workflows.cases import UnknownCase
from workflows.changing import NotNow
from workflows.factors import NoSuchFactorHere
from workflows.installation import Installation

_SECONDS_TO_FINISH = 10  # requests under way when the process is told to stop; the supervisor waits for longer

router = APIRouter()


def run() -> None:
    """Serves this process's installation until it is told to stop."""
    loaded = installation.load()
    installation.require_usable_keys(loaded)
    uvicorn.run(
        create_app(loaded),
        host=loaded.settings.web_host,
        port=loaded.settings.web_port,
        log_config=None,
        access_log=False,
        server_header=False,
        # Nothing here asks for the client's address, and the public address is a setting: no header is believed.
        proxy_headers=False,
        lifespan="off",
        timeout_graceful_shutdown=_SECONDS_TO_FINISH,
    )


def create_app(loaded: Installation) -> FastAPI:
    """The application that serves this installation."""
    of_installation = site.of_installation(loaded)
    app = FastAPI(
        openapi_url=None,
        # A redirect to the same path with a slash less would name whatever host the request names.
        redirect_slashes=False,
        # Its spans would hold paths, and these hold the tokens of links.
        telemetry={"tracing": False},
    )
    app.state.site = of_installation
    app.include_router(router)
    app.include_router(customer.router)
    app.include_router(enrol.router)
    app.include_router(settings.router)
    app.include_router(settings_factors.router)
    app.include_router(confirming.router)
    app.include_router(support.router)
    app.include_router(api.router)
    app.include_router(webhooks.router)
    app.include_router(inbound.router)
    app.include_router(calls.router)
    app.include_router(metrics.router)
    if loaded.settings.is_demo:
        app.include_router(outbox.router)
    app.mount("/static", _Static(directory=site.FOLDER / "static"))
    for kind in (HTTPException, RequestValidationError, UnknownCase, NotProven, NoPass, Problem, Exception):
        app.add_exception_handler(kind, _show_failure)
    for refusal in (NotNow, NoVisit, NoSuchFactorHere):
        app.add_exception_handler(refusal, _show_settings_refusal)
    app.add_exception_handler(Unsigned, webhooks.refuse)
    app.add_exception_handler(BadSignature, inbound.refuse)
    app.add_exception_handler(Unreadable, webhooks.put_aside)
    # The last one that is added stands outermost.
    app.add_middleware(guards.LimitBody)
    app.add_middleware(guards.SetHeaders, headers=guards.security_headers(of_installation))
    app.add_middleware(guards.AccessLog)
    return app


@router.api_route("/health", methods=["GET", "HEAD"])
def health(current: CurrentSite) -> Response:
    """Whether the database answers, for whatever watches the process."""
    try:
        views.list_cases(current.installation, limit=1)
    except SQLAlchemyError:
        return JSONResponse({"status": "no database"}, HTTPStatus.SERVICE_UNAVAILABLE)
    return JSONResponse({"status": "ok"})


@router.api_route("/brand.css", methods=["GET", "HEAD"])
def brand_stylesheet(current: CurrentSite) -> Response:
    """The operator's colour."""
    return Response(
        brand.stylesheet(current.settings.brand_colour), media_type="text/css", headers={"Cache-Control": "no-cache"}
    )


class _Static(StaticFiles):
    """Files that a browser may keep, and asks about before it uses them again: an update shows at once."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "no-cache"
        return response


def _show_settings_refusal(request: Request, error: Exception) -> Response:
    of_request: Site = request.app.state.site
    if isinstance(error, NotNow):
        return settings_pages.show_obstacle(of_request, request, error)
    if isinstance(error, NoVisit):
        return settings_pages.show_no_visit(of_request)
    return settings_factors.show_missing(of_request)


def _show_failure(request: Request, error: Exception) -> Response:
    if problems.is_for_api(request):
        return problems.response_to(error)
    of_request: Site = request.app.state.site
    if isinstance(error, NotProven):
        return of_request.go(f"/?reference={error.reference}")
    status = _status_of(error)
    failure = words.NO_PASS if isinstance(error, NoPass) else words.failure(status)
    response = of_request.page("failure.html", status, failure=failure)
    # What nothing of ours has caught is answered outside the guards.
    response.headers.update(guards.security_headers(of_request))
    if isinstance(error, HTTPException) and error.headers:
        response.headers.update(error.headers)
    return response


def _status_of(error: Exception) -> int:
    if isinstance(error, HTTPException):
        return error.status_code
    if isinstance(error, NoPass):
        return HTTPStatus.FORBIDDEN
    if isinstance(error, UnknownCase):
        return HTTPStatus.NOT_FOUND
    return HTTPStatus.UNPROCESSABLE_ENTITY if isinstance(error, RequestValidationError) else 500
