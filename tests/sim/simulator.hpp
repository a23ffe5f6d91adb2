// The simulated provider as an object: a thread of its own, and methods for any other.
#pragma once

#include "sim/faults.hpp"
#include "sim/listeners.hpp"
#include "sim/log.hpp"
#include "sim/sessions.hpp"

#include <functional>
#include <future>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace chipgate::sim {

// Runs from its construction to `stop`, which ends every connection. Its methods wait for the simulator's thread.
class Simulator {
 public:
  // Throws std::system_error for an address that cannot be bound, std::runtime_error for a file that cannot be written
  // or a target that cannot be mapped.
  explicit Simulator(SimulatorOptions options = {});
  ~Simulator();
  Simulator(const Simulator&) = delete;
  Simulator& operator=(const Simulator&) = delete;

  const Ports& ports() const { return ports_; }
  const SimulatorOptions& options() const { return options_; }
  const std::string& ca_pem() const { return ca_pem_; }
  // {"ready":true,...}: what the program prints.
  std::string ready_line() const;

  // std::logic_error where the kind does not belong to the stage.
  std::uint64_t inject(Fault fault);
  void clear_faults();
  std::vector<StandingFault> faults();

  std::vector<NamedSession> sessions();
  void move(const std::string& session, const IpAddress& to);
  bool duplicate(const std::string& session, const std::string& of);
  bool end_session(const std::string& session);

  std::size_t cut_tunnels(std::string_view session, CloseHow how);
  std::size_t freeze_tunnels(std::string_view session);
  void gateway_down();
  void gateway_up();
  bool map(std::string_view target, std::string_view address);

  Stats stats();
  std::vector<LogEntry> log(std::uint64_t since = 0);
  // Asks again and again until it holds; false after `limit`.
  bool wait_until(const std::function<bool(const Stats&)>& holds, Milliseconds limit = std::chrono::seconds(5));

  void stop();

 private:
  template <class Function>
  auto ask(Function function) -> decltype(function()) {
    if (!thread_.joinable()) return function();  // stopped: nobody else is there
    std::packaged_task<decltype(function())()> task(std::move(function));
    auto answer = task.get_future();
    world_.shard.post(std::move(task));
    return answer.get();
  }

  const SimulatorOptions options_;
  World world_;
  Listeners listeners_;
  Ports ports_;
  std::string ca_pem_;
  std::thread thread_;
};

}  // namespace chipgate::sim
