#!/usr/bin/env python3
"""Every rule of check.py must catch what it forbids and pass what it allows: a rule that never fails proves nothing."""

import json
import shutil
import sys
import tempfile
import unittest
import unittest.mock
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))
import check  # noqa: E402
import layering  # noqa: E402
import text  # noqa: E402

TABLE = '''
  X(chipgate_tunnels_open,                   gauge,     "chip",        "Open.")   \\
  X(chipgate_tunnel_bytes_total,             counter,   "chip,direction", "Bytes.") \\
  X(chipgate_tunnel_duration_seconds,        histogram, "",            "Time.")
'''


class Tree(unittest.TestCase):
    """A source tree of a few files, and what a rule says of it."""

    def setUp(self) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="chipgate-rules-"))
        self.addCleanup(shutil.rmtree, self.root)

    def write(self, path: str, content: str) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, encoding="utf-8")

    def found(self, rule: str) -> list[str]:
        return [f"{finding.path}:{finding.line}" for finding in check.RULES[rule](self.root)]


class Image(Tree):
    def setUp(self) -> None:
        super().setUp()
        self.write("Dockerfile", "FROM a\nCOPY src src\nCOPY docs/a.json docs/a.json\nCOPY --from=a /b /c\n")
        self.write("src/a.cpp", "")
        self.write("docs/a.json", "")

    def test_what_the_build_may_see_passes(self) -> None:
        self.write(".dockerignore", "*\n!src\n!docs/a.json\n")
        self.assertEqual(self.found("image"), [])

    def test_what_is_kept_from_it_or_missing_fails(self) -> None:
        self.write(".dockerignore", "*\n!src\n")
        self.assertEqual(self.found("image"), ["Dockerfile:3"])
        self.write(".dockerignore", "*\n!src\n!docs\n")
        (self.root / "docs/a.json").unlink()
        self.assertEqual(self.found("image"), ["Dockerfile:3"])


class Layers(Tree):
    def test_downward_and_own_includes_pass(self) -> None:
        self.write("src/relay/a.cpp", '#include "chipgate/relay/a.hpp"\n#include "chipgate/net/end.hpp"\n#include "part.hpp"\n')
        self.write("include/chipgate/app/a.hpp", '#include "chipgate/cli/x.hpp"\n#include <vector>\n')
        self.assertEqual(self.found("layers"), [])

    def test_upward_include_fails(self) -> None:
        self.write("include/chipgate/net/a.hpp", '#pragma once\n#include "chipgate/gateway/route.hpp"\n')
        self.assertEqual(self.found("layers"), ["include/chipgate/net/a.hpp:2"])

    def test_equal_rank_fails(self) -> None:
        self.write("src/telemetry/a.cpp", "#  include <chipgate/protocol/socks.hpp>\n")
        self.write("src/gateway/a.cpp", '#include "chipgate/ledger/row.hpp"\n')
        self.assertEqual(self.found("layers"), ["src/gateway/a.cpp:1", "src/telemetry/a.cpp:1"])

    def test_every_pair_of_layers_is_judged_by_its_ranks(self) -> None:
        for above, high in layering.RANKS.items():
            for below, low in layering.RANKS.items():
                with self.subTest(above=above, below=below):
                    self.write(f"src/{above}/a.cpp", f'#include "chipgate/{below}/b.hpp"\n')
                    allowed = low < high or above == below
                    self.assertEqual(self.found("layers"), [] if allowed else [f"src/{above}/a.cpp:1"])
                    shutil.rmtree(self.root / "src")

    def test_way_round_the_layers_fails(self) -> None:
        self.write("src/base/a.cpp", '#include "../app/main.hpp"\n#include "src/app/main.hpp"\n')
        self.assertEqual(self.found("layers"), ["src/base/a.cpp:1", "src/base/a.cpp:2"])

    def test_unranked_layer_fails(self) -> None:
        self.write("src/util/a.cpp", "int a;\n")
        self.write("src/base/a.cpp", '#include "chipgate/util/a.hpp"\n')
        self.assertEqual(self.found("layers"), ["src/base/a.cpp:1", "src/util/a.cpp:1"])

    def test_upward_link_fails(self) -> None:
        self.write("src/net/CMakeLists.txt", "chipgate_layer(net\n  DEPENDS chipgate_base chipgate_relay)\n")
        self.assertEqual(self.found("layers"), ["src/net/CMakeLists.txt:2"])

    def test_simulator_shares_little(self) -> None:
        self.write("tests/sim/a.cpp", '#include "chipgate/net/end.hpp"\n#include "chipgate/gateway/route.hpp"\n')
        self.assertEqual(self.found("layers"), ["tests/sim/a.cpp:2"])


