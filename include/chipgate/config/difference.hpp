// What a configuration that is read again changes, and how much of that a running process can take on.
#pragma once

#include "chipgate/config/settings.hpp"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace chipgate::config {

struct Difference {
  std::vector<lifecycle::ChipSpec> added;
  std::vector<ChipId> removed;
  std::vector<lifecycle::ChipSpec> changed;  // as they shall be, with the port that they have
  // Keys that hold at once ("verify.interval"), and those that wait for a restart ("gateway.password",
  // "chips[alpha].port").
  std::vector<std::string> settings;
  std::vector<std::string> restart_needed;
  // What holds once all of it but `restart_needed` has been taken on.
  Settings in_force;
};

// Pure. `wanted` has been through with_kept_ports.
Difference difference(const Settings& in_force, const Settings& wanted);

// A chip whose port the file leaves open keeps the one that it has, whatever came or went before it in the list; a new
// one gets the lowest that nobody has, and one that a chip has just left only where there is no other: somebody may
// still be pointed at it. `foreign` are the chips that are
// none of the file's; one that the file names now keeps its port as well.
Settings with_kept_ports(Settings wanted, const Settings& in_force, const std::map<ChipId, std::uint16_t>& foreign);

// The keys that are compared, beside those of chips. A whole section ("admin.webhook") stands for the keys in it.
std::vector<std::string_view> compared_keys();

}  // namespace chipgate::config
