"""The web process itself, as an operator starts it: it serves, logs discreetly, and stops when it is told to."""

import signal
from pathlib import Path

import httpx2

from tests.end_to_end.processes import KEYTURN, keyturn, running
from tests.servers.ports import free_port
from tests.servers.stack import StackName, stack
from tests.servers.waiting import until


def is_healthy(client: httpx2.Client) -> bool:
    try:
        return client.get("/health").status_code == 200
    except httpx2.TransportError:
        return False


def test_the_process_serves_logs_no_token_and_stops_when_told(tmp_path: Path) -> None:
    port = free_port()
    env = {**stack(StackName.EMBEDDED, tmp_path / "data").env, "KEYTURN_WEB_PORT": str(port)}
    keyturn(env, "migrate")
    with (
        httpx2.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client,
        running([*KEYTURN, "web"], env, tmp_path / "web.log") as web,
    ):
        until(lambda: web.says("Uvicorn running") and is_healthy(client), "the pages to be served")
        assert "server" not in client.get("/").headers
        assert client.get("/confirm/R-7K2M-9QXW/a-token-nobody-may-read").status_code == 404
        web.process.send_signal(signal.SIGTERM)
        web.process.wait(20)
    log = (tmp_path / "web.log").read_text()
    assert "GET /confirm/{reference}/{token} 404" in log
    assert "R-7K2M-9QXW" not in log
    assert "nobody-may-read" not in log
    assert "Traceback" not in log
