#!/usr/bin/env python3
"""CONNECT in every form in which real clients send it, and bytes that come sooner or later than expected."""

from __future__ import annotations

import unittest

import wire
from wire import connect_head, pattern, tunnel

# The heads of real clients, recorded byte for byte. %s is the target, %h its host.
FORMS = {
    "https-proxy-agent 7 and 9": "CONNECT %s HTTP/1.1\r\nHost: %s\r\nProxy-Connection: close\r\n\r\n",
    "the same with keepAlive": "CONNECT %s HTTP/1.1\r\nHost: %s\r\nProxy-Connection: Keep-Alive\r\n\r\n",
    "the same with userinfo": "CONNECT %s HTTP/1.1\r\nProxy-Authorization: Basic dXNlcjpwYXNz\r\nHost: %s\r\n"
                              "Proxy-Connection: close\r\n\r\n",
    "https-proxy-agent 5": "CONNECT %s HTTP/1.1\r\nHost: %h\r\nConnection: close\r\n\r\n",
    "undici 7": "CONNECT %s HTTP/1.1\r\nhost: %h\r\nconnection: close\r\nproxy-connection: keep-alive\r\n\r\n",
    "undici 7 with userinfo": "CONNECT %s HTTP/1.1\r\nhost: %h\r\nconnection: close\r\n"
                              "proxy-authorization: Basic dXNlcjpwYXNz\r\nproxy-connection: keep-alive\r\n\r\n",
    "undici 6": "CONNECT %s HTTP/1.1\r\nhost: %h\r\nconnection: close\r\n\r\n",
    "hpagent": "CONNECT %s HTTP/1.1\r\nconnection: close\r\nhost: %s\r\nproxy-authorization: Basic dXNlcjpwYXNz\r\n\r\n",
    "tunnel": "CONNECT %s HTTP/1.1\r\nhost: %s\r\nConnection: close\r\n\r\n",
    "axios 1.21": "CONNECT %s HTTP/1.1\r\nProxy-Authorization: Basic dXNlcjpwYXNz\r\nHost: %h\r\n"
                  "Connection: close\r\n\r\n",
    "Node 24": "CONNECT %s HTTP/1.1\r\nproxy-connection: keep-alive\r\nhost: %s\r\n\r\n",
    "Go": "CONNECT %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: Go-http-client/1.1\r\n\r\n",
    "Chromium": "CONNECT %s HTTP/1.1\r\nHost: %s\r\nProxy-Connection: keep-alive\r\nUser-Agent: Mozilla/5.0 (X11)\r\n\r\n",
    "no Host at all": "CONNECT %s HTTP/1.1\r\n\r\n",
    "HTTP/1.0": "CONNECT %s HTTP/1.0\r\n\r\n",
}


def written(form: str, target: str) -> bytes:
    return form.replace("%s", target).replace("%h", target.rsplit(":", 1)[0]).encode()


