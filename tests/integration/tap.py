"""A tap between chipgate and a gateway: it records what passes, says what of it TLS shows, and may hang up."""

from __future__ import annotations

import socket
import struct
import threading

HANDSHAKE, APPLICATION_DATA = 22, 23
PRE_SHARED_KEY = 41
SERVER_HELLO = 2


class Passage:
    """One connection through the tap."""

    def __init__(self, client: socket.socket, gateway: socket.socket) -> None:
        self._client, self._gateway = client, gateway
        self.up, self.down = bytearray(), bytearray()
        for source, sink, record in ((client, gateway, self.up), (gateway, client, self.down)):
            threading.Thread(target=self._carry, args=(source, sink, record), daemon=True).start()

    @staticmethod
    def _carry(source: socket.socket, sink: socket.socket, record: bytearray) -> None:
        try:
            while data := source.recv(1 << 16):
                record += data
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # somebody hung up

    def hang_up(self) -> None:
        """A FIN in the middle of everything: no close_notify, no last record."""
        self._client.shutdown(socket.SHUT_WR)


class Tap:
    def __init__(self, gateway: str) -> None:
        host, port = gateway.rsplit(":", 1)
        self._gateway = (host, int(port))
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.passages: list[Passage] = []
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._listener.getsockname()[1]}"

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
                self.passages.append(Passage(client, socket.create_connection(self._gateway)))
            except OSError:
                return

    def close(self) -> None:
        self._listener.close()


def records(stream: bytes) -> list[tuple[int, bytes]]:
    """TLS records as they stand on the wire: their types and contents. What is cut off at the end is left out."""
    found = []
    while len(stream) >= 5:
        kind, _, size = struct.unpack(">BHH", stream[:5])
        if len(stream) < 5 + size:
            break
        found.append((kind, stream[5:5 + size]))
        stream = stream[5 + size:]
    return found


def resumed(down: bytes) -> bool:
    """Whether the server's hello takes up an earlier session (TLS 1.3: it names the client's pre-shared key)."""
    hello = next(body for kind, body in records(down) if kind == HANDSHAKE and body[0] == SERVER_HELLO)
    at = 4 + 2 + 32  # the message's head, the version, the random
    at += 1 + hello[at] + 2 + 1  # the echoed session id, the cipher, the compression
    end = at + 2 + struct.unpack(">H", hello[at:at + 2])[0]
    at += 2
    while at < end:
        kind, size = struct.unpack(">HH", hello[at:at + 4])
        if kind == PRE_SHARED_KEY:
            return True
        at += 4 + size
    return False
