"""What all settings pages share: how they are written, where they lead, and what stands in the way of a change."""

import re
from http import HTTPStatus
from typing import Annotated
from urllib.parse import quote

from fastapi import Query, Request, Response

from web import guards
from web.account_words import DONE, OBSTACLES, clock_words, line_words
from web.site import Site
from web.words import Said
from workflows.account_page import AccountPage
from workflows.changing import NotNow, Obstacle

Done = Annotated[str, Query(max_length=20)]
"""The word of what was done before; anything else says nothing."""

HOME = "/settings"
FACTORS = "/settings/authentication"

_PAGE = re.compile(
    r"/settings(/(authentication|app/new|key/new|sms|recovery-codes|passphrase(/remove)?"
    r"|contact/[a-z_]{1,20}(/remove)?|factors/[0-9a-f-]{36}(/remove)?))?"
)


def write(
    site: Site,
    template: str,
    account: AccountPage,
    *,
    said: Said | None = None,
    done: str = "",
    fetches: bool = False,
    **values: object,
) -> Response:
    """A settings page. `fetches`: a script on it asks the server something."""
    status = said.status if said else HTTPStatus.OK
    words = {"clock_words": clock_words, "line_words": line_words}
    response = site.page(template, status, account=account, said=said, done=DONE.get(done), **words, **values)
    if fetches:
        response.headers["Content-Security-Policy"] = guards.POLICY_WITH_FETCH
    return response


def known_page(path: str) -> str:
    """The path, if it is one of the settings pages; the first of them if it is anything else."""
    return path if _PAGE.fullmatch(path) else HOME


def page_of(path: str) -> str:
    """The page to which an address belongs, such as that of a form: the page itself, or one above it."""
    while path and not _PAGE.fullmatch(path):
        path = path.rpartition("/")[0]
    return path or HOME


def show_obstacle(site: Site, request: Request, refusal: NotNow) -> Response:
    """What to do first, where a change is not allowed now."""
    if refusal.obstacle is Obstacle.FACTOR_NEEDED:
        return site.go(f"/settings/confirm?next={quote(page_of(request.url.path))}")
    heading, text = OBSTACLES[refusal.obstacle]
    return site.page(
        "settings_obstacle.html", HTTPStatus.CONFLICT, heading=heading, text=text, obstacle=refusal.obstacle
    )


def show_no_visit(site: Site) -> Response:
    """For a browser that is at no visit."""
    return site.page("settings_closed.html", HTTPStatus.FORBIDDEN, heading="Open your settings again")
