"""Logging: one line a record to standard error, every line redacted, libraries that log payloads held down."""

import logging
import sys

from foundation.redaction import redact

# At DEBUG these write request bodies, keys or addresses (python_http_client writes the API key), or drown the rest.
_HELD_DOWN = {
    "alembic.runtime": logging.WARNING,
    "imapclient": logging.WARNING,
    "python_http_client": logging.WARNING,
    "transitions": logging.WARNING,
    "twilio": logging.WARNING,
    "urllib3": logging.INFO,
    "sqlalchemy.engine": logging.WARNING,
    "amqp": logging.INFO,
    "kombu": logging.INFO,
    # Celery's own lines carry task arguments at DEBUG and one line a task at INFO; ours say what was done.
    "celery.beat": logging.WARNING,
    "celery.app.trace": logging.WARNING,
    "celery.worker.strategy": logging.WARNING,
    # uvicorn's access log would hold the tokens of links; the web process writes its own.
    "uvicorn.access": logging.WARNING,
}


class _Redacting(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


class _RedactingFilter(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = redact(record.getMessage()), None
        return True


_REDACTING = _RedactingFilter()


def redact_at_the_source(name: str) -> None:
    """Redacts what the logger `name` writes, for every handler and level, whoever has set them up."""
    logging.getLogger(name).addFilter(_REDACTING)


def set_up(level: str) -> None:
    """Makes `level` (DEBUG, INFO, WARNING, ERROR) the level of this process and redaction its only way out."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Redacting("%(asctime)s %(levelname)s %(name)s: %(message)s", datefmt="%Y-%m-%dT%H:%M:%S%z"))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name, least in _HELD_DOWN.items():
        logging.getLogger(name).setLevel(max(least, logging.getLevelNamesMapping()[level]))
