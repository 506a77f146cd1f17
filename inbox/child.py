"""The process in which hostile mail is read, started by `inbox.reader` and by nobody else.

Its standard input is a socket. Over it come mails, one after the other, and go answers: each four bytes of length and
that many bytes. It holds no key and no setting, and before the first mail it gives up what it does not need: it can
open no file and no connection, start no process, and grow by no more than `MAX_GROWTH_BYTES`. It ends with its parent.
"""

import codecs
import contextlib
import resource
import signal
import socket
from pathlib import Path

from inbox.answer import answer_to, to_json
from inbox.decoding import CHARSETS
from inbox.weighing import learned

MAX_GROWTH_BYTES = 256 * 1024 * 1024
"""Of address space, beyond what the interpreter and our modules take; on Linux only."""

LENGTH_BYTES = 4
"""Before every mail and every answer, most significant byte first."""

# Python loads some of its modules when a mail first needs them, which is too late when no file can be opened.
_OF_EVERY_KIND = b"""\
From: =?utf-8?b?w7w=?= <a@m\xc3\xbcller.example>
Date: Tue, 10 Nov 2026 09:52:08 -0500
Subject: =?utf-8?q?=C3=BC?=
Content-Type: multipart/mixed; boundary=b

--b
Content-Transfer-Encoding: quoted-printable

=3D \xc3\xbc
--b
Content-Type: text/plain; charset*=us-ascii'en'utf-8
Content-Transfer-Encoding: base64

w7w=
--b
Content-Transfer-Encoding: x-uuencode

begin 644 x
#0V%T
`
end
--b
Content-Type: message/delivery-status

A: b
--b
Content-Type: message/rfc822

A: b
--b--
"""


def main(seconds: float) -> None:
    """Answers until the parent has gone, or kills this process if one mail takes longer than `seconds`."""
    connection = socket.socket(fileno=0)
    _confine()
    send(connection, b"")
    with contextlib.suppress(ConnectionError):
        while (raw := _next_mail(connection, seconds)) is not None:
            send(connection, to_json(answer_to(raw)))


def send(connection: socket.socket, content: bytes) -> None:
    """Send one message. Raises OSError, and TimeoutError if the connection has a timeout."""
    connection.sendall(len(content).to_bytes(LENGTH_BYTES))
    connection.sendall(content)


def _next_mail(connection: socket.socket, seconds: float) -> bytes | None:
    signal.setitimer(signal.ITIMER_REAL, 0)
    length = connection.recv(LENGTH_BYTES, socket.MSG_WAITALL)
    # If the parent is killed meanwhile, nobody else ends a reading that goes on for ever.
    signal.setitimer(signal.ITIMER_REAL, seconds)
    return connection.recv(int.from_bytes(length), socket.MSG_WAITALL) if len(length) == LENGTH_BYTES else None


def _confine() -> None:
    for number in (signal.SIGINT, signal.SIGTERM):  # whoever stops us all must not stop it in the middle of a mail
        signal.signal(number, signal.SIG_IGN)
    _load_what_is_loaded_late()
    _limit_growth()
    for limit in (resource.RLIMIT_NOFILE, resource.RLIMIT_NPROC, resource.RLIMIT_FSIZE, resource.RLIMIT_CORE):
        resource.setrlimit(limit, (0, 0))


def _load_what_is_loaded_late() -> None:
    for charset in CHARSETS.values():
        codecs.lookup(charset)
    learned()  # a file: after this none can be opened
    answer_to(_OF_EVERY_KIND)


def _limit_growth() -> None:
    statm = Path("/proc/self/statm")  # Linux; on macOS the limit would be ignored anyway
    if statm.exists():
        most = int(statm.read_text().split()[0]) * resource.getpagesize() + MAX_GROWTH_BYTES
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
