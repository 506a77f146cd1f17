"""Security keys: each check of WebAuthn L3 §7 refuses what it is there for, and what is refused leaves nothing."""

import copy
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from typing import Any, TypeVar
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, func, select, text, update
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url

from authenticators.relying_party import OtherRelyingParty, require_same_rp
from authenticators.revoking import revoke, revoke_all
from authenticators.security_keys import (
    Asserted,
    BadKey,
    KeyCopied,
    Reason,
    Response,
    UserVerification,
    assertion_options,
    check_assertion,
    register,
    registration_options,
)
from authenticators.suspending import suspend
from models.accounts import Account
from models.factors import Authenticator, Ceremony, KeyChallenge, SecurityKey
from tests.authenticators.software_key import ORIGIN, PRESENT, RP_ID, VERIFIED, Answer, SoftwareKey, challenge_of
from tests.installations import MINUTE, SECOND, START, by_hand, email_account, rows, start_case
from tests.servers.waiting import until
from tests.workflows.racing import at_once
from workflows.installation import Installation

T = TypeVar("T")
ORIGINS = ("https://my.hosting.example", ORIGIN)


class Site:
    """The relying party with one customer: asks and checks, each in a transaction of its own."""

    def __init__(self, installation: Installation, ref: str = "JONAS") -> None:
        self.installation = installation
        ref = email_account(installation, ref)
        self.account_id: UUID = rows(installation, select(Account.id).where(Account.ref == ref))[0].id
        self.rp_id = RP_ID
        self.user_verification: UserVerification = "preferred"

    def ask_to_register(self, now: datetime = START) -> str:
        with self.installation.database.begin() as connection:
            return registration_options(
                connection,
                account_id=self.account_id,
                user_name="jonas@primary.example",
                display_name="Jonas",
                rp_id=self.rp_id,
                rp_name="Hosting",
                user_verification=self.user_verification,
                now=now,
            )

    def register(self, answer: Response, now: datetime = START, authenticator_id: UUID | None = None) -> UUID:
        return self._kept(lambda connection: self.register_within(connection, answer, now, authenticator_id))

    def register_within(
        self, connection: Connection, answer: Response, now: datetime = START, authenticator_id: UUID | None = None
    ) -> UUID:
        return register(
            connection,
            account_id=self.account_id,
            response=answer,
            label="Blue YubiKey",
            rp_id=self.rp_id,
            origins=ORIGINS,
            user_verification=self.user_verification,
            now=now,
            authenticator_id=authenticator_id,
        )

    def enrol(self, key: SoftwareKey) -> UUID:
        return self.register(key.registration(self.ask_to_register()))

    def ask(self, now: datetime = START, ceremony: Ceremony = Ceremony.SIGN_IN) -> str:
        options = self.ask_if_any(now, ceremony)
        assert options is not None
        return options

    def ask_if_any(self, now: datetime = START, ceremony: Ceremony = Ceremony.SIGN_IN) -> str | None:
        with self.installation.database.begin() as connection:
            return assertion_options(
                connection,
                account_id=self.account_id,
                ceremony=ceremony,
                rp_id=self.rp_id,
                user_verification=self.user_verification,
                now=now,
            )

    def check(self, answer: Response, now: datetime = START, ceremony: Ceremony = Ceremony.SIGN_IN) -> Asserted:
        return self._kept(
            lambda connection: check_assertion(
                connection,
                account_id=self.account_id,
                ceremony=ceremony,
                response=answer,
                rp_id=self.rp_id,
                origins=ORIGINS,
                user_verification=self.user_verification,
                now=now,
            )
        )

    def _kept(self, call: Callable[[Connection], T]) -> T:
        """What a caller has to do: the transaction that refuses is kept."""
        with self.installation.database.begin() as connection:
            try:
                return call(connection)
            except BadKey as fault:
                refusal = fault
        raise refusal


@pytest.fixture
def site(installation: Installation) -> Site:
    return Site(installation)


def refused(call: Callable[[], object]) -> Reason:
    with pytest.raises(BadKey) as refusal:
        call()
    assert str(refusal.value)
    return refusal.value.reason


def counted(site: Site) -> tuple[int, int]:
    """Authenticators and keys there are."""
    of_all = select(select(func.count(Authenticator.id)).scalar_subquery(), func.count(SecurityKey.authenticator_id))
    ((authenticators, keys),) = rows(site.installation, of_all)
    return authenticators, keys


