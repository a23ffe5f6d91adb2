#!/usr/bin/env python3
"""Random bytes by the thousand, and floods of clients that say little or nothing: others are served meanwhile, memory
is bounded, and no descriptor stays behind."""

from __future__ import annotations

import concurrent.futures
import contextlib
import errno
import random
import socket
import unittest

import wire
from wire import GREETING, connect_head, get_head, socks4_head, socks5_head, stack

# They must all be in before the first one's time for its head is over, which a sanitizer makes no longer.
SILENT = 300 if stack.SANITIZED else 1000
CONVERSATIONS = 4000
WORKERS = 8

VALID = [connect_head("fuzz.sim:7", "User-Agent: x"), connect_head("fuzz.sim:7"), get_head("http://fuzz.sim/"),
         get_head("http://fuzz.sim/", "Content-Length: 5", method="POST") + b"hello",
         get_head("http://fuzz.sim/", "Transfer-Encoding: chunked", method="POST") + b"5\r\nhello\r\n0\r\n\r\n",
         GREETING + socks5_head("fuzz.sim", 7), b"\x05\x01\x02\x01\x01a\x01b" + socks5_head("192.0.2.1", 7),
         socks4_head("fuzz.sim", 7, b"me"), socks4_head("192.0.2.1", 7)]


def mutant(source: random.Random) -> bytes:
    """Something that is nearly a request, or not at all."""
    if source.random() < 0.2:
        return source.randbytes(source.randrange(1, 400))
    data = bytearray(source.choice(VALID))
    for _ in range(source.randrange(4)):
        at = source.randrange(len(data))
        kind = source.randrange(5)
        if kind == 0:
            data[at] = source.randrange(256)
        elif kind == 1:
            del data[at:at + source.randrange(1, 8)]
        elif kind == 2:
            data[at:at] = source.randbytes(source.randrange(1, 8))
        elif kind == 3:
            data[at:at] = data[:source.randrange(len(data))]
        else:
            del data[at:]
        if not data:
            data = bytearray(b"\0")
    return bytes(data)


def converse(port: int, source: random.Random) -> None:
    """Says it in pieces, sometimes listens, and goes in one of the ways in which clients go. A port may cut it short by
    a reset at any point, but never leave it waiting: TimeoutError goes through."""
    with wire.Client(port) as client:
        try:
            data = mutant(source)
            while data:
                size = source.choice((1, 7, 100, 10_000))
                client.send(data[:size])
                data = data[size:]
            way = source.randrange(4)
            if way == 0:
                client.reset()
            elif way == 1:
                client.finish()
                client.rest()
            elif way == 2:
                client.socket.settimeout(0.02)
                with contextlib.suppress(TimeoutError):
                    client.rest()
        except ConnectionError:
            pass
        except OSError as error:
            if error.errno != errno.ENOTCONN:  # how shutdown() tells of a reset
                raise


class Hostile(wire.WireTest):
    chips = ["attacked", "served"]

    @classmethod
    def settings(cls) -> stack.Line:
        return {"timeouts": {"drain": "0s", "head": "3s", "connect_budget": "3s", "first_reply": "2s",
                             "half_closed": "2s"}, "limits": {"tunnels_per_chip": 64}}

    def setUp(self) -> None:
        self.serves()
        self.quiet()
        metrics = stack.metrics(self.admin)
        self.descriptors = metrics["process_open_fds"]
        self.memory = metrics["process_resident_memory_bytes"]

    def tearDown(self) -> None:
        self.serves()
        self.quiet()
        wire.until(lambda: self.metric("process_open_fds") <= self.descriptors, "every descriptor is back")
        self.assertLess(self.metric("process_resident_memory_bytes") - self.memory, 100e6 * stack.MEMORY_FACTOR)

    def serves(self) -> None:
        with wire.tunnel(self.ports["served"], "good.sim:7") as client:
            self.assertEqual(client.send(b"x").exactly(1), b"x")

    def quiet(self) -> None:
        def open_now() -> float:
            return sum(value for name, value in stack.metrics(self.admin).items()
                       if name.startswith(("chipgate_handshakes", "chipgate_tunnels_open{")))
        wire.until(lambda: open_now() == 0, "nothing is open")

    def test_random_conversations_end_and_leave_nothing(self) -> None:
        def work(seed: int) -> None:
            source = random.Random(seed)
            for _ in range(CONVERSATIONS // WORKERS):
                converse(self.ports["attacked"], source)

        with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
            workers = [pool.submit(work, seed) for seed in range(WORKERS)]
            while concurrent.futures.wait(workers, 0.2).not_done:
                self.serves()
        for worker in workers:
            worker.result()

    def test_silent_clients_by_the_hundred_keep_nobody_from_being_served(self) -> None:
        silent = [socket.create_connection(("127.0.0.1", self.ports["attacked"])) for _ in range(SILENT)]
        wire.until(lambda: self.metric("chipgate_handshakes") >= SILENT, "all of them are in")
        self.serves()
        # What one of them costs is a descriptor and a few kilobytes.
        grown = self.metric("process_resident_memory_bytes") - self.memory
        self.assertLess(grown / SILENT, 64 * 1024 * stack.MEMORY_FACTOR)
        wire.until(lambda: self.metric("chipgate_handshakes") == 0, "they are told that their time is over")
        for one in silent:
            self.assertIn(b"408", one.recv(100))
            one.close()

    def test_clients_that_begin_and_stop_cost_no_more_than_their_words(self) -> None:
        begun = b"GET http://a.sim/ HTTP/1.1\r\nX: " + b"x" * 15_000
        clients = [wire.Client(self.ports["attacked"]).send(begun) for _ in range(300)]
        wire.until(lambda: self.metric("chipgate_handshakes") >= 300, "all of them are in")
        self.serves()
        self.assertLess(self.metric("process_resident_memory_bytes") - self.memory, 50e6 * stack.MEMORY_FACTOR)
        for client in clients:
            client.close()

    def test_a_flood_of_refused_requests_leaves_nothing(self) -> None:
        for number in range(500):
            with wire.Client(self.ports["attacked"]) as client:
                client.send(b"GET / HTTP/1.1\r\n\r\n")
                if number % 2:
                    client.reset()
                else:
                    self.assertEqual(client.answer().status, 400)

    def test_no_more_tunnels_open_than_a_chip_may_have(self) -> None:
        port = self.ports["attacked"]
        open_now = [wire.tunnel(port, "full.sim:7") for _ in range(64)]
        for _ in range(3):
            with wire.Client(port) as client:
                answer = client.send(VALID[0]).answer()
                self.assertEqual((answer.status, answer.get("x-chipgate-error")), (429, "too_many_tunnels"))
        with wire.Client(port) as client:
            self.assertEqual(client.send(get_head("http://full.sim/")).answer().status, 429)
        self.assertEqual(self.metric("chipgate_refusals_total", chip="attacked", reason="too_many_tunnels"), 4)
        open_now.pop().close()
        wire.until(lambda: self.metric("chipgate_tunnels_open", chip="attacked") == 63, "a place is free")
        open_now.append(wire.tunnel(port, "full.sim:7"))
        for client in open_now:
            client.close()


if __name__ == "__main__":
    unittest.main(verbosity=2)
