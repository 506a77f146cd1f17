"""The session of somebody who has proven a case: a sealed cookie that a browser shows to this case's pages only."""

from datetime import datetime, timedelta
from uuid import UUID

from fastapi import Response

from foundation.keyring import CannotOpen, WrongPlace
from web.site import Site

COOKIE = "case"

# A case that was proven is over by then: the longest hold of the shipped policy, and seven days to complete.
_LIFE = timedelta(days=10)
_PURPOSE = "case session"


def grant(response: Response, site: Site, case_id: UUID, reference: str, now: datetime) -> None:
    """Lets the browser that gets this response into the pages of the case."""
    # Sealed for the row of the case: on another case's pages it opens nothing.
    value = site.installation.keyring.seal(now.isoformat().encode(), purpose=_PURPOSE, row=case_id)
    response.set_cookie(
        COOKIE,
        value,
        max_age=int(_LIFE.total_seconds()),
        path=f"{site.base}/reset/{reference}",
        secure=site.is_https,
        httponly=True,
        samesite="lax",
    )


def is_granted(site: Site, cookie: str | None, case_id: UUID, now: datetime) -> bool:
    """Whether the cookie lets its bearer into the pages of the case; an altered, foreign or old one does not."""
    if cookie is None:
        return False
    try:
        granted_at = site.installation.keyring.open(cookie, purpose=_PURPOSE, row=case_id)
    except (CannotOpen, WrongPlace):
        return False
    return now - datetime.fromisoformat(granted_at.decode()) < _LIFE
