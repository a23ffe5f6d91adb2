// Which targets chips may be used for.
#include "nearest.hpp"
#include "readers.hpp"

#include <algorithm>

namespace chipgate::config {
namespace {

using std::string;
using std::string_view;

const protocol::DestinationPreset* find_preset(string_view name) {
  const auto presets = protocol::destination_presets();
  const auto found = std::ranges::find(presets, name, &protocol::DestinationPreset::name);
  return found == presets.end() ? nullptr : &*found;
}

std::vector<string_view> preset_names() {
  std::vector<string_view> names;
  for (const auto& preset : protocol::destination_presets()) names.push_back(preset.name);
  return names;
}

// No exit resolves a name of one label: whoever writes one, without so much as a port, means a preset; and so does
// whoever gives a preset's name a port.
bool means_a_preset(string_view text) {
  return text.find_first_of(".:*/[") == string_view::npos || find_preset(text.substr(0, text.find(':'))) != nullptr;
}

string hint_for(string_view written) {
  const auto names = preset_names();
  const auto host = written.substr(0, written.find(':'));
  if (host != written && find_preset(host) != nullptr) return string(host) + " is a preset and has its ports";
  if (const auto meant = nearest(written, names)) return "did you mean " + string(*meant) + "?";
  if (written.find("://") != string_view::npos) return "a host and a port, as in example.org:443, and no URL";
  string hint = "example.org, *.example.org, 192.0.2.0/24 or *, with :443 or :8000-8099 behind it; or a preset: ";
  for (const auto name : names) hint += (name == names.front() ? "" : ", ") + string(name);
  return hint;
}

std::vector<protocol::DestinationRule> read_rules(const Map& destinations, string_view key) {
  std::vector<protocol::DestinationRule> rules;
  for (const auto& written : destinations.scalars(key)) {
    if (const auto* const preset = find_preset(written.value)) {
      for (const auto rule : preset->rules) rules.push_back(protocol::DestinationRule::parse(rule).value());
      continue;
    }
    const auto rule = protocol::DestinationRule::parse(written.value);
    // As it is shown, not as it is written: "db." is shown as "db".
    if (rule && !means_a_preset(rule->text())) {
      rules.push_back(*rule);
    } else {
      destinations.report().problem(written.line, written.key, in_quotes(written.written) + " is not a destination",
                                    hint_for(written.written));
    }
  }
  return rules;
}

}  // namespace

protocol::Destinations read_destinations(const Map& destinations) {
  return {read_rules(destinations, "allow"), read_rules(destinations, "deny")};
}

}  // namespace chipgate::config
