"""A Maildir loses nothing and deletes nothing: through crashes, races, unreadable files and names used twice."""

import os
import stat
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from threading import Event

import pytest

from inbox.delivery import Delivery
from inbox.limits import MAX_BYTES
from inbox.maildir import Maildir
from inbox.watching import postpone, watch
from tests.inbox.takers import Store, Stubborn, Watching
from tests.servers.waiting import until


@pytest.fixture
def maildir(tmp_path: Path) -> Maildir:
    return Maildir(tmp_path)


def names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


def ids(deliveries: Iterable[Delivery]) -> list[str]:
    return [delivery.id for delivery in deliveries]


def put(maildir: Maildir, folder: Path, name: str, *, second: int = 1, raw: bytes = b"From: a@x.example\n\nhi") -> None:
    """Deliver under a name and a time of the test's choice, as another program would."""
    file = maildir.deliver(raw).rename(folder / "new" / name)
    os.utime(file, (second, second))


def test_a_maildir_is_made_and_closed_to_others(tmp_path: Path) -> None:
    Maildir(tmp_path / "a" / "maildir")
    Maildir(tmp_path / "a" / "maildir")
    assert names(tmp_path / "a" / "maildir") == ["cur", "new", "tmp"]
    assert stat.S_IMODE((tmp_path / "a" / "maildir" / "new").stat().st_mode) == 0o700


def test_what_is_delivered_waits_byte_for_byte(maildir: Maildir, tmp_path: Path) -> None:
    raw = b"From: a@x.example\r\n\r\nbare \r and \n and \x00\xff\r\n"
    file = maildir.deliver(raw)
    assert [(delivery.id, delivery.raw) for delivery in maildir.waiting()] == [(file.name, raw)]
    assert names(tmp_path / "tmp") == []


def test_names_are_unique_also_within_a_moment(maildir: Maildir) -> None:
    assert len({maildir.deliver(b"x").name for _ in range(200)}) == 200


def test_a_failed_delivery_leaves_nothing_behind(maildir: Maildir, tmp_path: Path) -> None:
    (tmp_path / "new").rmdir()
    with pytest.raises(OSError, match="No such file"):
        maildir.deliver(b"x")
    assert names(tmp_path / "tmp") == []


def test_mails_come_in_the_order_of_their_arrival(maildir: Maildir, tmp_path: Path) -> None:
    for name, second in (("b", 3), ("c", 1), ("a", 2)):
        put(maildir, tmp_path, name, second=second)
    assert ids(maildir.waiting()) == ["c", "a", "b"]


def test_what_is_done_is_marked_seen_and_comes_no_more(maildir: Maildir, tmp_path: Path) -> None:
    maildir.deliver(b"x")
    (delivery,) = maildir.waiting()
    maildir.done(delivery)
    assert ids(maildir.waiting()) == []
    assert names(tmp_path / "cur") == [f"{delivery.id}:2,S"]
    assert (tmp_path / "cur" / f"{delivery.id}:2,S").read_bytes() == b"x"


def test_done_by_somebody_else_is_done(maildir: Maildir, tmp_path: Path) -> None:
    maildir.deliver(b"x")
    (delivery,) = maildir.waiting()
    Maildir(tmp_path).done(delivery)
    maildir.done(delivery)
    assert len(names(tmp_path / "cur")) == 1


def test_a_crash_between_storing_and_done_gives_the_same_id_again(maildir: Maildir, tmp_path: Path) -> None:
    maildir.deliver(b"x")
    (before,) = maildir.waiting()
    (after,) = Maildir(tmp_path).waiting()
    assert (after.id, after.raw) == (before.id, before.raw)


def test_flags_are_no_part_of_the_id(maildir: Maildir, tmp_path: Path) -> None:
    put(maildir, tmp_path, "1700000000.M1P1.host:2,")
    (delivery,) = maildir.waiting()
    assert delivery.id == "1700000000.M1P1.host"
    maildir.done(delivery)
    assert names(tmp_path / "cur") == ["1700000000.M1P1.host:2,S"]


def test_a_name_used_twice_deletes_no_mail(maildir: Maildir, tmp_path: Path) -> None:
    for raw in (b"first", b"second"):
        put(maildir, tmp_path, "same", raw=raw)
        (delivery,) = maildir.waiting()
        maildir.done(delivery)
    assert sorted(file.read_bytes() for file in (tmp_path / "cur").iterdir()) == [b"first", b"second"]


def test_what_cannot_be_read_stays_and_is_named_once(
    maildir: Maildir, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"From: a@x.example\n\nnot a mail of this folder")
    (tmp_path / "new" / "link").symlink_to(secret)
    (tmp_path / "new" / "folder").mkdir()
    os.mkfifo(tmp_path / "new" / "pipe")
    put(maildir, tmp_path, "odd\nname")
    put(maildir, tmp_path, "n" * 201)
    put(maildir, tmp_path, ".hidden")
    put(maildir, tmp_path, "fine")
    for _ in range(3):
        assert ids(maildir.waiting()) == ["fine"]
    assert len(names(tmp_path / "new")) == 7
    assert len(caplog.records) == 5
    assert "'odd\\nname'" in caplog.text


