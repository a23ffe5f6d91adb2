// The chipgate program: its commands and exit codes.
#include "chipgate/app/doctor.hpp"
#include "chipgate/app/prove.hpp"
#include "chipgate/app/serve.hpp"
#include "chipgate/cli/commands.hpp"
#include "chipgate/config/load.hpp"
#include "chipgate/config/redact.hpp"

#include <CLI/CLI.hpp>
#include <csignal>
#include <exception>
#include <fcntl.h>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

namespace {

// sysexits.h: who reads exit codes at night knows these.
constexpr int exit_bad_configuration = 64;  // EX_USAGE
constexpr int exit_unavailable = 69;        // EX_UNAVAILABLE: a port in use, a file that cannot be opened

// One that was closed by whoever started us would be given to the next socket, and the log be written into that.
void occupy_standard_descriptors() {
  for (int fd = 0; fd <= 2; ++fd) {
    if (::fcntl(fd, F_GETFD) < 0) (void)::open("/dev/null", O_RDWR);  // takes the lowest that is free
  }
}

void print(const chipgate::config::Problems& problems, std::string_view severity) {
  for (const auto& problem : problems) std::cerr << severity << chipgate::config::text(problem) << '\n';
}

std::optional<chipgate::config::Settings> load(const std::string& path) {
  auto loaded = chipgate::config::load(path, chipgate::config::process_environment());
  if (loaded.has_error()) {
    print(loaded.error(), "");
    return std::nullopt;
  }
  print(loaded->warnings, "warning: ");
  return std::move(loaded->settings);
}

// CLI11's checks answer with what is wrong, or nothing.
std::string address_trouble(const std::string& text) {
  return chipgate::IpAddress::parse(text) ? "" : text + " is no IP address";
}

std::string duration_trouble(const std::string& text) {
  return chipgate::parse_duration(text) ? "" : text + " is no duration, such as 90s or 10min";
}

struct DoctorWords {
  bool json = false;
  std::vector<std::string> host_ips;
  std::string silent_for = "10min";
};

void add_options(CLI::App& doctor, DoctorWords& words) {
  doctor.add_flag("--json", words.json, "For programs");
  doctor.add_option("--host-ip", words.host_ips, "By which address this host is seen outside; may be repeated")
      ->check(address_trouble);
  doctor.add_option("--silent-for", words.silent_for, "How long an assigned chip may be without a tunnel")
      ->check(duration_trouble)
      ->capture_default_str();
}

int run_doctor(const std::string& path, const DoctorWords& words) {
  chipgate::app::DoctorOptions options{.configuration = path};
  if (words.json) options.form = chipgate::app::DoctorForm::json;
  for (const auto& address : words.host_ips) options.host_ips.push_back(*chipgate::IpAddress::parse(address));
  options.silent_for = *chipgate::parse_duration(words.silent_for);
  return chipgate::app::doctor(options, std::cout);
}

int run(const CLI::App& app, const std::string& path, const DoctorWords& doctor_words) {
  if (app.got_subcommand("version")) {
    std::cout << "chipgate " CHIPGATE_VERSION "\n";
    return 0;
  }
  if (app.got_subcommand("doctor")) return run_doctor(path, doctor_words);
  const auto settings = load(path);
  if (!settings) return exit_bad_configuration;
  if (app.got_subcommand("check")) {
    std::cout << chipgate::config::redacted_yaml(*settings);
    return 0;
  }
  if (app.got_subcommand("prove")) return chipgate::app::prove(*settings, std::cout);
  return chipgate::app::serve(*settings,
                              [path] { return chipgate::config::load(path, chipgate::config::process_environment()); });
}

}  // namespace

int main(int argc, char** argv) {
  occupy_standard_descriptors();
  // Writing to a peer that is gone is an error value here, never a signal; OpenSSL's writes know no MSG_NOSIGNAL.
  std::signal(SIGPIPE, SIG_IGN);
  CLI::App app{"chipgate: one local port, one sticky session, one exit IP per chip"};
  app.require_subcommand(1);
  app.set_version_flag("--version", "chipgate " CHIPGATE_VERSION);
  std::string path = chipgate::cli::usual_configuration;
  const auto with_configuration = [&](const char* name, const char* what) {
    auto* const command = app.add_subcommand(name, what);
    command->add_option("-c,--config", path, "Configuration file")->capture_default_str();
    return command;
  };
  with_configuration("serve", "Run the sidecar");
  with_configuration("check", "Check a configuration and print what it means, without secrets");
  with_configuration("prove", "Ask the gateway whether two sessions give two exits, and one repeated the same");
  DoctorWords doctor_words;
  add_options(
      *with_configuration("doctor", "Look for what is wrong with this host, its gateway and a running chipgate"),
      doctor_words);
  app.add_subcommand("version", "Print the version");
  const chipgate::cli::Commands commands(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : exit_bad_configuration;
  }
  try {
    return commands.asked() ? commands.run(std::cout, std::cerr) : run(app, path, doctor_words);
  } catch (const std::exception& error) {
    std::cerr << "chipgate: " << error.what() << '\n';
    return exit_unavailable;
  }
}
