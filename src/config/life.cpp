// The parts of the file that are about how chips get, keep and lose their assignments.
#include "chipgate/base/ascii.hpp"
#include "readers.hpp"
#include "words.hpp"

#include <algorithm>

namespace chipgate::config {
namespace {

using namespace std::chrono_literals;

// Below this a released address may still be known to WhatsApp as somebody else's.
constexpr Milliseconds least_quarantine = 60s;

std::vector<protocol::HttpUrl> read_echoes(const Map& verify, std::string_view key, provider::EchoFamily family) {
  std::vector<protocol::HttpUrl> echoes;
  if (!verify.has(key)) {
    // Of the other family only where somebody wants it: every look costs traffic.
    if (family == provider::EchoFamily::v6) return echoes;
    for (const auto& echo : provider::default_echoes()) {
      if (echo.family == family) echoes.push_back(protocol::parse_absolute_url(echo.url).value());
    }
    return echoes;
  }
  for (const auto& written : verify.scalars(key)) {
    auto url = protocol::parse_absolute_url(written.value);
    if (url.has_value()) {
      echoes.push_back(std::move(*url));
    } else {
      verify.report().problem(written.line, written.key, in_quotes(written.written) + " is not an http:// URL",
                              "http://api.ipify.org/: a look costs no TLS handshake then");
    }
  }
  const auto of_one_host = [&](const protocol::HttpUrl& echo) {
    return echo.authority.host == echoes.front().authority.host;
  };
  if (echoes.size() > 1 && std::ranges::all_of(echoes, of_one_host)) {
    verify.warning(key, "are all of one host, which fails or lies as a whole", "name two hosts");
  }
  if (echoes.size() == 1) verify.warning(key, "has one echo only: a move is confirmed by another one", "name two");
  return echoes;
}

lifecycle::VerifyOptions read_verify(const Map& verify) {
  lifecycle::VerifyOptions options;
  const bool on = verify.boolean("enabled", options.looking == lifecycle::Looking::on);
  options.looking = on ? lifecycle::Looking::on : lifecycle::Looking::off;
  options.interval = verify.duration("interval", options.interval, {.least = 100ms, .most = 24h});
  options.max_age = verify.duration("max_age", options.max_age, {.least = 1s, .most = 24h * 7});
  if (options.max_age <= options.interval) verify.problem("max_age", "is not longer than verify.interval");
  options.lost_after = verify.duration("lost_after", options.lost_after, {.least = 0s, .most = 1h});
  options.timeout = verify.duration("timeout", options.timeout, {.least = 100ms, .most = 60s});
  options.echoes_v4 = read_echoes(verify, "echoes_v4", provider::EchoFamily::v4);
  options.echoes_v6 = read_echoes(verify, "echoes_v6", provider::EchoFamily::v6);
  const bool told = verify.report().complained_about(verify.path_of("echoes_v4"));
  if (on && !told && options.echoes_v4.empty() && options.echoes_v6.empty()) {
    verify.problem("echoes_v4", "is empty", "or verify: {enabled: false}");
  }
  options.on_change = verify.choice<lifecycle::OnChange>("on_change", options.on_change, on_changes);
  return options;
}

lifecycle::DrawOptions read_draws(const Map& draws) {
  lifecycle::DrawOptions options;
  const auto number = [&](std::string_view key, unsigned fallback, std::uint64_t most) {
    return static_cast<unsigned>(draws.number(key, fallback, 1, most));
  };
  options.per_round = number("per_round", options.per_round, 100);
  options.retry_min = draws.duration("retry_min", options.retry_min, {.least = 10ms, .most = 1h});
  options.retry_max = draws.duration("retry_max", options.retry_max, {.least = 10ms, .most = 24h});
  if (options.retry_max < options.retry_min) draws.problem("retry_max", "is shorter than draws.retry_min");
  options.per_second = number("per_second", options.per_second, 10'000);
  options.per_chip_and_hour = number("per_chip_and_hour", options.per_chip_and_hour, 1'000'000);
  options.when_scarce = draws.choice<lifecycle::WhenScarce>("when_scarce", options.when_scarce, when_scarces);
  return options;
}

}  // namespace

ledger::LedgerOptions read_ledger(const Map& ledger) {
  ledger::LedgerOptions options;
  options.path = ledger.has("path") ? ledger.report().beside(ledger.text("path"))
                                    : ledger.report().state_file(options.path.string());
  options.quarantine = ledger.duration("quarantine", options.quarantine, {.least = 1s, .most = 24h * 30});
  if (options.quarantine < least_quarantine) {
    ledger.warning("quarantine", "is short: a released address goes to the next number at once", "60s at least");
  }
  options.retention =
      ledger.duration("retention", options.retention, {.least = 24h, .most = 24h * 36'500, .off = Off::allowed});
  options.prefix_v4 = static_cast<unsigned>(ledger.number("prefix_v4", options.prefix_v4, 8, 32));
  options.prefix_v6 = static_cast<unsigned>(ledger.number("prefix_v6", options.prefix_v6, 16, 128));
  return options;
}

lifecycle::LifeOptions read_life(const Map& root) {
  lifecycle::LifeOptions options;
  options.verify = read_verify(root.map("verify"));
  options.draw = read_draws(root.map("draws"));
  const auto keep = root.map("keep");
  options.keep.release_after =
      keep.duration("release_after", options.keep.release_after, {.least = 1s, .most = 24h * 365, .off = Off::allowed});
  options.keep.unused =
      keep.duration("unused", options.keep.unused, {.least = 1s, .most = 24h * 365, .off = Off::allowed});
  return options;
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, std::uint64_t>, 4> units{
      {{"kB", 1'000}, {"MB", 1'000'000}, {"GB", 1'000'000'000}, {"TB", 1'000'000'000'000}}};
  constexpr std::uint64_t most = 1'000'000;
  for (const auto& [unit, factor] : units) {
    if (!text.ends_with(unit)) continue;
    const auto number = parse_decimal(text.substr(0, text.size() - unit.size()), most);
    return number ? std::optional(*number * factor) : std::nullopt;
  }
  return std::nullopt;
}

ledger::Quota read_quota(const Map& quota) {
  ledger::Quota read;
  const auto size = [&](std::string_view key) -> std::uint64_t {
    const auto written = quota.scalar(key);
    if (!written) return 0;
    const auto bytes = parse_size(written->value);
    if (!bytes) quota.problem(key, in_quotes(written->written) + " is not a size", "500MB, 20GB");
    // To chipgate it would be none, and to whoever wrote it perhaps a chip that carries nothing.
    if (bytes == 0)
      quota.problem(key, in_quotes(written->written) + " is no quota", "without the key there is no limit");
    return bytes.value_or(0);
  };
  read.day = size("day");
  read.month = size("month");
  return read;
}

}  // namespace chipgate::config