def is_spent(site: Site, options: str) -> bool:
    used_at = select(KeyChallenge.used_at).where(KeyChallenge.challenge == challenge_of(options))
    return rows(site.installation, used_at)[0].used_at is not None


# --- What is right


def test_a_key_is_registered_and_signs_in(site: Site) -> None:
    key = SoftwareKey(counter=7)
    chosen = uuid4()
    assert site.register(key.registration(site.ask_to_register()), authenticator_id=chosen) == chosen
    assert site.check(key.assertion(site.ask()), START + SECOND) == Asserted(chosen, "Blue YubiKey")
    (row,) = rows(site.installation, select(SecurityKey))
    assert (row.credential_id, row.public_key, row.rp_id) == (key.credential_id, key.public_key(), RP_ID)
    assert (row.sign_count, row.transports) == (8, "usb nfc")
    (used,) = rows(site.installation, select(Authenticator.last_used_at))
    assert used.last_used_at == START + SECOND


def test_an_answer_may_be_text_as_well(site: Site) -> None:
    key = SoftwareKey()
    enrolled = site.register(json.dumps(key.registration(site.ask_to_register())))
    assert site.check(json.dumps(key.assertion(site.ask()))).authenticator_id == enrolled


def test_the_options_ask_for_what_the_policy_says(site: Site) -> None:
    key = SoftwareKey()
    site.enrol(key)
    site.user_verification = "required"
    known = [{"type": "public-key", "id": bytes_to_base64url(key.credential_id), "transports": ["usb", "nfc"]}]
    creation, request = json.loads(site.ask_to_register()), json.loads(site.ask())
    assert creation["rp"] == {"name": "Hosting", "id": RP_ID}
    assert creation["user"]["id"] == bytes_to_base64url(site.account_id.bytes)
    assert [each["alg"] for each in creation["pubKeyCredParams"]] == [-7, -8, -257]
    assert (creation["attestation"], creation["timeout"], request["timeout"]) == ("none", 300_000, 300_000)
    assert creation["authenticatorSelection"]["residentKey"] == "discouraged"
    assert creation["authenticatorSelection"]["userVerification"] == request["userVerification"] == "required"
    assert (creation["excludeCredentials"], request["allowCredentials"], request["rpId"]) == (known, known, RP_ID)


def test_a_key_that_counts_nothing_signs_in_again_and_again(site: Site) -> None:
    key = SoftwareKey(counter=0, counts=False)
    enrolled = site.enrol(key)
    for _ in range(2):
        assert site.check(key.assertion(site.ask())).authenticator_id == enrolled


def test_a_passkey_names_its_owner(site: Site) -> None:
    key = SoftwareKey()
    enrolled = site.enrol(key)
    answer = key.assertion(site.ask(), user_handle=site.account_id.bytes)
    assert site.check(answer).authenticator_id == enrolled
    assert refused(lambda: site.check(key.assertion(site.ask(), user_handle=uuid4().bytes))) is Reason.NOT_VERIFIED


# --- What is wrong


@pytest.mark.parametrize(
    "spoilt",
    [
        {"origin": "https://reset.hosting.example.evil.example"},
        {"origin": "http://reset.hosting.example"},
        {"origin": "https://other.hosting.example"},
        {"rp_id": "other.example"},
        {"flags": VERIFIED},
        {"client": {"type": "webauthn.other"}},
        {"client": {"crossOrigin": True}},
    ],
    ids=str,
)
def test_an_answer_that_was_not_given_here_is_refused_and_spends_its_challenge(
    site: Site, spoilt: dict[str, Any]
) -> None:
    key = SoftwareKey()
    site.enrol(key)
    before = counted(site)
    for name, value in spoilt.items():
        setattr(key, name, value)
    creation, request = site.ask_to_register(), site.ask()
    assert refused(lambda: site.register(key.registration(creation))) is Reason.NOT_VERIFIED
    assert refused(lambda: site.check(key.assertion(request))) is Reason.NOT_VERIFIED
    assert is_spent(site, creation)
    assert is_spent(site, request)
    assert counted(site) == before
    assert rows(site.installation, select(SecurityKey.sign_count))[0].sign_count == 1


def test_a_challenge_counts_once(site: Site) -> None:
    key = SoftwareKey()
    creation = key.registration(site.ask_to_register())
    site.register(creation)
    request = key.assertion(site.ask())
    site.check(request)
    assert refused(lambda: site.register(creation)) is Reason.UNKNOWN_CHALLENGE
    assert refused(lambda: site.check(request)) is Reason.UNKNOWN_CHALLENGE


