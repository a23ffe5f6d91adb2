// Settings as text, without their secrets.
#pragma once

#include "chipgate/config/settings.hpp"

#include <string>

namespace chipgate::config {

// YAML of every setting in effect, that parses again; the gateway's account and all passwords are "***".
std::string redacted_yaml(const Settings&);

}  // namespace chipgate::config
