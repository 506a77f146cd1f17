"""What stands around every request: its line in the log, security headers, a limit on its body, no foreign forms."""

import logging
import time
from collections.abc import Mapping

from fastapi import HTTPException, Request
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from web.site import CurrentSite, Site

log = logging.getLogger(__name__)

_LONGEST_BODY = 16 * 1024
"""Bytes. The largest form has one field of a thousand characters."""
_LONGEST_RECEIPTS = 1024 * 1024
"""Bytes. SendGrid sends its events in batches of up to 768 KB."""

_LONGEST_MAIL = 30 * 1024 * 1024
"""Bytes. SendGrid takes mails of up to 30 MB; base 64 makes 27 MiB of the longest mail that is read."""

WEBHOOKS = "/webhooks"
"""Where vendors call."""
INBOUND = "/inbound"
"""Where mails are posted."""

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""What a page of ours may load and do: nothing inline, nothing from elsewhere, and no frames."""
POLICY_WITH_FETCH = f"{POLICY}; connect-src 'self'"
"""The same for a page whose script asks our own server something."""


def security_headers(site: Site) -> dict[str, str]:
    """The headers of every response that does not say otherwise."""
    headers = {
        "Content-Security-Policy": POLICY,
        # Not `no-referrer`: with it browsers send `Origin: null` with our own forms. This never sends a path.
        "Referrer-Policy": "strict-origin",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
    }
    if site.is_https:
        headers["Strict-Transport-Security"] = "max-age=31536000"
    return headers


def same_origin(request: Request, site: CurrentSite) -> None:
    """Refuses what a page of somebody else makes a browser send. What is no browser sends neither header."""
    if request.method in {"GET", "HEAD"}:
        return
    sent_from = request.headers.get("sec-fetch-site")
    if sent_from is None:
        allowed = request.headers.get("origin") in {None, site.origin}
    else:
        allowed = sent_from in {"same-origin", "none"}
    if not allowed:
        raise HTTPException(403)


class AccessLog:
    """Logs method, route, status and milliseconds of each request. The path stays out: it may hold a link's token."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status, begun = 500, time.perf_counter()

        async def send_noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, send_noting)
        finally:
            route = getattr(scope.get("route"), "path", "(other)")
            spent = 1000 * (time.perf_counter() - begun)
            log.info("%s %s %d %.0f ms", scope["method"], route, status, spent)


class SetHeaders:
    """Adds headers to each response, except those that it has already."""

    def __init__(self, app: ASGIApp, headers: Mapping[str, str]) -> None:
        self._app = app
        self._headers = headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                present = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    present.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_with_headers)


class LimitBody:
    """Refuses a body that is longer than any form of ours, or any batch of receipts, while it is being read."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        read = 0
        longest = _longest_body(scope.get("path", ""))

        async def receive_counting() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > longest:
                raise HTTPException(413)
            return message

        await self._app(scope, receive_counting, send)


def _longest_body(path: str) -> int:
    if path.startswith(f"{INBOUND}/"):
        return _LONGEST_MAIL
    return _LONGEST_RECEIPTS if path.startswith(f"{WEBHOOKS}/") else _LONGEST_BODY