def test_a_challenge_counts_for_five_minutes(site: Site) -> None:
    key = SoftwareKey()
    creation = site.ask_to_register()
    assert refused(lambda: site.register(key.registration(creation), START + 5 * MINUTE)) is Reason.EXPIRED
    site.register(key.registration(site.ask_to_register()), START + 5 * MINUTE - SECOND)
    assert refused(lambda: site.check(key.assertion(site.ask()), START + 5 * MINUTE)) is Reason.EXPIRED
    assert is_spent(site, creation)


def test_old_challenges_are_not_kept(site: Site) -> None:
    site.ask_to_register()
    site.ask_to_register(START + 6 * MINUTE)
    assert len(rows(site.installation, select(KeyChallenge.id))) == 1


def test_a_challenge_is_for_one_ceremony_of_one_account(site: Site) -> None:
    key = SoftwareKey()
    other = Site(site.installation, "MARTA")
    other_key = SoftwareKey()
    site.enrol(key)
    other.enrol(other_key)
    assert refused(lambda: site.check(key.assertion(site.ask_to_register()))) is Reason.UNKNOWN_CHALLENGE
    assert refused(lambda: site.check(key.assertion(site.ask()), ceremony=Ceremony.CONFIRM)) is Reason.UNKNOWN_CHALLENGE
    assert refused(lambda: site.check(key.assertion(other.ask()))) is Reason.UNKNOWN_CHALLENGE
    assert refused(lambda: site.register(SoftwareKey().registration(other.ask_to_register()))) is (
        Reason.UNKNOWN_CHALLENGE
    )


def test_a_key_of_another_account_is_refused(site: Site) -> None:
    site.enrol(SoftwareKey())
    theirs = SoftwareKey()
    Site(site.installation, "MARTA").enrol(theirs)
    assert refused(lambda: site.check(theirs.assertion(site.ask()))) is Reason.UNKNOWN_KEY


def test_a_key_is_registered_once_whosever_it_is(site: Site) -> None:
    key = SoftwareKey()
    site.enrol(key)
    other = Site(site.installation, "MARTA")
    assert refused(lambda: site.enrol(key)) is Reason.ALREADY_REGISTERED
    assert refused(lambda: other.enrol(key)) is Reason.ALREADY_REGISTERED
    assert counted(site) == (1, 1)


def test_another_keys_signature_is_refused(site: Site) -> None:
    key = SoftwareKey()
    site.enrol(key)
    forged = SoftwareKey(credential_id=key.credential_id, counter=9)
    assert refused(lambda: site.check(forged.assertion(site.ask()))) is Reason.NOT_VERIFIED


def test_a_forged_counter_does_not_make_a_key_look_copied(site: Site) -> None:
    key = SoftwareKey(counter=5)
    site.enrol(key)
    forged = SoftwareKey(credential_id=key.credential_id, counter=1)
    assert refused(lambda: site.check(forged.assertion(site.ask()))) is Reason.NOT_VERIFIED


@pytest.mark.parametrize("counter", [0, 4, 5])
def test_a_counter_that_does_not_go_up_says_that_the_key_was_copied(site: Site, counter: int) -> None:
    key = SoftwareKey(counter=5)
    enrolled = site.enrol(key)
    key.counter = counter
    options = site.ask()
    with pytest.raises(KeyCopied) as refusal:
        site.check(key.assertion(options))
    assert refusal.value.authenticator_id == enrolled
    assert is_spent(site, options)
    assert rows(site.installation, select(SecurityKey.sign_count))[0].sign_count == 5


def test_where_the_owner_must_be_verified_a_touch_is_not_enough(site: Site) -> None:
    key = SoftwareKey(flags=PRESENT)
    site.enrol(key)
    site.check(key.assertion(site.ask()))
    site.user_verification = "required"
    assert refused(lambda: site.check(key.assertion(site.ask()))) is Reason.NO_USER_VERIFICATION
    assert refused(lambda: site.enrol(SoftwareKey(flags=PRESENT))) is Reason.NO_USER_VERIFICATION


@pytest.mark.parametrize("length", [1023, 1024])
def test_a_keys_id_has_1023_bytes_at_most(site: Site, length: int) -> None:
    key = SoftwareKey(credential_id=bytes(length))
    if length == 1023:
        site.enrol(key)
    else:
        assert refused(lambda: site.enrol(key)) is Reason.NOT_VERIFIED


