#!/usr/bin/env python3
"""No direct path: whatever the gateway does and whatever a client asks for, chipgate sends packets to its gateway and asks
its resolver for the gateway's name, and nothing else; and every client is answered in time."""

from __future__ import annotations

import concurrent.futures
import shutil
import signal
import socket
import struct
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path
from typing import Callable, NamedTuple

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
import namespaces  # noqa: E402
import plan  # noqa: E402
import stack  # noqa: E402
import watchers  # noqa: E402
import world  # noqa: E402

# Below ctest's own limit, so that it ends with a report.
WATCHDOG_SECONDS = 270
PORTS = {"http": 3120, "socks5": 1080}
CHIPS = ["alpha", "beta", "gamma", "delta"]
# How long after its reply a refusal that begins with success may take to reset.
REFUSAL_SECONDS = 1.0
FLAP_SECONDS = 1.5
FLAPS = 4

NAMES = ["web.whatsapp.com", "mmg.whatsapp.net", "media-gru1-1.cdn.whatsapp.net", "exit-ip.sim", "localhost", "printer",
         plan.GATEWAY_NAME, "a.name.that.nobody.knows.example"]
ADDRESSES = ["192.0.2.80", "127.0.0.1", "169.254.169.254", plan.NAME_SERVER, plan.ROUTER]
ADDRESSES_6 = ["2001:db8::80", "::1", plan.ROUTER_6]


class Attempt(NamedTuple):
    """What a client sends; what it must wait for where the protocol has a turn."""

    how: str
    target: str
    turns: list[bytes]


def connect_request(target: str, agent: str) -> bytes:
    return f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{agent}\r\n".encode()


def attempts() -> list[Attempt]:
    made = []
    for name in NAMES:
        made += [
            Attempt("CONNECT of a browser", name, [connect_request(f"{name}:443", "User-Agent: Mozilla/5.0\r\n")]),
            Attempt("CONNECT of Node", name, [connect_request(f"{name}:443", "Proxy-Connection: close\r\n")]),
            Attempt("absolute form", name, [f"GET http://{name}/ HTTP/1.1\r\nHost: {name}\r\nUser-Agent: curl/8\r\n\r\n".encode()]),
            Attempt("absolute form, https", name, [f"GET https://{name}/ HTTP/1.1\r\nHost: {name}\r\n\r\n".encode()]),
            Attempt("SOCKS5", name, [b"\x05\x01\x00", b"\x05\x01\x00\x03" + bytes([len(name)]) + name.encode() + b"\x01\xbb"]),
            Attempt("SOCKS4a", name, [b"\x04\x01\x01\xbb\x00\x00\x00\x01me\x00" + name.encode() + b"\x00"]),
        ]
    for address in ADDRESSES:
        packed = socket.inet_aton(address)
        made += [
            Attempt("CONNECT", address, [connect_request(f"{address}:80", "User-Agent: Go-http-client/1.1\r\n")]),
            Attempt("SOCKS5", address, [b"\x05\x01\x00", b"\x05\x01\x00\x01" + packed + b"\x00\x50"]),
            Attempt("SOCKS4", address, [b"\x04\x01\x00\x50" + packed + b"me\x00"]),
            Attempt("SOCKS5 UDP ASSOCIATE", address, [b"\x05\x01\x00", b"\x05\x03\x00\x01" + packed + b"\x00\x35"]),
        ]
    for address in ADDRESSES_6:
        packed = socket.inet_pton(socket.AF_INET6, address)
        made += [
            Attempt("CONNECT", address, [connect_request(f"[{address}]:443", "User-Agent: Go-http-client/1.1\r\n")]),
            Attempt("SOCKS5", address, [b"\x05\x01\x00", b"\x05\x01\x00\x04" + packed + b"\x01\xbb"]),
        ]
    return made


class Answer(NamedTuple):
    attempt: Attempt
    seconds: float
    first: bytes | str  # what came, or how it ended without a byte; empty: nothing came in time
    stayed: bool  # and nothing ended it soon after