def test_of_a_mail_that_is_too_large_a_byte_more_than_the_limit_is_taken(maildir: Maildir, tmp_path: Path) -> None:
    with (tmp_path / "new" / "large").open("wb") as large:
        large.truncate(2 * MAX_BYTES)
    (delivery,) = maildir.waiting()
    assert len(delivery.raw) == MAX_BYTES + 1
    maildir.done(delivery)
    (kept,) = (tmp_path / "cur").iterdir()
    assert kept.stat().st_size == 2 * MAX_BYTES


def test_what_could_not_be_read_comes_once_it_can(maildir: Maildir, tmp_path: Path) -> None:
    file = maildir.deliver(b"x")
    hidden = file.rename(tmp_path / "elsewhere")
    file.symlink_to(hidden)
    assert ids(maildir.waiting()) == []
    hidden.rename(file)
    assert ids(maildir.waiting()) == [file.name]


def test_a_file_that_vanishes_while_others_are_read_is_no_matter(maildir: Maildir, tmp_path: Path) -> None:
    for second in range(3):
        put(maildir, tmp_path, f"mail{second}", second=second)
    seen = []
    for delivery in maildir.waiting():
        seen.append(delivery.id)
        (tmp_path / "new" / "mail1").unlink(missing_ok=True)
    assert seen == ["mail0", "mail2"]


def test_a_delivery_in_a_log_shows_no_mail(maildir: Maildir) -> None:
    maildir.deliver(b"secret words")
    (delivery,) = maildir.waiting()
    assert "secret" not in repr(delivery)


# --- The watch


def watching(maildir: Maildir, take: Callable[[Delivery], None]) -> Watching:
    return Watching(partial(watch, maildir, take, every=0.01))


def test_two_watchers_take_each_mail_and_store_it_once(tmp_path: Path) -> None:
    mails = [f"mail {number}".encode() for number in range(200)]
    store = Store(tmp_path / "store.db")
    folder = tmp_path / "maildir"
    for raw in mails[:100]:
        Maildir(folder).deliver(raw)
    with watching(Maildir(folder), store), watching(Maildir(folder), store):
        for raw in mails[100:]:
            Maildir(folder).deliver(raw)
        until(lambda: len(names(folder / "cur")) == len(mails), "all mails in cur")
    assert store.stored() == sorted(mails)
    assert names(folder / "new") == []


def test_a_mail_stored_before_a_crash_is_not_stored_again(tmp_path: Path) -> None:
    maildir, store = Maildir(tmp_path / "maildir"), Store(tmp_path / "store.db")
    maildir.deliver(b"x")
    (delivery,) = maildir.waiting()
    store(delivery)  # and here the process dies
    with watching(Maildir(tmp_path / "maildir"), store):
        until(lambda: names(tmp_path / "maildir" / "cur"), "the mail in cur")
    assert (store.handed, store.stored()) == (2, [b"x"])


def test_a_mail_that_cannot_be_taken_holds_up_no_other_and_is_tried_again(
    maildir: Maildir, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    take = Stubborn()
    put(maildir, tmp_path, "first", second=1, raw=b"bad")
    put(maildir, tmp_path, "second", second=2, raw=b"good")
    with watching(maildir, take):
        until(lambda: take.taken == [b"good"] and take.tries > 2, "the good mail and three tries of the bad one")
        assert names(tmp_path / "new") == ["first"]
        take.refuses = False
        until(lambda: not names(tmp_path / "new"), "the bad mail taken")
    assert take.taken == [b"good", b"bad"]
    assert "mail first could not be taken (RuntimeError)" in caplog.text
    assert "secret" not in caplog.text


def test_the_waits_between_tries_double_up_to_five_minutes() -> None:
    waits, postponed = [], None
    for _ in range(12):
        postponed = postpone(postponed, now=1000.0, first_wait=1.0)
        assert postponed.until == 1000.0 + postponed.wait
        waits.append(postponed.wait)
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]


class Hurried(Event):
    """Does not wait between two looks, and stops the watch after a hundred."""

    looks = 0

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout == 3600
        self.looks += 1
        if self.looks == 100:
            self.set()
        return self.is_set()


def test_a_mail_that_could_not_be_taken_is_not_tried_at_every_look(maildir: Maildir) -> None:
    take, stop = Stubborn(), Hurried()
    maildir.deliver(b"bad")
    watch(maildir, take, stop, every=3600)
    assert (stop.looks, take.tries) == (100, 1)


def test_a_mail_is_passed_over_while_it_waits_for_its_next_try(maildir: Maildir) -> None:
    for raw in (b"one", b"two"):
        maildir.deliver(raw)
    first, second = maildir.waiting()
    assert ids(maildir.waiting(passing_over={first.id})) == [second.id]
