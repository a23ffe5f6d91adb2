#!/usr/bin/env python3
"""How long an assignment lasts, and what is known of it afterwards."""

from __future__ import annotations

import contextlib
import csv
import datetime
import io
import sqlite3
import unittest

import life
import wire

# A provider whose sessions live for so long; the simulator keeps its word longer, and is not what is tested.
LIFETIME = {"preset": "custom", "lifetime": "5s",
            "username_template": "{username}-lifetime-{lifetime_seconds}-session-{session}"}


class Keeping(life.LifeTest):
    def test_before_its_lifetime_ends_a_chip_gets_its_next_assignment(self) -> None:
        api = self.live(gateway=LIFETIME)
        api.put("alpha")
        first = api.connect("alpha")["assignment_id"]
        tunnel = self.client("alpha")
        renewed = api.await_another("alpha", first)
        self.assert_cut(tunnel)
        rows = {row["id"]: row for row in api.history("chip=alpha")}
        old, new = rows[first], rows[renewed["assignment"]["id"]]
        self.assertEqual(old["release_reason"], "renewed")
        self.assertNotEqual(old["exit_ips"], new["exit_ips"])
        # Drawn before the old one ended: the chip was never without one.
        self.assertLess(new["verified_at"], old["released_at"])
        self.client("alpha", "after.sim:7")

    def test_no_tunnel_for_release_after_ends_it_and_the_next_client_gets_another(self) -> None:
        api = self.live(keep={"release_after": "1s"})
        api.put("alpha", connect="on_demand")
        tunnel = self.client("alpha")
        first = api.chip("alpha")["assignment"]["id"]
        tunnel.close()
        api.await_state("alpha", "released")
        self.assertEqual(api.history("chip=alpha")[0]["release_reason"], "unused")
        self.assertTrue(api.chip("alpha")["armed"])
        self.client("alpha", "again.sim:7")
        self.assertNotEqual(api.chip("alpha")["assignment"]["id"], first)

    def test_an_open_tunnel_keeps_it(self) -> None:
        api = self.live(keep={"release_after": "1s"})
        for chip in ("alpha", "beta"):
            api.put(chip, connect="on_demand")
        tunnel = self.client("alpha")
        self.client("beta").close()
        # The other one, whose tunnel has gone, shows that the time is over.
        api.await_state("beta", "released")
        self.assertEqual(api.state("alpha"), "active")
        self.assert_carries(tunnel)

    def test_a_closed_tunnel_is_no_disconnect(self) -> None:
        api = self.live()
        api.put("alpha", connect="on_demand")
        exits = set()
        for _ in range(5):
            self.client("alpha").close()
            exits |= set(self.exits_of("alpha"))
        self.assertEqual(len(exits), 1)
        self.assertEqual(len(api.history("chip=alpha")), 1)


