#!/usr/bin/env python3
"""Many times more connections than descriptors, of clients that speak, lie, wait and go: each is answered in a way that
says why or waits to be accepted, whoever looks is answered all the while, and then everything is as it was."""

from __future__ import annotations

import collections
import concurrent.futures
import contextlib
import random
import time
import unittest
import urllib.request

import rig
import wire
from descriptors_test import cpu_seconds, descriptors
from wire import GREETING, connect_head, get_head, socks4_head, socks5_head, stack

LIMIT = 200
CHIPS = ["alpha", "beta", "gamma", "delta"]
WORKERS = 8
CONNECTIONS = 4_000
# Of one worker; together three times the descriptors.
OPEN_AT_ONCE = 80
SAYS = [b"", b"C", b"\x05", b"\0garbage\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", connect_head("flood.sim:7", "User-Agent: curl/8"),
        connect_head("flood.sim:7"), get_head("http://flood.sim/", "User-Agent: curl/8"), GREETING + socks5_head("flood.sim", 7),
        socks4_head("flood.sim", 7), get_head("http://flood.sim/bytes/1000000")]
# Success, and every refusal that a client may earn here.
TOLD = {200, 400, 408, 429, 503, 504}
WATCHED_SECONDS = 1.0
IDLE_CPU_SECONDS = 0.3


def status_in(heard: bytes) -> int | None:
    """Of an HTTP answer; SOCKS replies and what was cut before its end have none."""
    words = heard.split(b" ", 2)
    return int(words[1]) if heard.startswith(b"HTTP/1.1 ") and len(words) == 3 else None


class Flood(rig.RigTest):
    def one_worker(self, gate: rig.Gate, seed: int) -> set[int]:
        source = random.Random(seed)
        told: set[int] = set()
        open_now: collections.deque[wire.Client] = collections.deque()
        for _ in range(CONNECTIONS // WORKERS):
            with contextlib.suppress(OSError):
                client = wire.Client(gate.ports[source.choice(CHIPS)])
                open_now.append(client)
                client.send(source.choice(SAYS))
            if len(open_now) > OPEN_AT_ONCE:
                told |= self.leave(open_now.popleft(), source)
        while open_now:  # the last ones wait for what they are told
            told |= self.leave(open_now.popleft(), source, stack.ANSWER_SECONDS)
        return told

    def leave(self, client: wire.Client, source: random.Random, patience: float = 0) -> set[int]:
        heard = b""
        client.socket.settimeout(patience)
        with contextlib.suppress(OSError):
            heard = client.socket.recv(1000)
        if source.random() < 0.5:
            client.reset()
        client.close()
        status = status_in(heard)
        return {status} if status else set()

    def assert_looked_at(self, gate: rig.Gate) -> None:
        self.assertGreater(gate.metric("process_open_fds"), 0)
        with urllib.request.urlopen(f"http://127.0.0.1:{gate.admin}/livez", timeout=stack.ANSWER_SECONDS) as answer:
            self.assertEqual(answer.status, 200)

    def test_twenty_times_more_clients_than_descriptors_come_and_go(self) -> None:
        sim = self.provider()
        gate = self.gate(f"http://{sim.http}", CHIPS, prefix=["prlimit", f"--nofile={LIMIT}:{LIMIT}"],
                         timeouts={"drain": "0s", "head": "1s", "connect_budget": "2s", "first_reply": "2s"})
        for port in gate.ports.values():
            rig.exit_of(port)
        wire.until(lambda: gate.metric("chipgate_handshakes") == 0, "a quiet chipgate")
        before, memory = descriptors(gate.process.pid), gate.metric("process_resident_memory_bytes")
        with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
            workers = [pool.submit(self.one_worker, gate, seed) for seed in range(WORKERS)]
            looks = 0
            while concurrent.futures.wait(workers, 0.1).not_done:
                self.assert_looked_at(gate)
                looks += 1
            self.assertGreater(looks, 0)
        told = set().union(*(worker.result() for worker in workers))
        self.assertIn(200, told)
        self.assertLessEqual(told, TOLD)
        self.assertGreater(gate.metric("chipgate_accept_pauses_total"), 0, "there were not too many clients")
        # Those in the kernel's queues are accepted yet, find nobody, and go.
        wire.until(lambda: gate.metric("chipgate_handshakes") == 0 and
                   sum(gate.metric("chipgate_tunnels_open", chip=chip) for chip in CHIPS) == 0, "everybody has gone")
        wire.until(lambda: descriptors(gate.process.pid) <= before, "every descriptor is back")
        for port in gate.ports.values():
            for way in rig.WAYS:
                rig.exit_of(port, way)
        spent = cpu_seconds(gate.process.pid)
        time.sleep(WATCHED_SECONDS)
        self.assertLess(cpu_seconds(gate.process.pid) - spent, IDLE_CPU_SECONDS)
        self.assertLess(gate.metric("process_resident_memory_bytes") - memory, 50e6 * stack.MEMORY_FACTOR)


if __name__ == "__main__":
    unittest.main(verbosity=2)
