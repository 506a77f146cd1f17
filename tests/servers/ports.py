"""Ports on loopback: one that is free, the one in a URL, and whether one is served."""

import socket
from urllib.parse import urlsplit

LOOPBACK = "127.0.0.1"


def free_port() -> int:
    """A port that nothing listens on. Bind it soon: the system may give it to another program."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
    return port


def port_of(url: str) -> int:
    """The port that `url` names."""
    port = urlsplit(url).port
    if port is None:
        raise ValueError(f"no port in {url}")
    return port


def is_served(port: int) -> bool:
    """Whether something accepts connections on `port`."""
    with socket.socket() as probe:
        return probe.connect_ex((LOOPBACK, port)) == 0
