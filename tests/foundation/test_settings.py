"""Settings: a wrong one is refused in one line that names it, and none that is secret is ever shown."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from foundation import settings
from foundation.keyring import new_key
from foundation.settings import PREFIX, BadSettings, ImapTls, Mode, Settings

Load = Callable[..., Settings]

DEFAULTS = {
    "mode": Mode.LIVE,
    "data_dir": Path("keyturn-data"),
    "database_url": "",
    "broker_url": "",
    "queue_prefix": "keyturn",
    "keys": (),
    "policy_file": None,
    "texts_file": None,
    "public_url": "http://127.0.0.1:8420",
    "rp_id": "",
    "origins": (),
    "web_host": "127.0.0.1",
    "web_port": 8420,
    "metrics_token": "",
    "maildir": None,
    "inbox_address": "",
    "authserv_id": "",
    "boundary_host": "",
    "dkim_resolvers": (),
    "imap_host": "",
    "imap_port": 993,
    "imap_tls": ImapTls.TLS,
    "imap_user": "",
    "imap_password": "",
    "imap_folder": "INBOX",
    "imap_handled_folder": "Keyturn",
    "worker_threads": 8,
    "lease_seconds": 60,
    "relay_seconds": 2,
    "sweep_seconds": 5,
    "log_level": "INFO",
    "brand_name": "Your hosting company",
    "brand_support_email": "",
    "brand_support_phone": "",
    "brand_url": "",
    "brand_colour": "#1d5c8a",
    "sendgrid_api_key": "",
    "sendgrid_from": "",
    "sendgrid_base_url": "https://api.sendgrid.com",
    "sendgrid_webhook_key": "",
    "sendgrid_inbound_key": "",
    "sendgrid_inbound_unsigned": False,
    "helpdesk_secret": "",
    "twilio_account_sid": "",
    "twilio_auth_token": "",
    "twilio_from": "",
    "twilio_messaging_service_sid": "",
    "twilio_base_url": "https://api.twilio.com",
    "twilio_lookups_base_url": "https://lookups.twilio.com",
    "lob_api_key": "",
    "lob_webhook_secret": "",
    "lob_base_url": "https://api.lob.com",
    "lob_from_name": "",
    "lob_from_line1": "",
    "lob_from_city": "",
    "lob_from_state": "",
    "lob_from_zip": "",
}
FREE_TEXT = {
    "data_dir",
    "policy_file",
    "texts_file",
    "metrics_token",
    "maildir",
    "imap_user",
    "imap_password",
    "web_host",
    "brand_name",
    "brand_support_email",
    "brand_support_phone",
    "brand_url",
    "sendgrid_api_key",
    "sendgrid_from",
    "sendgrid_webhook_key",
    "sendgrid_inbound_key",
    "twilio_auth_token",
    "lob_api_key",
    "lob_webhook_secret",
}
WRONG = [
    ("MODE", "test"),
    ("MODE", "Live"),
    ("DATABASE_URL", "mysql://user@db.example/keyturn"),
    ("DATABASE_URL", "postgres://user@db.example/keyturn"),
    ("DATABASE_URL", "postgresql+psycopg2://user@db.example/keyturn"),
    ("DATABASE_URL", "POSTGRESQL://user@db.example/keyturn"),
    ("DATABASE_URL", " postgresql://user@db.example/keyturn"),
    ("DATABASE_URL", "sqlite:keyturn.db"),
    ("DATABASE_URL", "keyturn.db"),
    ("BROKER_URL", "http://broker.example"),
    ("BROKER_URL", "redis.example:6379"),
    ("QUEUE_PREFIX", "Keyturn"),
    ("QUEUE_PREFIX", "key turn"),
    ("QUEUE_PREFIX", "k" * 65),
    ("PUBLIC_URL", "reset.example.com"),
    ("PUBLIC_URL", "ftp://reset.example.com"),
    ("PUBLIC_URL", "https://"),
    ("PUBLIC_URL", "https:///reset"),
    ("PUBLIC_URL", "https://reset.example.com?a=b"),
    ("PUBLIC_URL", "https://reset.example.com/#top"),
    ("PUBLIC_URL", "https://user:word@reset.example.com"),
    ("PUBLIC_URL", "https://reset.example.com:http"),
    ("PUBLIC_URL", "https://reset .example.com"),
    ("PUBLIC_URL", " https://reset.example.com"),
    ("PUBLIC_URL", "https://reset.example.com\r"),
    ("PUBLIC_URL", "https://reset.example.com:65536"),
    ("RP_ID", "https://example.com"),
    ("RP_ID", "Example.com"),
    ("RP_ID", "example.com."),
    ("RP_ID", ".example.com"),
    ("RP_ID", "127.0.0.1"),
    ("RP_ID", "2001:db8::1"),
    ("RP_ID", "beispiel für.example"),
    ("ORIGINS", "https://reset.example.com"),
    ("ORIGINS", "example.com"),
    ("ORIGINS", "https://localhost/account"),
    ("ORIGINS", "https://localhost:443"),
    ("ORIGINS", "https://localhost:65536"),
    ("ORIGINS", "https://localhost https://my.localhost"),
    ("ORIGINS", "http://127.0.0.1:8420"),
    ("WEB_PORT", "0"),
    ("WEB_PORT", "65536"),
    ("WEB_PORT", "http"),
    ("INBOX_ADDRESS", "support"),
    ("INBOX_ADDRESS", "Support@example.com"),
    ("AUTHSERV_ID", "mx.example.net; dmarc=pass"),
    ("BOUNDARY_HOST", "in1.example.net"),
    ("BOUNDARY_HOST", "in1.example.net (Postfix)"),
    ("DKIM_RESOLVERS", "resolver.example"),
    ("DKIM_RESOLVERS", "192.0.2.53, 192.0.2.300"),
    ("DKIM_RESOLVERS", "192.0.2.53,"),
    ("DKIM_RESOLVERS", "192.0.2.53:0"),
    ("DKIM_RESOLVERS", "192.0.2.53:65536"),
    ("DKIM_RESOLVERS", "2001:db8::53"),
    ("IMAP_HOST", "imaps://mail.example"),
    ("IMAP_HOST", "support@mail.example"),
    ("IMAP_PORT", "0"),
    ("IMAP_TLS", "ssl"),
    ("IMAP_FOLDER", "Support\r\nLOGOUT"),
    ("IMAP_FOLDER", "Support/*"),
    ("IMAP_HANDLED_FOLDER", "inbox"),
    ("IMAP_HANDLED_FOLDER", "100 %"),
    ("WORKER_THREADS", "0"),
    ("WORKER_THREADS", "257"),
    ("WORKER_THREADS", "1.5"),
    ("LEASE_SECONDS", "0.9"),
    ("LEASE_SECONDS", "3601"),
    ("LEASE_SECONDS", "nan"),
    ("RELAY_SECONDS", "0"),
    ("RELAY_SECONDS", "-1"),
    ("RELAY_SECONDS", "inf"),
    ("SWEEP_SECONDS", "0"),
    ("SWEEP_SECONDS", "soon"),
    ("LOG_LEVEL", "info"),
    ("LOG_LEVEL", "INFO\n"),
    ("BRAND_COLOUR", "blue"),
    ("BRAND_COLOUR", "#fff"),
    ("SENDGRID_BASE_URL", "api.sendgrid.com"),
    ("SENDGRID_INBOUND_UNSIGNED", "maybe"),
    ("HELPDESK_SECRET", "secret"),
    ("TWILIO_ACCOUNT_SID", "AC0123"),
    ("TWILIO_ACCOUNT_SID", "SK" + "0" * 32),
    ("TWILIO_FROM", "202 555 0100"),
    ("TWILIO_MESSAGING_SERVICE_SID", "AC" + "0" * 32),
    ("TWILIO_BASE_URL", "api.twilio.com"),
    ("TWILIO_LOOKUPS_BASE_URL", "lookups.twilio.com"),
    ("LOB_BASE_URL", "api.lob.com"),
    ("LOB_FROM_NAME", "n" * 41),
    ("LOB_FROM_LINE1", "n" * 65),
    ("LOB_FROM_CITY", "n" * 201),
    ("LOB_FROM_STATE", "Vermont"),
    ("LOB_FROM_ZIP", "5001"),
]


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Iterator[Load]:
    """Loads the settings of a process that has these variables, without their prefix."""

    def load_with(**variables: str) -> Settings:
        for name, value in variables.items():
            monkeypatch.setenv(PREFIX + name, value)
        settings.load.cache_clear()
        return settings.load()

    yield load_with
    settings.load.cache_clear()


def plain(chosen: Settings) -> dict[str, object]:
    """The settings with their secrets laid open."""
    fields = {name: getattr(chosen, name) for name in Settings.model_fields}
    return {name: each.get_secret_value() if isinstance(each, SecretStr) else each for name, each in fields.items()}


# --- What is set where nothing is


def test_without_variables_the_settings_are_the_defaults(load: Load) -> None:
    assert plain(load()) == DEFAULTS


def test_a_variable_that_is_set_to_nothing_is_not_set(load: Load) -> None:
    assert plain(load(**{name.upper(): "" for name in DEFAULTS})) == DEFAULTS


def test_files_lie_in_the_data_folder_unless_they_are_told_otherwise(load: Load) -> None:
    assert load(DATA_DIR="/srv/keyturn").maildir_path == Path("/srv/keyturn/maildir")
    assert load().outbox_path == Path("/srv/keyturn/outbox")
    assert load(MAILDIR="/var/mail/support").maildir_path == Path("/var/mail/support")


def test_keys_are_separated_by_commas_and_the_newest_is_first(load: Load) -> None:
    newest, older = new_key(), new_key()
    assert [key.get_secret_value() for key in load(KEYS=f"{newest}, {older},").keys] == [newest, older]


def test_a_web_address_ends_without_a_slash_so_that_links_can_be_added(load: Load) -> None:
    assert load(PUBLIC_URL="https://[2001:db8::1]:8443/reset/").public_url == "https://[2001:db8::1]:8443/reset"


def test_a_resolver_is_an_address_with_its_port_or_53(load: Load) -> None:
    chosen = load(DKIM_RESOLVERS="192.0.2.53, [2001:DB8::53]:5353").dkim_resolvers
    assert chosen == (("192.0.2.53", 53), ("2001:db8::53", 5353))


def test_only_a_demo_is_a_demo(load: Load) -> None:
    assert (load().is_demo, load(MODE="demo").is_demo) == (False, True)


# --- What is refused


def faults(load: Load, **variables: str) -> list[str]:
    with pytest.raises(BadSettings) as refusal:
        load(**variables)
    return str(refusal.value).splitlines()


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_a_wrong_variable_is_refused_in_one_line_that_names_it(load: Load, name: str, value: str) -> None:
    (line,) = faults(load, **{name: value, "KEYS": new_key()})
    assert line.startswith(f"{PREFIX}{name}: ")
    assert len(line) > len(f"{PREFIX}{name}: ")


def test_every_variable_that_can_be_wrong_is_refused_above() -> None:
    assert {name.lower() for name, _ in WRONG} == set(Settings.model_fields) - FREE_TEXT - {"keys"}


def test_all_wrong_variables_are_named_at_once(load: Load) -> None:
    wrong = {**dict(WRONG), "DATABASE_URL": "postgresql://user@db.example/keyturn"}
    expected = {f"{PREFIX}{name}" for name in wrong} - {f"{PREFIX}DATABASE_URL"} | {f"{PREFIX}KEYS"}
    named = [line.partition(":")[0] for line in faults(load, **wrong)]
    assert (len(named), set(named)) == (len(expected), expected)


def test_postgresql_without_keys_is_refused_and_with_keys_it_is_not(load: Load) -> None:
    url = "postgresql://user@db.example/keyturn"
    refusal = f"{PREFIX}KEYS: must be set with PostgreSQL; `keyturn new-key` makes one"
    assert faults(load, DATABASE_URL=url) == [refusal]
    assert faults(load, KEYS=",") == [refusal]
    assert load(KEYS=new_key()).database_url == url


def test_a_boundary_is_set_up_by_both_its_names_or_by_none(load: Load) -> None:
    refusal = f"{PREFIX}BOUNDARY_HOST: must be set if and only if {PREFIX}AUTHSERV_ID is: neither means anything alone"
    assert faults(load, AUTHSERV_ID="mx.example.net") == [refusal]
    assert faults(load, AUTHSERV_ID="", BOUNDARY_HOST="in1.example.net") == [refusal]
    assert load(AUTHSERV_ID="mx.example.net").boundary_host == "in1.example.net"


@pytest.mark.parametrize(
    ("variables", "relying_party", "origins"),
    [
        ({}, "localhost", ("http://localhost:8420",)),
        ({"PUBLIC_URL": "http://127.0.0.1:9000/reset"}, "localhost", ("http://localhost:9000",)),
        ({"PUBLIC_URL": "http://[::1]"}, "localhost", ("http://localhost",)),
        ({"PUBLIC_URL": "https://Reset.example.com:443/x"}, "reset.example.com", ("https://reset.example.com",)),
        ({"PUBLIC_URL": "https://a.example:8443", "RP_ID": "a.example"}, "a.example", ("https://a.example:8443",)),
        (
            {"RP_ID": "example.com", "ORIGINS": "https://my.example.com/, https://example.com:8443"},
            "example.com",
            ("https://my.example.com", "https://example.com:8443"),
        ),
    ],
)
def test_security_keys_are_for_the_domain_of_the_pages_unless_another_is_named(
    load: Load, variables: dict[str, str], relying_party: str, origins: tuple[str, ...]
) -> None:
    chosen = load(**variables)
    assert (chosen.relying_party, chosen.key_origins) == (relying_party, origins)


@pytest.mark.parametrize("url", ["http://reset.example.com", "http://192.0.2.1", "https://192.0.2.1", "https://[::2]"])
def test_where_no_browser_lets_pages_use_security_keys_there_are_no_origins(load: Load, url: str) -> None:
    assert load(PUBLIC_URL=url).key_origins == ()


def test_an_origin_that_does_not_lie_under_the_domain_is_refused(load: Load) -> None:
    for origin in ("https://example.com", "https://a.example.com.evil.example", "https://notreset.example.com"):
        assert faults(load, RP_ID="reset.example.com", ORIGINS=f"https://reset.example.com,{origin}") == [
            f"{PREFIX}ORIGINS: {origin} does not lie under reset.example.com, which {PREFIX}RP_ID or its default names"
        ]
    (refusal,) = faults(load, RP_ID="example.com", ORIGINS="", PUBLIC_URL="https://reset.example")
    assert refusal.startswith(f"{PREFIX}ORIGINS: https://reset.example does not lie under example.com")


def test_a_password_goes_unencrypted_to_this_machine_alone(load: Load) -> None:
    login = {"IMAP_TLS": "none", "IMAP_USER": "support", "IMAP_PASSWORD": "open-sesame"}
    for host in ("mail.example", "192.0.2.1", "localhost.mail.example", "127.0.0.1.mail.example"):
        assert faults(load, IMAP_HOST=host, **login) == [
            f"{PREFIX}IMAP_TLS: `none` would send the password readable: only to localhost"
        ]
    for host in ("localhost", "127.0.0.1", "127.9.9.9", "::1"):
        assert load(IMAP_HOST=host, **login).imap_tls is ImapTls.NONE


def test_a_mailbox_without_its_login_is_refused(load: Load) -> None:
    assert faults(load, IMAP_HOST="mail.example") == [
        f"{PREFIX}IMAP_USER: must be set with KEYTURN_IMAP_HOST",
        f"{PREFIX}IMAP_PASSWORD: must be set with KEYTURN_IMAP_HOST",
    ]


def test_mails_are_not_moved_to_the_folder_that_they_come_from(load: Load) -> None:
    assert faults(load, IMAP_FOLDER="Keyturn") == [
        f"{PREFIX}IMAP_HANDLED_FOLDER: must not be the folder that is watched"
    ]


def test_a_refusal_does_not_repeat_what_may_be_secret(load: Load) -> None:
    text = "\n".join(
        faults(
            load,
            DATABASE_URL="mysql://user:open-sesame@db.example/keyturn",
            BROKER_URL="http://user:open-sesame@broker.example",
            SENDGRID_BASE_URL="https://user:open-sesame@api.example",
            WEB_PORT="open-sesame",
        )
    )
    assert "sesame" not in text


# --- What stays


@pytest.mark.parametrize("name", list(DEFAULTS))
def test_a_setting_cannot_be_changed(load: Load, name: str) -> None:
    chosen = load()
    before = getattr(chosen, name)
    with pytest.raises(ValidationError, match="frozen"):
        setattr(chosen, name, before)


def test_the_variables_are_read_once(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = load()
    monkeypatch.setenv(f"{PREFIX}WEB_PORT", "8421")
    assert settings.load() is chosen


def test_no_secret_is_in_what_is_printed_of_the_settings(load: Load) -> None:
    key = new_key()
    chosen = load(
        DATABASE_URL="postgresql://user:open-sesame@db.example/keyturn",
        BROKER_URL="amqp://user:open-sesame@broker.example",
        SENDGRID_API_KEY="SG.open-sesame",
        IMAP_USER="open-sesame@mail.example",
        IMAP_PASSWORD="open-sesame",  # noqa: S106 - what is looked for
        KEYS=key,
    )
    for shown in (repr(chosen), str(chosen), f"{chosen}", repr(chosen.keys), repr(chosen.sendgrid_api_key)):
        assert "sesame" not in shown
        assert key not in shown
    assert "web_port=8420" in repr(chosen)


# --- The data folder


def test_the_data_folder_is_made_for_its_owner_alone_and_left_as_it_is_where_it_is_there(tmp_path: Path) -> None:
    chosen = Settings(data_dir=tmp_path / "a" / "b")
    settings.make_data_dir(chosen)
    assert chosen.data_dir.stat().st_mode & 0o777 == 0o700
    chosen.data_dir.chmod(0o750)
    settings.make_data_dir(chosen)
    assert chosen.data_dir.stat().st_mode & 0o777 == 0o750


def test_a_data_folder_that_cannot_be_made_is_refused_in_one_line_that_names_the_variable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for folder, reason in ((tmp_path / "file", "File exists"), (tmp_path / "file" / "a", "Not a directory")):
        with pytest.raises(BadSettings) as refusal:
            settings.make_data_dir(Settings(data_dir=folder))
        assert str(refusal.value) == f"{PREFIX}DATA_DIR: {folder} cannot be made ({reason})"


def test_a_wrong_form_is_told_with_what_the_setting_is_and_not_with_a_pattern(load: Load) -> None:
    with pytest.raises(BadSettings) as refusal:
        load(TWILIO_FROM="202 555 0100", LOB_FROM_ZIP="5001", LOG_LEVEL="LOUD")
    assert str(refusal.value).splitlines() == [
        "KEYTURN_LOG_LEVEL: has the wrong form. DEBUG, INFO, WARNING or ERROR.",
        "KEYTURN_TWILIO_FROM: has the wrong form. Your Twilio number, as +12025550100. Phone calls need it.",
        "KEYTURN_LOB_FROM_ZIP: has the wrong form. Its ZIP code, as 05001 or 05001-1234.",
    ]
