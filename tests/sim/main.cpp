// gateway-sim: the simulated provider as a program.
#include "chipgate/net/descriptors.hpp"
#include "sim/simulator.hpp"

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <exception>

namespace chipgate::sim {
namespace {

std::string check_address(const std::string& text) {
  const auto address = SocketAddress::parse(text);
  return address && address->ip.is_loopback() ? "" : "wants a loopback address and a port, like 127.0.0.1:0";
}

std::string check_duration(const std::string& text) {
  return parse_duration(text) ? "" : "wants a duration like 250ms, 30s, 5min";
}

void add_address(CLI::App& app, const std::string& option, SocketAddress& address, const std::string& help) {
  app.add_option_function<std::string>(
         option, [&address](const std::string& text) { address = *SocketAddress::parse(text); }, help)
      ->check(check_address);
}

void add_duration(CLI::App& app, const std::string& option, Milliseconds& duration, const std::string& help) {
  app.add_option_function<std::string>(
         option, [&duration](const std::string& text) { duration = *parse_duration(text); }, help)
      ->check(check_duration);
}

void add_mapping(SimulatorOptions& options, const std::vector<std::string>& pairs) {
  for (const auto& pair : pairs) {
    const auto equals = pair.find('=');
    if (equals == std::string::npos) throw CLI::ValidationError("--map", "wants host:port=127.0.0.1:port");
    options.map.emplace_back(pair.substr(0, equals), pair.substr(equals + 1));
  }
}

void declare(CLI::App& app, SimulatorOptions& options) {
  add_address(app, "--http", options.http, "where the gateway is an HTTP proxy");
  add_address(app, "--https", options.https, "where it is one under TLS");
  add_address(app, "--socks5", options.socks5, "where it is a SOCKS5 proxy");
  add_address(app, "--api", options.api, "where it is told what to do");
  app.add_option("--username", options.account.username, "of the account");
  app.add_option("--password", options.account.password, "of the account");
  app.add_option("--session-marker", options.account.session_marker, "between user and session")
      ->check([](const std::string& text) { return text.empty() ? "wants a text" : ""; });
  const std::map<std::string, Grammar> grammars{{"smartproxy", Grammar::smartproxy}, {"iproyal", Grammar::iproyal}};
  app.add_option("--grammar", options.account.grammar, "smartproxy: {user}-session-{id}; iproyal: {pass}_session-{id}")
      ->transform(CLI::CheckedTransformer(grammars));
  app.add_option("--pool", options.sessions.pool, "how many exits there are");
  const std::map<std::string, DrawOrder> orders{{"sequential", DrawOrder::sequential}, {"random", DrawOrder::random}};
  app.add_option("--draw", options.sessions.draw,
                 "how sessions get exits: sequential avoids collisions, random does not")
      ->transform(CLI::CheckedTransformer(orders));
  app.add_option("--seed", options.sessions.seed, "of random draws");
  add_duration(app, "--idle", options.sessions.idle, "a session ends when unused for so long; 0: never");
  add_duration(app, "--lifetime", options.sessions.lifetime, "a session ends so long after it was opened; 0: never");
  add_duration(app, "--latency", options.latency, "before every CONNECT is answered");
  app.add_option("--exit-header", options.exit_header, "a header of the 200 that names the exit, like x-brd-ip");
  app.add_option_function<std::vector<std::string>>(
      "--map", [&options](const std::vector<std::string>& pairs) { add_mapping(options, pairs); },
      "host:port=127.0.0.1:port sends a target elsewhere; repeatable");
  app.add_option("--ca-out", options.ca_out, "where the CA's certificate is written");
  app.add_option("--log", options.log_file, "the origin log, as JSON lines");
  app.add_option("--log-entries", options.log_entries, "how much of the origin log the API keeps");
  app.add_flag("--log-payload", options.log_payload, "with the first 64 bytes of every chunk");
}

int run(int argc, char** argv) {
  SimulatorOptions options;
  CLI::App app("Plays a residential proxy provider on this host");
  declare(app, options);
  CLI11_PARSE(app, argc, argv);
  // Blocked before there are threads, so that all of them inherit it and only sigwait sees them.
  sigset_t stopping;
  sigemptyset(&stopping);
  sigaddset(&stopping, SIGINT);
  sigaddset(&stopping, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &stopping, nullptr);
  net::raise_descriptor_limit();
  Simulator simulator(std::move(options));
  std::printf("%s\n", simulator.ready_line().c_str());
  std::fflush(stdout);
  int signal = 0;
  sigwait(&stopping, &signal);
  simulator.stop();
  return 0;
}

}  // namespace
}  // namespace chipgate::sim

int main(int argc, char** argv) {
  try {
    return chipgate::sim::run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "gateway-sim: %s\n", error.what());
    return 1;
  }
}
