// The configuration in effect, as the API shows it.
#pragma once

#include <string>

namespace chipgate::admin {

// Implemented by whoever knows the configuration; asked on the control thread.
class ConfigurationSource {
 public:
  virtual ~ConfigurationSource() = default;
  // YAML, without a secret.
  virtual std::string redacted() const = 0;
};

}  // namespace chipgate::admin
