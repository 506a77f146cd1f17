"""The cookie of a customer who is at the settings pages."""

from fastapi import Response

from web.site import Site

COOKIE = "visit"


def let_in(response: Response, site: Site, cookie: str) -> None:
    """Lets the browser that gets this response into the settings pages."""
    response.set_cookie(
        COOKIE,
        cookie,
        max_age=int(site.installation.policy.sign_in.session_valid.total_seconds()),
        path=f"{site.base}/settings",
        secure=site.is_https,
        httponly=True,
        samesite="lax",
    )
