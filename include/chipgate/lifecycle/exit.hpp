// What counts as one exit: as much of an address as targets tell apart.
#pragma once

namespace chipgate {
class IpAddress;
}

namespace chipgate::lifecycle {

struct LifeOptions;

// The address without what lies behind its family's prefix.
IpAddress exit_of(const IpAddress& address, const LifeOptions& options);
// Targets take both for one.
bool same_exit(const IpAddress& one, const IpAddress& other, const LifeOptions& options);

}  // namespace chipgate::lifecycle
