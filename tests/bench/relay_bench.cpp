// What a shard costs: processor time per tunnel, echo and gigabyte, heap per idle tunnel and quiet port. With --smoke a
// hundredth of the work, which shows that it runs and makes no figures.
#include "chipgate/net/descriptors.hpp"
#include "chipgate/proxy/plane.hpp"
#include "load.hpp"

#include <boost/asio/io_context.hpp>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <malloc.h>
#include <memory>
#include <poll.h>
#include <set>
#include <string>
#include <string_view>
#include <sys/utsname.h>
#include <thread>

namespace chipgate::bench {
namespace {

class NoLines final : public telemetry::LineSink {
 public:
  telemetry::Written write(std::string_view) override { return telemetry::Written::whole; }
};

class NoEvents final : public lifecycle::DataPlaneEvents {
 public:
  void wanted(ChipIndex) override {}
  void endpoint_news(EndpointIndex, gateway::EndpointNews) override {}
  void gateway_news(ChipIndex, Epoch, const Error&) override {}
  void other_exit(ChipIndex, Epoch, const IpAddress&) override {}
  void same_exit(ChipIndex, Epoch, const IpAddress&) override {}
};

std::set<pid_t> threads() {
  std::set<pid_t> ids;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/task")) {
    ids.insert(std::stoi(entry.path().filename()));
  }
  return ids;
}

// Of one thread of this process: what pthread_getcpuclockid would give for it.
double processor_seconds(pid_t thread) {
  const auto clock = static_cast<clockid_t>((~static_cast<unsigned>(thread) << 3) | 6U);
  timespec time{};
  ::clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

double heap() { return static_cast<double>(mallinfo2().uordblks); }

void print_facts() {
  utsname system{};
  ::uname(&system);
  std::string model;
  std::ifstream cpus("/proc/cpuinfo");
  for (std::string line; model.empty() && std::getline(cpus, line);) {
    if (line.starts_with("model name")) model = line.substr(line.find(':') + 2);
  }
#ifdef __OPTIMIZE__
  constexpr const char* build = "release";
#else
  constexpr const char* build = "debug: the figures mean little";
#endif
  std::printf("%u x %s, Linux %s, %s, %s\n\n", std::thread::hardware_concurrency(), model.c_str(), system.release,
              __VERSION__, build);
}

class Bench {
 public:
  // Of each figure's work, one part in so many is done.
  explicit Bench(std::uint64_t part) : part_(part) {
    options_.proxy.workers = 1;
    options_.proxy.limits.tunnels_per_chip = 1'000'000;
    options_.gateway.endpoints = {{gateway::EndpointKind::http, "127.0.0.1", load_.gateway_port()}};
    log_.emplace(telemetry::LogOptions{}, std::make_unique<NoLines>());
    plane_.emplace(options_, control_, *log_);
    load_.use_port(plane_->listen(ChipIndex(0), *ChipId::parse("bench"), 0).value());
    const auto before = threads();
    plane_->start(events_);
    for (const auto id : threads()) {
      if (!before.contains(id)) shard_ = id;
    }
    plane_->publish(EndpointIndex(0), std::vector{IpAddress::v4({127, 0, 0, 1})});
    const provider::Credentials credentials{Secret("user-session-chip-bench-1"), Secret("password")};
    plane_->open(ChipIndex(0), gateway::make_route(SessionIdentifier("chip-bench-1"), Epoch(1), EndpointIndex(0),
                                                   credentials, gateway::IpLiterals::carried));
  }

  void run() {
    load_.run(Work::tunnels, 500 / part_);  // warm
    quiet();
    per("CPU per tunnel (accept, CONNECT, close)", Work::tunnels, 5'000, 1e6, "us");
    per("CPU per tunnel, 16 clients at once", Work::tunnels_together, 10'000, 1e6, "us");
    per("CPU per echo of 64 bytes", Work::echoes, 160'000, 1e6, "us");
    const auto turns = plane_->shard_samples().front()->turns.value();
    constexpr std::uint64_t gigabyte = 1'000'000'000;
    per("CPU per GB, one flow", Work::bulk, 2 * gigabyte, 1e9, "s");
    std::printf("%-44s %10.0f KiB\n", "  bytes a turn", 2e9 / 1024 / static_cast<double>(since(turns) * part_));
    per("CPU per GB, 16 flows", Work::bulks, 2 * gigabyte, 1e9, "s");
    const std::uint64_t held = 2'000 / part_;
    const double before = heap();
    load_.run(Work::hold, held);
    quiet();
    std::printf("%-44s %10.0f bytes\n", "heap per idle tunnel", (heap() - before) / static_cast<double>(held));
  }

  // Ports of a plane of their own, which nobody ever connects to.
  void quiet_ports() {
    const auto ports = static_cast<std::uint32_t>(2'000 / part_);
    proxy::Plane plane(options_, control_, *log_);
    const double before = heap();
    for (std::uint32_t i = 0; i < ports; ++i) {
      (void)plane.listen(ChipIndex(i), *ChipId::parse("chip-" + std::to_string(i)), 0).value();
    }
    std::printf("%-44s %10.0f bytes\n", "heap per quiet port, counters included", (heap() - before) / ports);
  }

 private:
  // What was closed last has been seen.
  static void quiet() { ::poll(nullptr, 0, 100); }

  std::uint64_t since(std::uint64_t turns) const { return plane_->shard_samples().front()->turns.value() - turns; }

  void per(const char* what, Work work, std::uint64_t whole, double scale, const char* unit) {
    const auto count = whole / part_;
    const double before = processor_seconds(shard_);
    load_.run(work, count);
    quiet();
    const double spent = processor_seconds(shard_) - before;
    std::printf("%-44s %10.2f %s\n", what, spent / static_cast<double>(count) * scale, unit);
  }

  Load load_;  // first: it forks
  std::uint64_t part_;
  boost::asio::io_context control_{1};
  NoEvents events_;
  proxy::PlaneOptions options_;
  std::optional<telemetry::Log> log_;
  std::optional<proxy::Plane> plane_;
  pid_t shard_ = 0;
};

}  // namespace
}  // namespace chipgate::bench

int main(int argc, char** argv) {
  const std::string_view how = argc > 1 ? argv[1] : "";
  std::signal(SIGPIPE, SIG_IGN);
  chipgate::net::raise_descriptor_limit();
  chipgate::bench::print_facts();
  chipgate::bench::Bench bench(how == "--smoke" ? 100 : 1);
  bench.run();
  bench.quiet_ports();
}
