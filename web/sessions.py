"""The session of somebody who has proven a case: a sealed cookie that a browser shows to this case's pages only."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from fastapi import Response

from foundation.keyring import CannotOpen, WrongPlace
from web.site import Site

COOKIE = "case"

# A case that was proven is over by then: the longest hold of the shipped policy, and seven days to complete.
_LIFE = timedelta(days=10)
_PURPOSE = "case session"
_PASSPHRASE = "passphrase"


@dataclass(frozen=True, slots=True)
class Session:
    """What a browser has proven of a case: its code, and in it `passphrase_given` too or not."""

    passphrase_given: bool


def grant(
    response: Response, site: Site, case_id: UUID, reference: str, now: datetime, *, passphrase_given: bool
) -> None:
    """Lets the browser that gets this response into the pages of the case."""
    # Sealed for the row of the case: on another case's pages it opens nothing.
    proven = f"{now.isoformat()} {_PASSPHRASE if passphrase_given else ''}"
    response.set_cookie(
        COOKIE,
        site.installation.keyring.seal(proven.encode(), purpose=_PURPOSE, row=case_id),
        max_age=int(_LIFE.total_seconds()),
        path=f"{site.base}/reset/{reference}",
        secure=site.is_https,
        httponly=True,
        samesite="lax",
    )


def session_of(site: Site, cookie: str | None, case_id: UUID, now: datetime) -> Session | None:
    """What the cookie's bearer has proven of this case; nothing with an altered, foreign or old one."""
    if cookie is None:
        return None
    try:
        proven = site.installation.keyring.open(cookie, purpose=_PURPOSE, row=case_id).decode()
    except (CannotOpen, WrongPlace):
        return None
    granted_at, _, more = proven.partition(" ")
    is_over = now - datetime.fromisoformat(granted_at) >= _LIFE
    return None if is_over else Session(more == _PASSPHRASE)
