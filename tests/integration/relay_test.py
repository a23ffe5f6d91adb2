#!/usr/bin/env python3
"""Bytes through open tunnels: half-close, bulk, many flows at once, and clients that read slowly."""

from __future__ import annotations

import hashlib
import selectors
import socket
import threading
import time
import unittest

import wire
from wire import pattern, stack, tunnel

BULK = 30_000_000
# More than all buffers on the way hold.
SLOW = 16_000_000


class Relay(wire.WireTest):
    @classmethod
    def settings(cls) -> stack.Line:
        return {"timeouts": {"drain": "0s", "half_closed": "2s"}}

    @classmethod
    def simulator_arguments(cls) -> list[str]:
        return ["--log-entries", "1000"]  # bulk flows would fill it

    def test_the_clients_end_is_forwarded_and_the_answer_still_comes(self) -> None:
        for size in (1, 1000, 3_000_000):
            with self.subTest(size), tunnel(self.ports["alpha"], "reverse.sim:13") as client:
                said = pattern(size)
                sender = client.send_in_background(said)
                sender.join()
                client.finish()
                self.assertEqual(client.rest(), (said[::-1], "eof"))

    def test_the_targets_end_is_forwarded_and_the_client_may_go_on(self) -> None:
        """The source ends by itself; what the client sends afterwards still reaches it."""
        target = "100000.source.sim:19"
        with tunnel(self.ports["alpha"], target) as client:
            self.assertEqual(client.rest(), (pattern(100_000), "eof"))
            client.send(b"after the end").finish()
            line = self.line("tunnel", target)
            self.assertEqual((line["ended"], line["bytes_up"]), ("upstream_closed", 13))

    def test_thirty_megabytes_up_and_down_arrive_unchanged(self) -> None:
        with tunnel(self.ports["alpha"], "thirty.sim:7") as client:
            sender = client.send_in_background(pattern(BULK))
            heard = hashlib.sha256(client.exactly(BULK))
            sender.join()
            client.finish()
            self.assertEqual(client.rest(), (b"", "eof"))
        self.assertEqual(heard.hexdigest(), hashlib.sha256(pattern(BULK)).hexdigest())
        line = self.line("tunnel", "thirty.sim:7")
        self.assertEqual((line["bytes_up"], line["bytes_down"]), (BULK, BULK))

    def test_a_small_flow_lives_beside_thirty_two_bulk_flows(self) -> None:
        # More than all of them get on a slow machine, and not so much that the simulator is what is slow.
        self.addCleanup(self.provider.clear)
        self.provider.fault("tunnel", "throttle", bytes_per_second=2_000_000, target="bulk.source.sim")
        bulk = {tunnel(self.ports["alpha"], "bulk.source.sim:19").socket: 0 for _ in range(32)}
        stopping = threading.Event()
        drinker = threading.Thread(target=drink, args=(bulk, stopping), daemon=True)
        drinker.start()
        try:
            with tunnel(self.ports["alpha"], "small.sim:7") as client:
                for number in range(30):
                    said = b"%d, still here" % number
                    self.assertEqual(client.send(said).exactly(len(said)), said)
            for number in range(3):
                tunnel(self.ports["beta"], f"new{number}.sim:7").close()
            wire.until(lambda: all(bulk.values()), "every bulk flow moves")
        finally:
            stopping.set()
            drinker.join()
            for one in bulk:
                one.close()

    def test_slow_readers_are_waited_for_and_cost_little_memory(self) -> None:
        resident = self.metric("process_resident_memory_bytes")
        slow = [tunnel(self.ports["beta"], f"{SLOW}.source.sim:19", receive_buffer=128 * 1024) for _ in range(40)]
        # All of it is on its way, and stands: nothing moves any more.
        still = lambda: self.metric("chipgate_tunnel_bytes_total", chip="beta", direction="down")  # noqa: E731
        wire.until(lambda: settled(still), "the flows stand")
        self.assertLess(still(), len(slow) * SLOW)
        # A blocked direction holds at most 64 KiB.
        held = self.metric("chipgate_relay_blocked_bytes")
        self.assertLessEqual(held, len(slow) * 64 * 1024)
        self.assertLess(self.metric("process_resident_memory_bytes") - resident, 64e6 * stack.MEMORY_FACTOR)
        # Whoever waited is not forgotten.
        self.assertEqual(slow[0].exactly(SLOW), pattern(SLOW))
        self.assertEqual(slow[0].rest(), (b"", "eof"))
        for client in slow:
            client.close()
        wire.until(lambda: self.metric("chipgate_relay_blocked_bytes") == 0, "nothing is held any more")

    def test_a_target_that_reads_slowly_holds_its_client_back(self) -> None:
        self.addCleanup(self.provider.clear)
        self.provider.fault("tunnel", "throttle", bytes_per_second=200_000, target="slow-target.sim")
        with tunnel(self.ports["alpha"], "slow-target.sim:9") as client:
            client.socket.settimeout(0.5)
            sent = 0
            with self.assertRaises(TimeoutError):
                while sent < 100_000_000:
                    sent += client.socket.send(bytes(1 << 20))
            self.assertLess(sent, 50_000_000)
            client.reset()
        # What it had sent is delivered for as long as half_closed, and no longer.
        self.assertEqual(self.line("tunnel", "slow-target.sim:9")["ended"], "client_reset")


def drink(sockets: dict[socket.socket, int], stopping: threading.Event) -> None:
    """Reads what comes by any of them, and counts it."""
    with selectors.DefaultSelector() as selector:
        for one in sockets:
            selector.register(one, selectors.EVENT_READ)
        while not stopping.is_set():
            for key, _ in selector.select(0.1):
                sockets[key.fileobj] += len(key.fileobj.recv(1 << 16))


def settled(value: object) -> bool:
    """Whether a number stands for a while, and is not 0."""
    before = value()
    time.sleep(0.2)
    return before > 0 and value() == before


if __name__ == "__main__":
    unittest.main(verbosity=2)