class Declared(Tree):
    def setUp(self) -> None:
        super().setUp()
        self.write("src/base/CMakeLists.txt", "chipgate_layer(base\n  SOURCES a.cpp\n  DEPENDS Boost::headers)\n")
        self.write("src/protocol/CMakeLists.txt", "chipgate_layer(protocol\n  DEPENDS chipgate_base)\n")
        self.write("src/net/CMakeLists.txt", "chipgate_layer(net PRIVATE_DEPENDS chipgate_protocol fmt::fmt)\n")

    def test_what_is_declared_or_comes_with_it_passes(self) -> None:
        self.write("include/chipgate/protocol/a.hpp", '#include "chipgate/base/a.hpp"\n')
        self.write("src/net/a.cpp", '#include "chipgate/net/a.hpp"\n#include "chipgate/protocol/a.hpp"\n'
                                    '#include "chipgate/base/a.hpp"\n')
        self.assertEqual(self.found("declared"), [])

    def test_what_is_not_declared_fails(self) -> None:
        self.write("src/protocol/a.cpp", '#include "chipgate/telemetry/a.hpp"\n')
        self.assertEqual(self.found("declared"), ["src/protocol/a.cpp:1"])

    def test_a_public_header_needs_a_public_dependency(self) -> None:
        self.write("include/chipgate/net/a.hpp", '\n#include "chipgate/protocol/a.hpp"\n')
        self.assertEqual(self.found("declared"), ["include/chipgate/net/a.hpp:2"])

    def test_a_private_dependency_does_not_travel(self) -> None:
        self.write("src/relay/CMakeLists.txt", "chipgate_layer(relay\n  DEPENDS chipgate_net)  # chipgate_base\n")
        self.write("src/relay/a.cpp", '#include "chipgate/net/a.hpp"\n#include "chipgate/base/a.hpp"\n')
        self.assertEqual(self.found("declared"), ["src/relay/a.cpp:2"])


class Dialing(Tree):
    CALLS = ["::connect(fd, address, length);", "connect (fd, a, l);", "net::begin_connect(address);",
             "socket.async_connect(endpoint);", "stream.connect(endpoint);", "io_uring_prep_connect(s, fd, a, l);",
             "BIO_do_connect(bio);", "::sendto(fd, b, n, 0, a, l);", "::sendmsg(fd, &m, MSG_FASTOPEN);"]

    def test_dialing_outside_the_gateway_fails(self) -> None:
        for layer in layering.RANKS:
            for call in self.CALLS:
                with self.subTest(layer=layer, call=call):
                    self.write(f"src/{layer}/a.cpp", f"int a;\nvoid f() {{ {call} }}\n")
                    allowed = layer in {"gateway", "cli"}
                    self.assertEqual(self.found("dialing"), [] if allowed else [f"src/{layer}/a.cpp:2"])
                    shutil.rmtree(self.root / "src")

    def test_the_webhook_is_one_file_and_no_more(self) -> None:
        for name, found in (("webhook_client", []), ("webhook", ["src/admin/webhook.cpp:1"])):
            self.write(f"src/admin/{name}.cpp", "auto f() { return stream.async_connect(endpoint); }\n")
            self.assertEqual(self.found("dialing"), found)
            shutil.rmtree(self.root / "src")

    def test_in_a_header_too(self) -> None:
        self.write("include/chipgate/net/a.hpp", "inline int f(int fd) { return ::connect(fd, nullptr, 0); }\n")
        self.assertEqual(self.found("dialing"), ["include/chipgate/net/a.hpp:1"])

    def test_a_chips_connect_is_a_wish(self) -> None:
        self.write("src/admin/a.cpp", "co_await site.api->control.connect(std::move(id), wait);\n"
                                      "Task<A> connect(ChipId id);\n")
        self.assertEqual(self.found("dialing"), [])
        self.write("src/admin/a.cpp", "control.connect(id); ::connect(fd, a, l);\nauto f() { return connect(ChipIdOf(x)); }\n")
        self.assertEqual(self.found("dialing"), ["src/admin/a.cpp:1", "src/admin/a.cpp:2"])

    def test_words_are_no_calls(self) -> None:
        self.write("src/net/a.cpp", '// connect(fd)\n/* ::connect(\nfd) */\nauto s = "connect(fd)";\nSSL_connect(ssl);\n'
                                    'auto r = R"(connect(1))";\nint reconnect_wait(int);\n')
        self.assertEqual(self.found("dialing"), [])

    def test_a_call_behind_words_is_seen(self) -> None:
        self.write("src/net/a.cpp", "const char* url = \"http://x\"; ::connect(1, a, b);\nauto n = 1'000; ::connect(2, a, 'b');\n")
        self.assertEqual(self.found("dialing"), ["src/net/a.cpp:1", "src/net/a.cpp:2"])


class Resolving(Tree):
    def test_only_the_resolver_resolves(self) -> None:
        for call in ["::getaddrinfo(h, 0, 0, &r);", "gethostbyname(h);", "res_query(h);", "asio::ip::tcp::resolver r(io);"]:
            self.write("src/net/resolver.cpp", f"void f() {{ {call} }}\n")
            self.write("src/gateway/a.cpp", f"// getaddrinfo\nvoid f() {{ {call} }}\n")
            self.assertEqual(self.found("resolving"), ["src/gateway/a.cpp:2"], call)


