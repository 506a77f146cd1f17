"""`keyturn demo`, `keyturn up` and `keyturn web`: Keyturn's processes, alone or side by side in one terminal."""

import os
import socket
import sys
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path

import click

from cli.examples import EXAMPLES, ROOT
from cli.output import Refusal
from cli.supervisor import ChildSpec, Supervisor

_DEMO = {
    "KEYTURN_DATA_DIR": "keyturn-demo",
    "KEYTURN_RELAY_SECONDS": "1",
    "KEYTURN_SWEEP_SECONDS": "1",
    "KEYTURN_LOG_LEVEL": "WARNING",
    "KEYTURN_BRAND_NAME": "Northfold Hosting",
    "KEYTURN_BRAND_SUPPORT_EMAIL": "support@northfold-hosting.example",
    "KEYTURN_BRAND_SUPPORT_PHONE": "+1 202-555-0100",
    "KEYTURN_BRAND_URL": "https://northfold-hosting.example",
}
# A worker that is told to stop finishes what it sends and gives back the rest.
_WORKER = {"REMAP_SIGTERM": "SIGQUIT"}


@click.command()
def web() -> None:
    """Run the web process alone."""
    from web.app import run

    run()


@click.command()
def up() -> None:
    """Run web, worker, beat and inbox watcher in this terminal, until Ctrl-C."""
    from notifiers.directory import available
    from workflows import installation

    _fix_paths()
    loaded = installation.load()
    _prepare()
    for channel, reason in available(loaded.settings).items():
        if reason:
            click.echo(f"{channel} is unavailable: {reason}", err=True)
    click.echo(f"Keyturn serves {loaded.settings.public_url}; mails arrive in {loaded.settings.maildir_path}.")
    sys.exit(Supervisor(children()).run())


@click.command()
@click.option("--auto", is_flag=True, help="Play one reset through, unattended, and exit.")
def demo(auto: bool) -> None:  # noqa: FBT001 - click's call
    """Try it: sample accounts, a moving clock, nothing leaves the machine."""
    with ExitStack() as stack:
        if auto:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="keyturn-demo-"))
            _set_defaults({"KEYTURN_DATA_DIR": folder, "KEYTURN_WEB_PORT": str(_free_port())})
        _keep_to_ourselves()
        _set_defaults(_DEMO)
        _set_defaults({"KEYTURN_PUBLIC_URL": f"http://127.0.0.1:{os.environ.get('KEYTURN_WEB_PORT', '8420')}"})
        _fix_paths()
        _prepare()
        _load_samples()
        if auto:
            from cli.play import play

            with Supervisor(children()).running():
                play()
        else:
            _say_where_to_look()
            sys.exit(Supervisor(children()).run())


def children() -> list[ChildSpec]:
    """The four processes of an installation."""
    # Celery imports from its folder first, whatever -P says: from ours, not from where Keyturn was started.
    celery = ("celery", "-q", "--workdir", str(ROOT), "-A", "worker")
    return [
        ChildSpec("web", ("cli.main", "web")),
        ChildSpec(
            "worker", (*celery, "worker", "--without-gossip", "--without-mingle", "--without-heartbeat"), _WORKER
        ),
        ChildSpec("beat", (*celery, "beat")),
        ChildSpec("inbox", ("cli.main", "inbox", "watch")),
    ]


def _keep_to_ourselves() -> None:
    """A demo never touches what the environment names: its outbox would swallow real codes, its inbox real mails."""
    for name in ("KEYTURN_DATABASE_URL", "KEYTURN_BROKER_URL", "KEYTURN_IMAP_HOST"):
        if os.environ.get(name):
            raise Refusal(f"{name} is set: a demo keeps to its own data folder; unset it")
    os.environ["KEYTURN_MODE"] = "demo"


def _set_defaults(values: Mapping[str, str]) -> None:
    for name, value in values.items():
        os.environ.setdefault(name, value)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _require_ours() -> None:
    """PyPI has distributions of the same names; in an environment of its own Keyturn meets none of them."""
    for name in ("foundation", "inbox", "models", "notifiers", "policy", "tasks", "web", "workflows"):
        found = find_spec(name)
        if found is None or found.origin is None or Path(found.origin).parent.parent != ROOT:
            raise Refusal(f"another package named {name} is in Keyturn's way: install Keyturn in an environment alone")


def _fix_paths() -> None:
    """Celery runs in another folder, so what is relative to this one has to be said in full."""
    for name in ("KEYTURN_DATA_DIR", "KEYTURN_MAILDIR", "KEYTURN_POLICY_FILE"):
        if path := os.environ.get(name):
            os.environ[name] = str(Path(path).absolute())
    os.environ.setdefault("KEYTURN_DATA_DIR", str(Path("keyturn-data").absolute()))


def _prepare() -> None:
    """Tables, queues and a free port, before any process needs them."""
    _require_ours()
    import migrations
    from tasks.broker import declare_queues
    from workflows import installation

    loaded = installation.load()
    migrations.migrate(loaded.database)
    installation.require_usable_keys(loaded)
    declare_queues()
    _require_free(loaded.settings.web_host, loaded.settings.web_port)


def _require_free(host: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise Refusal(f"{host}:{port} cannot be used ({error.strerror}); set KEYTURN_WEB_PORT to another") from None


def _load_samples() -> None:
    from cli.accounts import read_rows
    from foundation import clock
    from workflows import importing, installation, views
    from workflows.accounts import UnknownAccount

    loaded = installation.load()
    rows = read_rows(EXAMPLES / "accounts.csv")
    try:
        views.account_view(loaded, str(rows[0]["ref"]))
    except UnknownAccount:
        importing.import_accounts(loaded, rows, clock.now())


def _say_where_to_look() -> None:
    from workflows import installation

    settings = installation.load().settings
    click.echo(
        f"""Keyturn's demo. Nothing leaves this machine; what would be sent is shown as its recipient would get it.

  Outbox     {settings.public_url}/outbox
  Page       {settings.public_url}
  Mails      drop them into {settings.maildir_path}/new/
  Accounts   DANA-1    SMS, passphrase "violet harbour lamp"
             OMAR-4    phone call, passphrase "quiet copper meadow"
             GRACE-5   e-mail
             RUTH-2    letter to Vermont, 21 days
             KEONI-6   letter to Hawaii, 30 days
             JONAS-3   in Germany: e-mail

Type in another terminal:

  export KEYTURN_MODE=demo KEYTURN_DATA_DIR={settings.data_dir}
  ./run inbox add examples/lost-phone.eml     DANA-1 writes; a mail for each account is in examples/
  ./run reset list                            where each case stands
  ./run clock advance 25h                     let a hold pass

Read the code in the outbox and type it on the page.
Ctrl-C ends it. Delete {settings.data_dir}/ to begin afresh.
"""
    )
