// Reloads.
#include "chipgate/app/configuration.hpp"

#include "chipgate/config/redact.hpp"
#include "chipgate/telemetry/log.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>

namespace chipgate::app {
namespace {

using admin::NotReloaded;

std::string joined(const std::vector<std::string>& words, std::string_view separator) {
  std::string text;
  for (const auto& word : words) text += (text.empty() ? std::string() : std::string(separator)) + word;
  return text;
}

std::string lines(const config::Problems& problems) {
  std::vector<std::string> texts;
  texts.reserve(problems.size());
  for (const auto& problem : problems) texts.push_back(config::text(problem));
  return joined(texts, "\n");
}

std::vector<std::string> ids(const std::vector<lifecycle::ChipSpec>& chips) {
  std::vector<std::string> found;
  found.reserve(chips.size());
  for (const auto& chip : chips) found.push_back(chip.id.value());
  return found;
}

}  // namespace

Configuration::Configuration(boost::asio::io_context& control, telemetry::Log& log, config::Settings settings,
                             Steps steps)
    : control_(control), log_(log), in_force_(std::move(settings)), steps_(std::move(steps)) {}

std::string Configuration::redacted() const {
  std::string text;
  if (!waiting_.empty()) text = "# The file says otherwise, and a restart would take it on:\n";
  for (const auto& key : waiting_) text += "#   " + key + "\n";
  return text + config::redacted_yaml(in_force_);
}

net::Task<admin::ReloadAnswer> Configuration::reload() {
  if (closed_) co_return NotReloaded{NotReloaded::Why::stopping, "chipgate is about to stop"};
  if (running_) co_return NotReloaded{NotReloaded::Why::running, "another reload is under way"};
  running_ = true;
  auto answer = co_await take_on();
  running_ = false;
  tell(answer);
  if (std::exchange(again_, false)) hang_up();
  co_return answer;
}

void Configuration::hang_up() {
  if (running_) {
    again_ = true;
    return;
  }
  boost::asio::co_spawn(control_.get_executor(), reload(),
                        [](const std::exception_ptr& failure, const admin::ReloadAnswer&) {
                          if (failure) std::rethrow_exception(failure);
                        });
}

net::Task<admin::ReloadAnswer> Configuration::take_on() {
  auto loaded = steps_.read();
  if (loaded.has_error()) {
    co_return NotReloaded{NotReloaded::Why::bad_configuration, lines(loaded.error())};
  }
  for (const auto& warning : loaded->warnings) {
    log_.warn("configuration_warning", {{"detail", config::text(warning)}});
  }
  auto foreign = steps_.ports();
  for (const auto& chip : in_force_.chips) foreign.erase(chip.id);
  const auto wanted = config::with_kept_ports(std::move(loaded->settings), in_force_, foreign);
  auto difference = config::difference(in_force_, wanted);
  const auto& life = difference.in_force;
  lifecycle::Reconfigure steps{life.life, life.chip_ports, difference.added, difference.changed, difference.removed};
  const auto done = co_await steps_.reconfigure(std::move(steps));
  if (const auto* const denied = std::get_if<lifecycle::Denied>(&done)) co_return *denied;
  if (closed_) co_return NotReloaded{NotReloaded::Why::stopping, "chipgate is about to stop"};
  co_return settle(std::move(difference), std::get<lifecycle::Reconfigured>(done));
}

// What could not be done is not in force, so that the next reload tries it again.
admin::Reloaded Configuration::settle(config::Difference difference, const lifecycle::Reconfigured& done) {
  admin::Reloaded reloaded;
  for (const auto& [chip, message] : done.unfinished) {
    const auto is_it = [&chip](const lifecycle::ChipSpec& spec) { return spec.id == chip; };
    std::erase_if(difference.added, is_it);
    std::erase_if(difference.in_force.chips, is_it);
    reloaded.unfinished.push_back("chip " + chip.value() + " " + message);
  }
  in_force_ = std::move(difference.in_force);
  waiting_ = difference.restart_needed;
  steps_.spread(in_force_, difference.settings);
  reloaded.added = ids(difference.added);
  for (const auto& chip : difference.removed) reloaded.removed.push_back(chip.value());
  reloaded.changed = ids(difference.changed);
  reloaded.settings = std::move(difference.settings);
  reloaded.restart_needed = std::move(difference.restart_needed);
  return reloaded;
}

void Configuration::tell(const admin::ReloadAnswer& answer) {
  if (const auto* const refused = std::get_if<NotReloaded>(&answer)) {
    log_.error("config_not_reloaded", {{"detail", refused->message}});
  } else if (const auto* const denied = std::get_if<lifecycle::Denied>(&answer)) {
    log_.error("config_not_reloaded", {{"key", denied->field}, {"detail", denied->message}});
  } else {
    const auto& done = std::get<admin::Reloaded>(answer);
    log_.info("config_reloaded", {{"added", done.added.size()},
                                  {"removed", done.removed.size()},
                                  {"changed", done.changed.size()},
                                  {"settings", joined(done.settings, " ")},
                                  {"restart_needed", joined(done.restart_needed, " ")}});
    for (const auto& message : done.unfinished) log_.error("reload_unfinished", {{"detail", message}});
  }
}

}  // namespace chipgate::app
