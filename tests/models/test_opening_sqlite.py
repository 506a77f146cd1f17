"""A new SQLite database opened by processes at once, as all of Keyturn's do when it starts in an empty folder."""

import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

OPEN_ALL = """
import sys
from models.database import Database
print("ready", flush=True)
for url in sys.stdin:
    database = Database(url.strip())
    with database.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE IF NOT EXISTS opened (id INTEGER PRIMARY KEY)")
        connection.exec_driver_sql("INSERT INTO opened DEFAULT VALUES")
        total = connection.exec_driver_sql("SELECT count(*) FROM opened").scalar_one()
    database.dispose()
    print(total, flush=True)
"""
PROCESSES, FILES = 4, 60


def test_of_processes_that_open_a_new_file_at_once_each_can_write(tmp_path: Path) -> None:
    command = [sys.executable, "-c", OPEN_ALL]
    with ExitStack() as stack:
        processes = [
            stack.enter_context(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
            for _ in range(PROCESSES)
        ]
        pipes = [(each.stdin, each.stdout) for each in processes if each.stdin and each.stdout]
        assert [output.readline() for _, output in pipes] == ["ready\n"] * PROCESSES
        for number in range(FILES):
            for wanted, _ in pipes:
                wanted.write(f"sqlite:///{tmp_path / str(number)}.db\n")
                wanted.flush()
            assert sorted(output.readline() for _, output in pipes) == ["1\n", "2\n", "3\n", "4\n"]