def test_a_key_that_is_no_point_of_its_curve_is_refused(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    good = SoftwareKey().public_key()
    monkeypatch.setattr(SoftwareKey, "public_key", lambda _: good[:-32] + bytes(31) + b"\1")
    assert refused(lambda: site.enrol(SoftwareKey())) is Reason.NOT_VERIFIED


# --- Suspended, revoked, raced


def test_a_suspended_key_is_neither_asked_for_nor_taken(site: Site) -> None:
    stolen, kept = SoftwareKey(), SoftwareKey()
    stolen_id = site.enrol(stolen)
    asked = site.ask()
    case = start_case(site.installation, "JONAS")
    with site.installation.database.begin() as connection:
        assert suspend(connection, site.account_id, stolen_id, case.id, START)
    assert refused(lambda: site.check(stolen.assertion(asked))) is Reason.SUSPENDED
    assert site.ask_if_any() is None
    site.enrol(kept)
    assert [each["id"] for each in json.loads(site.ask())["allowCredentials"]] == [
        bytes_to_base64url(kept.credential_id)
    ]


def test_a_revoked_key_is_not_taken_and_can_be_registered_again(site: Site) -> None:
    key, other = SoftwareKey(), SoftwareKey()
    enrolled = site.enrol(key)
    site.enrol(other)
    with site.installation.database.begin() as connection:
        assert not revoke(connection, uuid4(), enrolled, START)
        assert revoke(connection, site.account_id, enrolled, START)
        assert not revoke(connection, site.account_id, enrolled, START)
    assert counted(site) == (2, 1)
    assert refused(lambda: site.check(key.assertion(site.ask()))) is Reason.UNKNOWN_KEY
    site.check(other.assertion(site.ask()))
    site.enrol(key)
    site.check(key.assertion(site.ask()))


def test_revoking_all_ends_every_key(site: Site) -> None:
    site.enrol(SoftwareKey())
    site.enrol(SoftwareKey())
    with site.installation.database.begin() as connection:
        revoke_all(connection, site.account_id, START)
    assert site.ask_if_any() is None
    assert counted(site) == (2, 0)


def tried(call: Callable[[], object]) -> object:
    try:
        return call()
    except BadKey as fault:
        return fault.reason


def test_of_two_that_answer_the_same_challenge_at_once_one_counts(site: Site) -> None:
    key = SoftwareKey(counter=0, counts=False)
    creation = key.registration(site.ask_to_register())
    enrolled = at_once(*2 * [lambda: tried(lambda: site.register(creation))])
    assert sorted(map(str, enrolled))[1] == Reason.UNKNOWN_CHALLENGE
    request = key.assertion(site.ask())
    signed_in = at_once(*2 * [lambda: tried(lambda: site.check(request))])
    assert sorted(isinstance(each, Asserted) for each in signed_in) == [False, True]


def test_of_two_that_register_the_same_key_at_once_one_does(site: Site) -> None:
    key, other = SoftwareKey(), Site(site.installation, "MARTA")
    answer, others = key.registration(site.ask_to_register()), key.registration(other.ask_to_register())
    with ThreadPoolExecutor(1) as threads:
        with site.installation.database.begin() as connection:
            site.register_within(connection, answer)
            second = threads.submit(tried, lambda: other.register(others))
            # SQLite lets nobody else begin; on PostgreSQL the second waits for this key.
            until(lambda: is_sqlite(site) or someone_waits(site), "the second to wait for the first")
        assert second.result() is Reason.ALREADY_REGISTERED
    assert counted(site) == (1, 1)


def is_sqlite(site: Site) -> bool:
    return site.installation.database.engine.dialect.name == "sqlite"


def someone_waits(site: Site) -> bool:
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    with site.installation.database.read() as connection:
        return bool(connection.execute(waiting).scalar_one())


def test_of_a_key_and_its_copy_that_sign_in_at_once_one_is_refused(site: Site) -> None:
    key = SoftwareKey()
    site.enrol(key)
    copied = copy.copy(key)
    answers = [each.assertion(site.ask()) for each in (key, copied)]
    outcomes = at_once(*(lambda answer=answer: tried(lambda: site.check(answer)) for answer in answers))
    assert outcomes.count(Reason.COPIED) == 1


# --- Another domain


def test_another_domain_is_refused_while_keys_of_the_old_one_count(site: Site) -> None:
    site.enrol(SoftwareKey())
    enrolled = site.enrol(SoftwareKey())
    with site.installation.database.begin() as connection:
        require_same_rp(connection, RP_ID)
        with pytest.raises(OtherRelyingParty, match=r"other\.example .*: 2 for hosting\.example\."):
            require_same_rp(connection, "other.example")
        revoke(connection, site.account_id, enrolled, START)
        with pytest.raises(OtherRelyingParty, match=r"1 for hosting\.example"):
            require_same_rp(connection, "other.example")
        revoke_all(connection, site.account_id, START)
        require_same_rp(connection, "other.example")


def test_a_key_of_another_domain_is_not_asked_for(site: Site) -> None:
    site.enrol(SoftwareKey())
    by_hand(site.installation, update(SecurityKey).values(rp_id="old.example"))
    assert site.ask_if_any() is None


# --- Hostile answers

PLAIN = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=40),
    st.sampled_from(["\ud800", "\0", "A" * 70_000, "9" * 5000, "=", "====", "e30", "e30=", "bnVsbA"]),
)
ANYTHING = st.recursive(
    PLAIN, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3))
)
PATHS = [
    ("id",),
    ("rawId",),
    ("type",),
    ("response",),
    *(("response", name) for name in ("clientDataJSON", "attestationObject", "authenticatorData", "signature")),
    ("response", "transports"),
    ("response", "userHandle"),
]
# Every example is checked against the same installation; what one leaves behind is a spent challenge.
HOSTILE = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


