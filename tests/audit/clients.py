"""Clients that hammer, and what asks chipgate's API and the simulator's: everything on one event loop."""

from __future__ import annotations

import asyncio
import json
import random
import re
import struct
import time
from dataclasses import dataclass, field
from typing import Any

from evidence import Attempt

# Where clients go, and where nobody else goes.
TARGET = "clients.sim"
ECHO_PORT = 7
# Longer than chipgate lets anybody wait.
PATIENCE = 16.0
Line = dict[str, Any]


@dataclass
class Answer:
    status: int
    body: Line


async def ask(port: int, method: str, path: str, body: Line | None = None, token: str = "",
              patience: float = PATIENCE) -> Answer:
    """One request to an API on this host; OSError where nobody answers."""
    data = json.dumps(body).encode() if body is not None else b""
    head = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", "Connection: close"]
    head += [f"Authorization: Bearer {token}"] * bool(token)
    head += ["Content-Type: application/json", f"Content-Length: {len(data)}"] if body is not None else []
    async with asyncio.timeout(patience):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write("\r\n".join([*head, "", ""]).encode() + data)
            answer = await reader.read()
        finally:
            writer.close()
    start, _, content = answer.partition(b"\r\n\r\n")
    if not start:
        raise ConnectionResetError("no answer")
    parsed = json.loads(content) if content.strip().startswith(b"{") else {}
    return Answer(int(start.split()[1]), parsed)


@dataclass
class Hammer:
    """The clients of all chips. Each connects, speaks for a while, ends, and comes again."""

    ports: dict[str, int]  # of the chips that there are; others change it
    rng: random.Random
    ways: list[str]
    attempts: list[Attempt] = field(default_factory=list)
    messages: int = 0
    stopping: bool = False

    async def run(self, chip: str) -> None:
        while not self.stopping:
            port = self.ports.get(chip)
            if port is not None:
                await self._attempt(chip, port, self.rng.choice(self.ways))
            await asyncio.sleep(self.rng.uniform(0.02, 0.3))

    async def _attempt(self, chip: str, port: int, way: str) -> None:
        began = time.time()
        answered = False
        why = ""
        heard = mute = False
        writer = None
        try:
            async with asyncio.timeout(PATIENCE):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                speak = await self._open(reader, writer, way)
                heard = way != "plain"
                await speak(chip, reader, writer)
            answered = True
            took = time.time() - began
            await self._go_on(chip, reader, writer, speak)
        except (OSError, EOFError, TimeoutError) as error:
            silent = isinstance(error, asyncio.IncompleteReadError) and not error.partial
            mute = silent and not heard and not answered
            why = f"{way}: {type(error).__name__} {str(error).split('(')[0]}"
        finally:
            if not self.stopping or answered:
                took = took if answered else time.time() - began
                self.attempts.append(Attempt(chip, began, answered, "" if answered else why, took, mute))
            if writer is not None:
                self._end(writer)

    async def _go_on(self, chip: str, reader: Any, writer: Any, speak: Any) -> None:
        """Most say a few words. Some stay, and speak until they are cut."""
        words = self.rng.choice((0, 0, 3, 10, 200))
        for _ in range(words):
            await asyncio.sleep(self.rng.uniform(0.0, 0.1))
            if self.stopping:
                return
            async with asyncio.timeout(PATIENCE):
                await speak(chip, reader, writer)

    async def _open(self, reader: Any, writer: Any, way: str) -> Any:
        if way == "plain":
            return self._request
        if way == "socks5":
            host = TARGET.encode()
            writer.write(b"\x05\x01\x00")
            await reader.readexactly(2)
            writer.write(b"\x05\x01\x00\x03" + bytes([len(host)]) + host + struct.pack(">H", ECHO_PORT))
            reply = await reader.readexactly(10)
            accepted = reply[1] == 0
        else:
            agent = "User-Agent: audit\r\n" if way == "browser" else ""
            target = f"{TARGET}:{ECHO_PORT}"
            writer.write(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{agent}\r\n".encode())
            head = await reader.readuntil(b"\r\n\r\n")
            accepted = head.split()[1] == b"200"
            said = re.search(rb"X-Chipgate-Error: (\w+)", head)
        if not accepted:
            raise EOFError(said[1].decode() if way != "socks5" and said else "refused")
        return self._echo

    async def _echo(self, chip: str, reader: Any, writer: Any) -> None:
        word = f"{chip} {self.rng.getrandbits(32):08x}\n".encode()
        writer.write(word)
        heard = await reader.readexactly(len(word))
        if heard != word:
            raise AssertionError(f"{chip} heard {heard!r} for {word!r}")
        self.messages += 1

    async def _request(self, chip: str, reader: Any, writer: Any) -> None:
        """Over a connection that is kept; the origin has no such page, which is an answer too."""
        path = f"{chip}/{self.rng.getrandbits(32):08x}"
        writer.write(f"GET http://{TARGET}/{path} HTTP/1.1\r\nHost: {TARGET}\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        if head.split()[1] not in (b"200", b"404"):
            raise EOFError
        length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        await reader.readexactly(length)
        self.messages += 1

    def _end(self, writer: Any) -> None:
        if self.rng.random() < 0.3:
            writer.transport.abort()
        else:
            writer.close()
