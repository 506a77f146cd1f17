"""The Outbox page of a demo: every message as its recipient would have got it, and the keys of a call to press.

It shows codes to whoever opens it, so it answers this machine alone: the connection must come over loopback, and name
loopback as the host, or a stranger's page could have its own name lead here (DNS rebinding).
"""

import re
from datetime import datetime
from functools import partial
from ipaddress import IPv6Address, ip_address
from typing import Annotated, Final

from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response
from fastapi.responses import HTMLResponse

from foundation import clock
from notifiers import outbox
from notifiers.outbox import OutboxItem
from tasks.ringing import ring
from web import guards
from web.site import CurrentSite
from workflows import calls, views
from workflows.calls import UnknownCall

_ON_A_PAGE: Final = 50
_OURSELVES: Final = re.compile(r"(127\.0\.0\.1|\[::1\]|localhost)(:\d{1,5})?", re.IGNORECASE)

_OF_PAGE: Final = f"{guards.POLICY}; frame-src 'self'"
# A mail or a letter has its own style and links, and runs nothing. What a link opens in a new tab is free again: it is
# a page of ours with a form.
_OF_FRAME: Final = (
    "sandbox allow-popups allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation; "
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; frame-ancestors 'self'"
)


def on_this_machine(request: Request) -> None:
    """Tells everybody else that there is no such page."""
    peer, host = request.client, request.headers.get("host", "")
    if peer is None or not _is_loopback(peer.host) or not _OURSELVES.fullmatch(host):
        raise HTTPException(404)


router = APIRouter(prefix="/outbox", dependencies=[Depends(on_this_machine), Depends(guards.same_origin)])
page = partial(router.api_route, methods=["GET", "HEAD"])
form = partial(router.api_route, methods=["POST"])

Now = Annotated[datetime, Depends(clock.now)]


def _item_in_path(site: CurrentSite, receipt_id: str) -> OutboxItem:
    item = outbox.find(site.settings.outbox_path, receipt_id)
    if item is None:
        raise HTTPException(404)
    return item


InPath = Annotated[OutboxItem, Depends(_item_in_path)]


@page("")
def show_outbox(site: CurrentSite, now: Now, skip: Annotated[int, Query(ge=0, le=1_000_000)] = 0) -> Response:
    """The newest messages, after the `skip` newest of all."""
    # One more than a page holds, which tells whether there are older ones.
    items = outbox.read(site.settings.outbox_path, slice(-skip - _ON_A_PAGE - 1, -skip or None))
    shown = items[: -_ON_A_PAGE - 1 : -1]
    messages = views.sent_messages(site.installation, [item.message_id for item in shown])
    older = skip + _ON_A_PAGE if len(items) > _ON_A_PAGE else None
    response = site.page("outbox.html", items=shown, messages=messages, now=now, skip=skip, older=older)
    response.headers["Content-Security-Policy"] = _OF_PAGE
    return response


@page("/{receipt_id}")
def show_frame(item: InPath) -> Response:
    """A mail's HTML or a letter, to stand in a frame or alone."""
    if not item.html:
        raise HTTPException(404)
    # The pages that a mail links to refuse to stand in a frame.
    html = item.html.replace("<head>", '<head>\n<base target="_top">', 1)
    return HTMLResponse(html, headers={"Content-Security-Policy": _OF_FRAME})


@form("/{receipt_id}/9")
def press_nine(site: CurrentSite, item: InPath, now: Now) -> Response:
    """What 9 does in a call: it stops the reset, or ends the code."""
    try:
        ring(calls.stop(site.installation, item.message_id, now).owed)
    except UnknownCall:
        raise HTTPException(404) from None
    return site.go(f"/outbox#{item.receipt_id}")


def _is_loopback(host: str) -> bool:
    try:
        peer = ip_address(host)
    except ValueError:
        return False
    # A socket for both families names an IPv4 peer `::ffff:127.0.0.1`, and Python 3.11 does not see loopback in that.
    mapped = peer.ipv4_mapped if isinstance(peer, IPv6Address) else None
    return (mapped or peer).is_loopback
