#!/usr/bin/env python3
"""A chip's life from its making to its end, as operators order it and origins see it."""

from __future__ import annotations

import re
import socket
import unittest

import life
import rig
import wire


def closed(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except (ConnectionRefusedError, ConnectionResetError):
        return True
    return False


class Lifecycle(life.LifeTest):
    def test_create_connect_traffic_release_connect_again_delete(self) -> None:
        api = self.live()
        self.assertEqual(api.put("alpha")["state"], "released")
        first = api.connect("alpha")
        self.assertEqual(first["state"], "active")
        self.assertEqual(first["proxy_url"], f"http://127.0.0.1:{api.chip('alpha')['port']}")
        tunnels = [self.client("alpha") for _ in range(3)]
        self.assertEqual(self.sources("alpha.sim:7"), set(self.exits_of("alpha")))
        self.assertEqual(len(self.exits_of("alpha")), 1)

        released = api.released("alpha", assignment_id=first["assignment_id"])
        self.assertEqual(released, {"released": first["assignment_id"], "recorded": True})
        for tunnel in tunnels:
            self.assert_cut(tunnel)
        self.assertEqual(api.get("tunnels?chip=alpha")["tunnels"], [])
        row, = api.history("chip=alpha")
        self.assertIsNotNone(row["released_at"])
        self.assertEqual((row["state"], row["release_reason"]), ("closed", "released"))

        second = api.connect("alpha")
        self.client("alpha", "again.sim:7")
        rows = api.history("chip=alpha")
        self.assertEqual([one["id"] for one in rows], [second["assignment_id"], first["assignment_id"]])
        self.assertNotEqual(rows[0]["session_identifier"], rows[1]["session_identifier"])
        self.assertEqual(len(self.sources("again.sim:7") | self.sources("alpha.sim:7")), 2)

        port = int(api.chip("alpha")["port"])
        api.expect(200, "DELETE", "chips/alpha")
        api.expect(404, "GET", "chips/alpha")
        self.assertTrue(closed(port))
        self.assertEqual([one["state"] for one in api.history("chip=alpha")], ["closed", "closed"])

    def test_identifiers_of_one_second_are_never_shared_and_never_repeated(self) -> None:
        api = self.live("--pool", "250")
        chips = ["one", "two"]
        made = self.in_background(*[lambda chip=chip: (api.put(chip), api.connect(chip)) for chip in chips])
        for job in made:
            job.result()

        def redraws() -> bool:
            for _ in range(5):
                for chip in chips:
                    api.rotated(chip)
            # The second's number was taken already, so that microseconds are told.
            return any(re.search(r"-\d{16}$", row["session_identifier"]) for row in api.history("limit=1000"))
        wire.until(redraws, "two draws within one second")

        rows = api.history("limit=1000")
        identifiers = [row["session_identifier"] for row in rows]
        self.assertEqual(len(set(identifiers)), len(identifiers))
        for row in rows:
            self.assertRegex(row["session_identifier"], rf"^chip-{row['chip']}-\d{{10}}(\d{{6}})?$")
        asked = {(entry["session"], entry["source"]) for entry in self.sim.log()}
        # Each was asked through once and for all: a session that came again would have another exit.
        self.assertEqual(len({session for session, _ in asked}), len(asked))
        for one, other in zip(rows, rows[2:]):
            self.assertNotEqual(one["exit_ips"], other["exit_ips"], "a redraw gave the chip its own address")

    def test_connect_again_is_the_same_assignment(self) -> None:
        api = self.live()
        api.put("alpha")
        answers = [job.result() for job in self.in_background(*[lambda: api.connect("alpha")] * 4)]
        answers.append(api.connect("alpha"))
        self.assertEqual(len({answer["assignment_id"] for answer in answers}), 1)
        self.assertEqual(len(api.history("chip=alpha")), 1)

    def test_an_unchanged_clients_first_connect_waits_for_its_assignment(self) -> None:
        api = self.live()
        slow = self.sim.fault("connect", "silence", target=life.LOOKS[0])
        other = self.sim.fault("connect", "silence", target=life.LOOKS[1])
        port = int(api.put("alpha", connect="on_demand")["port"])
        waiting, = self.in_background(lambda: wire.tunnel(port, "alpha.sim:7"))
        wire.until(lambda: api.chip("alpha")["clients_held"] == 1, "the client is held")
        self.assertEqual(api.state("alpha"), "acquiring")
        self.assertEqual(self.sim.seen("alpha.sim:7"), [])
        for fault in (slow, other):
            self.sim.ask("DELETE", f"/faults/{fault}")
        with waiting.result() as client:
            self.assert_carries(client)
        self.assertEqual(self.sources("alpha.sim:7"), set(self.exits_of("alpha")))

    def test_a_release_disarms_until_the_next_connect(self) -> None:
        api = self.live()
        api.put("alpha", connect="on_demand")
        self.client("alpha")
        api.released("alpha")
        self.assertEqual(self.refused("alpha"), "chip_released")
        self.assertEqual((api.state("alpha"), api.chip("alpha")["armed"]), ("released", False))
        self.assertEqual(len(api.history("chip=alpha")), 1)
        api.connect("alpha")
        self.client("alpha")

    def test_a_client_that_is_being_connected_when_its_chip_is_released_is_told_and_not_just_closed(self) -> None:
        """A close without a word reads as a broken login, and bots delete it."""
        api = self.live()
        port = int(api.put("alpha")["port"])
        api.connect("alpha")
        self.sim.fault("connect", "silence", target="alpha.sim")
        with wire.Client(port) as browser, wire.Client(port) as bot, wire.Client(port) as socks:
            browser.send(wire.connect_head("alpha.sim:7", "User-Agent: curl/8"))
            bot.send(wire.connect_head("alpha.sim:7"))
            socks.send(wire.GREETING).exactly(2)
            socks.send(wire.socks5_head("alpha.sim", 7))
            wire.until(lambda: self.sim.stats()["faults"] == 3, "all wait for the gateway")
            api.released("alpha")
            told = browser.answer()
            self.assertEqual((told.status, told.get("x-chipgate-error")), (503, "fenced"))
            self.assertEqual(bot.rest(), (b"", "reset"))
            self.assertEqual(socks.exactly(2), b"\x05\x00")
            self.assertEqual(socks.rest()[1], "reset")

    def test_rotate_ends_the_assignment_and_starts_another(self) -> None:
        api = self.live()
        api.put("alpha")
        first = api.connect("alpha")
        tunnel = self.client("alpha")
        before = self.exits_of("alpha")
        second = api.rotated("alpha", assignment_id=first["assignment_id"])
        self.assert_cut(tunnel)
        self.assertNotEqual(second["assignment_id"], first["assignment_id"])
        self.assertNotEqual(self.exits_of("alpha"), before)
        self.assertEqual(api.history("chip=alpha")[1]["release_reason"], "rotated")

    def test_a_rotate_that_does_not_wait_is_under_way(self) -> None:
        api = self.live()
        api.put("alpha")
        first = api.connect("alpha")["assignment_id"]
        self.silence_looks()
        status, answer = api.act("alpha", "rotate", wait="0s", force=True)
        self.assertEqual((status, answer["state"] in ("releasing", "acquiring")), (202, True), answer)
        self.sim.clear()
        api.await_another("alpha", first)

    def test_a_late_word_about_an_assignment_does_not_end_its_successor(self) -> None:
        api = self.live()
        api.put("alpha")
        first = api.connect("alpha")["assignment_id"]
        second = api.rotated("alpha")["assignment_id"]
        tunnel = self.client("alpha")
        for action in ("release", "rotate"):
            status, answer = api.act("alpha", action, assignment_id=first, force=True) if action == "rotate" else (
                api.act("alpha", action, assignment_id=first))
            self.assertEqual((status, answer["error"]["code"], answer["error"]["field"]),
                             (409, "not_current", "assignment_id"))
        self.assert_carries(tunnel)
        self.assertEqual(api.released("alpha", assignment_id=second)["released"], second)
        # Once more, and it is a no-op.
        self.assertEqual(api.released("alpha", assignment_id=second), {"released": None, "recorded": True})
        self.assertEqual(api.released("alpha"), {"released": None, "recorded": True})


class Deleting(life.LifeTest):
    """Whatever the chip does just then."""

    def assert_deletes(self, chip: str) -> None:
        api = self.operator
        port = int(api.chip(chip)["port"])
        self.assertTrue(api.expect(200, "DELETE", f"chips/{chip}")["recorded"])
        api.expect(404, "GET", f"chips/{chip}")
        self.assertTrue(closed(port))
        self.assertEqual(api.get("tunnels")["tunnels"], [])
        self.assertEqual({row["state"] for row in api.history(f"chip={chip}")} - {"closed"}, set())
        # The name is free again, and what comes is another chip.
        api.put(chip)
        self.assertEqual(api.state(chip), "released")

    def test_released(self) -> None:
        self.live().put("alpha")
        self.assert_deletes("alpha")

    def test_acquiring(self) -> None:
        api = self.live()
        self.silence_looks()
        api.put("alpha")
        self.assertEqual(api.act("alpha", "connect", wait="0s")[0], 202)
        wire.until(lambda: self.sim.stats()["faults"], "the look is under way")
        self.assert_deletes("alpha")

    def test_acquiring_with_a_client_that_waits(self) -> None:
        api = self.live()
        self.silence_looks()
        port = int(api.put("alpha", connect="on_demand")["port"])
        waiting, = self.in_background(lambda: rig.refusal(port))
        wire.until(lambda: api.chip("alpha")["clients_held"], "the client is held")
        self.assert_deletes("alpha")
        # Refused or cut, and not let in.
        self.assertTrue(waiting.exception() is not None or waiting.result().status != 200)

    def test_active(self) -> None:
        api = self.live()
        api.put("alpha")
        api.connect("alpha")
        tunnel = self.client("alpha")
        self.assert_deletes("alpha")
        self.assert_cut(tunnel)

    def test_blocked(self) -> None:
        api = self.live("--pool", "1", draws={"when_scarce": "strict"})
        for chip in ("alpha", "beta"):
            api.put(chip)
        api.connect("alpha")
        self.assertEqual(api.act("beta", "connect")[0], 503)
        self.assertEqual(api.state("beta"), "blocked")
        self.assert_deletes("beta")

    def test_resuming(self) -> None:
        api = self.live()
        api.put("alpha")
        api.connect("alpha")
        self.kill()
        self.silence_looks()
        self.assertEqual(self.start().state("alpha"), "resuming")
        self.assert_deletes("alpha")

    def test_a_chip_of_the_configuration_is_removed_there(self) -> None:
        api = self.live(chips=[{"id": "alpha", "connect": "manual"}])
        answer = api.expect(409, "DELETE", "chips/alpha")
        self.assertEqual(answer["error"]["code"], "configured")
        api.connect("alpha")


if __name__ == "__main__":
    unittest.main()
