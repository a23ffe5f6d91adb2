#!/usr/bin/env python3
"""Events reach a receiver in order, signed, over HTTP and TLS, and none is lost while it is away."""

from __future__ import annotations

import hashlib
import hmac
import http.server
import json
import queue
import ssl
import threading
import unittest
from pathlib import Path
from typing import Any

import life
from certificates import make_certificate
from ports import PortBlock
from wire import stack

SECRET = "a secret of both"


class Receiver:
    """Takes posts, and answers with the statuses that it is given, then 204."""

    def __init__(self, port: int = 0, certificate: tuple[Path, Path] | None = None) -> None:
        self.posts: queue.Queue[tuple[dict[str, str], bytes]] = queue.Queue()
        self.statuses: list[int] = []
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = receiver.statuses.pop(0) if receiver.statuses else 204
                receiver.posts.put(({key.lower(): value for key, value in self.headers.items()}, body))
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        class Server(http.server.ThreadingHTTPServer):
            def handle_error(self, *_: object) -> None:
                """A client that trusts nobody goes in the middle of the handshake."""

        self._server = Server(("127.0.0.1", port), Handler)
        self.port = self._server.server_address[1]
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True,
                                                      do_handshake_on_connect=False)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def next(self) -> dict[str, Any]:
        """The next event that was posted, whose signature was right."""
        fields, body = self.posts.get(timeout=stack.ANSWER_SECONDS)
        signed = fields["x-chipgate-timestamp"].encode() + b"." + body
        wanted = "sha256=" + hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
        assert hmac.compare_digest(fields["x-chipgate-signature"], wanted), fields
        event = json.loads(body)
        assert (fields["x-chipgate-event"], fields["x-chipgate-event-id"]) == (event["type"], str(event["id"])), fields
        return event

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class Webhook(life.LifeTest):
    def receiver(self, *arguments: Any) -> Receiver:
        made = Receiver(*arguments)
        self.addCleanup(made.close)
        return made

    def told_to(self, url: str, prefix: list[str] | None = None) -> life.Operator:
        webhook = {"url": url, "secret": SECRET, "events": ["chip.active", "chip.released"]}
        return self.live(prefix=prefix, admin={"listen": "127.0.0.1:0", "token_file": str(self.folder / "token"),
                                               "webhook": webhook})

    def live_once(self, api: life.Operator, chip: str) -> None:
        api.put(chip, connect="manual")
        api.connect(chip)
        api.released(chip)

    def assert_hears_a_life(self, receiver: Receiver, chip: str) -> None:
        events = [receiver.next() for _ in range(2)]
        self.assertEqual([(event["type"], event["chip"]) for event in events],
                         [("chip.active", chip), ("chip.released", chip)])
        self.assertLess(events[0]["id"], events[1]["id"])

    def test_events_come_signed_and_in_order(self) -> None:
        receiver = self.receiver()
        self.live_once(self.told_to(f"http://127.0.0.1:{receiver.port}/hook"), "alpha")
        self.assert_hears_a_life(receiver, "alpha")

    def test_what_the_receiver_could_not_take_comes_again_before_what_is_behind_it(self) -> None:
        receiver = self.receiver()
        receiver.statuses = [500]
        self.live_once(self.told_to(f"http://127.0.0.1:{receiver.port}/hook"), "alpha")
        refused = receiver.next()
        self.assertEqual(self.gate.line("webhook_failed")["status"], 500)
        self.assertEqual(receiver.next(), refused)
        self.assertEqual(receiver.next()["type"], "chip.released")

    def test_what_happened_while_nobody_listened_is_told_after_a_restart(self) -> None:
        # A port of the kernel's choice could be another's by the time that it is wanted again.
        block = PortBlock()
        self.addCleanup(block.close)
        receiver = Receiver(block.fixed)
        api = self.told_to(f"http://127.0.0.1:{receiver.port}/hook")
        self.live_once(api, "alpha")
        self.assert_hears_a_life(receiver, "alpha")
        receiver.close()
        self.live_once(api, "beta")
        self.gate.line("webhook_failed")
        self.gate.end()
        self.start()
        self.assert_hears_a_life(self.receiver(receiver.port), "beta")

    def test_a_receiver_behind_tls_is_told_where_its_certificate_is_trusted(self) -> None:
        authority, *own = make_certificate(self.folder, "localhost")
        receiver = self.receiver(0, own)
        api = self.told_to(f"https://localhost:{receiver.port}/hook", ["env", f"SSL_CERT_FILE={authority}"])
        self.live_once(api, "alpha")
        self.assert_hears_a_life(receiver, "alpha")

    def assert_hears_nothing(self, name: str, trusted: Path | None) -> None:
        authority, *own = make_certificate(self.folder, name)
        receiver = self.receiver(0, own)
        self.live_once(self.told_to(f"https://localhost:{receiver.port}/hook",
                                    ["env", f"SSL_CERT_FILE={trusted or authority}"]), "alpha")
        self.assertIn("TLS", str(self.gate.line("webhook_failed")["detail"]))
        self.assertTrue(receiver.posts.empty())

    def test_a_receiver_whose_certificate_nobody_signed_hears_nothing(self) -> None:
        self.assert_hears_nothing("localhost", Path("/dev/null"))

    def test_a_receiver_whose_certificate_names_another_hears_nothing(self) -> None:
        self.assert_hears_nothing("elsewhere", None)


if __name__ == "__main__":
    unittest.main()