class Connect(wire.WireTest):
    def echoes(self, client: wire.Client, said: bytes = b"there and back") -> None:
        client.send(said)
        self.assertEqual(client.exactly(len(said)), said)

    def test_every_head_of_a_real_client_opens_a_tunnel_that_stays_open(self) -> None:
        for number, (name, form) in enumerate(FORMS.items()):
            target = f"form{number}.sim:7"
            with self.subTest(name), wire.Client(self.ports["alpha"]) as client:
                client.send(written(form, target))
                answer = client.head()
                self.assertEqual((answer.version, answer.status), ("HTTP/1.1", 200))
                self.echoes(client)
                self.echoes(client)  # not closed after the first, whatever Connection said

    def test_a_200_has_no_body_and_nothing_that_says_it_has(self) -> None:
        with wire.Client(self.ports["alpha"]) as client:
            answer = client.send(connect_head("plain200.sim:7")).head()
            for name in ("content-length", "transfer-encoding", "connection"):
                self.assertIsNone(answer.get(name))

    def test_port_80_is_a_target_like_any_other(self) -> None:
        with tunnel(self.ports["alpha"], "port80.sim:80") as client:
            client.send(b"GET / HTTP/1.1\r\nHost: port80.sim\r\nConnection: close\r\n\r\n")
            self.assertRegex(client.answer().body.decode(), r"^127\.20\.")

    def test_targets_may_be_addresses_of_both_families(self) -> None:
        for target in ("192.0.2.7:7", "[2001:db8::7]:7"):
            with self.subTest(target), tunnel(self.ports["alpha"], target) as client:
                self.echoes(client)
                self.assertEqual(self.provider.seen(target)[0]["event"], "opened")

    def test_a_head_may_come_byte_by_byte(self) -> None:
        for number, form in enumerate((FORMS["undici 7 with userinfo"], FORMS["Chromium"])):
            with self.subTest(form), wire.Client(self.ports["alpha"]) as client:
                client.send_each_byte(written(form, f"bytewise{number}.sim:7"))
                self.assertEqual(client.head().status, 200)
                self.echoes(client)

    def test_a_head_may_be_split_anywhere(self) -> None:
        head = connect_head("split.sim:7", "Connection: close")
        for cut in range(1, len(head)):
            with self.subTest(cut), wire.Client(self.ports["beta"]) as client:
                client.send(head[:cut])
                # Seen to be waiting: the first part has been read before the second is sent.
                wire.until(lambda: self.metric("chipgate_handshakes") == 1, "the handshake")
                client.send(head[cut:])
                self.assertEqual(client.head().status, 200)

    def test_bytes_behind_the_head_reach_the_target_first_and_in_order(self) -> None:
        for size in (1, 43, 1400, 16 * 1024, 64 * 1024, 300 * 1024):
            with self.subTest(size), wire.Client(self.ports["alpha"]) as client:
                early, late = pattern(size), pattern(5000, size)
                sender = client.send_in_background(connect_head(f"early{size}.sim:7") + early + late)
                self.assertEqual(client.head().status, 200)
                self.assertEqual(client.exactly(size + len(late)), early + late)
                sender.join()

    def test_one_early_byte_at_a_time_keeps_its_place(self) -> None:
        said = bytes(range(200))
        with wire.Client(self.ports["alpha"]) as client:
            client.send_each_byte(connect_head("earlybytes.sim:7") + said)
            self.assertEqual(client.head().status, 200)
            self.assertEqual(client.exactly(len(said)), said)

    def test_a_client_that_ends_its_side_at_once_still_gets_the_answer(self) -> None:
        with wire.Client(self.ports["alpha"]) as client:
            client.send(connect_head("endsearly.sim:13") + b"abc").finish()
            self.assertEqual(client.head().status, 200)
            self.assertEqual(client.rest(), (b"cba", "eof"))

    def test_bytes_in_one_segment_with_the_gateways_200_reach_the_client(self) -> None:
        self.addCleanup(self.provider.clear)
        for size in (1, 43, 8000):
            target = f"extra{size}.sim:7"
            words = "x" * (size - 1) + "!"
            self.provider.fault("connect", "extra", body=words, target=target)
            with self.subTest(size), tunnel(self.ports["alpha"], target) as client:
                self.assertEqual(client.exactly(size), words.encode())
                self.echoes(client)

    def test_the_gateways_200_may_come_byte_by_byte_and_with_odd_headers(self) -> None:
        self.addCleanup(self.provider.clear)
        self.provider.fault("connect", "split", target="splitgate.sim")
        self.provider.fault("connect", "status", status=200, reason="", target="odd.sim",
                            headers={"Content-Length": "5", "X-Anything": "at all", "Connection": "close"})
        for target in ("splitgate.sim:7", "odd.sim:7"):
            with self.subTest(target), tunnel(self.ports["alpha"], target) as client:
                self.echoes(client)

    def test_the_exit_that_the_200_names_is_in_the_log(self) -> None:
        self.addCleanup(self.provider.clear)
        self.provider.fault("connect", "status", status=200, headers={"x-brd-ip": "198.51.100.7"}, target="named.sim")
        tunnel(self.ports["alpha"], "named.sim:7").close()
        self.assertEqual(self.line("tunnel", "named.sim:7")["exit_ip"], "198.51.100.7")


if __name__ == "__main__":
    unittest.main(verbosity=2)
