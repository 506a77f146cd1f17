"""What all handlers share: the installation, the templates, and where the site stands on the web."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from foundation.settings import Settings
from notifiers.phrases import long_time
from workflows.installation import Installation

FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Site:
    """The pages of one installation.

    `base` is the path of the public address, mostly empty; the proxy in front takes it off. `origin` is the address
    without it.
    """

    installation: Installation
    environment: Environment
    base: str
    origin: str

    @property
    def settings(self) -> Settings:
        return self.installation.settings

    @property
    def is_https(self) -> bool:
        return self.origin.startswith("https:")

    def page(self, template: str, status: int = 200, **values: object) -> HTMLResponse:
        """A page written from the template; what it lacks is an error."""
        return HTMLResponse(self.environment.get_template(template).render(values), status)

    def go(self, path: str) -> RedirectResponse:
        """Sends the reader to another page of the site, by GET."""
        return RedirectResponse(self.base + path, 303)


def of_installation(installation: Installation) -> Site:
    """The site that the settings describe."""
    address = urlsplit(installation.settings.public_url)
    environment = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters["long_time"] = long_time
    environment.globals |= {"base": address.path, "brand": installation.settings, "said": None}
    return Site(installation, environment, address.path, f"{address.scheme}://{address.netloc}".lower())


def _of_request(request: Request) -> Site:
    site: Site = request.app.state.site
    return site


CurrentSite = Annotated[Site, Depends(_of_request)]
