"""What a reading child says of one mail: `Read` or `Unreadable`, as JSON between the two processes.

A hostile mail may have taken the child over. So what it says is data of fixed types, never a pickle, and is checked
here like anything that comes from outside; what it may still do is lie about the mail.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cache
from typing import TYPE_CHECKING

from foundation.addresses import normalise_address
from inbox.decoding import clean
from inbox.judging import Judgement, judge
from inbox.reading import Mail, Unreadable, is_message_id, read

if TYPE_CHECKING:
    from pydantic import TypeAdapter

MAX_ANSWER_BYTES = 1024 * 1024
"""The longest text, of 100,000 characters, takes 400,000."""


class Nonsense(Exception):
    """A child's answer that is not one of ours. End that child; treat its mail as unreadable."""


@dataclass(frozen=True, slots=True)
class Read:
    """A mail, and what it asks."""

    mail: Mail
    judgement: Judgement


def answer_to(raw: bytes) -> Read | Unreadable:
    """Read and judge one mail in this process. Raises nothing, whatever `raw` is."""
    try:
        mail = read(raw)
        return Read(mail, judge(mail))
    except Unreadable as fault:
        # A new one: this one holds on to all that was read so far, and there may be no memory left to send it.
        return Unreadable(fault.reason)
    except Exception as error:  # noqa: BLE001 - whatever a mail does to judging, it is that mail's fault
        return Unreadable(f"trips the judge ({type(error).__name__})")


def to_json(answer: Read | Unreadable) -> bytes:
    """Return `answer` as the child sends it."""
    said: dict[str, object] = {"read": None, "unreadable": None}
    if isinstance(answer, Unreadable):
        said["unreadable"] = answer.reason
    else:
        said["read"] = asdict(answer)
    return json.dumps(said, ensure_ascii=False).encode()


def from_json(content: bytes) -> Read | Unreadable:
    """Return what the child said. Raises Nonsense for anything that `to_json` cannot have made."""
    try:
        answer = _shape().validate_json(content, strict=True)
    except ValueError:  # its text would quote the mail
        raise Nonsense from None
    if answer.read and not answer.unreadable and _is_ours(answer.read):
        return answer.read
    if answer.unreadable and not answer.read and clean(answer.unreadable) == answer.unreadable:
        return Unreadable(answer.unreadable)
    raise Nonsense


@dataclass(frozen=True, slots=True)
class _Answer:
    read: Read | None
    unreadable: str | None


@cache
def _shape() -> "TypeAdapter[_Answer]":
    from pydantic import TypeAdapter  # which would double the time that a child takes to start

    return TypeAdapter(_Answer)


def _is_ours(said: Read) -> bool:
    """Tell whether all that `Mail` promises of its fields holds, for those that are stored and compared."""
    mail = said.mail
    return (
        (mail.sender is None) == (mail.sender_problem is not None)
        and (mail.sender is None or normalise_address(mail.sender) == mail.sender)
        and (mail.message_id is None or is_message_id(mail.message_id))
        and all(clean(text) == text for text in _texts(said))
    )


def _texts(said: Read) -> Iterator[str]:
    yield from (said.mail.subject, said.mail.text, said.mail.machine_sign or "", *said.judgement.reasons)
