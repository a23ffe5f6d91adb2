// Doctor: what is wrong with this host, and how to put it right.
#pragma once

#include "chipgate/base/address.hpp"
#include "chipgate/base/duration.hpp"

#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

namespace chipgate::app {

enum class DoctorForm : std::uint8_t { table, json };

struct DoctorOptions {
  std::string configuration;
  DoctorForm form = DoctorForm::table;
  std::vector<IpAddress>
      host_ips{};  // by which the host is seen outside; nobody is asked for it, since that goes direct
  Milliseconds silent_for{std::chrono::minutes(10)};
};

// Looks at the host, asks the gateway and the running chipgate, and prints what it found. 0 where nothing is wrong, 1
// where something is, 64 where the configuration is.
int doctor(const DoctorOptions& options, std::ostream& out);

}  // namespace chipgate::app
