#!/usr/bin/env python3
"""The commands beside the long-running one, and what each says when it cannot do what it was asked."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
import unittest

import life
import rig
import wire
from wire import stack

BAD_CONFIGURATION, UNAVAILABLE = 64, 69
BROKEN = """\
gateway:
  preset: smartproxy
  endpoint: [http://127.0.0.1:3120]
  username: tester
  password: ${A_VARIABLE_THAT_IS_NOT_SET}
chips:
  - id: "not a chip id"
    port: 20001
  - id: alpha
    port: 70000
timeouts:
  drain: 10
  drain: 8s
"""


class Configuration(rig.RigTest):
    def assert_problems(self, text: str, *expected: str) -> None:
        path = self.write(text)
        for command in ("check", "serve", "prove"):
            with self.subTest(command):
                done = self.run_chipgate(command, "--config", path)
                self.assertEqual((done.returncode, done.stdout), (BAD_CONFIGURATION, ""))
                lines = done.stderr.splitlines()
                for line in lines:
                    self.assertTrue(line.startswith(f"{path}:"), line)
                for pattern in expected:
                    self.assertTrue(any(re.match(rf"{re.escape(str(path))}:{pattern}", line) for line in lines),
                                    f"{pattern} in\n{done.stderr}")

    def test_every_problem_is_told_at_once_with_its_place_and_key(self) -> None:
        self.assert_problems(BROKEN.replace("  drain: 10\n", ""), r"3: gateway\.endpoint: .*endpoints",
                             r"5: gateway\.password: .*A_VARIABLE_THAT_IS_NOT_SET", r"7: chips\[0\]\.id: ",
                             r"10: chips\[1\]\.port: ")

    def test_a_key_that_stands_twice_is_a_problem(self) -> None:
        self.assert_problems(BROKEN, r"13: timeouts\.drain: ")

    def test_a_file_that_is_not_there_is_a_problem(self) -> None:
        done = self.run_chipgate("serve", "--config", self.folder / "absent.yaml")
        self.assertEqual(done.returncode, BAD_CONFIGURATION)
        self.assertIn("absent.yaml", done.stderr)

    def test_no_port_is_bound_before_the_configuration_is_right(self) -> None:
        """A port that is taken would be told otherwise."""
        with socket.create_server(("127.0.0.1", 0)) as taken:
            configuration = self.configuration(["http://127.0.0.1:1"], [])
            configuration |= {"chips": [{"id": "alpha", "port": taken.getsockname()[1]}], "unknown": 1}
            done = self.run_chipgate("serve", "--config", self.write(configuration))
        self.assertEqual(done.returncode, BAD_CONFIGURATION)

    def test_a_good_file_is_shown_with_what_it_means_and_without_secrets(self) -> None:
        done = self.run_chipgate("check", "--config", self.write(self.configuration(["http://127.0.0.1:3120"], ["alpha"])))
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        for expected in ("connect_budget: 15s", "drain: ", "id: alpha", "http://127.0.0.1:3120"):
            self.assertIn(expected, done.stdout)
        self.assertNotIn(stack.PASSWORD, done.stdout)
        # What is shown is a configuration itself.
        again = self.run_chipgate("check", "--config", self.write(done.stdout.replace("***", "tester")))
        self.assertEqual((again.returncode, again.stdout), (0, done.stdout))

    def test_the_example_that_ships_is_right(self) -> None:
        done = self.run_chipgate("check", "--config", stack.REPOSITORY / "config/chipgate.yaml",
                                 environment={"SMARTPROXY_USERNAME": "user", "SMARTPROXY_PASSWORD": "secret"})
        self.assertEqual(done.returncode, 0, done.stderr)


class Commands(rig.RigTest):
    def test_the_version_is_one_line(self) -> None:
        for arguments in (("version",), ("--version",)):
            with self.subTest(arguments):
                done = self.run_chipgate(*arguments)
                self.assertRegex(done.stdout, r"\Achipgate \d+\.\d+\.\d+\n\Z")
                self.assertEqual(done.returncode, 0)

    def test_a_command_or_option_that_is_none_is_said(self) -> None:
        for arguments in ((), ("srve",), ("serve", "--no-such-option")):
            with self.subTest(arguments):
                done = self.run_chipgate(*arguments)
                self.assertEqual(done.returncode, BAD_CONFIGURATION)
                self.assertTrue(done.stderr)

    def test_help_is_no_failure(self) -> None:
        done = self.run_chipgate("--help")
        self.assertEqual(done.returncode, 0)
        for command in ("serve", "check", "prove", "doctor", "version"):
            self.assertIn(command, done.stdout)

    def test_a_port_in_use_ends_the_start_and_names_the_address(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            configuration = self.configuration(["http://127.0.0.1:1"], [])
            for who, settings in (("alpha", {"chips": [{"id": "alpha", "port": port}]}),
                                  ("admin", {"chips": [{"id": "alpha", "port": 0}],
                                             "admin": {"listen": f"127.0.0.1:{port}"}})):
                with self.subTest(who):
                    done = self.run_chipgate("serve", "--config", self.write(configuration | settings))
                    self.assertEqual(done.returncode, UNAVAILABLE)
                    told = done.stderr.splitlines()[-1]
                    for expected in (who, f"127.0.0.1:{port}", "in use"):
                        self.assertIn(expected, told)

    def test_a_file_that_cannot_be_used_ends_the_start_and_is_named(self) -> None:
        (self.folder / "no-ca.pem").write_text("not a certificate\n")
        for key, settings in (("absent/chipgate.log", {"log": {"path": "absent/chipgate.log"}}),
                              ("no-ca.pem", {"gateway": {"tls": {"ca_file": "no-ca.pem"}}})):
            with self.subTest(key):
                configuration = self.configuration(["https://127.0.0.1:1"], ["alpha"], settings.pop("gateway", None),
                                                   **settings)
                done = self.run_chipgate("serve", "--config", self.write(configuration))
                self.assertEqual(done.returncode, UNAVAILABLE)
                self.assertIn(key, done.stderr.splitlines()[-1])

    def test_an_authority_that_is_not_there_is_found_by_check(self) -> None:
        path = self.write(self.configuration(["https://127.0.0.1:1"], ["alpha"], {"tls": {"ca_file": "absent-ca.pem"}}))
        done = self.run_chipgate("check", "--config", path)
        self.assertEqual((done.returncode, done.stdout), (64, ""))
        self.assertIn("gateway.tls.ca_file: cannot be read: No such file or directory", done.stderr)
        self.assertIn("absent-ca.pem", done.stderr)


class Link:
    """Carries one connection after another to a chipgate, and keeps what clients ask; it can be down."""

    def __init__(self) -> None:
        self.asked: list[bytes] = []
        self._pairs: list[socket.socket] = []
        self._bind(0)
        self.port = int(self._listener.getsockname()[1])

    def _bind(self, port: int) -> None:
        """Nobody is let in yet, and nobody else gets the port."""
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind(("127.0.0.1", port))

    def up(self, admin: int) -> None:
        self._listener.listen()
        threading.Thread(target=self._accept, args=(self._listener, admin), daemon=True).start()

    def _accept(self, listener: socket.socket, admin: int) -> None:
        with contextlib.suppress(OSError):
            while True:
                client = listener.accept()[0]
                server = socket.create_connection(("127.0.0.1", admin))
                self._pairs += [client, server]
                threading.Thread(target=self._carry, args=(client, server, self.asked), daemon=True).start()
                threading.Thread(target=self._carry, args=(server, client, []), daemon=True).start()

    @staticmethod
    def _carry(source: socket.socket, sink: socket.socket, kept: list[bytes]) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(65536):
                sink.sendall(piece)
                kept.append(piece)
            sink.shutdown(socket.SHUT_WR)

    def down(self) -> None:
        """Also for those who are carried."""
        for one in (self._listener, *self._pairs):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        self._pairs.clear()
        self._bind(self.port)

    def close(self) -> None:
        self.down()
        self._listener.close()

    def streams(self) -> int:
        return sum(b"text/event-stream" in piece for piece in list(self.asked))


class Follow(life.LifeTest):
    def test_a_restart_before_the_first_event_hides_none(self) -> None:
        self.live()
        self.operator.put("old")
        link = Link()
        self.addCleanup(link.close)
        link.up(self.gate.admin)
        following = stack.Process("chipgate events", [
            stack.BUILD / "chipgate", "events", "--follow", "--json", "--admin", f"http://127.0.0.1:{link.port}",
            "--token-file", self.folder / "token"])
        self.addCleanup(following.stop)
        wire.until(link.streams, "the events are followed")
        link.down()
        self.gate.end()
        self.start()
        self.operator.put("unseen")
        link.up(self.gate.admin)
        wire.until(lambda: link.streams() > 1 or not following.running(), "they are followed again")
        self.operator.put("seen")
        following.require(following.out, lambda event: event.get("chip") == "seen", "the last event", stack.ANSWER_SECONDS)
        chips = [event["chip"] for event in following.out.all() if event["type"] == "chip.created"]
        self.assertEqual(chips, ["unseen", "seen"])


class Rotate(life.LifeTest):
    def test_all_get_another_assignment_however_long_it_may_take(self) -> None:
        self.live()
        for chip in ("alpha", "beta", "released"):
            self.operator.put(chip)
        before = [self.operator.connect(chip)["assignment_id"] for chip in ("alpha", "beta")]
        done = self.run_chipgate("chips", "rotate", "--all", "--wait", "10min", "--force", "--admin",
                                 f"http://127.0.0.1:{self.gate.admin}", "--token-file", self.folder / "token")
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        self.assertIn("rotate: 2 done, 1 skipped, 0 pending, 0 failed\n", done.stdout)
        for chip, old in zip(("alpha", "beta"), before):
            found = self.operator.chip(chip)
            self.assertEqual(found["state"], "active")
            self.assertGreater(found["assignment"]["id"], old)


class Prove(rig.RigTest):
    def prove(self, endpoint: str, gateway: stack.Line | None = None) -> tuple[int, str]:
        path = self.write(self.configuration([endpoint], ["alpha"], gateway))
        path.chmod(0o600)  # some of these write a password into it
        done = self.run_chipgate("prove", "--config", path)
        self.assertEqual(done.stderr, "")
        self.assertNotIn(stack.PASSWORD, done.stdout)
        return done.returncode, done.stdout

    def test_a_sticky_gateway_is_proved_by_each_kind_of_endpoint(self) -> None:
        sim = self.provider()
        tls = {"tls": {"ca_file": str(self.folder / "sim-ca.pem")}}
        for endpoint, gateway in ((f"http://{sim.http}", None), (f"https://{sim.https}", tls),
                                  (f"socks5://{sim.socks5}", None)):
            with self.subTest(endpoint):
                status, told = self.prove(endpoint, gateway)
                self.assertEqual(status, 0, told)
                exits = re.findall(r"leaves by (\S+)", told)
                self.assertEqual(len(exits), 3, told)
                self.assertTrue(exits[0] == exits[2] != exits[1], told)
                self.assertIn("\nPROVED", told)

    def test_one_exit_for_all_is_not_proved(self) -> None:
        status, told = self.prove(f"http://{self.provider('--pool', '1').http}")
        self.assertNotEqual(status, 0)
        self.assertIn("NOT PROVED: two sessions share one exit", told)

    def test_exits_that_rotate_are_not_proved(self) -> None:
        sim = self.provider("--lifetime", "1ms")
        sim.fault("origin", "slow", delay_ms=20)
        status, told = self.prove(f"http://{sim.http}")
        self.assertNotEqual(status, 0)
        self.assertIn("NOT PROVED: one session changed its exit", told)

    def test_what_stands_in_the_way_is_said(self) -> None:
        sim = self.provider()
        for reason, endpoint, gateway in (("provider_auth", f"http://{sim.http}", {"password": "wrong"}),
                                          ("provider_auth", f"socks5://{sim.socks5}", {"password": "wrong"}),
                                          ("gateway_certificate", f"https://{sim.https}", None),
                                          ("gateway_unresolved", f"http://{rig.NO_HOST}:3120", None),
                                          ("gateway_refused", "http://127.0.0.1:1", None)):
            with self.subTest(reason, endpoint=endpoint):
                status, told = self.prove(endpoint, gateway)
                self.assertNotEqual(status, 0)
                self.assertIn(f"[{reason}]", told)
                self.assertNotIn("PROVED", told)


if __name__ == "__main__":
    unittest.main()
