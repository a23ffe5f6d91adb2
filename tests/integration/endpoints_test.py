#!/usr/bin/env python3
"""Several endpoints, and names that resolve to several addresses or to none."""

from __future__ import annotations

import concurrent.futures
import socket
import time
import unittest

import rig
import wire
from wire import stack

# Failures in a row that mean an endpoint is down.
FAILURES = 3


def fails(port: int) -> None:
    """A client that gets no tunnel. Where its chip moves meanwhile, the fence resets it, or it has one after all."""
    with wire.Client(port) as client:
        try:
            client.send(wire.connect_head("refused.sim:80", "User-Agent: curl/8")).head()
        except ConnectionResetError:
            pass
        except TimeoutError:
            raise AssertionError(f"a client was told nothing for {stack.ANSWER_SECONDS:g} s, not even that it is refused")


class Endpoints(rig.RigTest):
    def pair(self, **settings: object) -> None:
        """Two simulators, the second of which has exits of its own."""
        self.first, self.second = self.provider(), self.provider("--pool", "50")
        self.gate_there = self.gate([f"http://{self.first.http}", f"http://{self.second.http}"], ["alpha", "beta"],
                                    workers=1, **settings)

    def fail(self, port: int) -> None:
        """As many clients as it takes for an endpoint to be thought down."""
        with concurrent.futures.ThreadPoolExecutor(FAILURES) as pool:
            list(pool.map(fails, [port] * FAILURES))

    def moved_to(self, place: int, chip: str) -> None:
        endpoint = f"http://{(self.first, self.second)[place].http}"
        wire.until(lambda: self.gate_there.said("assigned", chip=chip)[-1]["endpoint"] == endpoint, f"{chip} at {endpoint}")

    def test_the_first_endpoint_serves_all_while_it_is_up(self) -> None:
        self.pair()
        for port in self.gate_there.ports.values():
            rig.exit_of(port)
        self.assertEqual((len(self.first.exits()), self.second.stats()["accepted"]), (2, 0))

    def test_chips_leave_an_endpoint_that_is_down_with_new_sessions_and_their_tunnels_are_fenced(self) -> None:
        self.pair()
        ports = self.gate_there.ports
        before = {chip: self.gate_there.session(chip) for chip in ports}
        old = wire.tunnel(ports["alpha"], "old.sim:7")
        self.addCleanup(old.close)
        self.assertEqual(old.send(b"it lives").exactly(8), b"it lives")
        self.first.ask("POST", "/listeners/down")  # what is open there goes on
        self.fail(ports["alpha"])
        self.gate_there.line("endpoint_down", endpoint=f"http://{self.first.http}")
        self.assertEqual(old.rest(), (b"", "reset"))
        # A chip that asks for nothing stays: only whoever is refused there has a reason to change its exit.
        self.moved_to(1, "alpha")
        self.assertEqual(self.gate_there.session("beta"), before["beta"])
        self.fail(ports["beta"])
        for chip, port in ports.items():
            self.moved_to(1, chip)
            self.assertNotEqual(self.gate_there.session(chip), before[chip])
            rig.exit_of(port)
        self.assertEqual(set(self.second.exits()), {self.gate_there.session(chip) for chip in ports})
        self.assertEqual(self.gate_there.line("tunnel", target="old.sim:7")["ended"], "fenced")
        endpoint = f"http://{self.first.http}"
        self.assertEqual(self.gate_there.metric("chipgate_gateway_endpoint_up", endpoint=endpoint), 0)

    def test_after_its_backoff_the_first_endpoint_is_taken_again_by_whoever_must_move(self) -> None:
        self.pair()
        port = self.gate_there.ports["alpha"]
        self.first.ask("POST", "/listeners/down")
        self.fail(port)
        self.moved_to(1, "alpha")
        first_exit = rig.exit_of(port)
        self.first.ask("POST", "/listeners/up")
        # While the second serves, the chip keeps its exit: a first endpoint that is back is no reason to change it.
        self.assertEqual(rig.exit_of(port), first_exit)
        self.second.ask("POST", "/listeners/down")
        deadline = time.monotonic() + stack.ANSWER_SECONDS
        while time.monotonic() < deadline and len(self.gate_there.said("assigned", chip="alpha")) < 3:
            self.fail(port)
        self.moved_to(0, "alpha")
        self.assertTrue(rig.exit_of(port))

    def test_with_every_endpoint_down_clients_hear_so_and_service_comes_back_by_itself(self) -> None:
        self.pair()
        port = self.gate_there.ports["alpha"]
        for sim in (self.first, self.second):
            sim.ask("POST", "/listeners/down")
        for _ in range(2):
            self.fail(port)
        answer = rig.refusal(port)
        self.assertEqual((answer.status, answer.get("x-chipgate-error")), (502, "gateway_refused"))
        for sim in (self.first, self.second):
            sim.ask("POST", "/listeners/up")
        self.assertTrue(rig.exit_of(port))

    def test_an_answer_by_the_provider_never_moves_a_chip(self) -> None:
        self.pair()
        port = self.gate_there.ports["alpha"]
        session = self.gate_there.session("alpha")
        self.first.fault("connect", "status", status=503)
        self.fail(port)
        self.fail(port)
        self.assertEqual(self.gate_there.said("endpoint_down"), [])
        self.assertEqual(self.gate_there.session("alpha"), session)


class Names(rig.RigTest):
    def test_a_gateway_by_name_is_found(self) -> None:
        sim = self.provider()
        gate = self.gate(f"http://localhost:{sim.http.rsplit(':', 1)[1]}")
        self.assertTrue(rig.exit_of(gate.ports["alpha"]))

    def test_a_name_that_does_not_resolve_is_said_promptly_and_only_names_the_gateway(self) -> None:
        gate = self.gate(f"http://{rig.NO_HOST}:3120")
        gate.line("gateway_unresolved")
        started = time.monotonic()
        answer = rig.refusal(gate.ports["alpha"])
        self.assertEqual((answer.status, answer.get("x-chipgate-error")), (502, "gateway_unresolved"))
        self.assertLess(time.monotonic() - started, stack.ANSWER_SECONDS)
        self.assertIn(rig.NO_HOST, str(gate.line("refused", ended="gateway_unresolved")["detail"]))

    def test_chips_leave_an_endpoint_whose_name_does_not_resolve(self) -> None:
        sim = self.provider()
        gate = self.gate([f"http://{rig.NO_HOST}:3120", f"http://{sim.http}"], workers=1)

        def served() -> bool:
            with wire.Client(gate.ports["alpha"]) as client:
                try:
                    return client.send(wire.connect_head("target.sim:80")).head().status == 200
                except ConnectionResetError:
                    return False

        wire.until(served, "a tunnel by the second endpoint")
        gate.line("assigned", chip="alpha", endpoint=f"http://{sim.http}")

    def test_an_ipv6_literal_is_dialed(self) -> None:
        try:
            listener = socket.create_server(("::1", 0), family=socket.AF_INET6)
        except OSError:
            self.skipTest("this host has no IPv6")
        with listener:
            gate = self.gate(f"http://[::1]:{listener.getsockname()[1]}", ["alpha"])
            with wire.Client(gate.ports["alpha"]) as client:
                client.send(wire.connect_head("target.sim:80"))
                gateway = wire.Client.over(listener.accept()[0])
                self.assertIn(b"CONNECT target.sim:80", gateway.through(b"\r\n\r\n"))
                gateway.send(b"HTTP/1.1 200 OK\r\n\r\n")
                self.assertEqual(client.head().status, 200)
                gateway.close()


if __name__ == "__main__":
    unittest.main()
