#!/usr/bin/env python3
"""A gateway that means harm, or is broken: what a client is told, how long and how much of it is listened to, and that
nothing is left when it is well again."""

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
from wire import connect_head, get_head, stack

BUDGET_SECONDS = 3
DRIP_SECONDS = 0.2
MEGABYTE = 1 << 20
OK = b"HTTP/1.1 200 OK\r\n"
# More than a head may have, and than a body that nobody wants may cost.
MOST_MEMORY = 40e6 * stack.MEMORY_FACTOR

Words = Iterable[bytes]


def for_ever(words: bytes, before: bytes = b"") -> Words:
    return itertools.chain([before], itertools.repeat(words * (64 * 1024 // len(words))))


@dataclass
class Case:
    """What the gateway says to a request, and what the client is told; `slowly` is a byte at a time."""

    words: Callable[[], Words]
    reason: str
    status: int = 502
    slowly: bool = False
    then: str = "wait"


def garbled(words: bytes) -> Case:
    return Case(lambda: [words], "gateway_garbled")


ANSWERS = {
    "an endless header": Case(lambda: for_ever(b"x", OK + b"X: "), "gateway_head_too_large"),
    "endless headers": Case(lambda: for_ever(b"A: b\r\n", OK), "gateway_head_too_large"),
    "an endless reason": Case(lambda: for_ever(b"O", b"HTTP/1.1 200 "), "gateway_head_too_large"),
    "a head of a megabyte": Case(lambda: [OK, b"A: b\r\n" * (MEGABYTE // 6), b"\r\n"], "gateway_head_too_large"),
    "endless garbage": Case(lambda: for_ever(bytes(range(256))), "gateway_garbled"),
    "endless blank lines": Case(lambda: for_ever(b"\r\n"), "gateway_garbled"),
    "endless NULs": Case(lambda: for_ever(b"\0"), "gateway_garbled"),
    "endless interim answers": Case(lambda: for_ever(b"HTTP/1.1 100 Continue\r\n\r\n"), "gateway_garbled"),
    "a page without a head": garbled(b"<!DOCTYPE html><html>Welcome</html>\r\n\r\n"),
    "an alert of TLS": garbled(b"\x15\x03\x03\x00\x02\x02\x28" * 4),
    "a banner before its 200": garbled(b"220 gateway ready\r\n" + OK + b"\r\n"),
    "a blank line before its 200": garbled(b"\r\n" + OK + b"\r\n"),
    "HTTP/2": garbled(b"HTTP/2.0 200 OK\r\n\r\n"),
    "HTTP/2 frames": garbled(b"\0\0\x12\x04\0\0\0\0\0" + bytes(18)),
    "another version": garbled(b"HTTP/1.x 200 OK\r\n\r\n"),
    "no status": garbled(b"HTTP/1.1 OK\r\n\r\n"),
    "a status of four digits": garbled(b"HTTP/1.1 2000 OK\r\n\r\n"),
    "a status of two digits": garbled(b"HTTP/1.1 20 OK\r\n\r\n"),
    "a status below 100": garbled(b"HTTP/1.1 099 OK\r\n\r\n"),
    "a negative status": garbled(b"HTTP/1.1 -20 OK\r\n\r\n"),
    "lines of LF": garbled(b"HTTP/1.1 200 OK\n\n"),
    "a NUL in its head": garbled(OK + b"X: a\0b\r\n\r\n"),
    "a folded line": garbled(OK + b"X: a\r\n b\r\n\r\n"),
    "a header without a colon": garbled(OK + b"X\r\n\r\n"),
    "a space before a colon": garbled(OK + b"X : y\r\n\r\n"),
    "a switch": garbled(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n" + OK + b"\r\n"),
    "half a head": Case(lambda: [OK + b"X: "], "gateway_closed", then="close"),
    "half a status": Case(lambda: [b"HTTP/1."], "gateway_closed", then="close"),
    "half a head and a reset": Case(lambda: [OK + b"X: "], "gateway_closed", then="reset"),
    "a dripping head": Case(lambda: [OK + b"X: " + b"x" * 10_000], "gateway_silent", 504, slowly=True),
    "half a head and silence": Case(lambda: [OK], "gateway_silent", 504),
}
REFUSALS = {
    "403 with an endless body": Case(lambda: for_ever(b"no", b"HTTP/1.1 403 No\r\n\r\n"), "provider_denied_target", 403),
    "403 with endless chunks": Case(lambda: for_ever(b"2\r\nno\r\n", b"HTTP/1.1 403 No\r\nTransfer-Encoding: chunked\r\n\r\n"),
                                    "provider_denied_target", 403),
    "504 with a body of an exabyte": Case(lambda: for_ever(b"no", b"HTTP/1.1 504 No\r\nContent-Length: 999999999999999999\r\n\r\n"),
                                          "provider_exit_timeout", 504),
    "522 with a body that never comes": Case(lambda: [b"HTTP/1.1 522 No\r\nContent-Length: 100\r\n\r\n"],
                                             "provider_exit_timeout", 504),
    "interim answers and a refusal": Case(lambda: [b"HTTP/1.1 103 Hints\r\n\r\n" * 3, b"HTTP/1.1 403 No\r\n\r\n"],
                                          "provider_denied_target", 403),
}
TO_CONNECT = {**ANSWERS, **REFUSALS,
              "dripping interim answers": Case(lambda: [b"HTTP/1.1 100 \r\n\r\n" * 1000], "gateway_silent", 504, slowly=True)}
# To plain requests a status is an answer like any other.
TO_PLAIN = dict(ANSWERS)
WELL = "well.sim"


class HostileGateway(scripted.ScriptedTest):
    """A chip for each case, so that none waits behind the others' refusals."""

    settings = {"timeouts": {"drain": "0s", "connect_budget": f"{BUDGET_SECONDS}s", "first_reply": f"{BUDGET_SECONDS}s"}}
    chips = [f"chip-{number}" for number in range(max(len(TO_CONNECT), len(TO_PLAIN)))]

    def setUp(self) -> None:
        self.over = threading.Event()
        self.gone: list[str] = []
        self.cases: dict[str, Case] = {}
        self.gateway.script = self.script
        for chip in self.chips:
            self.carries(chip)
        self.quiet()
        self.before = stack.metrics(self.admin)

    def tearDown(self) -> None:
        """The gateway is well again: every chip is served, and nothing is left."""
        self.over.set()
        for chip in self.chips:
            wire.until(lambda: self.carries(chip), f"{chip} is served again")
        self.quiet()
        wire.until(lambda: self.metric("process_open_fds") <= self.before["process_open_fds"], "every descriptor is back")
        grown = self.metric("process_resident_memory_bytes") - self.before["process_resident_memory_bytes"]
        self.assertLess(grown, MOST_MEMORY)

    def metric(self, name: str) -> float:
        return stack.metrics(self.admin).get(name, 0.0)

    def quiet(self) -> None:
        wire.until(lambda: self.metric("chipgate_handshakes") == 0, "nothing is under way")

    def carries(self, chip: str) -> bool:
        with wire.Client(self.ports[chip]) as client:
            try:
                return client.send(connect_head(f"{WELL}:7") + b"hello").head().status == 200 and \
                    client.exactly(5) == b"hello"
            except (ConnectionResetError, AssertionError):
                return False

    def script(self, client: wire.Client) -> None:
        """By the target's name: case-7.sim is the seventh."""
        head = client.through(b"\r\n\r\n").decode()
        host = next(line for line in head.split("\r\n") if line.startswith("Host: "))[6:].split(":")[0]
        if host == WELL:
            client.send(OK + b"\r\n")
            client.send(client.exactly(5))
            return
        name = list(self.cases)[int(host.split("-")[1].split(".")[0])]
        case = self.cases[name]
        # Whatever it is that ends this, the client's end is seen by it.
        with contextlib.suppress(OSError):
            for words in case.words():
                for at in range(len(words)) if case.slowly else [None]:
                    client.send(words if at is None else words[at:at + 1])
                    if at is not None and self.over.wait(DRIP_SECONDS):
                        return
            if case.then == "reset":
                client.reset()
            elif case.then == "wait":
                client.rest()
        self.gone.append(name)

    def told(self, cases: dict[str, Case], head: Callable[[str], bytes]) -> None:
        self.cases = cases

        def ask(number: int) -> tuple[wire.Answer, str]:
            with wire.Client(self.ports[self.chips[number]]) as client:
                answer = client.send(head(f"case-{number}.sim")).answer()
                return answer, client.rest()[1]

        with concurrent.futures.ThreadPoolExecutor(len(cases)) as pool:
            heard = list(pool.map(ask, range(len(cases))))
        samples = stack.metrics(self.admin)
        for number, ((name, case), (answer, how)) in enumerate(zip(cases.items(), heard)):
            with self.subTest(name):
                self.assertEqual((answer.status, answer.get("x-chipgate-error"), how), (case.status, case.reason, "eof"))
                sample = f'chipgate_refusals_total{{chip="{self.chips[number]}",reason="{case.reason}"}}'
                self.assertEqual(samples.get(sample, 0) - self.before.get(sample, 0), 1)
        # Nobody is listened to any longer, however much it has to say.
        wire.until(lambda: set(self.gone) == set(cases), f"the gateway is hung up on: {set(cases) - set(self.gone)}")

    def test_a_client_that_wants_a_tunnel_is_told(self) -> None:
        self.told(TO_CONNECT, lambda host: connect_head(f"{host}:443", "User-Agent: curl/8"))

    def test_a_plain_request_is_told(self) -> None:
        self.told(TO_PLAIN, lambda host: get_head(f"http://{host}/", "User-Agent: curl/8"))

    def test_an_answer_that_breaks_later_is_cut_where_it_breaks(self) -> None:
        begun = OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"
        arrived = threading.Semaphore(0)

        def breaking(words: Words) -> Case:
            """Once the client has what came before."""
            def run() -> Words:
                yield begun
                arrived.acquire(timeout=stack.ANSWER_SECONDS)
                yield from words
            return Case(run, "")

        cases = {"an endless chunk header": breaking(for_ever(b"e", b"5;")),
                 "endless trailers": breaking(for_ever(b"A: b\r\n", b"0\r\n")),
                 "a chunk that is none": breaking([b"zz\r\n"]),
                 "a chunk too long to count": breaking([b"f" * 17 + b"\r\n"])}
        self.cases = cases
        for number, name in enumerate(cases):
            with self.subTest(name), wire.Client(self.ports[self.chips[number]]) as client:
                client.send(get_head(f"http://case-{number}.sim/"))
                self.assertEqual(client.head().status, 200)
                self.assertEqual(client.exactly(10), b"5\r\nhello\r\n")
                arrived.release()
                self.assertEqual(client.rest()[1], "reset")
        wire.until(lambda: set(self.gone) == set(cases), "the gateway is hung up on")

    def opened(self, *answer: bytes, each_byte: bool = False) -> tuple[bytes, str]:
        """What a tunnel's client gets behind its own 200."""
        def words() -> Words:
            return [bytes([byte]) for byte in b"".join(answer)] if each_byte else answer

        self.cases = {"opened": Case(words, "", then="close")}
        with wire.Client(self.ports[self.chips[0]]) as client:
            self.assertEqual(client.send(connect_head("case-0.sim:443")).head().status, 200)
            return client.rest()

    def test_a_body_announced_in_a_200_is_the_tunnels_bytes(self) -> None:
        """RFC 9110 section 9.3.6."""
        body = b"5\r\nhello\r\n0\r\n\r\nand more"
        for fields in (b"Transfer-Encoding: chunked\r\n", b"Content-Length: 5\r\n", b"Content-Length: 0\r\n",
                       b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", b"Content-Length: 1\r\nContent-Length: 2\r\n",
                       b"Content-Length: many\r\n", b"Transfer-Encoding: gzip\r\n", b"Connection: close\r\n"):
            with self.subTest(fields):
                self.assertEqual(self.opened(OK, fields, b"\r\n", body), (body, "eof"))

    def test_a_200_in_as_many_pieces_as_bytes_opens_the_tunnel(self) -> None:
        interim = b"HTTP/1.1 102 Processing\r\nX: y\r\n\r\n"
        self.assertEqual(self.opened(interim, OK, b"Via: x\r\n\r\n", b"behind", each_byte=True), (b"behind", "eof"))

    def test_a_megabyte_right_behind_a_200_reaches_the_client(self) -> None:
        said = wire.pattern(MEGABYTE)
        self.assertEqual(self.opened(OK + b"\r\n" + said), (said, "eof"))

    def test_as_many_interim_answers_as_an_honest_gateway_gives_are_waited_through(self) -> None:
        self.assertEqual(self.opened(b"HTTP/1.1 100 Continue\r\n\r\n" * 7 + OK + b"\r\nhi"), (b"hi", "eof"))


class GatewayThatIsDeaf(rig.RigTest):
    """Its kernel accepts and nobody reads; and 407, which is all chips' business and so stands apart."""

    def test_a_gateway_that_never_reads_is_given_up_within_the_budget(self) -> None:
        gateway = scripted.Gateway()
        self.addCleanup(gateway.close)
        over = threading.Event()
        self.addCleanup(over.set)
        gateway.script = lambda client: over.wait(stack.READY_SECONDS) and None
        gate = self.gate(gateway.endpoint, ["alpha"], timeouts={"drain": "0s", "connect_budget": "2s", "first_reply": "2s"})
        answer = rig.refusal(gate.ports["alpha"])
        self.assertEqual((answer.status, answer.get("x-chipgate-error")), (504, "gateway_silent"))
        with wire.Client(gate.ports["alpha"]) as client:
            # More than the buffers on the way hold.
            sender = client.send_in_background(get_head("http://a.sim/", "Content-Length: 100000000", method="POST") +
                                               bytes(20 * MEGABYTE))
            self.assertEqual(client.answer().get("x-chipgate-error"), "gateway_silent")
            client.close()
            sender.join()

    def test_407_with_an_endless_body_is_the_accounts_fault(self) -> None:
        gateway = scripted.Gateway()
        self.addCleanup(gateway.close)
        gone = threading.Event()

        def script(client: wire.Client) -> None:
            client.through(b"\r\n\r\n")
            with contextlib.suppress(OSError):
                for words in for_ever(b"no", b"HTTP/1.1 407 No\r\nProxy-Authenticate: Basic\r\n\r\n"):
                    client.send(words)
            gone.set()

        gateway.script = script
        gate = self.gate(gateway.endpoint, ["alpha"])
        answer = rig.refusal(gate.ports["alpha"])
        self.assertEqual((answer.status, answer.get("x-chipgate-error")), (502, "provider_auth"))
        self.assertTrue(gone.wait(stack.ANSWER_SECONDS))


if __name__ == "__main__":
    unittest.main(verbosity=2)
