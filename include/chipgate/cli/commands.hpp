// The commands that talk to a running chipgate.
#pragma once

#include <iosfwd>
#include <memory>
#include <string>

namespace CLI {  // NOLINT(readability-identifier-naming): CLI11's own
class App;
}

namespace chipgate::cli {

// Exit codes; sysexits.h has the larger ones.
inline constexpr int exit_done = 0;
inline constexpr int exit_refused = 1;       // chipgate said no, or not all chips reached what was asked for
inline constexpr int exit_usage = 64;        // EX_USAGE: the command line or the configuration is wrong
inline constexpr int exit_unavailable = 69;  // EX_UNAVAILABLE: no chipgate answers there
inline constexpr int exit_no_token = 77;     // EX_NOPERM: the token is missing, unreadable or wrong

// Where packages and the image have it.
inline constexpr const char* usual_configuration = "/etc/chipgate/chipgate.yaml";

class Commands {
 public:
  // Adds them to the program's own; the app must outlive this. `usual` is the configuration that is meant where nothing
  // says where chipgate is, and it can be read.
  explicit Commands(CLI::App& app, std::string usual = usual_configuration);
  ~Commands();
  Commands(const Commands&) = delete;
  Commands& operator=(const Commands&) = delete;

  // Whether the command line that was parsed has one of them.
  bool asked() const;
  // Runs it. Tables or JSON go to `out`; progress and complaints to `err`.
  int run(std::ostream& out, std::ostream& err) const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace chipgate::cli
