#!/usr/bin/env python3
"""The configuration is read again while chipgate runs: the difference is taken on, and no other chip notices."""

from __future__ import annotations

import signal
import unittest

import reloading
import wire
from reloading import NOTHING


class Reload(reloading.ReloadTest):
    def test_the_difference_is_taken_on_and_another_chips_tunnel_goes_on(self) -> None:
        api = self.begin("stays", "goes")
        with self.client("stays") as kept, self.client("goes") as lost:
            before, old_port = self.standing("stays"), self.port(1)
            self.change_three_things()
            self.assertEqual(self.reload(), {**NOTHING, "added": ["comes"], "removed": ["goes"],
                                             "settings": ["verify.interval"]})
            self.assert_cut(lost)
            self.assert_carries(kept)
            self.assertEqual(self.standing("stays"), before)
            # Not a tunnel of its own that was opened anew: the one that was there.
            tunnel, = api.get("tunnels?chip=stays")["tunnels"]
            self.assertEqual(tunnel["session_identifier"], before[1])
        self.assert_gone("goes", old_port)
        row, = api.history("chip=goes")
        self.assertEqual((row["state"], row["release_reason"]), ("closed", "chip_removed"))
        self.assertEqual(len(api.history("chip=stays")), 1)
        api.await_state("comes", "active")
        self.client("comes")
        self.assertIn("interval: 30min", self.configuration_in_force())
        self.assertEqual(self.reload(), NOTHING)

    def test_a_hangup_does_the_same(self) -> None:
        api = self.begin("stays", "goes")
        with self.client("stays") as kept, self.client("goes") as lost:
            before = self.standing("stays")
            self.change_three_things()
            self.hang_up()
            said = self.gate.line("config_reloaded")
            self.assertEqual((said["added"], said["removed"], said["settings"]), (1, 1, "verify.interval"))
            self.assert_cut(lost)
            self.assert_carries(kept)
            self.assertEqual(self.standing("stays"), before)
        self.assert_gone("goes", self.port(1))
        api.await_state("comes", "active")
        self.client("comes")

    def test_a_restart_afterwards_changes_nothing_more(self) -> None:
        api = self.begin("stays", "goes")
        self.client("stays")
        before = self.standing("stays")
        self.change_three_things()
        self.reload()
        api.await_state("comes", "active")
        comes = self.standing("comes")
        self.gate.process.signal(signal.SIGTERM)
        self.assertEqual(self.gate.wait(), 0)
        # What is resumed is not assigned anew, which a start would be waited for.
        self.written["chips"][0]["connect"] = "on_demand"
        api = self.start()
        for chip, standing in (("stays", before), ("comes", comes)):
            api.await_state(chip, "active")
            self.assertEqual(self.standing(chip), standing)
        self.assertEqual(self.reload(), NOTHING)

    def test_what_a_chip_carries_changes_and_its_assignment_stays(self) -> None:
        api = self.begin("alpha")
        with self.client("alpha") as kept:
            before = self.standing("alpha")
            self.written["chips"] = [self.entry("alpha", port=self.port(0), alias="Sales", connect="manual",
                                                quota={"day": "5GB"})]
            self.file_says()
            self.assertEqual(self.reload(), {**NOTHING, "changed": ["alpha"]})
            self.assert_carries(kept)
        chip = api.chip("alpha")
        self.assertEqual((chip["alias"], chip["connect"], chip["armed"]), ("Sales", "manual", False))
        self.assertEqual(chip["quota"]["day"], 5_000_000_000)
        self.assertEqual(self.standing("alpha"), before)

    def test_chips_may_change_their_aliases_for_each_others(self) -> None:
        api = self.live(chips=[self.entry("one", alias="A"), self.entry("two", alias="B")])
        one, two = self.written["chips"]
        one["alias"], two["alias"] = "B", "A"
        self.file_says()
        self.assertEqual(self.reload()["changed"], ["one", "two"])
        self.gate.process.signal(signal.SIGTERM)
        self.assertEqual(self.gate.wait(), 0)
        self.assertEqual(self.gate.said("chip_not_recorded"), [])
        api = self.start()
        self.assertEqual([api.chip(chip)["alias"] for chip in ("one", "two")], ["B", "A"])

    def test_chips_of_the_api_are_no_business_of_the_file(self) -> None:
        api = self.begin("alpha")
        api.put("made", port=self.port(9))
        api.connect("made")
        with self.client("made") as kept:
            before = self.standing("made")
            self.written["chips"] = [self.entry("beta", port=self.port(1))]
            self.file_says()
            self.assertEqual(self.reload(), {**NOTHING, "added": ["beta"], "removed": ["alpha"]})
            self.assert_carries(kept)
            # Named in the file, it is the file's, and stays as it is.
            self.written["chips"].append(self.entry("made", port=self.port(9), connect="manual"))
            self.file_says()
            self.assertEqual(self.reload()["added"], ["made"])
            self.assert_carries(kept)
            self.assertEqual(self.standing("made"), before)
        self.assertEqual(api.expect(409, "DELETE", "chips/made")["error"]["code"], "configured")

    def test_a_port_that_one_chip_leaves_is_anothers_in_the_same_reload(self) -> None:
        api = self.begin("old")
        with self.client("old") as lost:
            port, = (chip["port"] for chip in self.written["chips"])
            self.written["chips"] = [self.entry("new", port=port)]
            self.file_says()
            self.assertEqual(self.reload(), {**NOTHING, "added": ["new"], "removed": ["old"]})
            self.assert_cut(lost)
        self.client("new")
        self.assertEqual(api.chip("new")["port"], port)

    def test_clients_are_limited_and_refused_as_the_file_says_now(self) -> None:
        api = self.begin("alpha", "beta")
        kept = self.client("alpha")
        with wire.Client(self.port(1)) as bot:
            api.released("beta")
            self.assertEqual(bot.send(wire.connect_head("beta.sim:7")).rest()[1], "reset")
        self.written["limits"] = {"tunnels_per_chip": 1}
        self.written["fail_style"] = "status"
        self.file_says()
        self.assertEqual(self.reload()["settings"], ["limits.tunnels_per_chip", "fail_style"])
        self.assertEqual(self.refused("alpha"), "too_many_tunnels")
        with wire.Client(self.port(1)) as bot:
            self.assertEqual(bot.send(wire.connect_head("beta.sim:7")).answer().status, 503)
        self.assert_carries(kept)

    def test_the_tunnels_of_all_chips_are_limited_as_the_file_says_now(self) -> None:
        self.begin("alpha", "beta")
        kept = [self.client(chip) for chip in ("alpha", "beta")]
        # There are more than there may be from now on: they stay, and none is added until enough have gone.
        self.written["limits"] = {"tunnels": 1}
        self.file_says()
        self.assertEqual(self.reload()["settings"], ["limits.tunnels"])
        self.assertIn("tunnels: 1", self.configuration_in_force())
        for client, chip in zip(kept, ("alpha", "beta")):
            self.assertEqual(self.refused(chip), "too_many_tunnels_in_all")
            self.assert_carries(client)
        kept[0].close()
        wire.until(lambda: self.gate.metric("chipgate_tunnels_open", chip="alpha") == 0, "one has gone")
        self.assertEqual(self.refused("alpha"), "too_many_tunnels_in_all")
        self.written["limits"] = {"tunnels": "off"}
        self.file_says()
        self.assertEqual(self.reload()["settings"], ["limits.tunnels"])
        self.client("alpha")

    def test_looks_go_by_the_new_interval_and_at_the_new_echoes(self) -> None:
        api = self.begin("alpha")
        self.client("alpha")
        echoes = ["http://look-three.sim/", "http://look-four.sim/"]
        self.written["verify"].update(interval="100ms", max_age="1h", echoes_v4=echoes)
        self.file_says()
        self.assertEqual(self.reload()["settings"], ["verify.interval", "verify.max_age", "verify.echoes_v4"])
        wire.until(lambda: len(self.sim.seen("look-three.sim:80")) > 2, "looks at the new echo")
        self.assertEqual(api.state("alpha"), "active")

    def test_events_are_posted_to_where_the_file_says_now(self) -> None:
        api = self.begin("alpha")
        first, second = (self.hook() for _ in range(2))
        for hook in (first, second):
            self.written["admin"]["webhook"] = {"url": hook.url, "secret": "s", "events": ["chip.active"]}
            self.file_says()
            self.assertEqual(self.reload()["settings"], ["admin.webhook"])
            told = api.rotated("alpha")["assignment_id"]
            wire.until(lambda: told in hook.assignments, "the event at its hook")
        self.assertNotIn(told, first.assignments)

    def test_logs_and_prices_are_the_new_ones(self) -> None:
        api = self.begin("alpha")
        self.written["log"] |= {"level": "debug", "access": False}
        self.written["admin"] |= {"price_per_gb": 3, "currency": "EUR"}
        self.file_says()
        self.assertEqual(self.reload()["settings"], ["log.level", "log.access", "admin.price_per_gb"])
        self.client("alpha").close()
        self.gate.line("admin_request", path="/api/v1/chips/alpha")
        self.assertEqual(api.get("status")["traffic"]["currency"], "EUR")
        # Its end is seen a little later, and must be before lines are wanted again.
        wire.until(lambda: self.gate.metric("chipgate_tunnels_open", chip="alpha") == 0, "the first tunnel has ended")
        self.written["log"]["access"] = True
        self.file_says()
        self.reload()
        self.client("alpha", "second.sim:7").close()
        self.gate.line("tunnel", target="second.sim:7")
        self.assertEqual(self.gate.said("tunnel", target="alpha.sim:7"), [])


if __name__ == "__main__":
    unittest.main()
