"""A watched Maildir: the folder into which a mail server, or a person with a file, puts one file a mail.

Nothing in it is ever deleted or rewritten. A mail waits in `new` until it has been taken, then it moves to `cur` with
the flag for "seen". Whoever takes it stores the raw bytes first: after a crash in between, the same mail comes again
under the same id. (The standard library's `mailbox.Maildir` turns CRLF into LF; a signature would no longer match.)
"""

import itertools
import logging
import os
import re
import socket
import stat
import time
from collections.abc import Container, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from inbox.delivery import Delivery
from inbox.limits import MAX_BYTES

_log = logging.getLogger(__name__)

_NAME = re.compile(r"[!-9;-~]{1,200}(?::[!-~]{0,40})?")  # printable ASCII; what follows a colon are flags
_SEEN = ":2,S"
_count = itertools.count()


class _NotTaken(Exception):
    """A file in `new` that is not taken as a mail. Look at it and move it away, or let it be."""


@dataclass(frozen=True, slots=True)
class DeliveredFile(Delivery):
    """A mail in a Maildir; its id is the file's name without the flags."""

    path: Path = field(repr=False)


class Maildir:
    """A Maildir at `path`, made if there is none, closed to other users. Several processes may watch one."""

    def __init__(self, path: Path) -> None:
        self._tmp, self._new, self._cur = (path / part for part in ("tmp", "new", "cur"))
        for folder in (self._tmp, self._new, self._cur):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._complained: set[str] = set()

    def deliver(self, raw: bytes) -> Path:
        """Put a mail in, as a mail server does; when this returns, it survives a power cut. Raises OSError."""
        name = _unique_name()
        written, delivered = self._tmp / name, self._new / name
        try:
            with written.open("xb") as file:
                file.write(raw)
                file.flush()
                os.fsync(file.fileno())
            written.rename(delivered)
        except OSError:
            written.unlink(missing_ok=True)
            raise
        _sync_folder(self._new)
        return delivered

    def waiting(self, passing_over: Container[str] = ()) -> Iterator[DeliveredFile]:
        """Give what waits in `new`, in the order of arrival, read one by one; not the ids in `passing_over`.

        What cannot be read (no permission, not a plain file, an odd name) stays where it is and is named
        in the log once. Raises OSError if the folder itself cannot be read.
        """
        with os.scandir(self._new) as entries:
            names = sorted((_arrival(entry), entry.name) for entry in entries if not entry.name.startswith("."))
        self._complained.intersection_update(name for _, name in names)
        for _, name in names:
            if name.partition(":")[0] not in passing_over and (delivery := self._delivery(name)):
                yield delivery

    def done(self, delivery: DeliveredFile) -> None:
        """Move a mail that has been stored to `cur`. If somebody else has done so, nothing is to do. Raises OSError."""
        target = self._cur / f"{delivery.id}{_SEEN}"
        if target.exists():  # somebody put two mails under one name; renaming would delete the first
            target = self._cur / f"{_unique_name()}{_SEEN}"
        try:
            delivery.path.rename(target)
        except FileNotFoundError:
            _log.debug("mail %s was moved by somebody else", delivery.id)

    def _delivery(self, name: str) -> DeliveredFile | None:
        path, id_ = self._new / name, name.partition(":")[0]
        try:
            raw = _content(path)
        except FileNotFoundError:  # another watcher was faster
            return None
        except OSError as error:
            self._leave(name, error.strerror or type(error).__name__)
        except _NotTaken as why:
            self._leave(name, str(why))
        else:
            self._complained.discard(name)
            return DeliveredFile(id_, raw, path)
        return None

    def _leave(self, name: str, reason: str) -> None:
        if name not in self._complained:
            self._complained.add(name)
            _log.warning("a mail stays in the Maildir's new folder, file %s: %s", ascii(name), reason)


def _content(path: Path) -> bytes:
    if not _NAME.fullmatch(path.name):
        raise _NotTaken("its name is not one that a mail server gives")
    # No following of links to other files, and no waiting for the other end of a pipe.
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise _NotTaken("it is not a plain file")
        # A byte over the limit says as much as all that are: a person looks at it, and the file stays whole.
        return file.read(MAX_BYTES + 1)


def _arrival(entry: "os.DirEntry[str]") -> int:
    try:
        return entry.stat(follow_symlinks=False).st_mtime_ns
    except FileNotFoundError:
        return 0


def _unique_name() -> str:
    host = socket.gethostname().replace("/", "\\057").replace(":", "\\072")
    seconds, nanoseconds = divmod(time.time_ns(), 1_000_000_000)
    return f"{seconds}.M{nanoseconds // 1000}P{os.getpid()}Q{next(_count)}.{host}"


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
