"""A customer at the settings pages: the cookie that lets them in, and what stands in the way of those without one."""

from typing import Annotated

from fastapi import Cookie, Depends, Response

from web.customer import Now
from web.site import CurrentSite, Site
from workflows import portal
from workflows.portal import Visit

COOKIE = "visit"


class NoVisit(Exception):
    """The browser is at no visit, or at one that is over. Open the settings from the billing portal again."""


def let_in(response: Response, site: Site, cookie: str) -> None:
    """Lets the browser that gets this response into the settings pages."""
    response.set_cookie(
        COOKIE,
        cookie,
        max_age=int(site.installation.policy.sign_in.session_valid.total_seconds()),
        path=f"{site.base}/settings",
        secure=site.is_https,
        httponly=True,
        # Not strict: that is not sent when a page of the billing portal leads here.
        samesite="lax",
    )


def let_out(response: Response, site: Site) -> None:
    """Has the browser forget the visit."""
    response.delete_cookie(COOKIE, path=f"{site.base}/settings", secure=site.is_https, httponly=True, samesite="lax")


def _visit(site: CurrentSite, now: Now, visit: Annotated[str | None, Cookie()] = None) -> Visit:
    found = portal.visit_of(site.installation, visit, now) if visit else None
    if found is None:
        raise NoVisit
    return found


Here = Annotated[Visit, Depends(_visit)]
"""The visit of whoever asks. Raises `NoVisit`."""
