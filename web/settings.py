"""The settings that a reset relies on: entering and leaving, preference, contact points and passphrase.

The billing portal leads here by a link that works once. No GET changes anything, and no GET uses the link up.
"""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Form, HTTPException, Response
from fastapi.responses import JSONResponse

from policy.permits import PostalAddress
from policy.routing import NotAllowed
from policy.vocabulary import Channel, ContactKind
from tasks.ringing import ring
from web import visits
from web.account_words import said_of_code
from web.customer import Long, Now, Short
from web.guards import same_origin
from web.settings_pages import HOME, Done, write
from web.site import CurrentSite, Site
from web.visits import Here
from web.words import Said
from workflows import contact_changes, portal, preferences
from workflows.account_page import AccountPage, account_page
from workflows.changing import check_settings
from workflows.contact_changes import CHANGE, CHANNELS, NothingProposed, Proposal
from workflows.passphrases import normalised
from workflows.portal import Visit
from workflows.preferences import BadPassphrase
from workflows.typed_contacts import BadContact, read_email, read_phone, read_postal

router = APIRouter(dependencies=[Depends(same_origin)])

page = partial(router.api_route, methods=["GET", "HEAD"])
form = partial(router.api_route, methods=["POST"])

_NONE = "none"
"""What a menu sends for no channel."""


def _kind(kind: ContactKind) -> ContactKind:
    if kind not in CHANGE:
        raise HTTPException(404)
    return kind


Kind = Annotated[ContactKind, Depends(_kind)]
Choice = Annotated[str, Form(max_length=10)]


@page("/settings/enter/{token}")
def ask_to_enter(site: CurrentSite, token: str, now: Now) -> Response:
    """A button: a program that opens links uses nothing up."""
    if not portal.link_works(site.installation, token, now):
        return _link_is_over(site)
    return site.page("settings_enter.html")


@form("/settings/enter/{token}")
def enter(site: CurrentSite, token: str, now: Now) -> Response:
    """Lets the browser in, once."""
    cookie = portal.enter(site.installation, token, now)
    if cookie is None:
        return _link_is_over(site)
    response = site.go(HOME)
    visits.let_in(response, site, cookie)
    return response


@form("/settings/leave")
def leave(site: CurrentSite, here: Here, now: Now) -> Response:
    """Ends the visit."""
    portal.leave(site.installation, here, now)
    response = site.page("settings_closed.html", heading="You have left your settings")
    visits.let_out(response, site)
    return response


@page("/settings")
def show(site: CurrentSite, here: Here, now: Now, done: Done = "") -> Response:
    """Additional Settings: what a reset relies on."""
    return write(site, "settings.html", account_page(site.installation, here, now), done=done)


@form("/settings/preference")
def set_preference(site: CurrentSite, here: Here, now: Now, preference: Choice = _NONE) -> Response:
    """The channel that codes take."""
    try:
        ring(preferences.set_preference(site.installation, here, _channel(preference), now))
    except NotAllowed as reason:
        return _home(site, here, now, Said(409, str(reason), "preference"))
    return site.go(f"{HOME}?done=saved")


@form("/settings/backup")
def set_backup(site: CurrentSite, here: Here, now: Now, backup: Choice = _NONE) -> Response:
    """The channel that stands in."""
    try:
        ring(preferences.set_backup(site.installation, here, _channel(backup), now))
    except NotAllowed as reason:
        return _home(site, here, now, Said(409, str(reason), "backup"))
    return site.go(f"{HOME}?done=saved")


@page("/settings/contact/{kind}")
def show_contact(site: CurrentSite, here: Here, kind: Kind, now: Now, done: Done = "") -> Response:
    """One contact point: a form for a new one, and for the code that was sent there."""
    check_settings(site.installation, here, now)
    return _contact_page(site, here, kind, now, done=done)


