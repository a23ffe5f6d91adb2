// An admin server over the fakes, on a thread of its own.
#pragma once

#include "chipgate/admin/readiness.hpp"
#include "chipgate/admin/server.hpp"
#include "chipgate/telemetry/exposition.hpp"
#include "chipgate/telemetry/log.hpp"
#include "fakes.hpp"
#include "unit/support/quiet_life.hpp"

#include <boost/asio/post.hpp>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace chipgate::admin {

class FakeSource : public telemetry::MetricsSource, public ReadinessSource, public ConfigurationSource {
 public:
  std::span<const telemetry::ChipSample> chips() const override { return chips_; }
  std::span<const telemetry::ShardCounters* const> shards() const override { return shards_; }
  std::vector<telemetry::EndpointSample> endpoints() const override {
    on_endpoints();
    return {};
  }
  std::uint64_t log_dropped() const override { return dropped; }
  telemetry::LedgerSample ledger() const override { return {}; }
  const telemetry::LifeSource& life() const override { return life_; }
  Readiness readiness() const override { return current; }
  std::string redacted() const override { return "gateway:\n  password: \"***\"\n"; }
  net::Task<ReloadAnswer> reload() override {
    ++reloads;
    co_return reloaded;
  }

  std::function<void()> on_endpoints = [] {};
  std::uint64_t dropped = 0;
  ReloadAnswer reloaded{};
  int reloads = 0;
  Readiness current{Ready::yes, {{"ports", "bound"}}};

 private:
  test::QuietLife life_;
  telemetry::ChipCounters counters_;
  telemetry::ShardCounters shard_;
  std::vector<telemetry::ChipSample> chips_{{"c1", &counters_}};
  std::vector<const telemetry::ShardCounters*> shards_{&shard_};
};

// Keeps what was logged.
class KeepingSink : public telemetry::LineSink {
 public:
  explicit KeepingSink(std::string& text) : text_(text) {}
  telemetry::Written write(std::string_view line) override {
    text_ += line;
    return telemetry::Written::whole;
  }

 private:
  std::string& text_;
};

class SilentSink : public telemetry::LineSink {
 public:
  telemetry::Written write(std::string_view) override { return telemetry::Written::whole; }
};

inline constexpr const char* test_token = "correct-horse-battery-staple";

// Everything that an admin server stands on.
struct AdminWorld {
  AdminWorld() {
    for (const auto& chip : {active_chip("alpha", 20001, 41), released_chip("beta", 20002)}) {
      control.chips_by_id.insert_or_assign(chip.spec.id, chip);
    }
  }
  ~AdminWorld() { stop(); }

  void start(AdminOptions options = {}, const ServerLimits& limits = {}) {
    options.listen.port = 0;
    options.hosts = {"admin.example"};
    server = std::make_unique<Server>(context, options, ServerSources{exposition, source, log, &api}, limits);
    port = server->port();
    thread = std::thread([this] { context.run(); });
  }

  // The io_context runs out of work by itself, or this hangs.
  void stop() {
    if (!thread.joinable()) return;
    boost::asio::post(context, [this] { server.reset(); });
    thread.join();
    context.restart();
  }

  // On the control thread, which nothing else may touch the fakes from while it runs.
  void run(const std::function<void()>& work) {
    std::promise<void> done;
    boost::asio::post(context, [&] {
      work();
      done.set_value();
    });
    done.get_future().wait();
  }

  // An event that is committed, and then told of.
  void happen(std::int64_t id, std::string type = "chip.active", std::string chip = "alpha") {
    run([&] {
      ledger::EventRow row{.id = id, .at = at("2026-01-02T03:04:05Z"), .type = std::move(type), .chip = chip_id(chip)};
      row.body = "{\"n\":" + std::to_string(id) + "}";
      ledger.event_rows.push_back(row);
      control.tell(row);
    });
  }

  boost::asio::io_context context{1};
  FakeControl control;
  FakeLedger ledger;
  FakeSource source;
  telemetry::Exposition exposition{source};
  telemetry::Log log{{.path = {}}, std::make_unique<SilentSink>()};
  EventFeed feed{context, control, ledger};
  Api api{control, ledger, source, feed, Secret(test_token), Price{2.5, "EUR"}};
  std::unique_ptr<Server> server;
  std::thread thread;
  std::uint16_t port = 0;
};

}  // namespace chipgate::admin
