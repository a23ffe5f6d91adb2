// Gathering what a diagnosis is made from. Nothing here sends a packet beyond the running chipgate's control port.
#pragma once

#include "chipgate/cli/diagnosis.hpp"

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace chipgate::cli {

// The kernel's files, its interfaces, this process's limits, and whether this user may write the ledger.
HostFacts look_at_host(const std::filesystem::path& ledger);

// Asks the chipgate that a configuration names, as the commands do. Never throws for want of an answer.
RunningFacts ask_running(const std::string& configuration);

// "32768\t60999" of ip_local_port_range; nothing where it is something else.
std::optional<PortSpan> parse_port_range(std::string_view text);
// "8080,9148,20001-20100" of ip_local_reserved_ports; what cannot be read is left out.
std::vector<PortSpan> parse_reserved_ports(std::string_view text);
// Of a sample without labels in an exposition; 0 where there is none.
std::uint64_t sample_of(std::string_view exposition, std::string_view name);

}  // namespace chipgate::cli
