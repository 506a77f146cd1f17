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
    """What a message says. The `_code` kinds carry a code; the `notice_` kinds tell the other contact points."""

    RESET_CODE = "reset_code"
    NOTICE_OPENED = "notice_opened"
    NOTICE_HOLD_STARTED = "notice_hold_started"
    NOTICE_COMPLETED = "notice_completed"
    NOTICE_CANCELLED = "notice_cancelled"
    NOTICE_DENIED = "notice_denied"
    NOTICE_CODE_BY_MAIL = "notice_code_by_mail"
    INBOX_ANSWER = "inbox_answer"
    SIGN_IN_CODE = "sign_in_code"
    CONTACT_CODE = "contact_code"
    ENROLMENT_CODE = "enrolment_code"
    ENROLMENT_LINK = "enrolment_link"
    NOTICE_CHANGED = "notice_changed"


class Change(StrEnum):
    """What changed on an account, as its customer is told."""

    PREFERENCE = "preference"
    BACKUP = "backup"
    PASSPHRASE = "passphrase"
    TWO_FACTOR_EMAIL = "two_factor_email"
    PHONE = "phone"
    POSTAL_ADDRESS = "postal_address"
    PRIMARY_EMAIL = "primary_email"
    FACTOR_ADDED = "factor_added"
    FACTOR_REMOVED = "factor_removed"
    FACTOR_SUSPENDED = "factor_suspended"
    FACTOR_RESTORED = "factor_restored"
    FACTOR_DISABLED = "factor_disabled"
    RECOVERY_CODE_USED = "recovery_code_used"
    RECOVERY_CODES_MADE = "recovery_codes_made"
    KEY_COPIED = "key_copied"


class Finding(StrEnum):
    """What a vendor found out about a contact point before anything was sent to it.

    Of a phone number its kind of line (https://www.twilio.com/docs/lookup/v2-api/line-type-intelligence), of a postal
    address how it can be delivered to (https://docs.lob.com/#tag/US-Verifications).
    """

    MOBILE = "mobile"
    LANDLINE = "landline"
    FIXED_VOIP = "fixed_voip"
    NON_FIXED_VOIP = "non_fixed_voip"
    PERSONAL = "personal"
    TOLL_FREE = "toll_free"
    PREMIUM = "premium"
    SHARED_COST = "shared_cost"
    UAN = "uan"
    VOICEMAIL = "voicemail"
    PAGER = "pager"
    UNKNOWN = "unknown"
    DELIVERABLE = "deliverable"
    UNNECESSARY_UNIT = "unnecessary_unit"
    INCORRECT_UNIT = "incorrect_unit"
    MISSING_UNIT = "missing_unit"
    UNDELIVERABLE = "undeliverable"


class Fate(StrEnum):
    """What a vendor's later word about a message means for us.

    `again`: send it once more. `unanswered`: a call that nobody took. `expired`: its code's life ended on the way.
    `unreachable`: it never gets there. `ours`: it failed, and the fault is in our configuration.
    """

    UNDER_WAY = "under_way"
    DELIVERED = "delivered"
    AGAIN = "again"
    UNANSWERED = "unanswered"
    EXPIRED = "expired"
    UNREACHABLE = "unreachable"
    OURS = "ours"