@form("/settings/contact/two_factor_email")
def propose_email(site: CurrentSite, here: Here, now: Now, address: Long = "") -> Response:
    """Sends a code to the new address."""
    kind = ContactKind.TWO_FACTOR_EMAIL
    try:
        proposal = contact_changes.propose(site.installation, here, kind, read_email(address), Channel.EMAIL, now)
    except (BadContact, NotAllowed) as fault:
        return _contact_page(site, here, kind, now, _fault(fault, "address"), typed={"address": address})
    return _proposed(site, here, proposal, now)


@form("/settings/contact/phone")
def propose_phone(site: CurrentSite, here: Here, now: Now, number: Short = "", by: Choice = Channel.SMS) -> Response:
    """Sends a code to the new number, or has it called."""
    kind = ContactKind.PHONE
    try:
        read = read_phone(number, account_page(site.installation, here, now).country)
        proposal = contact_changes.propose(site.installation, here, kind, read, _carrier(kind, by), now)
    except (BadContact, NotAllowed) as fault:
        return _contact_page(site, here, kind, now, _fault(fault, "number"), typed={"number": number, "by": by})
    return _proposed(site, here, proposal, now)


@form("/settings/contact/postal_address")
def propose_postal(  # noqa: PLR0913 - the lines of an address
    *,
    site: CurrentSite,
    here: Here,
    now: Now,
    name: Long = "",
    line1: Long = "",
    line2: Long = "",
    city: Long = "",
    state: Short = "",
    zip_: Annotated[str, Form(alias="zip", max_length=20)] = "",
) -> Response:
    """Sends a letter with a code to the new address."""
    kind = ContactKind.POSTAL_ADDRESS
    country = account_page(site.installation, here, now).country
    try:
        address = read_postal(PostalAddress(name, line1, line2, city, state, zip_, country))
        proposal = contact_changes.propose(site.installation, here, kind, address, Channel.MAIL, now)
    except (BadContact, NotAllowed) as fault:
        typed = {"name": name, "line1": line1, "line2": line2, "city": city, "state": state, "zip": zip_}
        return _contact_page(site, here, kind, now, _fault(fault, "line1"), typed=typed)
    return _proposed(site, here, proposal, now)


@form("/settings/contact/{kind}/again")
def send_again(site: CurrentSite, here: Here, kind: Kind, now: Now, by: Choice = "") -> Response:
    """Sends the code once more, or over the other channel."""
    try:
        proposal = contact_changes.send_again(site.installation, here, kind, _carrier(kind, by), now)
    except NothingProposed:
        return _contact_page(site, here, kind, now, _NOTHING_WAITS)
    except NotAllowed as reason:
        return _contact_page(site, here, kind, now, Said(409, str(reason)))
    return _proposed(site, here, proposal, now)


@form("/settings/contact/{kind}/code")
def confirm_contact(site: CurrentSite, here: Here, kind: Kind, now: Now, code: Short = "") -> Response:
    """The code that was sent there: from now on the new contact point counts."""
    try:
        confirmed = contact_changes.confirm(site.installation, here, kind, code, now)
    except NothingProposed:
        return _contact_page(site, here, kind, now, _NOTHING_WAITS)
    except NotAllowed as reason:
        return _contact_page(site, here, kind, now, Said(409, str(reason)))
    if said := said_of_code(confirmed.checked):
        return _contact_page(site, here, kind, now, said)
    ring(confirmed.owed)
    return site.go(f"{HOME}?done=saved")


@page("/settings/contact/{kind}/remove")
def ask_to_remove_contact(site: CurrentSite, here: Here, kind: Kind, now: Now) -> Response:
    """Asks once more."""
    check_settings(site.installation, here, now)
    return write(site, "settings_contact_remove.html", account_page(site.installation, here, now), kind=kind)


@form("/settings/contact/{kind}/remove")
def remove_contact(site: CurrentSite, here: Here, kind: Kind, now: Now) -> Response:
    """Takes the contact point away."""
    try:
        ring(contact_changes.remove(site.installation, here, kind, now))
    except NotAllowed as reason:
        return _contact_page(site, here, kind, now, Said(409, str(reason)))
    return site.go(f"{HOME}?done=removed")


