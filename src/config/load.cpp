// The whole file.
#include "chipgate/config/load.hpp"

#include "document.hpp"
#include "readers.hpp"

#include <stdexcept>

namespace chipgate::config {
namespace {

Settings read_settings(const Map& root) {
  Settings settings;
  settings.proxy = read_proxy(root);
  settings.chip_ports = read_port_range(root.map("listen"));
  settings.relay = read_relay(root.map("timeouts"));
  settings.log = read_log(root.map("log"));
  settings.admin = read_admin(root.map("admin"));
  settings.ledger = read_ledger(root.map("ledger"));
  settings.life = read_life(root);
  settings.life.prefix_v4 = settings.ledger.prefix_v4;
  settings.life.prefix_v6 = settings.ledger.prefix_v6;
  std::optional<provider::Provider> provider;
  if (root.has("gateway")) {
    const auto gateway = root.map("gateway");
    settings.provider = read_provider(gateway);
    settings.gateway = read_gateway(gateway, settings.provider);
    provider = check_provider(gateway, settings.provider);
    if (settings.gateway.connect_timeout > settings.proxy.connect_budget) {
      gateway.warning("connect_timeout", "is longer than timeouts.connect_budget, which ends it first");
    }
  } else {
    root.problem("gateway", "is missing", "gateway: {username: ..., password: ...}");
  }
  auto found = read_chips(root, {.address = settings.proxy.listen.address,
                                 .admin = settings.admin.unix_socket.empty() ? settings.admin.listen : SocketAddress(),
                                 .range = settings.chip_ports,
                                 .provider = std::move(provider)});
  settings.chips = std::move(found.chips);
  settings.ports_of_range = std::move(found.ports_of_range);
  return settings;
}

Problems unreadable(const std::string& path, const FileContent& content) {
  return {{path, 0, {}, "cannot be read: " + content.error, {}}};
}

// A slip elsewhere in the file must not take `release` away at night; but one that hides the section must not send it
// to the address that is usual.
bool concerns_admin(const Problem& problem) {
  return problem.key == "admin" || problem.key.starts_with("admin.") || problem.hint == "did you mean admin?" ||
         problem.hint.starts_with("it belongs under admin");
}

LoadResult parse_whole(Report report, std::string_view text) {
  const auto document = read_document(report, text);
  if (!document) return report.problems();
  // What is absent stands in no line.
  const Map root(report, *document, {}, 0);
  auto settings = read_settings(root);
  auto problems = report.problems();
  if (!problems.empty()) return problems;
  return Loaded{std::move(settings), report.warnings()};
}

}  // namespace

LoadResult parse(std::string_view text, const std::string& file, const Environment& environment) {
  return parse_whole(Report(file, environment), text);
}

LoadResult load(const std::string& path, const Environment& environment) {
  const auto content = environment.read(path);
  if (!content.text) return unreadable(path, content);
  return parse_whole(Report(path, environment, content.mode), *content.text);
}

AdminResult load_admin(const std::string& path, const Environment& environment) {
  const auto content = environment.read(path);
  if (!content.text) return unreadable(path, content);
  Report report(path, environment);
  const auto document = read_document(report, *content.text);
  if (!document) return report.problems();
  auto options = read_control_port(Map(report, *document, {}, 1).map("admin"));
  auto problems = report.problems();
  std::erase_if(problems, [](const Problem& problem) { return !concerns_admin(problem); });
  if (!problems.empty()) return problems;
  return options;
}

void throw_exception_from_error(const Problems& problems, const boost::source_location&) {
  throw std::logic_error("value of a configuration that was not read: " +
                         (problems.empty() ? "" : text(problems.front())));
}

}  // namespace chipgate::config