class Format(Tree):
    def test_an_unformatted_file_fails(self) -> None:
        shutil.copy(check.REPOSITORY / ".clang-format", self.root)
        self.write("src/base/good.cpp", "int a = 1;\n")
        self.assertEqual(self.found("format"), [])
        self.write("tests/unit/base/bad.cpp", "int a = 1;\nint   b=2;\n")
        self.assertEqual(self.found("format"), ["tests/unit/base/bad.cpp:2"])


class Words(Tree):
    def test_words_of_the_workshop_fail(self) -> None:
        for word in ["see issue" + " #12", "in /wo" + "rk/main", "https://registry." + "npmjs.org/x", "/ro" + "ot/.cache"]:
            self.write("docs/a.md", f"fine\n{word}\n")
            self.assertEqual(self.found("words"), ["docs/a.md:2"], word)

    def test_our_own_words_pass(self) -> None:
        self.write("docs/a.md", "the network/session of a worker, framework/x, issued #1\n")
        self.write("build/a.md", "/wo" + "rk/\n")
        self.assertEqual(self.found("words"), [])


class TopLevel(Tree):
    def test_a_stray_file_fails(self) -> None:
        self.write("README.md", "x\n")
        self.write(".editorconfig", "x\n")
        self.write("notes.txt", "x\n")
        self.assertEqual(self.found("top_level"), ["notes.txt:1"])


class Length(Tree):
    def test_a_long_file_fails(self) -> None:
        for name in ("src/base/a.cpp", "include/chipgate/base/a.hpp", "tests/unit/a.py"):
            self.write(name, "\n" * text.LONGEST_FILE)
            self.assertEqual(self.found("length"), [])
            self.write(name, "\n" * (text.LONGEST_FILE + 1))
            self.assertEqual(self.found("length"), [f"{name}:{text.LONGEST_FILE + 1}"])
            (self.root / name).unlink()

    def test_a_file_on_the_list_passes_for_as_long_as_it_is_there(self) -> None:
        with unittest.mock.patch.dict(text.MAY_BE_LONG, {"src/base/a.cpp": "a table"}):
            self.write("src/base/a.cpp", "\n" * (text.LONGEST_FILE + 1))
            self.assertEqual(self.found("length"), [])
            (self.root / "src/base/a.cpp").unlink()
            self.assertEqual(self.found("length"), ["src/base/a.cpp:1"])


class Dashboard(Tree):
    def show(self, *queries: str) -> list[str]:
        self.write("include/chipgate/telemetry/metrics.hpp", TABLE)
        self.write("dashboards/a.json", json.dumps({"panels": [{"targets": [{"expr": query}]} for query in queries]}, indent=1))
        return [finding.text for finding in check.dashboard(self.root)]

    def test_what_exists_passes(self) -> None:
        self.assertEqual(self.show(
            'sum by (chip) (rate(chipgate_tunnel_bytes_total{chip=~"$chip",direction="up"}[5m]))',
            "sum(chipgate_tunnels_open)",
            "histogram_quantile(0.9, sum by (le) (rate(chipgate_tunnel_duration_seconds_bucket[5m])))"), [])

    def test_unknown_metric_fails(self) -> None:
        self.assertEqual(self.show("chipgate_tunnels_closed"), ["chipgate_tunnels_closed is in no row of the metrics table"])
        self.assertEqual(len(self.show("chipgate_tunnels_open_count")), 1)

    def test_unknown_label_fails(self) -> None:
        self.assertEqual(self.show('sum by (exit_ip) (chipgate_tunnels_open{zone="x"})'),
                         ["no metric of this query has the label exit_ip", "no metric of this query has the label zone"])

    def test_raw_counter_fails(self) -> None:
        self.assertEqual(len(self.show("sum(chipgate_tunnel_bytes_total)")), 1)

    def test_alerts_are_held_to_the_same(self) -> None:
        self.write("include/chipgate/telemetry/metrics.hpp", TABLE)
        for query, found in (("sum(chipgate_tunnels_open) > 9", []),
                             ("chipgate_tunnels_shut > 0", ["chipgate_tunnels_shut is in no row of the metrics table"]),
                             ("|", ["an alert's expression stands on one line"])):
            self.write("dashboards/a.yml", f"groups:\n  - name: a\n    rules:\n      - alert: A\n        expr: {query}\n")
            self.assertEqual([finding.text for finding in check.dashboard(self.root)], found)

    def test_broken_or_empty_dashboard_fails(self) -> None:
        self.assertEqual(self.show(), ["shows nothing"])
        self.write("dashboards/a.json", "{")
        self.assertEqual(self.found("dashboard"), ["dashboards/a.json:1"])


class Coverage(unittest.TestCase):
    def test_every_rule_has_a_test(self) -> None:
        tested = {case.__name__.lower() for case in Tree.__subclasses__()}
        self.assertEqual(tested, {name.replace("_", "") for name in check.RULES})


if __name__ == "__main__":
    unittest.main()
