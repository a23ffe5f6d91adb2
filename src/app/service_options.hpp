// What the life cycle takes from the settings.
#pragma once

#include "chipgate/config/settings.hpp"
#include "chipgate/lifecycle/service.hpp"

#include <string>

namespace chipgate::app {

// Which chipgate this is, in the rows that it writes.
std::string instance_name();

lifecycle::ServiceOptions service_options(const config::Settings& settings);

}  // namespace chipgate::app