@page("/settings/passphrase")
def show_passphrase(site: CurrentSite, here: Here, now: Now) -> Response:
    """The form for a new passphrase."""
    check_settings(site.installation, here, now)
    return _passphrase_page(site, here, now)


@form("/settings/passphrase")
def set_passphrase(site: CurrentSite, here: Here, now: Now, passphrase: Long = "", again: Long = "") -> Response:
    """Sets or replaces it."""
    if normalised(passphrase) != normalised(again):
        return _passphrase_page(site, here, now, Said(400, "The two passphrases differ. Type both again.", "again"))
    try:
        ring(preferences.set_passphrase(site.installation, here, passphrase, now))
    except BadPassphrase as bad:
        advice = " ".join(bad.strength.advice) if bad.strength else ""
        return _passphrase_page(site, here, now, Said(400, f"{bad} {advice}".strip(), "passphrase"))
    return site.go(f"{HOME}?done=saved")


@form("/settings/passphrase/strength")
def measure(_here: Here, passphrase: Long = "") -> Response:
    """How strong what was typed so far is, for the meter on the page."""
    strength = preferences.strength_of(passphrase)
    return JSONResponse({"score": strength.score, "advice": strength.advice})


@page("/settings/passphrase/remove")
def ask_to_remove_passphrase(site: CurrentSite, here: Here, now: Now) -> Response:
    """Asks once more."""
    check_settings(site.installation, here, now)
    return write(site, "settings_passphrase_remove.html", account_page(site.installation, here, now))


@form("/settings/passphrase/remove")
def remove_passphrase(site: CurrentSite, here: Here, now: Now) -> Response:
    """Resets ask for none any more."""
    ring(preferences.remove_passphrase(site.installation, here, now))
    return site.go(f"{HOME}?done=removed")


_NOTHING_WAITS = Said(409, "Nothing waits for a code here any more. Type the new one again.")


def _link_is_over(site: Site) -> Response:
    return site.page("settings_closed.html", 410, heading="This link no longer works")


def _channel(chosen: str) -> Channel | None:
    if chosen == _NONE:
        return None
    try:
        return Channel(chosen)
    except ValueError:
        raise HTTPException(422) from None


def _carrier(kind: ContactKind, chosen: str) -> Channel:
    """The channel that confirms a contact point of this kind: the one that was chosen, if it can."""
    return next((each for each in CHANNELS[kind] if each == chosen), CHANNELS[kind][0])


def _fault(fault: BadContact | NotAllowed, field: str) -> Said:
    if isinstance(fault, BadContact):
        return Said(400, str(fault), fault.field)
    return Said(409, str(fault), field)


def _proposed(site: Site, here: Visit, proposal: Proposal, now: Now) -> Response:
    ring(proposal.owed)
    if proposal.owed:
        return site.go(f"/settings/contact/{proposal.kind}?done=sent")
    if proposal.next_at is None:
        said = Said(409, "We have sent as many codes as we may. Use the last one that you got, or contact us.")
    else:
        said = Said(429, "We cannot send another code yet. You can ask for it from", at=proposal.next_at)
    return _contact_page(site, here, proposal.kind, now, said)


def _home(site: Site, here: Visit, now: Now, said: Said) -> Response:
    return write(site, "settings.html", account_page(site.installation, here, now), said=said)


def _contact_page(
    site: Site,
    here: Visit,
    kind: ContactKind,
    now: Now,
    said: Said | None = None,
    *,
    done: str = "",
    typed: dict[str, str] | None = None,
) -> Response:
    account: AccountPage = account_page(site.installation, here, now)
    contact = account.contact(kind)
    return write(site, "settings_contact.html", account, said=said, done=done, contact=contact, typed=typed or {})


def _passphrase_page(site: Site, here: Visit, now: Now, said: Said | None = None) -> Response:
    account = account_page(site.installation, here, now)
    least, most = preferences.SHORTEST_PASSPHRASE, preferences.LONGEST_PASSPHRASE
    return write(site, "settings_passphrase.html", account, said=said, fetches=True, least=least, most=most)
