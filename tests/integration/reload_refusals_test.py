#!/usr/bin/env python3
"""What of a configuration that is read again cannot be taken on, who may ask for it, and when."""

from __future__ import annotations

import http.client
import signal
import socket
import unittest

import reloading
import wire
from reloading import NOTHING
from wire import stack


class NotReloaded(reloading.ReloadTest):
    def test_a_broken_file_changes_nothing(self) -> None:
        api = self.begin("alpha")
        with self.client("alpha") as kept:
            before, shown = self.standing("alpha"), self.configuration_in_force()
            self.written["chips"] = [self.entry("other", port=self.port(3))]
            self.written["verify"]["intervall"] = "1min"
            self.file_says()
            line = 1 + (self.folder / "chipgate.yaml").read_text().split("\n").index(
                next(text for text in (self.folder / "chipgate.yaml").read_text().split("\n") if "intervall" in text))
            error = self.reload(400)["error"]
            self.assertEqual(error["code"], "bad_configuration")
            self.assertIn(f"{self.folder / 'chipgate.yaml'}:{line}: verify.intervall: ", error["message"])
            self.hang_up()
            wire.until(lambda: len(self.gate.said("config_not_reloaded")) == 2, "the hangup's error")
            self.assertIn("verify.intervall", self.gate.said("config_not_reloaded")[1]["detail"])
            self.assert_carries(kept)
            self.assertEqual(self.standing("alpha"), before)
            self.assertEqual(self.configuration_in_force(), shown)
        api.expect(404, "GET", "chips/other")

    def test_chips_without_a_value_remove_no_chip(self) -> None:
        """As a file that is saved while its chips are commented out."""
        self.begin("alpha")
        with self.client("alpha") as kept:
            before = self.standing("alpha")
            self.written["chips"] = None
            self.file_says()
            error = self.reload(400)["error"]
            self.assertEqual(error["code"], "bad_configuration")
            self.assertIn("chips: has no value", error["message"])
            self.assert_carries(kept)
            self.assertEqual(self.standing("alpha"), before)

    def test_a_port_that_another_program_has_changes_nothing(self) -> None:
        api = self.begin("alpha")
        with self.client("alpha") as kept, socket.create_server(("127.0.0.1", 0)) as stranger:
            taken = stranger.getsockname()[1]
            self.written["chips"] = [self.entry("first", port=self.port(4)), self.entry("second", port=taken)]
            self.written["verify"]["interval"] = "30min"
            self.file_says()
            error = self.reload(409)["error"]
            self.assertEqual((error["code"], error["field"]), ("port_taken", "chips[second].port"))
            self.assertIn(str(taken), error["message"])
            self.assert_carries(kept)
            api.expect(404, "GET", "chips/first")
            self.assertNotIn("30min", self.configuration_in_force())
            with self.assertRaises(OSError):
                socket.create_connection(("127.0.0.1", self.port(4)), timeout=5).close()
        # Free by now; and what was undone can be done.
        self.assertEqual(self.reload()["added"], ["first", "second"])

    def test_a_port_of_a_chip_of_the_api_changes_nothing(self) -> None:
        api = self.begin("alpha")
        api.put("made", port=self.port(9))
        self.written["chips"].append(self.entry("beta", port=self.port(9)))
        self.file_says()
        error = self.reload(409)["error"]
        self.assertEqual((error["code"], error["field"]), ("port_taken", "chips[beta].port"))
        self.assertIn("made", error["message"])
        api.expect(404, "GET", "chips/beta")

    def test_what_needs_a_restart_is_told_until_there_is_one(self) -> None:
        api = self.begin("alpha")
        with self.client("alpha") as kept:
            self.written["workers"] = 3
            self.written["gateway"]["country"] = ""
            self.written["chips"][0]["port"] = self.port(7)
            self.written["keep"] = {"unused": "1h"}
            self.file_says()
            waiting = ["workers", "chips[alpha].port"]
            self.assertEqual(self.reload(), {**NOTHING, "settings": ["keep.unused"], "restart_needed": waiting})
            self.assertEqual(self.reload(), {**NOTHING, "restart_needed": waiting})
            shown = self.configuration_in_force()
            for key in waiting:
                self.assertIn(f"#   {key}\n", shown)
            self.assertIn(f"port: {self.port(0)}", shown)
            self.assertIn("unused: 1h", shown)
            self.assert_carries(kept)
            self.assertEqual(api.chip("alpha")["port"], self.port(0))
        self.assertEqual(self.gate.line("config_reloaded")["restart_needed"], " ".join(waiting))
        # Taken back, nothing waits any more.
        del self.written["workers"]
        self.written["chips"][0]["port"] = self.port(0)
        self.file_says()
        self.assertEqual(self.reload(), NOTHING)
        self.assertNotIn("#", self.configuration_in_force())

    # --- who may, and when

    def test_only_the_token_lets_it_be_read_again(self) -> None:
        self.begin("alpha")
        self.written["chips"].append(self.entry("beta", port=self.port(1)))
        self.file_says()
        connection = http.client.HTTPConnection("127.0.0.1", self.gate.admin, timeout=stack.ANSWER_SECONDS)
        self.addCleanup(connection.close)
        connection.request("POST", "/api/v1/config/reload")
        self.assertEqual(connection.getresponse().status, 401)
        self.operator.expect(404, "GET", "chips/beta")
        self.assertEqual(self.gate.said("config_reloaded"), [])

    def test_one_reload_at_a_time_and_a_hangup_meanwhile_is_not_lost(self) -> None:
        api = self.begin("alpha", "beta", "gamma")
        self.client("alpha")
        answers: list[int] = []
        self.written["chips"] = self.written["chips"][1:]
        self.file_says()
        jobs = self.in_background(*[lambda: answers.append(api.ask("POST", "config/reload")[0])] * 8)
        for job in jobs:
            job.result()
        self.assertEqual(set(answers) - {200, 409}, set())
        self.assertIn(200, answers)
        self.written["chips"] = self.written["chips"][1:]
        self.file_says()
        for _ in range(5):
            self.hang_up()
        wire.until(lambda: api.ask("GET", "chips/beta")[0] == 404, "the last file is in force")
        self.client("gamma")

    def test_the_command_tells_what_has_changed(self) -> None:
        self.begin("alpha")
        self.written["chips"].append(self.entry("beta", port=self.port(1)))
        self.file_says()
        command = ["reload", "--admin", f"http://127.0.0.1:{self.gate.admin}", "--token-file", self.folder / "token"]
        done = self.run_chipgate(*command)
        self.assertEqual((done.returncode, done.stdout), (0, "added: beta\n"), done.stderr)
        self.assertEqual(self.run_chipgate(*command).stdout, "nothing has changed\n")
        self.file_says("chips: [")
        done = self.run_chipgate(*command)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("bad_configuration", done.stderr)
        self.assertIn("chipgate.yaml:", done.stderr)


if __name__ == "__main__":
    unittest.main()
