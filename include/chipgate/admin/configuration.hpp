// The configuration in effect, as the API shows it and has it read again.
#pragma once

#include "chipgate/lifecycle/control.hpp"
#include "chipgate/net/task.hpp"

#include <string>
#include <variant>
#include <vector>

namespace chipgate::admin {

// What a file that was read again has changed.
struct Reloaded {
  std::vector<std::string> added{};           // chips
  std::vector<std::string> removed{};         // chips
  std::vector<std::string> changed{};         // chips
  std::vector<std::string> settings{};        // keys that hold from now on
  std::vector<std::string> restart_needed{};  // keys that wait for a restart
  std::vector<std::string> unfinished{};      // sentences about chips that could not be done yet
};

// Why nothing at all was changed.
struct NotReloaded {
  enum class Why : std::uint8_t {
    bad_configuration,  // 400: the message has a line "file:line: key: what" for each problem
    running,            // 409: another reload is under way
    stopping,           // 503
  } why;
  std::string message{};
};

using ReloadAnswer = std::variant<Reloaded, NotReloaded, lifecycle::Denied>;

// Implemented by whoever knows the configuration; asked on the control thread.
class ConfigurationSource {
 public:
  virtual ~ConfigurationSource() = default;
  // YAML, without a secret. What waits for a restart stands above it as comments.
  virtual std::string redacted() const = 0;
  // Reads the file again and takes the difference on: all of it that needs no restart, or nothing.
  virtual net::Task<ReloadAnswer> reload() = 0;
};

}  // namespace chipgate::admin
