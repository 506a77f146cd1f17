"""Whether a mail reports that another can never be delivered (RFC 3464): only then does a bounce lead to anything."""

import re

# RFC 3464 §2.3.3 and §2.3.4: the action, and a status of class 5, a permanent failure (RFC 3463 §3.1).
_FAILED = re.compile(rb"(?im)^action:[ \t]*failed\b")
_FOR_GOOD = re.compile(rb"(?im)^status:[ \t]*5\.\d{1,3}\.\d{1,3}\b")
_REPORT = re.compile(rb"(?im)^content-type:[ \t]*message/delivery-status\b")


def says_undeliverable(raw: bytes) -> bool:
    """Whether it holds a delivery status that says so; "delayed" is not for good, and a text proves nothing."""
    report = _REPORT.search(raw)
    return report is not None and all(sign.search(raw, report.end()) for sign in (_FAILED, _FOR_GOOD))
