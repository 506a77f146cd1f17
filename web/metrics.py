"""What a monitoring system reads: which channels are stopped, and how many messages are late.

In Prometheus' text format: https://prometheus.io/docs/instrumenting/exposition_formats/
"""

import hmac
from collections.abc import Iterator
from datetime import datetime
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Header, HTTPException
from fastapi.responses import PlainTextResponse

from foundation import clock
from policy.vocabulary import Channel
from web.site import CurrentSite
from workflows import breaker, upkeep
from workflows.installation import Installation

router = APIRouter()
page = partial(router.api_route, methods=["GET", "HEAD"])

Now = Annotated[datetime, Depends(clock.now)]


def _may_read(site: CurrentSite, authorization: Annotated[str, Header()] = "") -> None:
    """Tells everybody else that there is no such page."""
    token = site.settings.metrics_token.get_secret_value()
    if not token or not hmac.compare_digest(authorization.encode(), f"Bearer {token}".encode()):
        raise HTTPException(404)


@page("/metrics", dependencies=[Depends(_may_read)])
def metrics(site: CurrentSite, now: Now) -> PlainTextResponse:
    """The figures, as they are now."""
    text = "".join(f"{line}\n" for line in _lines(site.installation, now))
    return PlainTextResponse(text, media_type="text/plain; version=0.0.4")


def _lines(installation: Installation, now: datetime) -> Iterator[str]:
    stopped = {each.channel for each in breaker.stopped(installation)}
    yield "# HELP keyturn_channel_stopped Whether the channel is stopped, because its vendor refuses or fails."
    yield "# TYPE keyturn_channel_stopped gauge"
    for channel in Channel:
        yield f'keyturn_channel_stopped{{channel="{channel}"}} {int(channel in stopped)}'
    yield "# HELP keyturn_messages_late Messages that should have gone more than two minutes ago."
    yield "# TYPE keyturn_messages_late gauge"
    yield f"keyturn_messages_late {upkeep.count_late(installation, now - upkeep.LATE)}"
