"""What SendGrid's Inbound Parse posts: multipart/form-data, as its page describes the fields.

https://www.twilio.com/docs/sendgrid/for-developers/parsing-email/setting-up-the-inbound-parse-webhook
"""

from collections.abc import Mapping


def multipart(fields: Mapping[str, bytes], boundary: str = "xYzZY") -> bytes:
    """The body of the request."""
    parts = (
        b'--%s\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (boundary.encode(), name.encode(), value)
        for name, value in fields.items()
    )
    return b"".join(parts) + b"--%s--\r\n" % boundary.encode()
