// Starting, asking and stopping the simulator's thread.
#include "sim/simulator.hpp"

#include "sim/api_text.hpp"

#include <csignal>
#include <fstream>
#include <limits>
#include <stdexcept>

namespace chipgate::sim {
namespace {

constexpr Milliseconds asked_again_after{2};

void write_file(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::trunc);
  file << text;
  file.flush();
  if (!file) throw std::runtime_error("cannot write " + path);
}

// Signals are the program's. SIGPIPE above all: OpenSSL writes without MSG_NOSIGNAL.
void block_signals() {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

}  // namespace

Simulator::Simulator(SimulatorOptions options)
    : options_(std::move(options)),
      world_(options_),
      listeners_(world_),
      ports_(listeners_.ports()),
      ca_pem_(world_.authority.pem()) {
  for (const auto& [target, to] : options_.map) {
    if (!world_.names.add(target, to)) throw std::runtime_error("cannot map " + target + " to " + to);
  }
  if (!options_.ca_out.empty()) write_file(options_.ca_out, ca_pem_);
  thread_ = std::thread([this] {
    block_signals();
    world_.shard.run();
  });
}

Simulator::~Simulator() { stop(); }

void Simulator::stop() {
  if (!thread_.joinable()) return;
  world_.shard.post([this] {
    listeners_.close();
    world_.connections.end_all();
    world_.shard.stop();
  });
  thread_.join();
}

std::string Simulator::ready_line() const { return json_of(ports_, options_); }

std::uint64_t Simulator::inject(Fault fault) {
  return ask([&] {
    const auto id = world_.faults.add(std::move(fault));
    if (!id) throw std::logic_error("this kind of fault does not belong to this stage");
    listeners_.adjust();
    return *id;
  });
}

void Simulator::clear_faults() {
  ask([&] {
    world_.faults.clear();
    listeners_.adjust();
  });
}

std::vector<StandingFault> Simulator::faults() {
  return ask([&] { return world_.faults.standing(); });
}

std::vector<NamedSession> Simulator::sessions() {
  return ask([&] { return world_.sessions.list(Clock::now()); });
}

void Simulator::move(const std::string& session, const IpAddress& to) {
  ask([&] { world_.sessions.move(session, to, Clock::now()); });
}

bool Simulator::duplicate(const std::string& session, const std::string& of) {
  return ask([&] { return world_.sessions.duplicate(session, of, Clock::now()); });
}

bool Simulator::end_session(const std::string& session) {
  return ask([&] { return world_.sessions.end(session, Clock::now()); });
}

std::size_t Simulator::cut_tunnels(std::string_view session, CloseHow how) {
  return ask([&] { return world_.connections.end_tunnels(session, how); });
}

std::size_t Simulator::freeze_tunnels(std::string_view session) {
  return ask([&] { return world_.connections.freeze_tunnels(session); });
}

void Simulator::gateway_down() {
  ask([&] { listeners_.set_gateway(GatewayState::down); });
}

void Simulator::gateway_up() {
  ask([&] { listeners_.set_gateway(GatewayState::up); });
}

bool Simulator::map(std::string_view target, std::string_view address) {
  return ask([&] { return world_.names.add(target, address); });
}

Stats Simulator::stats() {
  return ask([&] { return world_.stats; });
}

std::vector<LogEntry> Simulator::log(std::uint64_t since) {
  return ask([&] { return world_.log.since(since, std::numeric_limits<std::size_t>::max()); });
}

bool Simulator::wait_until(const std::function<bool(const Stats&)>& holds, Milliseconds limit) {
  const auto deadline = Clock::now() + limit;
  while (!holds(stats())) {
    if (Clock::now() >= deadline) return false;
    std::this_thread::sleep_for(asked_again_after);
  }
  return true;
}

}  // namespace chipgate::sim
