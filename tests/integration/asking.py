"""The five ways in which clients ask, and what each of them hears when it is told no."""

from __future__ import annotations

import concurrent.futures
import time
from dataclasses import dataclass
from typing import Callable, Iterable

import wire

BROWSER, NODE, SOCKS5, SOCKS4, PLAIN = "browser", "node", "socks5", "socks4", "plain"
KINDS = (BROWSER, NODE, SOCKS5, SOCKS4, PLAIN)

GRANTED5 = b"\x05\x00\x00\x01" + bytes(6)
GRANTED4 = b"\x00\x5a" + bytes(6)
REJECTED4 = b"\x00\x5b" + bytes(6)
ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"


def target(kind: str, host: str) -> str:
    """As the log has it. A plain request for port 443 would be refused as one that should have been a CONNECT."""
    return f"{host}:{80 if kind == PLAIN else 443}"


def request(kind: str, host: str) -> bytes:
    """Everything that the client says. SOCKS5 clients do not wait for the choice of a method, which is one less turn."""
    if kind == BROWSER:
        return wire.connect_head(f"{host}:443", "User-Agent: Mozilla/5.0")
    if kind == NODE:
        return wire.connect_head(f"{host}:443", "Proxy-Connection: close")
    if kind == SOCKS5:
        return wire.GREETING + wire.socks5_head(host, 443)
    if kind == SOCKS4:
        return wire.socks4_head(host, 443)
    return wire.get_head(f"http://{host}/", "User-Agent: Mozilla/5.0", "Connection: close")


@dataclass
class Heard:
    """All that came back, how it ended, and after how long."""

    data: bytes
    how: str
    seconds: float

    def answer(self) -> wire.Answer:
        """Of HTTP; the body is whatever follows the head."""
        head, _, body = self.data.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        version, status, reason = first.split(" ", 2)
        headers = [(name.lower(), value.strip()) for name, value in (line.split(":", 1) for line in lines)]
        return wire.Answer(version, int(status), reason, headers, body)


def ask(port: int, kind: str, host: str) -> Heard:
    """Until the port ends the conversation."""
    began = time.monotonic()
    with wire.Client(port) as client:
        client.send(request(kind, host))
        if kind == SOCKS5:
            assert client.exactly(2) == b"\x05\x00"
        data, how = client.rest()
    return Heard(data, how, time.monotonic() - began)


def all_at_once(calls: Iterable[Callable[[], Heard]]) -> list[Heard]:
    calls = list(calls)
    with concurrent.futures.ThreadPoolExecutor(len(calls)) as pool:
        return [future.result() for future in [pool.submit(call) for call in calls]]
