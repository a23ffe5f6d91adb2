"""What watches the wire: a recorder of every packet, and a name server that keeps every question."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import struct
import threading
import time
from typing import NamedTuple

from namespaces import Namespace
from plan import GATEWAY, GATEWAY_NAME, NAME_SERVER, OUTSIDE_WIRE

ETH_P_ALL = 0x0003
PACKET_OUTGOING = 4


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
                    asked = client.recv(4096)[2:]  # nothing from one who only wants to know whether it is open
                    if answer := self._answer(asked) if asked else None:
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
