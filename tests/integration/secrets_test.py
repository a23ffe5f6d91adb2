#!/usr/bin/env python3
"""The account's password, in whatever form, stands in nothing that chipgate says; and neither do clients' secrets."""

from __future__ import annotations

import base64
import concurrent.futures
import json
import signal
import unittest
import urllib.parse
import urllib.request
from pathlib import Path

import rig
import scripted
import wire
from wire import stack

PASSWORD = "Tr1cky:pass/w%40rd+of=mine"
CLIENT_PASSWORD = "the clients' own s3cret"
LITERAL = "Literal5ecretInTheFile"


def encodings(secret: str) -> set[str]:
    """A secret as it may be written; its Base64 inside of something longer begins at one of three places."""
    found = {secret, urllib.parse.quote(secret), urllib.parse.quote(secret, safe=""), secret.encode().hex(),
             json.dumps(secret)[1:-1]}
    for shift in range(3):
        found.add(base64.b64encode(b"x" * shift + secret.encode()).decode()[4 if shift else 0:-4])
    return found


class Secrets(rig.RigTest):
    def setUp(self) -> None:
        super().setUp()
        self.outputs: dict[str, str] = {}

    def assert_silent(self, *secrets: str) -> None:
        for name, text in self.outputs.items():
            self.assertTrue(text, f"{name} is empty, so it proves nothing")
            for secret in secrets:
                for form in encodings(secret):
                    if form in text:
                        line = next(line for line in text.splitlines() if form in line)
                        self.fail(f"{name} has {form!r}: {line}")

    def get(self, gate: rig.Gate, path: str) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{gate.admin}{path}", timeout=10) as answer:
            return answer.read().decode()

    def collect(self, gate: rig.Gate) -> None:
        for path in ("/metrics", "/readyz", "/livez"):
            self.outputs[path] = self.get(gate, path)
        self.outputs["command line"] = Path(f"/proc/{gate.process.pid}/cmdline").read_text()
        gate.process.signal(signal.SIGTERM)
        self.assertEqual(gate.wait(), 0)
        # Strings come decoded out of JSON, so a secret cannot hide behind escapes.
        self.outputs["stderr"] = "\n".join(repr(line) for line in gate.process.err.whole(5))

    def start(self, endpoint: str, chips: list[str], gateway: stack.Line | None = None, **more: object) -> rig.Gate:
        secret = self.folder / "password"
        secret.write_text(PASSWORD + "\n")
        secret.chmod(0o600)
        configuration = self.configuration([endpoint], chips, gateway, log={"level": "debug", "format": "json"}, **more)
        del configuration["gateway"]["password"]
        configuration["gateway"]["password_file"] = str(secret)
        gate = rig.Gate(*stack.chipgate(configuration, self.folder))
        self.addCleanup(gate.end)
        shown = self.run_chipgate("check", "--config", self.folder / "chipgate.yaml")
        self.outputs["check"] = shown.stdout + shown.stderr
        return gate

    def test_traffic_that_goes_well_and_badly_tells_nothing(self) -> None:
        process, listening = stack.gateway_sim("--username", stack.USERNAME, "--password", PASSWORD)
        self.addCleanup(process.stop_cleanly)
        sim = rig.Provider(process, listening)
        for kind, endpoint in (("http", f"http://{sim.http}"), ("https", f"https://{sim.https}"),
                               ("socks5", f"socks5://{sim.socks5}")):
            chips = ["good", *(f"{fault}-{kind}" for fault in ("reject", "garbage", "status", "rst", "fin"))]
            gate = self.start(endpoint, chips)
            sim.clear()
            for chip in chips[1:]:
                name = chip.split("-")[0]
                sim.fault("auth" if name == "reject" else "connect", name, session=chip, status=502,
                          headers={"X-Error-Description": "this exit is gone"})
            with self.subTest(kind):
                if kind != "https":  # nobody signed its certificate
                    rig.exit_of(gate.ports["good"])
                with concurrent.futures.ThreadPoolExecutor(len(chips)) as pool:
                    answers = pool.map(lambda chip: repr(rig.refusal(gate.ports[chip])), chips[1:])
                self.outputs["answers"] = "\n".join(answers)
                self.collect(gate)
                self.assert_silent(PASSWORD)
            self.outputs.clear()

    def test_a_gateway_that_repeats_the_credentials_finds_no_echo_here(self) -> None:
        """Some name the user whom they refuse, and one might name more."""
        gateway = scripted.Gateway()
        self.addCleanup(gateway.close)

        def script(client: wire.Client) -> None:
            heard = client.through(b"\r\n\r\n").decode()
            said = next(line for line in heard.splitlines() if line.startswith("Proxy-Authorization: "))
            told = said.removeprefix("Proxy-Authorization: ")
            decoded = base64.b64decode(told.split()[1]).decode()
            client.send(f"HTTP/1.1 {status} {told}\r\nX-Error-Description: unknown {told}\r\nProxy-Status: x; details={decoded}"
                        f"\r\nProxy-Authenticate: {told}\r\nContent-Length: 0\r\n\r\n".encode())

        gateway.script = script
        gate = self.start(gateway.endpoint, ["alpha"])
        for status in (407, 503):
            self.outputs[f"answer {status}"] = repr(rig.refusal(gate.ports["alpha"]))
            with wire.Client(gate.ports["alpha"]) as client:
                client.send(wire.get_head("http://target.sim/", "User-Agent: curl/8"))
                self.outputs[f"plain answer {status}"] = repr(client.answer())
        self.collect(gate)
        self.assert_silent(PASSWORD)

    def test_what_clients_send_as_credentials_is_told_to_nobody(self) -> None:
        sim = self.provider()
        gate = self.gate(f"http://{sim.http}", ["alpha"], log={"level": "debug", "format": "json"},
                         listen={"client_credentials": {"username": "bots", "password": CLIENT_PASSWORD}})
        right = f"Proxy-Authorization: {wire.basic('bots', CLIENT_PASSWORD)}"
        with wire.tunnel(gate.ports["alpha"], "good.sim:7", lines=(right,)) as client:
            client.send(b"x").exactly(1)
        wrong = f"Proxy-Authorization: {wire.basic('bots', CLIENT_PASSWORD + ' and more')}"
        for head in (wire.connect_head("bad.sim:7", wrong, "User-Agent: curl/8"), wire.get_head("http://bad.sim/", wrong),
                     wire.get_head(f"http://me:{urllib.parse.quote(CLIENT_PASSWORD)}@bad.sim/", right),
                     wire.connect_head(f"me:{urllib.parse.quote(CLIENT_PASSWORD)}@bad.sim:7", right, "User-Agent: curl/8")):
            with wire.Client(gate.ports["alpha"]) as client:
                self.outputs[f"answer {len(self.outputs)}"] = repr(client.send(head).answer())
        with wire.Client(gate.ports["alpha"]) as client:
            client.send(b"\x05\x01\x02").exactly(2)
            secret = CLIENT_PASSWORD.encode() + b"!"
            client.send(b"\x01\x04bots" + bytes([len(secret)]) + secret).exactly(2)
            client.send(wire.socks5_head("bad.sim", 7))
            client.rest()
        shown = self.run_chipgate("check", "--config", self.folder / "chipgate.yaml")
        self.outputs["check"] = shown.stdout + shown.stderr
        self.collect(gate)
        self.assert_silent(CLIENT_PASSWORD, stack.PASSWORD)

    def test_what_is_in_force_is_shown_without_what_a_template_or_an_echo_may_hide(self) -> None:
        """A key may stand in the place of the account, or in an echo's query."""
        gate = self.start("http://127.0.0.1:1", ["alpha"], {"preset": "custom", "password_template": LITERAL,
                                                           "username_template": LITERAL + "-{session}"},
                          verify={"enabled": False,
                                  "echoes_v4": [f"http://127.0.0.1:1/?key={LITERAL}", "http://127.0.0.2:1/"]})
        token = (self.folder / "chipgate.token").read_text().strip()
        asked = urllib.request.Request(f"http://127.0.0.1:{gate.admin}/api/v1/config",
                                       headers={"Authorization": f"Bearer {token}"})
        with urllib.request.urlopen(asked, timeout=10) as answer:
            self.outputs["/api/v1/config"] = answer.read().decode()
        self.assertIn("password_template", self.outputs["/api/v1/config"])
        self.collect(gate)
        self.assert_silent(LITERAL)

    def test_a_configuration_that_is_wrong_is_quoted_without_its_secrets(self) -> None:
        good = f"gateway:\n  username: tester\n  endpoints: [http://127.0.0.1:1]\n  password: {LITERAL}\nchips: [{{id: a}}]\n"
        wrong = {
            "twice": good.replace("chips", f"  password: {LITERAL}\nchips"),
            "misspelt": good.replace("  password", "  pasword"),
            "a mapping": good.replace(f"password: {LITERAL}", f"password: {{value: {LITERAL}}}"),
            "a list": good.replace(f"password: {LITERAL}", f"password: [{LITERAL}]"),
            "a quote that never ends": good.replace(f"password: {LITERAL}", f'password: "{LITERAL}'),
            "a tab": good.replace("  password", "\tpassword"),
            "in the endpoint": good.replace("//127", f"//tester:{LITERAL}@127"),
            "beside a variable": good.replace(LITERAL, LITERAL + "${NOT_SET_ANYWHERE}"),
            "with an open brace": good.replace(LITERAL, LITERAL + "${"),
            "in a file's place": good.replace(f"password: {LITERAL}", f"password: {LITERAL}\n  password_file: x"),
            "of a client": good + f"listen: {{client_credentials: {{username: x, password: [{LITERAL}]}}}}\n",
            "too long": good.replace(LITERAL, LITERAL * 40),
        }
        for name, text in wrong.items():
            for command in ("check", "serve"):
                done = self.run_chipgate(command, "--config", self.write(text))
                self.assertEqual(done.returncode, 64, f"{name}: {done.stdout}{done.stderr}")
                self.outputs[f"{command} {name}"] = done.stdout + done.stderr
        self.assert_silent(LITERAL)


if __name__ == "__main__":
    unittest.main()
