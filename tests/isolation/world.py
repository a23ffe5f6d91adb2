"""Two network namespaces joined by one wire, and what watches the wire: a recorder of every packet and a name server.

chipgate runs in `inside`, whose only way out, for packets and for names, is `outside`, which is the test's."""

from __future__ import annotations

import contextlib
import ctypes
import ipaddress
import os
import shutil
import socket
import struct
import subprocess
import threading
import time
from pathlib import Path
from typing import Callable, NamedTuple, TypeVar

T = TypeVar("T")

INSIDE_ADDRESS = "10.77.0.2"
ROUTER = "10.77.0.1"
GATEWAY = "10.77.0.10"
NAME_SERVER = "10.77.0.53"
INSIDE_ADDRESS_6 = "fd77::2"
ROUTER_6 = "fd77::1"
GATEWAY_NAME = "gateway.example.test"
# Unlike the real ones of a host it is searched for every name that fails, so a leak has two chances to be seen.
SEARCHED_SUFFIX = "search.example.test"
OUTSIDE_WIRE = "wire0"

CLONE_NEWNET = 0x40000000
ETH_P_ALL = 0x0003
PACKET_OUTGOING = 4


class NotAllowed(Exception):
    """This machine lets nobody make namespaces."""


def run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=20)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout


class Namespace:
    """A network namespace with its own resolver, gone when it is closed."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.prefix = ["ip", "netns", "exec", name]
        self._etc = Path("/etc/netns") / name
        run("ip", "netns", "add", name)
        self.ip("link", "set", "lo", "up")

    def ip(self, *arguments: str) -> None:
        run("ip", "-n", self.name, *arguments)

    def set_file(self, name: str, text: str) -> None:
        """Of /etc, as the processes inside see it."""
        if Path("/etc", name).exists():
            self._etc.mkdir(parents=True, exist_ok=True)
            (self._etc / name).write_text(text)

    def call(self, function: Callable[[], T]) -> T:
        """Calls it on a thread inside: a socket stays in the namespace where it was made."""
        result: list[T] = []
        errors: list[BaseException] = []

        def inside() -> None:
            libc = ctypes.CDLL(None, use_errno=True)
            with open(f"/run/netns/{self.name}") as namespace:
                if libc.setns(namespace.fileno(), CLONE_NEWNET) != 0:
                    errors.append(OSError(ctypes.get_errno(), "setns"))
                    return
            try:
                result.append(function())
            except BaseException as error:  # it is the caller's
                errors.append(error)

        thread = threading.Thread(target=inside, daemon=True)
        thread.start()
        thread.join()
        if errors:
            raise errors[0]
        return result[0]

    def close(self) -> None:
        shutil.rmtree(self._etc, ignore_errors=True)
        subprocess.run(["ip", "netns", "del", self.name], capture_output=True, timeout=20)


class Packet(NamedTuple):
    protocol: str
    to: str
    port: int
    payload: bytes

    def __str__(self) -> str:
        return f"{self.protocol} to {self.to}:{self.port} {self.payload[:60]!r}"


def parse(frame: bytes) -> Packet | None:
    """What a frame carries; nothing for the talk by which neighbours find each other."""
    (kind,) = struct.unpack_from("!H", frame, 12)
    if kind == 0x0800:
        offset = 14 + (frame[14] & 0x0F) * 4
        protocol, to = frame[23], str(ipaddress.ip_address(frame[30:34]))
    elif kind == 0x86DD:
        offset = 54
        protocol, to = frame[20], str(ipaddress.ip_address(frame[38:54]))
        # Neighbour discovery and multicast reports, these with a hop-by-hop header before them.
        if protocol == 0 or (protocol == 58 and 130 <= frame[offset] <= 143):
            return None
    elif kind == 0x0806:
        return None
    else:
        return Packet(f"ethertype {kind:#06x}", "?", 0, frame[14:])
    if protocol in (6, 17):
        (port,) = struct.unpack_from("!H", frame, offset + 2)
        header = 8 if protocol == 17 else (frame[offset + 12] >> 4) * 4
        return Packet("udp" if protocol == 17 else "tcp", to, port, frame[offset + header:])
    return Packet(f"protocol {protocol} type {frame[offset]}", to, 0, frame[offset:])


class Recorder:
    """Every packet that comes out of `inside`."""

    def __init__(self, outside: Namespace) -> None:
        def listen() -> socket.socket:
            raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 << 20)
            raw.bind((OUTSIDE_WIRE, ETH_P_ALL))
            return raw

        self._socket = outside.call(listen)
        self._lock = threading.Lock()
        self._packets: list[Packet] = []
        self._blind: OSError | None = None
        threading.Thread(target=self._record, daemon=True).start()

    def _record(self) -> None:
        while True:
            try:
                frame, address = self._socket.recvfrom(65536)
            except OSError as error:  # the namespace is gone; before its time only if something is badly wrong
                self._blind = error
                return
            if address[2] == PACKET_OUTGOING:
                continue
            if packet := parse(frame):
                with self._lock:
                    self._packets.append(packet)

    def close(self) -> None:
        self._socket.close()

    def take(self) -> list[Packet]:
        """All packets since the last call."""
        time.sleep(0.2)  # what was sent is on the wire at once, and here a moment later
        if self._blind:
            raise self._blind
        with self._lock:
            taken, self._packets = self._packets, []
            return taken


def question(query: bytes) -> str:
    """The name that a DNS query asks for."""
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1 : at + 1 + query[at]].decode("ascii", "replace"))
        at += 1 + query[at]
    return ".".join(labels).lower()


class NameServer:
    """Knows the gateway's name alone and keeps every name that it was asked for."""

    def __init__(self, outside: Namespace) -> None:
        self.silent = False
        self._lock = threading.Lock()
        self._asked: list[str] = []

        def udp() -> socket.socket:
            made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            made.bind((NAME_SERVER, 53))
            return made

        def tcp() -> socket.socket:
            made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            made.bind((NAME_SERVER, 53))
            made.listen()
            return made

        self._udp, self._tcp = outside.call(udp), outside.call(tcp)
        threading.Thread(target=self._serve_udp, daemon=True).start()
        threading.Thread(target=self._serve_tcp, daemon=True).start()

    def _serve_udp(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                query, sender = self._udp.recvfrom(4096)
                if not query:
                    return  # shut down
                if answer := self._answer(query):
                    self._udp.sendto(answer, sender)

    def _serve_tcp(self) -> None:
        while True:
            try:
                client, _ = self._tcp.accept()
            except OSError:
                return  # shut down
            with client:
                client.settimeout(2)
                with contextlib.suppress(OSError):
                    if answer := self._answer(client.recv(4096)[2:]):
                        client.sendall(struct.pack("!H", len(answer)) + answer)

    def _answer(self, query: bytes) -> bytes | None:
        name = question(query)
        with self._lock:
            self._asked.append(name)
        if self.silent:
            return None
        end = query.index(0, 12) + 5
        asked = query[12:end]
        (kind,) = struct.unpack_from("!H", query, end - 4)
        known = name == GATEWAY_NAME
        addresses = [socket.inet_aton(GATEWAY)] if known and kind == 1 else []
        answers = b"".join(b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 1, 4) + address for address in addresses)
        flags = 0x8180 if known else 0x8183
        return query[:2] + struct.pack("!HHHHH", flags, 1, len(addresses), 0, 0) + asked + answers

    def close(self) -> None:
        for listener in (self._udp, self._tcp):
            with listener, contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)

    def take(self) -> list[str]:
        with self._lock:
            taken, self._asked = self._asked, []
            return taken


