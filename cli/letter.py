"""`keyturn letter`: a sample letter, to look at before the first real one is printed."""

from collections.abc import Callable
from datetime import datetime
from html import escape
from pathlib import Path
from typing import Final
from uuid import UUID

import click

from cli import chromium
from cli.output import Output, Refusal, prints
from foundation import catalogue, clock
from foundation import settings as settings_
from foundation.settings import Settings
from notifiers import texts
from notifiers.contract import AskedThrough, Brand, OutgoingMessage
from policy import rules
from policy.vocabulary import Change, Channel, MessageKind

_KINDS: Final = sorted(kind.value for kind in texts.WRITTEN[Channel.MAIL])
_FORMATS: Final[dict[str, Callable[[str], bytes]]] = {
    ".pdf": lambda page: chromium.pdf(_with_addresses(page)),
    ".png": lambda page: chromium.png(_with_addresses(page)),
    ".html": str.encode,
}
_CUSTOMER: Final = ("Maria Lopez", "12 Mill Street", "Apt 4", "Millbrook, VT 05001")
_STATE: Final = "VT"
_CODE: Final = "4821730659"
_REFERENCE: Final = "R-7K3M-9QXD"

# The windows of Lob's envelope, 9.5 in by 4.125 in, as they lie over a letter in its middle, and both addresses where
# Lob prints them with `address_placement: top_first_page`, by its letter template. What the windows measure:
# https://help.lob.com/print-and-mail/designing-mail-creatives/mail-piece-design-specs/letter-envelopes
_STYLE: Final = """<style>
.window { position: absolute; left: .125in; border: 1px dashed #c00 }
.upper { top: .646in; width: 3.25in; height: .875in }
.lower { top: 1.896in; width: 4in; height: 1in }
.from, .to { position: absolute; left: .7in; line-height: 1.25; font-family: Helvetica, Arial, sans-serif }
.from { top: .87in; font-size: 8pt }
.to { top: 1.97in; font-size: 11pt }
</style>"""


@click.group()
def letter() -> None:
    """Look at the letters that customers get."""


@letter.command()
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("letter.pdf"),
    show_default=True,
    help="Where to write it: a .pdf, .png or .html file.",
)
@click.option("--kind", type=click.Choice(_KINDS), default=MessageKind.RESET_CODE.value, show_default=True)
@prints
def preview(out: Path, kind: str) -> Output:
    """Write a sample letter under your brand, to a customer who does not exist.

    PDF and PNG show in red where the envelope's windows are, with the addresses that Lob prints there. HTML is what
    Lob gets, and blank there.
    """
    write = _FORMATS.get(out.suffix.lower())
    if write is None:
        raise click.BadParameter(f"must end in {', '.join(_FORMATS)}", param_hint="--out")
    settings = settings_.load()
    catalogue.set_up(settings)
    page = texts.letter(_sample(settings, MessageKind(kind), clock.now()), None)
    content = write(page)
    try:
        out.write_bytes(content)
    except OSError as error:
        raise Refusal(f"{out}: cannot be written ({error.strerror})") from None
    return Output({"file": str(out), "kind": kind}, f"{out}: written.")


def _sample(settings: Settings, kind: MessageKind, now: datetime) -> OutgoingMessage:
    """A message as a case would make it now."""
    policy = rules.load(settings.policy_file or rules.SHIPPED)
    mail = policy.channels[Channel.MAIL]
    leaves_at = now + mail.leaves_after
    return OutgoingMessage(
        id=UUID(int=0),
        kind=kind,
        brand=Brand.of(settings),
        typed_at=settings.typed_address,
        requested_at=now,
        asked_through=AskedThrough.EMAIL,
        reference=_REFERENCE,
        code=_CODE,
        valid_until=leaves_at + mail.validity(_STATE),
        hold_until=now + policy.longest_hold(),
        leaves_at=leaves_at,
        change=Change.PHONE,
    )


def _with_addresses(page: str) -> str:
    settings = settings_.load()
    blocks = "".join(
        f'<div class="{name}">{"<br>".join(map(escape, lines))}</div>'
        for name, lines in (
            ("window upper", ()),
            ("window lower", ()),
            ("from", _sender(settings)),
            ("to", _CUSTOMER),
        )
    )
    return page.replace("</body>", f"{_STYLE}{blocks}</body>")


def _sender(settings: Settings) -> tuple[str, ...]:
    name = settings.lob_from_name or settings.brand_name
    if not settings.lob_from_line1:
        return name, "Your return address (KEYTURN_LOB_FROM_…)"
    town = f"{settings.lob_from_city}, {settings.lob_from_state} {settings.lob_from_zip}"
    return name, settings.lob_from_line1, town
