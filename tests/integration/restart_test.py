#!/usr/bin/env python3
"""kill -9, and a start over what it left."""

from __future__ import annotations

import json
import unittest

import life
import wire


class Restart(life.LifeTest):
    def test_a_chip_keeps_its_session_and_exit_and_nothing_is_admitted_before_a_look(self) -> None:
        api = self.live()
        api.put("alpha", connect="on_demand")
        before = api.connect("alpha")["assignment_id"]
        self.client("alpha")
        held, port = self.operator.chip("alpha")["assignment"], api.chip("alpha")["port"]
        self.kill()
        self.silence_looks()
        api = self.start()
        chip = api.chip("alpha")
        self.assertEqual((chip["state"], chip["port"]), ("resuming", port))
        waiting, = self.in_background(lambda: wire.tunnel(port, "after.sim:7"))
        wire.until(lambda: api.chip("alpha")["clients_held"] == 1, "the client is held")
        wire.until(lambda: self.sim.stats()["faults"] >= 2, "looks are under way")
        self.assertEqual(self.sim.seen("after.sim:7"), [], "somebody was admitted before a look")
        self.sim.clear()
        api.act("alpha", "verify")
        with waiting.result() as client:
            self.assert_carries(client)
        after = api.chip("alpha")["assignment"]
        self.assertEqual((after["id"], after["session_identifier"], after["exit_ips"]),
                         (before, held["session_identifier"], held["exit_ips"]))
        self.assertEqual(self.sources("after.sim:7"), set(held["exit_ips"]))
        self.assertEqual(len(api.history("chip=alpha")), 1)

    def test_an_exit_that_moved_meanwhile_is_never_used(self) -> None:
        api = self.live()
        api.put("alpha", connect="on_demand")
        before = api.connect("alpha")["assignment_id"]
        session = api.chip("alpha")["assignment"]["session_identifier"]
        self.kill()
        to = self.sim.ask("POST", f"/sessions/{session}/move")["exit"]
        api = self.start()
        api.await_another("alpha", before)
        self.client("alpha")
        self.assertNotIn(to, self.sources("alpha.sim:7"))
        self.assertEqual(api.history("chip=alpha")[1]["release_reason"], "moved")

    def test_a_released_chip_stays_released_and_disarmed(self) -> None:
        api = self.live()
        api.put("alpha", connect="on_demand")
        api.connect("alpha")
        api.released("alpha")
        self.kill()
        api = self.start()
        self.assertEqual((api.state("alpha"), api.chip("alpha")["armed"]), ("released", False))
        self.assertEqual(self.refused("alpha"), "chip_released")

    def test_credentials_that_the_configuration_no_longer_yields_end_the_assignment(self) -> None:
        api = self.live()
        api.put("alpha")
        before = api.connect("alpha")["assignment_id"]
        self.kill()
        self.written["gateway"] |= {"preset": "custom", "username_template": "{username}-zone-b-session-{session}"}
        api = self.start()
        api.await_another("alpha", before)
        self.assertEqual(api.history("chip=alpha")[1]["release_reason"], "config_changed")

    def test_identifiers_of_an_earlier_process_are_not_given_again(self) -> None:
        api = self.live()
        api.put("alpha")
        api.connect("alpha")
        for _ in range(3):
            self.kill()
            api = self.start()
            api.await_state("alpha", "active")
            api.rotated("alpha")
        identifiers = [row["session_identifier"] for row in api.history("chip=alpha")]
        self.assertEqual(len(identifiers), 4)
        self.assertEqual(len(set(identifiers)), 4)

    def test_a_second_process_is_refused(self) -> None:
        api = self.live()
        api.put("alpha")
        api.connect("alpha")
        tunnel = self.client("alpha")
        path = self.folder / "second.yaml"
        path.write_text(json.dumps(self.written))
        second = self.run_chipgate("serve", "--config", path)
        self.assertNotEqual(second.returncode, 0)
        self.assertIn("ledger", second.stderr)
        self.assert_carries(tunnel)
        self.assertEqual(api.state("alpha"), "active")

    def test_on_start_chips_connect_by_themselves(self) -> None:
        api = self.live(chips=[{"id": f"chip{number}", "connect": "on_start"} for number in range(5)])
        exits = [api.await_state(f"chip{number}", "active")["assignment"]["exit_ips"][0] for number in range(5)]
        self.assertEqual(len(set(exits)), 5)


if __name__ == "__main__":
    unittest.main()