class History(life.LifeTest):
    def test_who_had_an_address_when(self) -> None:
        api = self.live("--pool", "2", ledger={"quarantine": "1s"})
        for chip in ("alpha", "beta"):
            api.put(chip)
        api.connect("alpha")
        shared, = self.exits_of("alpha")
        alphas_time = datetime.datetime.now(datetime.UTC)
        api.released("alpha")
        alphas = api.history("chip=alpha")[0]
        # beta takes turns until it has alpha's address.
        api.connect("beta")
        wire.until(lambda: self.exits_of("beta") == [shared] or api.rotated("beta") is None, "beta has the address", 60)
        betas_time = datetime.datetime.now(datetime.UTC)
        betas = api.history("chip=beta")[0]
        self.assertEqual([row["chip"] for row in api.history(f"exit_ip={shared}")], ["beta", "alpha"])
        for row, time in ((alphas, alphas_time), (betas, betas_time)):
            at = api.history(f"exit_ip={shared}&at={time.strftime('%Y-%m-%dT%H:%M:%S.%fZ')}")
            self.assertEqual([one["id"] for one in at], [row["id"]])
        self.assertEqual(api.history(f"exit_ip={shared}&at=2001-01-01T00:00:00Z"), [])
        self.assertEqual(api.history("exit_ip=127.20.0.99"), [])

    def test_every_address_of_a_chip_page_by_page_and_as_csv(self) -> None:
        api = self.live()
        api.put("alpha")
        api.connect("alpha")
        for _ in range(6):
            api.rotated("alpha")
        whole = api.history("chip=alpha")
        self.assertEqual(len(whole), 7)
        paged, cursor = [], ""
        while cursor is not None:
            page = api.get(f"assignments?chip=alpha&limit=3{cursor and '&cursor=' + cursor}")
            paged, cursor = paged + page["assignments"], page["next_cursor"]
        self.assertEqual(paged, whole)
        status, answer = api.raw("GET", "assignments?chip=alpha&format=csv")
        with answer:
            table = list(csv.DictReader(io.StringIO(answer.read().decode())))
        self.assertEqual(status, 200)
        self.assertEqual([(row["id"], row["session_identifier"], row["exit_ip_v4"], row["release_reason"]) for row in table],
                         [(str(row["id"]), row["session_identifier"], row["exit_ips"][0], row["release_reason"] or "")
                          for row in whole])

    def test_bytes_are_written_with_the_assignment(self) -> None:
        api = self.live()
        api.put("alpha")
        api.connect("alpha")
        client = self.client("alpha")
        client.send(b"x" * 1000)
        client.exactly(1000)
        api.released("alpha")
        traffic = api.history("chip=alpha")[0]["traffic"]
        self.assertGreaterEqual(traffic["up"], 1005)
        self.assertGreaterEqual(traffic["down"], 1005)


class Retention(life.LifeTest):
    def make_old(self) -> None:
        """Whatever has ended did so ten days ago."""
        ten_days = 10 * 86_400 * 1_000_000
        with contextlib.closing(sqlite3.connect(self.folder / "ledger.db")) as ledger, ledger:
            ledger.execute("UPDATE assignments SET assigned_at = assigned_at - ?1, released_at = released_at - ?1 "
                           "WHERE state = 'closed'", (ten_days,))
            ledger.execute("UPDATE events SET at = at - ?", (ten_days,))

    def restart(self, **ledger: str) -> life.Operator:
        self.gate.process.stop_cleanly()
        self.gate.ended = True
        self.make_old()
        self.written["ledger"] |= ledger
        return self.start()

    def test_history_is_kept_for_as_long_as_the_configuration_says(self) -> None:
        api = self.live()
        api.put("alpha")
        api.connect("alpha")
        api.rotated("alpha")
        api.released("alpha")
        first, last = reversed([row["id"] for row in api.history("chip=alpha")])
        events = len(api.events("alpha"))
        api = self.restart()
        self.assertEqual([row["id"] for row in api.history("chip=alpha")], [last, first], "for ever, unless it says otherwise")
        self.assertGreaterEqual(len(api.events("alpha")), events)
        api = self.restart(retention="7d")
        wire.until(lambda: [row["id"] for row in api.history("chip=alpha")] == [last], "the chip's last one is left")
        self.assertEqual(api.events("alpha"), [])
        # And it goes on from there: with a new session, and not by the exit that it had last.
        had, = api.history("chip=alpha")
        api.connect("alpha")
        now = api.history("chip=alpha")[0]
        self.assertGreater(now["id"], last)
        self.assertNotEqual((now["exit_ips"], now["session_identifier"]), (had["exit_ips"], had["session_identifier"]))


class Events(life.LifeTest):
    def test_they_stream_as_they_come_and_resume_where_one_left(self) -> None:
        api = self.live()
        api.put("alpha")
        with life.Stream(api) as stream:
            self.assertEqual(stream.status, 200)
            api.connect("alpha")
            active = stream.first("chip.active")
        api.rotated("alpha")
        api.released("alpha")
        # What came meanwhile is told to who says where he was.
        with life.Stream(api, after=int(active["id"])) as stream:
            later = [stream.first(kind) for kind in ("chip.released", "chip.active", "chip.released")]
        ids = [int(event["id"]) for event in [active, *later]]
        self.assertEqual(ids, sorted(set(ids)))
        told = [event["id"] for event in api.events("alpha") if event["id"] > int(active["id"])]
        self.assertEqual(set(told) - {int(event["id"]) for event in later}, set())


if __name__ == "__main__":
    unittest.main()