class Door:
    """Where the gateway is reached: an address and port outside that lead to a simulator, which takes loopback only."""

    def __init__(self, outside: Namespace, port: int, simulator: tuple[str, int]) -> None:
        self._outside, self._port, self._simulator = outside, port, simulator
        self._lock = threading.Lock()
        self._listener: socket.socket | None = None
        self._joined: list[tuple[socket.socket, socket.socket]] = []

    def open(self) -> None:
        def listen() -> socket.socket:
            made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            made.bind((GATEWAY, self._port))
            made.listen(1024)
            return made

        self._listener = self._outside.call(listen)
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def close(self) -> None:
        """Refuses what comes, and ends what is there."""
        if self._listener:
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None
        with self._lock:
            joined, self._joined = self._joined, []
        for pair in joined:
            for end in pair:
                with end, contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
                server = self._outside.call(lambda: socket.create_connection(self._simulator))
            except OSError:
                return
            with self._lock:
                self._joined.append((client, server))
            for source, sink in ((client, server), (server, client)):
                threading.Thread(target=self._pump, args=(source, sink), daemon=True).start()

    @staticmethod
    def _pump(source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(65536):
                sink.sendall(piece)
            sink.shutdown(socket.SHUT_WR)


class World:
    def __init__(self) -> None:
        if os.geteuid() != 0:
            raise NotAllowed("making network namespaces needs root")
        if shutil.which("ip") is None:
            raise NotAllowed("there is no ip command (iproute2)")
        self._watchers: list[Recorder | NameServer] = []
        mark = f"cg{os.getpid()}"
        try:
            self.inside = Namespace(f"{mark}-in")
        except (RuntimeError, OSError) as error:
            raise NotAllowed(str(error)) from error
        try:
            self.outside = Namespace(f"{mark}-out")
        except BaseException:
            self.inside.close()
            raise
        try:
            self._lay()
        except BaseException:
            self.close()
            raise

    def _lay(self) -> None:
        inside, outside = self.inside, self.outside
        inside.ip("link", "add", "wire0", "type", "veth", "peer", "name", OUTSIDE_WIRE, "netns", outside.name)
        for address in (ROUTER, GATEWAY, NAME_SERVER):
            outside.ip("addr", "add", f"{address}/24", "dev", OUTSIDE_WIRE)
        outside.ip("addr", "add", f"{ROUTER_6}/64", "dev", OUTSIDE_WIRE, "nodad")
        inside.ip("addr", "add", f"{INSIDE_ADDRESS}/24", "dev", "wire0")
        inside.ip("addr", "add", f"{INSIDE_ADDRESS_6}/64", "dev", "wire0", "nodad")
        outside.ip("link", "set", OUTSIDE_WIRE, "up")
        inside.ip("link", "set", "wire0", "up")
        inside.ip("route", "add", "default", "via", ROUTER)
        inside.ip("-6", "route", "add", "default", "via", ROUTER_6)
        inside.set_file("resolv.conf", f"nameserver {NAME_SERVER}\nsearch {SEARCHED_SUFFIX}\noptions timeout:1 attempts:2\n")
        inside.set_file("nsswitch.conf", "hosts: files dns\n")
        inside.set_file("hosts", "127.0.0.1 localhost\n::1 localhost\n")
        self.recorder = Recorder(outside)
        self.names = NameServer(outside)
        self._watchers = [self.recorder, self.names]

    def gateway_address(self, present: bool) -> None:
        self.outside.ip("addr", "add" if present else "del", f"{GATEWAY}/24", "dev", OUTSIDE_WIRE)

    def close(self) -> None:
        self.inside.close()
        self.outside.close()
        for watcher in self._watchers:
            watcher.close()
