"""The thread of a message: a keyed token in its Message-ID and reply address that nobody can make for another message.

A plain Message-ID lets a stranger who has seen or guessed it join a customer's thread, or have a bounce silence a
notice. Here whoever shows a token has the message, or had it: the 16 bytes of its id, then 10 of a keyed digest.
"""

import base64
from binascii import Error
from uuid import UUID

from workflows.installation import Installation

_PURPOSE = "thread of a message"
_ID = 16  # bytes
# Bytes: 80 bits cannot be guessed mail by mail, and more would not fit before the @ (RFC 5321 §4.5.3.1.1).
_DIGEST = 10


def token_of(installation: Installation, message_id: UUID) -> str:
    """The message's token: 42 letters and digits, the same in either case, because mail systems change that."""
    digest = installation.keyring.digest(message_id.bytes, purpose=_PURPOSE)
    return base64.b32encode(message_id.bytes + digest[:_DIGEST]).decode().rstrip("=").lower()


def message_of(installation: Installation, token: str) -> UUID | None:
    """The message that the token was made for; None where it was not made here."""
    try:
        shown = base64.b32decode(token.upper() + "======")
    except (Error, ValueError):
        return None
    message_id = shown[:_ID]
    right = installation.keyring.begins_digest(shown[_ID:], message_id, purpose=_PURPOSE)
    return UUID(bytes=message_id) if right else None
