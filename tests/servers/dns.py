"""A DNS server on loopback that answers questions for TXT records: with records, with an error, or not at all."""

import socketserver
import threading
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TypeAlias

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

from foundation.settings import Resolver
from tests.servers.ports import LOOPBACK

_TTL = 60  # seconds
_LARGEST = 65_535  # bytes: loopback carries them, and no answer need come over TCP
_LONGEST_STRING = 255  # bytes of one string in a record (RFC 1035, section 3.3)


class Instead(Enum):
    """What comes instead of records."""

    SERVFAIL = auto()
    SILENCE = auto()


Answer: TypeAlias = tuple[bytes, ...] | str | Instead
"""Records, the name that this one stands for (CNAME), or what comes instead. A name that is not there is NXDOMAIN."""


@dataclass
class Dns:
    """The running server: `answers` by name, in lower case with a dot at the end, and the names it was asked for."""

    resolver: Resolver
    answers: MutableMapping[str, Answer] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def reply_to(self, wire: bytes) -> bytes | None:
        query = dns.message.from_wire(wire)
        reply = dns.message.make_response(query)
        reply.flags |= dns.flags.RA
        name = query.question[0].name.to_text().lower()
        self.asked.append(name)
        answer = self.answers.get(name)
        if isinstance(answer, str):
            reply.answer.append(dns.rrset.from_text(name, _TTL, "IN", "CNAME", answer))
            name, answer = answer, self.answers.get(answer)
        match answer:
            case Instead.SILENCE:
                return None
            case Instead.SERVFAIL:
                reply.set_rcode(dns.rcode.SERVFAIL)
            case tuple() if answer:
                reply.answer.append(dns.rrset.from_text(name, _TTL, "IN", "TXT", *map(_quoted, answer)))
            case None:
                reply.set_rcode(dns.rcode.NXDOMAIN)
        return reply.to_wire(max_size=_LARGEST)


def _quoted(record: bytes) -> str:
    pieces = [record[at : at + _LONGEST_STRING] for at in range(0, len(record), _LONGEST_STRING)] or [b""]
    return " ".join(f'"{piece.decode("ascii")}"' for piece in pieces)


@contextmanager
def dns_server() -> Iterator[Dns]:
    """Serve until the block ends; nothing is in it at first."""
    running: list[Dns] = []

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            wire, sender = self.request
            reply = running[0].reply_to(wire)
            if reply is not None:
                sender.sendto(reply, self.client_address)

    with socketserver.ThreadingUDPServer((LOOPBACK, 0), Handler) as server:
        running.append(Dns(Resolver(LOOPBACK, server.server_address[1])))
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield running[0]
        finally:
            server.shutdown()
            thread.join()
