#!/usr/bin/env python3
"""When descriptors run out: accepting pauses with an idle CPU while the last are free for those who were let in and for
whoever looks, what is open goes on, and all of it recovers."""

from __future__ import annotations

import concurrent.futures
import os
import socket
import time
import unittest
from pathlib import Path

import rig
import wire

LIMIT = 160
FLOOD = 300
WATCHED_SECONDS = 1.0
# What must be free for ways to the gateway and for the admin port while clients wait to be accepted.
LEAST_FREE = 24
# Ten retries a second on each of two shards cost a few milliseconds; a spinning thread costs all of the second.
IDLE_CPU_SECONDS = 0.3


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def descriptors(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))


class Descriptors(rig.RigTest):
    def setUp(self) -> None:
        super().setUp()
        self.sim = self.provider()

    def limited(self, **settings: object) -> rig.Gate:
        gate = self.gate(f"http://{self.sim.http}", prefix=["prlimit", f"--nofile={LIMIT}:{LIMIT}"], **settings)
        for port in gate.ports.values():
            rig.exit_of(port)
        self.before = wire.until(lambda: self.settled(gate), "a quiet chipgate")
        return gate

    def settled(self, gate: rig.Gate) -> int:
        return descriptors(gate.process.pid) if not gate.metric("chipgate_handshakes") else 0

    def flood(self, gate: rig.Gate) -> list[socket.socket]:
        """Clients that say nothing; the kernel takes more of them than chipgate has descriptors."""
        port = gate.ports["alpha"]
        clients = [socket.create_connection(("127.0.0.1", port), timeout=20) for _ in range(FLOOD)]
        for client in clients:
            self.addCleanup(client.close)
        gate.line("out_of_descriptors")
        return clients

    def assert_idle(self, gate: rig.Gate) -> None:
        before = cpu_seconds(gate.process.pid)
        time.sleep(WATCHED_SECONDS)
        self.assertLess(cpu_seconds(gate.process.pid) - before, IDLE_CPU_SECONDS)

    def assert_recovered(self, gate: rig.Gate) -> None:
        for port in gate.ports.values():
            rig.exit_of(port)
        wire.until(lambda: 0 < self.settled(gate) <= self.before,
                   f"{self.before} descriptors again, now {descriptors(gate.process.pid)}")

    def test_silent_clients_pause_accepting_without_spinning_and_their_leaving_resumes_it(self) -> None:
        gate = self.limited(timeouts={"head": "60s", "drain": "0s"})
        with wire.tunnel(gate.ports["beta"], "steady.sim:7") as steady:
            clients = self.flood(gate)
            self.assertGreater(descriptors(gate.process.pid), LIMIT // 2)
            self.assert_idle(gate)
            self.assertEqual(steady.send(b"still here").exactly(10), b"still here")
            for client in clients:
                client.close()
            rig.exit_of(gate.ports["alpha"])
        self.assert_recovered(gate)
        self.assertGreater(gate.metric("chipgate_accept_pauses_total"), 0)
        # A person hears of it once in a while, not ten times a second.
        self.assertLessEqual(len(gate.said("out_of_descriptors")), 4)

    def test_whoever_was_let_in_can_be_carried_and_the_metrics_be_read(self) -> None:
        gate = self.limited(timeouts={"head": "60s", "drain": "0s"})
        clients = self.flood(gate)
        # Several tries on both shards, none of which may take more of the reserve.
        pauses = gate.metric("chipgate_accept_pauses_total")
        wire.until(lambda: gate.metric("chipgate_accept_pauses_total") > pauses + 10, "more pauses")
        self.assertLessEqual(descriptors(gate.process.pid), LIMIT - LEAST_FREE)
        accepted = int(gate.metric("chipgate_handshakes"))
        self.assertGreater(accepted, LIMIT // 4)
        # The kernel's queue is in the order of connecting: this is the last that was accepted, and those before it.
        for number, client in enumerate(reversed(clients[accepted - LEAST_FREE // 2:accepted])):
            carried = wire.Client.over(client).send(wire.connect_head(f"{number}.sim:7", "User-Agent: curl/8"))
            self.assertEqual(carried.head().status, 200, number)
            self.assertEqual(carried.send(b"echo").exactly(4), b"echo")
        self.assertEqual(gate.metric("chipgate_refusals_total", chip="alpha", reason="out_of_descriptors"), 0)

    def test_dialing_leaves_the_very_last_to_whoever_looks(self) -> None:
        gate = self.limited(timeouts={"head": "60s", "drain": "0s"})
        clients = self.flood(gate)
        accepted = int(gate.metric("chipgate_handshakes"))
        for number, client in enumerate(clients[:accepted]):
            client.sendall(wire.connect_head(f"{number}.sim:7", "User-Agent: curl/8"))
        gate.line("refused", ended="out_of_descriptors")
        # Those who were refused have not left yet.
        self.assertGreater(gate.metric("chipgate_refusals_total", chip="alpha", reason="out_of_descriptors"), 0)
        self.assertGreater(gate.metric("process_open_fds"), LIMIT - LEAST_FREE)

    def test_one_freed_descriptor_is_one_more_client(self) -> None:
        gate = self.limited(timeouts={"head": "60s", "drain": "0s"})
        clients = self.flood(gate)
        refused = wire.connect_head("not a target", "User-Agent: curl/8")
        # The last in the queue is served once those before it have gone, one by one.
        for client in clients[:-1]:
            client.close()
        last = wire.Client.over(clients[-1])
        self.assertEqual(last.send(refused).answer().status, 400)
        last.close()
        self.assert_recovered(gate)

    def test_clients_that_leave_one_by_one_let_nobody_take_more_of_the_reserve(self) -> None:
        gate = self.limited(timeouts={"head": "60s", "drain": "0s"})
        clients = self.flood(gate)
        for gone, client in enumerate(clients[:2 * LEAST_FREE], 1):
            accepts = gate.metric("chipgate_clients_accepted_total")
            client.close()
            # The metrics' own descriptor is one that is freed now and then.
            wire.until(lambda: gate.metric("chipgate_clients_accepted_total") > accepts, f"another in the stead of number {gone}")
        self.assertLessEqual(descriptors(gate.process.pid), LIMIT - LEAST_FREE)
        # So that those who were let in can be carried.
        accepted = int(gate.metric("chipgate_clients_accepted_total"))
        last = wire.Client.over(clients[accepted - len(gate.ports) - LEAST_FREE])
        self.assertEqual(last.send(wire.connect_head("last.sim:7", "User-Agent: curl/8")).head().status, 200)

    def test_silent_clients_are_thrown_out_in_time_so_that_nobody_can_hold_all_descriptors(self) -> None:
        gate = self.limited(timeouts={"head": "1s", "drain": "0s"})
        self.flood(gate)

        def served() -> bool:
            """One of the flood that is accepted in its stead is thrown out in time as well."""
            with wire.Client(gate.ports["alpha"]) as client:
                try:
                    return client.send(wire.connect_head("target.sim:80")).head().status == 200
                except ConnectionResetError:
                    return False

        wire.until(served, "a tunnel beside those who say nothing")

    def test_tunnels_beyond_the_descriptors_are_refused_or_wait_and_the_rest_works(self) -> None:
        gate = self.limited()
        opened: list[wire.Client] = []
        answers: list[int] = []

        def one(number: int) -> None:
            client = wire.Client(gate.ports[("alpha", "beta")[number % 2]])
            self.addCleanup(client.close)
            try:
                status = client.send(wire.connect_head(f"{number}.sim:7", "User-Agent: curl/8")).head().status
            except (TimeoutError, ConnectionResetError):
                client.close()  # it waited in the kernel's queue as long as all descriptors were taken
                return
            answers.append(status)
            if status == 200:
                opened.append(client)
            else:
                client.close()

        with concurrent.futures.ThreadPoolExecutor(LIMIT) as pool:
            done = [pool.submit(one, number) for number in range(LIMIT)]
            gate.line("out_of_descriptors")
            self.assertTrue(gate.process.running())
            wire.until(lambda: len(opened) > LIMIT // 8, "some tunnels")
            for client in list(opened):
                self.assertEqual(client.send(b"echo").exactly(4), b"echo")
            while not all(job.done() for job in done):
                for client in list(opened):
                    client.close()
                concurrent.futures.wait(done, 0.05)
            for job in done:
                job.result()
        self.assertLessEqual(set(answers), {200, 503})
        for client in opened:
            client.close()
        self.assert_recovered(gate)

    def test_failures_of_every_kind_leak_nothing(self) -> None:
        """Every failure has chips of its own, so that none waits for the others' refusals."""
        of_all = [("accept", "rst"), ("accept", "fin")]
        of_a_session = [("connect", "garbage"), ("connect", "rst"), ("connect", "fin"), ("connect", "status"),
                        ("auth", "reject"), ("tunnel", "cut")]
        chips = [f"{stage}-{kind}-{way}" for stage, kind in of_all + of_a_session for way in rig.WAYS]
        gate = self.gate(f"http://{self.sim.http}", ["good", *chips])
        rig.exit_of(gate.ports["good"])
        before = wire.until(lambda: self.settled(gate), "a quiet chipgate")
        for stage, kind in of_a_session:
            self.sim.fault(stage, kind, session=f"{stage}-{kind}")
        self.try_all(gate, [chip for chip in chips if not chip.startswith("accept")])
        for stage, kind in of_all:
            self.sim.ask("PUT", "/faults", {"stage": stage, "kind": kind})
            self.try_all(gate, [chip for chip in chips if chip.startswith(f"{stage}-{kind}")])
        self.sim.clear()
        rig.exit_of(gate.ports["good"])
        wire.until(lambda: 0 < self.settled(gate) <= before, f"{before} descriptors again")

    def try_all(self, gate: rig.Gate, chips: list[str]) -> None:
        def one(chip: str) -> bool:
            try:
                rig.exit_of(gate.ports[chip], chip.rsplit("-", 1)[1])
            except (AssertionError, OSError, ValueError):
                return False
            return True

        with concurrent.futures.ThreadPoolExecutor(64) as pool:
            carried = {chip for chip, good in zip(chips * 3, pool.map(one, chips * 3)) if good}
        # A tunnel that is cut may have carried the page before; plain requests have no tunnel.
        self.assertEqual({chip for chip in carried if not chip.startswith("tunnel")}, set())


if __name__ == "__main__":
    unittest.main()