def ends_as_a_refusal_or_well(call: Callable[[], object]) -> None:
    """Raises whatever is no `BadKey`."""
    tried(call)


@HOSTILE
@given(answer=st.one_of(ANYTHING, ANYTHING.map(json.dumps), st.text(max_size=50), st.just("[" * 50_000)))
def test_whatever_is_no_answer_is_unreadable(site: Site, answer: Any) -> None:
    assert refused(lambda: site.register(answer)) is Reason.UNREADABLE
    assert refused(lambda: site.check(answer)) is Reason.UNREADABLE


@HOSTILE
@given(path=st.sampled_from(PATHS), value=ANYTHING, gone=st.booleans())
def test_an_answer_with_a_spoilt_part_is_refused_as_any_other(
    site: Site, path: tuple[str, ...], value: object, gone: bool
) -> None:
    key = SoftwareKey()
    site.enrol(key)
    gives: list[tuple[Answer, Callable[[Answer], object]]] = [
        (SoftwareKey().registration(site.ask_to_register()), site.register),
        (key.assertion(site.ask()), site.check),
    ]
    for answer, give in gives:
        part = answer
        for name in path[:-1]:
            part = part[name]
        if gone:
            part.pop(path[-1], None)
        else:
            part[path[-1]] = value
        ends_as_a_refusal_or_well(partial(give, answer))


@HOSTILE
@given(client=st.dictionaries(st.sampled_from(["type", "challenge", "origin", "tokenBinding"]), ANYTHING, min_size=1))
def test_client_data_of_any_shape_is_refused_as_any_other(site: Site, client: dict[str, Any]) -> None:
    key = SoftwareKey()
    site.enrol(key)
    key.client = client
    ends_as_a_refusal_or_well(lambda: site.register(key.registration(site.ask_to_register())))
    ends_as_a_refusal_or_well(lambda: site.check(key.assertion(site.ask())))


@HOSTILE
@given(position=st.integers(0, 300), byte=st.integers(0, 255), cut=st.booleans(), data=st.binary(max_size=200))
def test_attestations_and_signed_data_of_any_bytes_are_refused_as_any_other(
    site: Site, position: int, byte: int, cut: bool, data: bytes
) -> None:
    key = SoftwareKey()
    site.enrol(key)
    creation, request = key.registration(site.ask_to_register()), key.assertion(site.ask())
    for answer, name in ((creation, "attestationObject"), (request, "authenticatorData"), (request, "signature")):
        whole = bytearray(base64url_to_bytes(answer["response"][name]))
        whole[position % len(whole)] = byte
        spoilt = bytes(whole[: position % len(whole)]) + data if cut else bytes(whole)
        answer["response"][name] = bytes_to_base64url(spoilt)
    ends_as_a_refusal_or_well(lambda: site.register(creation))
    ends_as_a_refusal_or_well(lambda: site.check(request))
