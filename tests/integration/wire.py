"""A client of a chip's port over bare sockets, byte by byte where it matters, and orders for the simulator."""

from __future__ import annotations

import base64
import json
import socket
import struct
import sys
import threading
import time
import urllib.parse
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, TypeVar

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
import stack  # noqa: E402

T = TypeVar("T")
# Byte i of the simulator's long streams, and of ours.
PATTERN = bytes(range(251))


def pattern(count: int, offset: int = 0) -> bytes:
    start = offset % len(PATTERN)
    return (PATTERN * (count // len(PATTERN) + 2))[start:start + count]


def until(look: Callable[[], T], what: str, seconds: float = stack.ANSWER_SECONDS) -> T:
    """The first thing that `look` finds, asked for as often as it takes."""
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() >= deadline:
            raise AssertionError(f"not within {seconds:g} s: {what}")
        time.sleep(0.01)


@dataclass
class Answer:
    """An HTTP answer as it came."""

    version: str
    status: int
    reason: str
    headers: list[tuple[str, str]]
    body: bytes = b""

    def get(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key == name.lower()), None)


class Client:
    """One connection to a port."""

    def __init__(self, port: int, receive_buffer: int | None = None, source: str | None = None,
                 host: str = "127.0.0.1") -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.socket = socket.socket(family)
        if receive_buffer is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.settimeout(stack.ANSWER_SECONDS)
        try:
            if source is not None:
                self.socket.bind((source, 0))
            self.socket.connect((host, port))
        except BaseException:
            self.socket.close()
            raise
        self.heard = b""

    @classmethod
    def over(cls, connected: socket.socket) -> Client:
        """What reads and writes like a client on a socket that is there already."""
        client = cls.__new__(cls)
        client.socket, client.heard = connected, b""
        connected.settimeout(stack.ANSWER_SECONDS)
        return client

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def send(self, data: bytes) -> Client:
        self.socket.sendall(data)
        return self

    def send_in_background(self, data: bytes) -> threading.Thread:
        """For more than the buffers on the way hold: somebody must read meanwhile."""
        thread = threading.Thread(target=self._send_quietly, args=(data,), daemon=True)
        thread.start()
        return thread

    def _send_quietly(self, data: bytes) -> None:
        try:
            self.socket.sendall(data)
        except OSError:
            pass  # the reader sees how it ended

    def send_each_byte(self, data: bytes) -> Client:
        for byte in data:
            self.socket.sendall(bytes([byte]))
        return self

    def _hear(self) -> bool:
        data = self.socket.recv(65536)
        self.heard += data
        return bool(data)

    def exactly(self, count: int) -> bytes:
        parts = [self.heard]
        missing = count - len(self.heard)
        while missing > 0:
            data = self.socket.recv(min(missing, 1 << 20))
            if not data:
                raise AssertionError(f"the end came {missing} bytes early; heard {b''.join(parts)[-200:]!r}")
            parts.append(data)
            missing -= len(data)
        whole = b"".join(parts)
        self.heard = whole[count:]
        return whole[:count]

    def through(self, mark: bytes) -> bytes:
        """Everything up to the mark, and the mark."""
        while mark not in self.heard:
            if not self._hear():
                raise AssertionError(f"the end came before {mark!r}; heard {self.heard[-200:]!r}")
        end = self.heard.index(mark) + len(mark)
        taken, self.heard = self.heard[:end], self.heard[end:]
        return taken

    def rest(self) -> tuple[bytes, str]:
        """What still comes, and how it ends: by "eof" or "reset"."""
        how = "eof"
        try:
            while self._hear():
                pass
        except (ConnectionResetError, BrokenPipeError):
            how = "reset"
        taken, self.heard = self.heard, b""
        return taken, how

    def head(self) -> Answer:
        lines = self.through(b"\r\n\r\n").decode("latin-1").split("\r\n")[:-2]
        version, status, reason = (lines[0].split(" ", 2) + [""])[:3]
        headers = [(name.lower(), value.strip()) for name, value in (line.split(":", 1) for line in lines[1:])]
        return Answer(version, int(status), reason, headers)

    def answer(self, method: str = "GET") -> Answer:
        answer = self.head()
        if method == "HEAD" or answer.status in (204, 304) or answer.status < 200:
            return answer
        length = answer.get("content-length")
        if answer.get("transfer-encoding") == "chunked":
            while size := int(self.through(b"\r\n"), 16):
                answer.body += self.exactly(size)
                self.exactly(2)
            self.exactly(2)
        elif length is not None:
            answer.body = self.exactly(int(length))
        else:
            answer.body, _ = self.rest()
        return answer

    def finish(self) -> Client:
        """Nothing more will be sent."""
        self.socket.shutdown(socket.SHUT_WR)
        return self

    def reset(self) -> None:
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def close(self) -> None:
        self.socket.close()


def connect_head(target: str, *lines: str) -> bytes:
    return "\r\n".join([f"CONNECT {target} HTTP/1.1", f"Host: {target}", *lines, "", ""]).encode()


def get_head(url: str, *lines: str, method: str = "GET") -> bytes:
    host = urllib.parse.urlsplit(url).netloc
    return "\r\n".join([f"{method} {url} HTTP/1.1", f"Host: {host}", *lines, "", ""]).encode()


def basic(username: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()


GREETING = b"\x05\x01\x00"


def socks5_head(host: str, port: int, command: int = 1) -> bytes:
    """The request, with the address in the form that the host has."""
    try:
        address = b"\x01" + socket.inet_pton(socket.AF_INET, host)
    except OSError:
        try:
            address = b"\x04" + socket.inet_pton(socket.AF_INET6, host)
        except OSError:
            address = b"\x03" + bytes([len(host)]) + host.encode()
    return bytes([5, command, 0]) + address + struct.pack(">H", port)


def socks4_head(host: str, port: int, user: bytes = b"", command: int = 1) -> bytes:
    """SOCKS4 for an address, SOCKS4a for a name."""
    start = bytes([4, command]) + struct.pack(">H", port)
    try:
        return start + socket.inet_aton(host) + user + b"\0"
    except OSError:
        return start + b"\0\0\0\1" + user + b"\0" + host.encode() + b"\0"


def tunnel(port: int, target: str, early: bytes = b"", lines: tuple[str, ...] = (), **how: Any) -> Client:
    """An open tunnel by CONNECT."""
    client = Client(port, **how)
    try:
        client.send(connect_head(target, *lines) + early)
        answer = client.head()
        if answer.status != 200:
            raise AssertionError(f"CONNECT {target}: {answer}")
    except BaseException:
        client.close()
        raise
    return client


class Simulator:
    """The simulator's API."""

    def __init__(self, address: str) -> None:
        self._address = address

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(f"http://{self._address}{path}", data, method=method)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.loads(answer.read())

    def fault(self, stage: str, kind: str, **more: Any) -> int:
        return int(self.ask("POST", "/faults", {"stage": stage, "kind": kind, **more})["id"])

    def clear(self) -> None:
        self.ask("DELETE", "/faults")

    def stats(self) -> dict[str, int]:
        return self.ask("GET", "/stats")

    def cut(self, session: str, how: str) -> int:
        return int(self.ask("POST", "/tunnels/cut", {"session": session, "how": how})["tunnels"])

    def seen(self, target: str) -> list[dict[str, Any]]:
        """The origin log of one target. Every test has targets of its own."""
        found, since = [], 0
        while entries := self.ask("GET", f"/log?since={since}")["entries"]:
            found += [entry for entry in entries if entry["target"] == target]
            since = entries[-1]["seq"]
        return found


class WireTest(stack.StackTest):
    """The stack with short waits at its end, and what tests ask it."""

    @classmethod
    def settings(cls) -> stack.Line:
        return {"timeouts": {"drain": "0s"}}

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.provider = Simulator(cls.sim["api"])

    def metric(self, name: str, **labels: str) -> float:
        """0 where there is no such sample: reasons that never happened are left out."""
        pairs = ",".join(f'{key}="{value}"' for key, value in labels.items())
        return stack.metrics(self.admin).get(f"{name}{{{pairs}}}" if pairs else name, 0.0)

    def line(self, event: str, target: str, **fields: Any) -> stack.Line:
        """The access line about a target; every test has targets of its own."""
        wanted = {"event": event, "target": target, **fields}
        fits = lambda line: all(line.get(key) == value for key, value in wanted.items())  # noqa: E731
        return self.gate.require(self.gate.err, fits, f"{wanted}", stack.ANSWER_SECONDS)
