"""What a customer sees of the account in the settings: read in one go, destinations masked, never a secret."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection, bindparam, select

from authenticators import listing, recovery_codes, totp
from authenticators.listing import Listed
from models.access import SessionKind
from models.accounts import Account, AccountStatus
from models.factors import AuthenticatorKind
from policy.routing import Contact, Profile
from policy.vocabulary import Channel, ContactKind
from workflows import account_history
from workflows.account_history import AccountLine
from workflows.accounts import contacts_of, masked
from workflows.changing import is_fresh
from workflows.contact_changes import CHANGE, CHANNELS, proposal_of
from workflows.installation import Installation
from workflows.opening import has_open_case
from workflows.portal import Visit
from workflows.preferences import Choice, choices

_LINES = 50
_CLOCK_IS_NEWS_FOR = timedelta(days=1)
_WINDOW = timedelta(minutes=5)
"""More than any app's code counts for: two steps of 120 seconds."""

_ACCOUNT = select(
    Account.ref,
    Account.name,
    Account.country,
    Account.state,
    Account.preference,
    Account.backup,
    Account.status,
    (Account.passphrase_hash.is_not(None)).label("passphrase_set"),
).where(Account.id == bindparam("account_id"))


@dataclass(frozen=True, slots=True)
class ContactLine:
    """A contact point that the customer may change: where it is, and where a new one waits for its code.

    `channels` are those that can confirm it; `why_not` says why there is none.
    """

    kind: ContactKind
    destination: str | None
    verified_at: datetime | None
    waiting: str | None
    channels: tuple[Channel, ...]
    why_not: str | None


@dataclass(frozen=True, slots=True)
class AccountPage:
    """The account. `factors` has no recovery codes: `codes_left` counts them, None where none were made.

    Those in `weak` have a secret under 112 bits, and should be replaced.
    `clock_ahead` is how far the clock of an app was off when a code of it was refused lately. `is_fresh`: a second
    factor was shown a short while ago, or there is none.
    """

    ref: str
    name: str
    country: str
    preference: Channel | None
    backup: Channel | None
    passphrase_set: bool
    is_frozen: bool
    is_pending: bool
    may_only_enrol: bool
    is_fresh: bool
    choices: tuple[Choice, ...]
    contacts: tuple[ContactLine, ...]
    factors: tuple[Listed, ...]
    weak: frozenset[UUID]
    codes_left: int | None
    clock_ahead: timedelta | None
    history: tuple[AccountLine, ...]

    # Templates name kinds and channels by their text: compared, not taken for the same object.

    def why_not(self, channel: Channel) -> str | None:
        """Why the channel cannot be chosen; None where it can."""
        return next(each.why_not for each in self.choices if each.channel == channel)

    def contact(self, kind: ContactKind) -> ContactLine:
        """The contact point of this kind; `StopIteration` for the primary address."""
        return next(each for each in self.contacts if each.kind == kind)

    def has(self, kind: AuthenticatorKind) -> bool:
        """Whether a factor of this kind is enrolled and not suspended."""
        return any(each.kind == kind and each.suspended_at is None for each in self.factors)


def account_page(installation: Installation, visit: Visit, now: datetime) -> AccountPage:
    """All that the settings show of the visit's account."""
    with installation.database.read() as connection:
        row = connection.execute(_ACCOUNT, {"account_id": visit.account_id}).one()
        contacts = contacts_of(connection, visit.account_id)
        profile = Profile(row.country, contacts, row.preference, row.backup, row.state)
        kinds = CHANGE.keys()
        factors = listing.current(connection, visit.account_id)
        second_steps = tuple(each for each in factors if each.kind is not AuthenticatorKind.RECOVERY_CODES)
        history = tuple(
            line for line in account_history.newest(connection, visit.account_id, _LINES) if not _tells_ahead(line, now)
        )
        return AccountPage(
            row.ref,
            row.name,
            row.country,
            row.preference,
            row.backup,
            row.passphrase_set,
            has_open_case(connection, visit.account_id),
            row.status is AccountStatus.ENROLMENT_PENDING,
            visit.kind is SessionKind.ENROLMENT,
            not factors or is_fresh(installation, visit.factor_at, now),
            tuple(choices(installation.policy, profile)),
            tuple(_contact(installation, connection, visit.account_id, profile, kind, now) for kind in kinds),
            second_steps,
            _weak(installation, connection, visit.account_id),
            recovery_codes.left(connection, visit.account_id) if len(factors) > len(second_steps) else None,
            _clock_ahead(history, second_steps, now),
            history,
        )


def _weak(installation: Installation, connection: Connection, account_id: UUID) -> frozenset[UUID]:
    apps = totp.enrolled(connection, installation.keyring, account_id)
    return frozenset(each.id for each in apps if each.app.is_weak)


def _contact(
    installation: Installation,
    connection: Connection,
    account_id: UUID,
    profile: Profile,
    kind: ContactKind,
    now: datetime,
) -> ContactLine:
    current = profile.contact(kind)
    waiting = proposal_of(connection, account_id, kind, now)
    region = installation.policy.region(profile.country, profile.state)
    channels = tuple(each for each in CHANNELS[kind] if each in region.channels)
    return ContactLine(
        kind,
        _shown(current),
        current.verified_at if current else None,
        _shown(waiting),
        channels,
        None if channels else region.reason,
    )


def _shown(contact: Contact | None) -> str | None:
    return None if contact is None else masked(contact.destination)


def _tells_ahead(line: AccountLine, now: datetime) -> bool:
    """Whether the line tells of a code that will still count: who guessed it would know when to come back."""
    ahead = int(line.facts["seconds_ahead"] or 0) if line.event == "clock_is_off" else 0
    return ahead > 0 and now <= line.at + timedelta(seconds=ahead) + _WINDOW


def _clock_ahead(history: tuple[AccountLine, ...], factors: tuple[Listed, ...], now: datetime) -> timedelta | None:
    """How far ahead the clock was at the last refusal, unless the app has signed in since."""
    apps = {str(each.id) for each in factors if each.kind is AuthenticatorKind.TOTP}
    for line in history:
        if line.facts.get("authenticator") not in apps:
            continue
        if line.event == "factor_shown" or now - line.at > _CLOCK_IS_NEWS_FOR:
            return None
        if line.event == "clock_is_off":
            return timedelta(seconds=int(line.facts["seconds_ahead"] or 0))
    return None
