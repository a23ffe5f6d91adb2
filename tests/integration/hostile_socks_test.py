#!/usr/bin/env python3
"""A SOCKS5 gateway that means harm, or is broken, at each of its turns; and that it serves again once it is well."""

from __future__ import annotations

import concurrent.futures
import contextlib
import itertools
import threading
import unittest
from dataclasses import dataclass
from typing import Callable, Iterable

import rig
import scripted
import wire
from wire import stack

DRIP_SECONDS = 0.1
METHOD, ACCEPTED = b"\x05\x02", b"\x01\x00"
GRANTED = b"\x05\x00\x00\x01" + bytes(6)
# More than such gateways may cost at once, however much they say.
MOST_MEMORY = 30e6 * stack.MEMORY_FACTOR


@dataclass
class Case:
    """Which turns go well, what is said in the next one, and what the client is told."""

    well: tuple[bytes, ...]
    words: Callable[[], Iterable[bytes]]
    reason: str
    status: int = 502
    slowly: bool = False
    then: str = "wait"


def says(well: tuple[bytes, ...], words: bytes, reason: str = "gateway_garbled") -> Case:
    return Case(well, lambda: [words], reason)


def for_ever(words: bytes, before: bytes = b"") -> Iterable[bytes]:
    return itertools.chain([before], itertools.repeat(words * (64 * 1024 // len(words))))


CASES = {
    "SOCKS4 at once": says((), b"\x00\x5a" + bytes(6)),
    "another version of a method": says((), b"\x04\x02"),
    "a method that nobody offered": says((), b"\x05\x01"),
    "methods without end": Case((), lambda: for_ever(b"\x02", METHOD), "gateway_garbled"),
    "garbage without end": Case((), lambda: for_ever(b"HTTP/1.1 200 OK\r\n\r\n"), "gateway_garbled"),
    "another version of a password's answer": says((METHOD,), b"\x02\x00"),
    "garbage for a password": Case((METHOD,), lambda: for_ever(b"\xff"), "gateway_garbled"),
    "another version of a reply": says((METHOD, ACCEPTED), b"\x04" + GRANTED[1:]),
    "an unknown kind of address": says((METHOD, ACCEPTED), b"\x05\x00\x00\x09" + bytes(300)),
    "a kind of address 0": says((METHOD, ACCEPTED), b"\x05\x00\x00\x00" + bytes(300)),
    "garbage for a reply": Case((METHOD, ACCEPTED), lambda: for_ever(b"\0"), "gateway_garbled"),
    "a refusal without end": Case((METHOD, ACCEPTED), lambda: for_ever(b"\0", b"\x05\x05\x00\x01"), "target_unreachable"),
    "half a method": Case((), lambda: [b"\x05"], "gateway_closed", then="close"),
    "half a password's answer": Case((METHOD,), lambda: [b"\x01"], "gateway_closed", then="reset"),
    "half a reply": Case((METHOD, ACCEPTED), lambda: [GRANTED[:7]], "gateway_closed", then="close"),
    "a reply shorter than it says": Case((METHOD, ACCEPTED), lambda: [b"\x05\x00\x00\x03\xffshort"], "gateway_closed",
                                         then="close"),
    "a reply that drips": Case((METHOD, ACCEPTED), lambda: [b"\x05\x00\x00\x03\xff" + b"n" * 257], "gateway_silent", 504,
                               slowly=True),
    "a reply that is never complete": Case((METHOD, ACCEPTED), lambda: [b"\x05\x00\x00\x03\xff"], "gateway_silent", 504),
}


class HostileSocks(rig.RigTest):
    def setUp(self) -> None:
        super().setUp()
        self.gateway = scripted.Gateway()
        self.addCleanup(self.gateway.close)
        self.over = threading.Event()
        self.addCleanup(self.over.set)

    def script(self, case: Case, gone: threading.Event) -> scripted.Script:
        def run(client: wire.Client) -> None:
            with contextlib.suppress(OSError):
                for answer in case.well:
                    client.socket.recv(1000)
                    client.send(answer)
                client.socket.recv(1000)
                for words in case.words():
                    for at in range(len(words)) if case.slowly else [None]:
                        client.send(words if at is None else words[at:at + 1])
                        if at is not None and self.over.wait(DRIP_SECONDS):
                            return
                if case.then == "reset":
                    client.reset()
                elif case.then == "wait":
                    client.rest()
            gone.set()
        return run

    def well(self, reply: bytes = GRANTED, pieces: int = 1000) -> scripted.Script:
        def run(client: wire.Client) -> None:
            for answer in (METHOD, ACCEPTED, reply):
                client.socket.recv(1000)
                for at in range(0, len(answer), pieces):
                    client.send(answer[at:at + pieces])
            client.send(client.exactly(5))
            client.rest()
        return run

    def carries(self, port: int) -> None:
        with wire.tunnel(port, "well.sim:7") as client:
            self.assertEqual(client.send(b"hello").exactly(5), b"hello")

    def test_every_turn_may_go_wrong_and_the_next_client_is_served(self) -> None:
        """A chip for each, so that none waits behind the others' refusals."""
        chips = [f"chip-{number}" for number in range(len(CASES))]
        gate = self.gate(self.gateway.endpoint.replace("http", "socks5"), chips,
                         timeouts={"drain": "0s", "connect_budget": "2s"})
        self.gateway.script = self.well()
        self.carries(gate.ports[chips[0]])
        wire.until(lambda: gate.metric("chipgate_handshakes") == 0, "a quiet chipgate")
        descriptors, memory = gate.metric("process_open_fds"), gate.metric("process_resident_memory_bytes")
        gone = {name: threading.Event() for name in CASES}
        with concurrent.futures.ThreadPoolExecutor(len(CASES)) as pool:
            heard = []
            for chip, (name, case) in zip(chips, CASES.items()):
                self.gateway.script, before = self.script(case, gone[name]), self.gateway.accepted
                heard.append(pool.submit(rig.refusal, gate.ports[chip]))
                # Nothing in a greeting says whose it is: each must be there before the next script is set.
                wire.until(lambda: self.gateway.accepted > before, f"the gateway is asked: {name}")
        self.gateway.script = self.well()
        for chip, (name, case), told in zip(chips, CASES.items(), heard):
            with self.subTest(name):
                answer = told.result()
                self.assertEqual((answer.status, answer.get("x-chipgate-error")), (case.status, case.reason))
                self.assertEqual(gate.metric("chipgate_refusals_total", chip=chip, reason=case.reason), 1)
                self.assertTrue(gone[name].wait(stack.ANSWER_SECONDS), "the gateway is hung up on")
                self.carries(gate.ports[chip])
        wire.until(lambda: gate.metric("chipgate_handshakes") == 0, "nothing is under way")
        wire.until(lambda: gate.metric("process_open_fds") <= descriptors, "every descriptor is back")
        self.assertLess(gate.metric("process_resident_memory_bytes") - memory, MOST_MEMORY)

    def test_a_reply_with_an_address_of_any_kind_opens_the_tunnel_in_one_piece_or_many(self) -> None:
        gate = self.gate(self.gateway.endpoint.replace("http", "socks5"), ["alpha"])
        for address in (b"\x01" + bytes(6), b"\x04" + bytes(18), b"\x03\xff" + b"n" * 255 + b"\0\0", b"\x03\x01n\0\0"):
            for pieces in (1, 1000):
                with self.subTest(address=address[:2], pieces=pieces):
                    self.gateway.script = self.well(b"\x05\x00\x00" + address, pieces)
                    self.carries(gate.ports["alpha"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
