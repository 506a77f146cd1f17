"""A Dovecot for the tests: the machine's program, with a folder, ports and a configuration of the tests' own.

Nothing of the system's own Dovecot is touched. Root runs it as `nobody`, everybody else as themselves. Every name is a
user, with an empty mailbox and the same password; so each test takes a name of its own.
"""

import argparse
import grp
import imaplib
import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit
from uuid import uuid4

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.servers import lifeline
from tests.servers.ports import LOOPBACK, free_port, port_of

PASSWORD = "garnet-crayón-41"  # IMAP's LOGIN cannot say it

_CONFIGURATION = """\
base_dir = {folder}/run
state_dir = {folder}/state
log_path = /dev/stderr
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
first_valid_uid = 1
protocols = imap
listen = {host}
ssl = yes
ssl_cert = <{folder}/certificate.pem
ssl_key = <{folder}/key.pem
disable_plaintext_auth = no
auth_failure_delay = 0
mail_location = maildir:{folder}/mail/%u
mail_fsync = never
mail_max_userip_connections = 100
protocol imap {{
  {capability}
}}
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/home/%u
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
  }}
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  chroot =
}}
"""


class NoDovecot(Exception):
    """This machine has no Dovecot that the tests can start. Install dovecot-imapd; without it some are not run."""


@dataclass(frozen=True, slots=True)
class User:
    """A user of a running Dovecot, seen through a client that shares nothing with Keyturn's."""

    name: str
    port: int

    @contextmanager
    def client(self, folder: str = "INBOX") -> Iterator[imaplib.IMAP4]:
        """A connection that is logged in, with this folder selected if it is there."""
        with imaplib.IMAP4(LOOPBACK, self.port, timeout=30) as client:
            client.authenticate("PLAIN", lambda _: f"\0{self.name}\0{PASSWORD}".encode())
            client.select(f'"{folder}"')
            yield client

    def append(self, *mails: bytes) -> None:
        """Put mails, with CRLF at the ends of their lines, into the inbox."""
        with self.client() as client:
            for raw in mails:
                assert client.append("INBOX", "", "", raw)[0] == "OK"

    def mails(self, folder: str = "INBOX") -> list[bytes]:
        """The mails in this folder byte for byte, in the order of their arrival; none where there is no folder."""
        return [part[1] for part in self._fetch(folder, "(BODY.PEEK[])") if isinstance(part, tuple)]

    def flags(self, folder: str = "INBOX") -> list[set[str]]:
        """Each mail's flags and keywords."""
        lines = [line for line in self._fetch(folder, "(FLAGS)") if isinstance(line, bytes)]
        return [{flag.decode() for flag in imaplib.ParseFlags(line)} - {r"\Recent"} for line in lines]

    def _fetch(self, folder: str, items: str) -> list[Any]:
        with self.client(folder) as client:
            return client.uid("FETCH", "1:*", items)[1] if client.state == "SELECTED" else []


@dataclass(frozen=True, slots=True)
class Dovecot:
    """A running Dovecot: `port` also does STARTTLS; `certificate` is a PEM file, good for 127.0.0.1 alone."""

    port: int
    tls_port: int
    certificate: Path

    def new_user(self) -> User:
        """A user whom nobody else has."""
        return User(f"support-{uuid4().hex}@inbox.example", self.port)


def find() -> str:
    """The program, of the series whose configuration is written here; raises `NoDovecot`."""
    path = os.environ.get("PATH", "")
    # Where Debian has it, an ordinary user does not look.
    program = shutil.which("dovecot", path=path and f"{path}{os.pathsep}/usr/sbin")
    if program is None:
        raise NoDovecot("Dovecot: none on PATH")
    version = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    if not version.startswith("2.3."):
        raise NoDovecot("Dovecot: none of version 2.3 on PATH")
    return program


@contextmanager
def dovecot(capability: str = "") -> Iterator[Dovecot]:
    """A Dovecot that says it has this capability, or all that it has; it ends with this block or with this process."""
    with lifeline.started(__name__, "--capability", capability) as url:
        rest = parse_qs(urlsplit(url).query)
        yield Dovecot(port_of(url), int(rest["tls_port"][0]), Path(rest["certificate"][0]))


@contextmanager
def _server(capability: str) -> Iterator[str]:
    program = find()
    user = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
    with lifeline.temporary_folder() as folder:
        _write_certificate(folder)
        port, tls_port = free_port(), free_port()
        configuration = folder / "dovecot.conf"
        configuration.write_text(_configuration(folder, user, port, tls_port, capability))
        if user:
            for path in (folder, *folder.iterdir()):
                os.chown(path, user.pw_uid, user.pw_gid)
        with lifeline.running([program, "-F", "-c", str(configuration)], folder, user, ready="starting up for imap"):
            rest = urlencode({"tls_port": tls_port, "certificate": folder / "certificate.pem"})
            yield f"imap://{LOOPBACK}:{port}?{rest}"


def _configuration(folder: Path, user: pwd.struct_passwd | None, port: int, tls_port: int, capability: str) -> str:
    whom = user or pwd.getpwuid(os.geteuid())
    return _CONFIGURATION.format(
        folder=folder,
        host=LOOPBACK,
        port=port,
        tls_port=tls_port,
        user=whom.pw_name,
        group=grp.getgrgid(whom.pw_gid).gr_name,
        uid=whom.pw_uid,
        gid=whom.pw_gid,
        password=PASSWORD,
        capability=f"imap_capability = {capability}" if capability else "",
    )


def _write_certificate(folder: Path) -> None:
    """A certificate that vouches for itself, with all that Python's strict verification wants to see."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Keyturn's tests")])
    extensions: list[tuple[x509.ExtensionType, bool]] = [
        (x509.SubjectAlternativeName([x509.IPAddress(ip_address(LOOPBACK))]), False),
        (x509.BasicConstraints(ca=True, path_length=0), True),
        (x509.KeyUsage(True, False, False, False, False, True, False, False, False), True),
        (x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False),
    ]
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=7))
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    certificate = builder.sign(key, hashes.SHA256())
    (folder / "certificate.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--capability", required=True)
    lifeline.keep(_server(parser.parse_args().capability))
