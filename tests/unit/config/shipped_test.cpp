// The files that are shipped beside the binary: the example, and the schema for editors.
#include "chipgate/admin/webhook.hpp"
#include "chipgate/config/keys.hpp"
#include "fixture.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <regex>
#include <set>
#include <yaml-cpp/yaml.h>

namespace chipgate::config {
namespace {

std::string shipped(const std::string& name) {
  return (std::filesystem::path(CHIPGATE_SOURCE_DIR) / "config" / name).string();
}

Environment with_account() {
  auto made = process_environment();
  made.variable = [](const std::string& name) -> std::optional<std::string> {
    return name.starts_with("SMARTPROXY_") ? std::optional<std::string>("x") : std::nullopt;
  };
  return made;
}

TEST(Example, LoadsWithoutAWarning) {
  const auto result = load(shipped("chipgate.yaml"), with_account());
  ASSERT_TRUE(result.has_value()) << text(result.error().front());
  for (const auto& warning : result->warnings) ADD_FAILURE() << text(warning);
  EXPECT_EQ(result->settings.chips.size(), 502U);
  EXPECT_EQ(result->settings.chips[1].port, 20'002);
}

// A path that is written is taken from the file's folder, so that whoever copies this file into an image would have the
// ledger outside of the volume.
TEST(Example, KeepsItsStateInTheFolderThatContainersName) {
  auto container = with_account();
  container.variable = [usual = with_account().variable](const std::string& name) {
    return name == "CHIPGATE_STATE_DIR" ? std::optional<std::string>("/var/lib/chipgate") : usual(name);
  };
  const auto made = load(shipped("chipgate.yaml"), container).value().settings;
  EXPECT_EQ(made.ledger.path, "/var/lib/chipgate/chipgate.db");
  EXPECT_EQ(made.admin.token_file, "/var/lib/chipgate/chipgate.token");
}

// The example says that it shows the defaults.
TEST(Example, ShowsTheDefaults) {
  const auto shown = load(shipped("chipgate.yaml"), with_account()).value().settings;
  const auto usual = settings(with_gateway(""));
  EXPECT_EQ(shown.chip_ports.first, usual.chip_ports.first);
  EXPECT_EQ(shown.chip_ports.last, usual.chip_ports.last);
  EXPECT_EQ(shown.proxy.connect_budget, usual.proxy.connect_budget);
  EXPECT_EQ(shown.proxy.head_timeout, usual.proxy.head_timeout);
  EXPECT_EQ(shown.proxy.drain_deadline, usual.proxy.drain_deadline);
  EXPECT_EQ(shown.proxy.limits.tunnels, usual.proxy.limits.tunnels);
  EXPECT_EQ(shown.proxy.limits.tunnels_per_chip, usual.proxy.limits.tunnels_per_chip);
  EXPECT_EQ(shown.proxy.limits.handshakes_per_chip, usual.proxy.limits.handshakes_per_chip);
  EXPECT_EQ(shown.proxy.limits.held_per_chip, usual.proxy.limits.held_per_chip);
  EXPECT_EQ(shown.proxy.limits.max_whatsapp_sessions, usual.proxy.limits.max_whatsapp_sessions);
  EXPECT_EQ(shown.proxy.crowd_age, usual.proxy.crowd_age);
  EXPECT_EQ(shown.proxy.destinations.allow.size(), usual.proxy.destinations.allow.size());
  EXPECT_EQ(shown.proxy.destinations.deny.size(), usual.proxy.destinations.deny.size());
  const auto url = [](const protocol::HttpUrl& echo) { return echo.authority.text() + echo.path_and_query; };
  EXPECT_TRUE(std::ranges::equal(shown.life.verify.echoes_v4, usual.life.verify.echoes_v4, {}, url, url));
  EXPECT_TRUE(shown.life.verify.echoes_v6.empty() && usual.life.verify.echoes_v6.empty());
  EXPECT_EQ(shown.ledger.retention, usual.ledger.retention);
  EXPECT_EQ(shown.relay.idle_timeout, usual.relay.idle_timeout);
  EXPECT_EQ(shown.relay.half_closed, usual.relay.half_closed);
  EXPECT_EQ(shown.relay.first_reply, usual.relay.first_reply);
  EXPECT_EQ(shown.gateway.connect_timeout, usual.gateway.connect_timeout);
  EXPECT_EQ(shown.gateway.resolve_every, usual.gateway.resolve_every);
  EXPECT_EQ(shown.gateway.endpoints.front().host, usual.gateway.endpoints.front().host);
  EXPECT_EQ(shown.log.level, usual.log.level);
  EXPECT_EQ(shown.log.format, usual.log.format);
  EXPECT_EQ(shown.admin.listen, usual.admin.listen);
}

// JSON is YAML. Steps down from the root by the names of a section's path.
YAML::Node schema_of(const YAML::Node& schema, std::string_view path) {
  auto node = YAML::Clone(schema);
  while (!path.empty()) {
    const auto dot = std::min(path.find('.'), path.size());
    auto name = path.substr(0, dot);
    const bool list = name.ends_with("[]");
    if (list) name.remove_suffix(2);
    node.reset(node["properties"][std::string(name)]);
    if (list) node.reset(node["items"]);
    path.remove_prefix(std::min(dot + 1, path.size()));
  }
  return node;
}

TEST(Schema, ListsTheKeysThatTheParserKnows) {
  const auto schema = YAML::LoadFile(shipped("chipgate.schema.json"));
  for (const auto& section : sections()) {
    const auto node = schema_of(schema, section.path);
    EXPECT_EQ(node["additionalProperties"].as<std::string>(), "false") << section.path;
    std::set<std::string> listed;
    for (const auto& property : node["properties"]) listed.insert(property.first.as<std::string>());
    EXPECT_EQ(listed, std::set<std::string>(section.keys.begin(), section.keys.end())) << section.path;
  }
}

// A list without a value is refused: an editor may tell of it before.
TEST(Schema, AllowsNoListWithoutAValue) {
  const auto schema = YAML::LoadFile(shipped("chipgate.schema.json"));
  for (const auto* const list : {"chips", "gateway.endpoints", "listen.allow_clients", "destinations.allow",
                                 "destinations.deny", "verify.echoes_v4", "admin.hosts", "admin.webhook.events"}) {
    EXPECT_EQ(schema_of(schema, list)["type"].as<std::string>(), "array") << list;
  }
}

TEST(Schema, ListsThePresets) {
  const auto schema = YAML::LoadFile(shipped("chipgate.schema.json"));
  std::vector<std::string> known;
  for (const auto& preset : provider::presets()) known.emplace_back(preset.name);
  EXPECT_EQ(schema_of(schema, "gateway.preset")["enum"].as<std::vector<std::string>>(), known);
}

std::string content_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Patterns of a webhook are held against the list.
TEST(EventTypes, AreThoseThatTheSourceTellsAndTheDocumentationNames) {
  const std::filesystem::path root(CHIPGATE_SOURCE_DIR);
  std::set<std::string> told;
  const std::regex telling(R"x(journal_\.tell\("([a-z_.]+)")x");
  for (const auto& entry : std::filesystem::directory_iterator(root / "src" / "lifecycle")) {
    const auto source = content_of(entry.path());
    for (std::sregex_iterator at(source.begin(), source.end(), telling), end; at != end; ++at) told.insert((*at)[1]);
  }
  const auto types = admin::event_types();
  EXPECT_EQ(told, std::set<std::string>(types.begin(), types.end()));
  const auto documentation = content_of(root / "docs" / "api.md");
  for (const auto type : types) {
    EXPECT_NE(documentation.find("`" + std::string(type) + "`"), std::string::npos) << type;
  }
}

}  // namespace
}  // namespace chipgate::config