class Isolated(unittest.TestCase):
    """chipgate inside, its gateway and everything else outside."""

    kind = "http"

    def setUp(self) -> None:
        self.world = world.World()
        self.addCleanup(self.world.close)
        self.folder = Path(tempfile.mkdtemp(prefix="chipgate-isolation-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.gateway, listening = stack.gateway_sim("--api", "127.0.0.1:0", *stack.credentials(), "--ca-out",
                                                    self.folder / "sim-ca.pem", prefix=self.world.outside.prefix)
        self.addCleanup(self.gateway.stop_cleanly)
        host, port = listening[self.kind].rsplit(":", 1)
        self.door = world.Door(self.world.outside, PORTS[self.kind], (host, int(port)))
        self.addCleanup(self.door.close)

    def chipgate_starts(self) -> None:
        configuration = stack.configuration(f"{self.kind}://{plan.GATEWAY_NAME}:{PORTS[self.kind]}", CHIPS)
        self.gate, self.ports, self.admin = stack.chipgate(configuration, self.folder, self.world.inside.prefix,
                                                           {"CHIPGATE_TEST_PASSWORD": stack.PASSWORD})
        self.addCleanup(self.gate.stop_cleanly)

    def ask(self, attempt: Attempt, port: int) -> Answer:
        """Sends what the client would and says what came first, counted from the connect."""
        started = time.monotonic()
        client = self.world.inside.call(lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM))
        received: bytes | str = b""
        stayed = False
        with client:
            client.settimeout(stack.ANSWER_SECONDS)
            try:
                client.connect(("127.0.0.1", port))
                for turn in attempt.turns:
                    client.sendall(turn)
                    client.settimeout(max(0.01, started + stack.ANSWER_SECONDS - time.monotonic()))
                    received = client.recv(4096) or "end"
                    if received == "end" or attempt.turns[-1] is turn:
                        break
            except TimeoutError:
                received = b""
            except OSError as error:
                received = type(error).__name__
            answered = time.monotonic() - started
            if isinstance(received, bytes) and received:
                client.settimeout(REFUSAL_SECONDS)
                try:
                    stayed = client.recv(4096) != b""
                except TimeoutError:
                    stayed = True
                except OSError:
                    pass
        return Answer(attempt, answered, received, stayed)

    def ask_all(self) -> list[Answer]:
        """All attempts at once, spread over the chips."""
        made = attempts()
        ports = [self.ports[chip] for chip in CHIPS]
        with concurrent.futures.ThreadPoolExecutor(len(made)) as pool:
            return list(pool.map(self.ask, made, [ports[i % len(ports)] for i in range(len(made))]))

    def strangers(self, packets: list[watchers.Packet]) -> list[str]:
        """Packets that chipgate had no business to send."""
        def allowed(packet: watchers.Packet) -> bool:
            if packet.to == plan.GATEWAY:
                return (packet.protocol == "tcp" and packet.port == PORTS[self.kind]) or packet.protocol == "protocol 1 type 3"
            if packet.to == plan.NAME_SERVER:
                return (packet.protocol in ("udp", "tcp") and packet.port == 53) or packet.protocol == "protocol 1 type 3"
            return False
        return [str(packet) for packet in packets if not allowed(packet)]

    def check(self, phase: str, answers: list[Answer]) -> None:
        packets, asked = self.world.recorder.take(), self.world.names.take()
        with self.subTest(phase=phase, what="packets"):
            self.assertEqual(self.strangers(packets), [])
        with self.subTest(phase=phase, what="names"):
            gateway = {plan.GATEWAY_NAME, f"{plan.GATEWAY_NAME}.{plan.SEARCHED_SUFFIX}"}
            self.assertEqual(set(asked) - gateway, set())
        with self.subTest(phase=phase, what="answers"):
            late = [f"{a.attempt.how} {a.attempt.target}: {a.first!r} after {a.seconds:.1f} s" for a in answers
                    if a.first == b"" or a.seconds > stack.ANSWER_SECONDS]
            self.assertEqual(late, [])
        self.assertTrue(self.gate.running(), self.gate.said())
        slowest = max(answers, key=lambda a: a.seconds)
        print(f"  {phase}: {len(answers)} clients answered, the slowest after {slowest.seconds:.1f} s "
              f"({slowest.attempt.how}); {len(packets)} packets, {len(asked)} names asked for", flush=True)

    def phase(self, name: str, around: Callable[[], None] | None = None) -> list[Answer]:
        """Clients while the gateway is as it is, or round after round for as long as `around` runs."""
        if around is None:
            answers = self.ask_all()
        else:
            answers = []
            beside = threading.Thread(target=around)
            beside.start()
            while beside.is_alive():
                answers += self.ask_all()
            beside.join()
        self.check(name, answers)
        return answers

    def carried(self, answers: list[Answer]) -> list[Answer]:
        """Those that really have a tunnel: a refusal over SOCKS5 says success as well, and then resets."""
        success = (b"HTTP/1.1 200", b"\x05\x00\x00")
        return [a for a in answers if isinstance(a.first, bytes) and a.first.startswith(success) and a.stayed]

    def flap(self) -> None:
        for _ in range(FLAPS):
            time.sleep(FLAP_SECONDS)
            self.door.close()
            time.sleep(FLAP_SECONDS)
            self.door.open()


