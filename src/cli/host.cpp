// What the kernel says of this host.
#include "chipgate/base/ascii.hpp"
#include "chipgate/cli/facts.hpp"

#include <algorithm>
#include <cstring>
#include <fstream>
#include <ifaddrs.h>
#include <memory>
#include <sys/resource.h>
#include <system_error>
#include <unistd.h>

namespace chipgate::cli {
namespace {

// The kernel's file ends with a line feed.
std::string first_line(const char* path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  const auto port = parse_decimal(text, 65'535);
  if (!port) return std::nullopt;
  return static_cast<std::uint16_t>(*port);
}

// As Docker and Podman mark it.
Place place() {
  std::error_code ignored;
  for (const auto* const mark : {"/.dockerenv", "/run/.containerenv"}) {
    if (std::filesystem::exists(mark, ignored)) return Place::container;
  }
  return Place::host;
}

std::vector<IpAddress> interface_addresses() {
  ifaddrs* raw = nullptr;
  if (::getifaddrs(&raw) != 0) return {};
  const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> list(raw, &::freeifaddrs);
  std::vector<IpAddress> found;
  for (const auto* at = list.get(); at != nullptr; at = at->ifa_next) {
    if (at->ifa_addr == nullptr) continue;
    const auto family = at->ifa_addr->sa_family;
    if (family != AF_INET && family != AF_INET6) continue;
    sockaddr_storage storage{};
    std::memcpy(&storage, at->ifa_addr, family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6));
    const auto address = SocketAddress::from(storage);
    if (address && !address->ip.is_loopback()) found.push_back(address->ip);
  }
  return found;
}

// By asking the kernel for the right alone: opening the database would wait for its locks, or leave files behind.
LedgerRights rights_to(const std::filesystem::path& ledger) {
  using Access = LedgerRights::Access;
  const auto folder = ledger.has_parent_path() ? ledger.parent_path() : std::filesystem::path(".");
  const auto why = [](const std::filesystem::path& refused) {
    return refused.string() + ": " + std::generic_category().message(errno);
  };
  if (::access(folder.c_str(), W_OK | X_OK) != 0) {
    return {errno == ENOENT ? Access::no_folder : Access::refused, why(folder)};
  }
  if (::access(ledger.c_str(), R_OK | W_OK) != 0 && errno != ENOENT) return {Access::refused, why(ledger)};
  return {};
}

}  // namespace

std::optional<PortSpan> parse_port_range(std::string_view text) {
  const auto gap = text.find_first_of(" \t");
  if (gap == std::string_view::npos) return std::nullopt;
  const auto first = parse_port(text.substr(0, gap));
  const auto last = parse_port(trim(text.substr(gap)));
  if (!first || !last) return std::nullopt;
  return PortSpan{*first, *last};
}

std::vector<PortSpan> parse_reserved_ports(std::string_view text) {
  std::vector<PortSpan> spans;
  while (!text.empty()) {
    const auto comma = std::min(text.find(','), text.size());
    const auto word = trim(text.substr(0, comma));
    const auto dash = std::min(word.find('-'), word.size());
    const auto first = parse_port(word.substr(0, dash));
    const auto last = dash < word.size() ? parse_port(word.substr(dash + 1)) : first;
    if (first && last) spans.push_back({*first, *last});
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return spans;
}

HostFacts look_at_host(const std::filesystem::path& ledger) {
  HostFacts facts;
  facts.ephemeral = parse_port_range(first_line("/proc/sys/net/ipv4/ip_local_port_range"));
  facts.reserved = parse_reserved_ports(first_line("/proc/sys/net/ipv4/ip_local_reserved_ports"));
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) facts.descriptors = limit.rlim_max;
  facts.addresses = interface_addresses();
  facts.ledger = rights_to(ledger);
  facts.asker = ::geteuid() == 0 ? Asker::root : Asker::somebody;
  facts.place = place();
  return facts;
}

}  // namespace chipgate::cli
