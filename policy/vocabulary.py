"""The words of the design as enums: the values that tables, policy files and messages spell out."""

from enum import StrEnum


class Channel(StrEnum):
    """How a message travels. `mail` is a US letter."""

    EMAIL = "email"
    SMS = "sms"
    VOICE = "voice"
    MAIL = "mail"


class ContactKind(StrEnum):
    """Where an account can be reached."""

    PRIMARY_EMAIL = "primary_email"
    TWO_FACTOR_EMAIL = "two_factor_email"
    PHONE = "phone"
    POSTAL_ADDRESS = "postal_address"


class ProofKind(StrEnum):
    """Something shown in a case. `password` is a password sign-in that the billing system attests."""

    CODE = "code"
    PASSPHRASE = "passphrase"
    PASSWORD = "password"


class MessageKind(StrEnum):
    """What a message says. Only `reset_code` carries a code; the `notice_` kinds tell the other contact points."""

    RESET_CODE = "reset_code"
    NOTICE_OPENED = "notice_opened"
    NOTICE_HOLD_STARTED = "notice_hold_started"
    NOTICE_COMPLETED = "notice_completed"
    NOTICE_CANCELLED = "notice_cancelled"
    NOTICE_DENIED = "notice_denied"
    INBOX_ANSWER = "inbox_answer"
