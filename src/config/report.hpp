// Where everything that is wrong with one file is collected.
#pragma once

#include "chipgate/config/environment.hpp"
#include "chipgate/config/problem.hpp"

#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <utility>

namespace chipgate::config {

// Collects what is found while one file is read.
class Report {
 public:
  // `mode` has the file's permission bits, where there is a file.
  Report(std::string file, const Environment& environment, mode_t mode = 0)
      : file_(std::move(file)), environment_(environment), mode_(mode) {}

  void problem(int line, std::string key, std::string message, std::string hint = {});
  void warning(int line, std::string key, std::string message, std::string hint = {});
  // Whether the key was found wrong already; what follows from that is not worth a second line.
  bool complained_about(std::string_view key) const;

  const Environment& environment() const { return environment_; }
  mode_t mode() const { return mode_; }
  // A path of the file's text, taken from the file's folder.
  std::string beside(const std::string& path) const;
  // Where a file of chipgate's own is kept that the configuration does not place: in CHIPGATE_STATE_DIR, as containers
  // set it, else beside the configuration.
  std::string state_file(const std::string& name) const;
  // In the order of their lines.
  Problems problems() const;
  Problems warnings() const;

 private:
  std::string file_;
  const Environment& environment_;
  const mode_t mode_;
  Problems problems_;
  Problems warnings_;
  std::set<std::string, std::less<>> refused_keys_;
};

// Text for a message, cut where it is long.
std::string shortened(std::string_view text);
std::string in_quotes(std::string_view text);

}  // namespace chipgate::config
