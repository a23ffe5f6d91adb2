#!/usr/bin/env python3
"""Echo pages by which a hostile origin or gateway would have chipgate believe in an address, or read for ever: none is
believed, no client is let through on its word, and an honest page is believed at once."""

from __future__ import annotations

import concurrent.futures
import contextlib
import itertools
import threading
import unittest
from typing import Callable, Iterable

import rig
import scripted
import wire
from wire import stack

LIE, TRUTH = b"203.0.113.66", b"198.51.100.7"
OK = b"HTTP/1.1 200 OK\r\n\r\n"
MEGABYTE = 1 << 20
# What sixteen chipgates would show many times over, if one of them kept what it reads.
MOST_MEMORY = 30e6 * stack.MEMORY_FACTOR
# Nothing of a page without end is needed beyond its first bytes; the rest is in the buffers of both kernels.
MOST_SENT = 16 * MEGABYTE

Page = Callable[[], Iterable[bytes]]


def page(*words: bytes) -> Page:
    return lambda: words


def endless(words: bytes, before: bytes = b"") -> Page:
    return lambda: itertools.chain([before], itertools.repeat(words * (64 * 1024 // len(words))))


PAGES: dict[str, Page] = {
    "an endless page": endless(b"x", OK),
    "an address and blanks without end": endless(b"\n", OK + LIE),
    "an address in JSON and blanks without end": endless(b" ", OK + b'{"ip":"%s"}' % LIE),
    "addresses without end": endless(LIE + b"\n", OK),
    "chunks without end": endless(b"1\r\n \r\n", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
    "endless headers": endless(b"X-Exit: %s\r\n" % LIE, b"HTTP/1.1 200 OK\r\n"),
    "a megabyte around an address": page(OK, b" " * MEGABYTE, LIE),
    "a page for people": page(OK, b"<html><body>Your address is ", LIE, b"</body></html>"),
    "several addresses": page(OK, LIE, b", 203.0.113.67\n"),
    "several addresses in JSON": page(OK, b'{"ip":"%s","origin":"203.0.113.67"}' % LIE),
    "an address and a port": page(OK, LIE, b":80"),
    "an address and a NUL": page(OK, LIE, b"\0"),
    "numbers beyond an address": page(OK, b"203.0.113.256"),
    "an address in octal": page(OK, b"0313.0.0161.0102"),
    "a page shorter than it says": page(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", LIE),
    "a page that went somewhere else": page(b"HTTP/1.1 302 Found\r\nLocation: http://lie.sim/\r\n\r\n", LIE),
    "an address without a head": page(LIE),
}


class Echo:
    """A chipgate of its own behind a gateway whose echo pages are all alike."""

    def __init__(self, test: rig.RigTest, lie: Page) -> None:
        self.lie = lie
        self.healed = threading.Event()
        self.looks = self.most_sent = 0
        self.gateway = scripted.Gateway()
        test.addCleanup(self.gateway.close)
        self.gateway.script = self.script
        written = test.configuration([self.gateway.endpoint], ["alpha"], verify={
            "timeout": "2s", "echoes_v4": ["http://look-one.sim/", "http://look-two.sim/"], "interval": "1h", "max_age": "2h"},
            draws={"retry_min": "100ms", "retry_max": "200ms", "per_second": 1000, "per_chip_and_hour": 10_000},
            timeouts={"drain": "0s", "connect_budget": "3s"})
        written["chips"] = [{"id": "alpha", "port": 0, "connect": "on_demand"}]
        self.gate = rig.Gate(*stack.chipgate(written, test.folder, None, rig.SECRETS))
        test.addCleanup(self.gate.end)
        self.memory = self.gate.metric("process_resident_memory_bytes")

    def script(self, client: wire.Client) -> None:
        head = client.through(b"\r\n\r\n")
        if head.startswith(b"CONNECT "):
            client.send(OK)
            client.send(client.exactly(5))
            client.rest()
        elif self.healed.is_set():
            client.send(OK + TRUTH)
        else:
            self.looks += 1
            sent = 0
            with contextlib.suppress(OSError):
                for words in self.lie():
                    client.send(words)
                    sent += len(words)
            self.most_sent = max(self.most_sent, sent)


class HostileEcho(rig.RigTest):
    def test_no_such_page_names_an_address_and_an_honest_one_does(self) -> None:
        echoes = {name: Echo(self, lie) for name, lie in PAGES.items()}
        with concurrent.futures.ThreadPoolExecutor(len(echoes)) as pool:
            answers = dict(zip(echoes, pool.map(lambda echo: rig.refusal(echo.gate.ports["alpha"]), echoes.values())))
        for name, echo in echoes.items():
            with self.subTest(name):
                self.assertEqual(answers[name].status, 503)
                self.assertIn(answers[name].get("x-chipgate-error"), ("no_assignment", "exit_unconfirmed"))
                self.assertGreater(echo.looks, 0)
                self.assertLess(echo.most_sent, MOST_SENT)
                self.assertEqual(echo.gate.said("assigned"), [])
                self.assertEqual(echo.gate.metric("chipgate_looks_total", result="ok"), 0)
                echo.healed.set()

                def carried() -> bool:
                    with wire.Client(echo.gate.ports["alpha"]) as client:
                        try:
                            return client.send(wire.connect_head("well.sim:7") + b"hello").head().status == 200
                        except (ConnectionResetError, AssertionError):
                            return False

                wire.until(carried, "it is believed in once the page is honest")
                self.assertIn(TRUTH.decode(), str(echo.gate.line("assigned")))
                self.assertNotIn(LIE.decode(), str(echo.gate.process.err.all()))
                grown = echo.gate.metric("process_resident_memory_bytes") - echo.memory
                self.assertLess(grown, MOST_MEMORY)


if __name__ == "__main__":
    unittest.main(verbosity=2)