class Proof(Isolated):
    def test_the_recorder_sees_a_leak(self) -> None:
        """What a leaking program would send is recorded and judged."""
        def leak() -> None:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as query:
                query.sendto(struct.pack("!6H", 7, 0x0100, 1, 0, 0, 0) + b"\x03web\x08whatsapp\x03com\x00\x00\x01\x00\x01",
                             (plan.NAME_SERVER, 53))
            for family, target in ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1")):
                with socket.socket(family, socket.SOCK_STREAM) as direct:
                    direct.settimeout(0.3)
                    direct.connect_ex((target, 443))
        self.world.inside.call(leak)
        packets = self.world.recorder.take()
        self.assertIn("web.whatsapp.com", self.world.names.take())
        strangers = {packet.split(" b'")[0] for packet in self.strangers(packets)}
        self.assertEqual(strangers, {"tcp to 192.0.2.1:443", "tcp to 2001:db8::1:443"})


class OverHttp(Isolated):
    def test_gateway_up_down_and_flapping(self) -> None:
        self.door.open()
        self.chipgate_starts()
        carried = len(self.carried(self.phase("gateway up")))
        self.assertGreater(carried, 0)
        self.door.close()
        self.assertFalse(self.carried(self.phase("gateway refuses connections")))
        self.door.open()
        self.gateway.signal(signal.SIGSTOP)
        self.assertFalse(self.carried(self.phase("gateway says nothing")))
        self.gateway.signal(signal.SIGCONT)
        self.world.gateway_address(False)
        self.assertFalse(self.carried(self.phase("gateway's address is gone")))
        self.world.names.silent = True
        self.assertFalse(self.carried(self.phase("gateway's address is gone and the resolver silent")))
        self.world.names.silent = False
        self.world.gateway_address(True)
        flapped = self.phase("gateway flaps", self.flap)
        rounds = len(flapped) // len(attempts())
        self.assertTrue(0 < len(self.carried(flapped)) < rounds * carried, "the gateway was to be up and down")
        deadline = time.monotonic() + 60
        while not self.carried(self.phase("gateway up again")):
            self.assertLess(time.monotonic(), deadline, "chipgate did not come back")

    def test_gateway_was_never_there(self) -> None:
        self.world.names.silent = True
        self.chipgate_starts()
        self.assertFalse(self.carried(self.phase("no gateway and no resolver since the start")))


class OverSocks5(Isolated):
    """The same promise where names travel to the gateway in SOCKS5."""

    kind = "socks5"

    def test_gateway_up_and_down(self) -> None:
        self.door.open()
        self.chipgate_starts()
        self.assertTrue(self.carried(self.phase("SOCKS5 gateway up")))
        self.door.close()
        self.assertFalse(self.carried(self.phase("SOCKS5 gateway refuses connections")))


def check_possible() -> None:
    """Raises NotAllowed where no such world can be made."""
    namespaces.become_root()
    world.World().close()


if __name__ == "__main__":
    namespaces.run_tests(check_possible, WATCHDOG_SECONDS)
