// A control thread with a real ledger on a file of its own, and a data plane that plays ports, gateway and targets.
#pragma once

#include "chipgate/ledger/open.hpp"
#include "chipgate/lifecycle/service.hpp"
#include "chipgate/telemetry/line_sink.hpp"
#include "chipgate/telemetry/log.hpp"
#include "unit/support/folder.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <gtest/gtest.h>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace chipgate::lifecycle {

// Answers by post, as the real one does, in the order in which it was asked.
class PlayedPlane final : public DataPlane {
 public:
  explicit PlayedPlane(boost::asio::io_context& control) : control_(control) {}

  Result<std::uint16_t> listen(ChipIndex chip, const ChipId&, std::uint16_t port) override {
    if (taken_ports.contains(port)) return Error{ErrorKind::port_not_bound, "in use"};
    ports[chip].bound = true;
    return port == 0 ? std::uint16_t{1} : port;
  }
  void limit_whatsapp(ChipIndex chip, std::optional<std::uint32_t> most) override {
    ports[chip].most_whatsapp_sessions = most;
  }
  void close(ChipIndex chip, std::function<void()> done) override {
    calls.push_back("close");
    ports[chip].bound = false;
    ports[chip].usage = {};
    boost::asio::post(control_, std::move(done));
  }
  void open(ChipIndex chip, gateway::RoutePtr route) override {
    auto& port = ports[chip];
    if (route->epoch < port.epoch) return;
    calls.push_back("open");
    port.route = std::move(route);
  }
  void withhold(ChipIndex chip) override {
    calls.push_back("withhold");
    ports[chip].route.reset();
  }
  void fence(ChipIndex chip, Epoch next, ErrorKind why, std::function<void()> done) override {
    calls.push_back("fence");
    auto& port = ports[chip];
    port.epoch = next;
    port.route.reset();
    port.told = why;
    port.usage.tunnels_open = 0;
    fences.push_back(std::move(done));
    for (auto& look : std::exchange(unanswered[chip], {})) {
      boost::asio::post(control_, [look = std::move(look)] { look({Error{ErrorKind::fenced}}); });
    }
    if (finish_fences) finish();
  }
  // The last socket of every fence that is under way is closed.
  void finish() {
    for (auto& done : std::exchange(fences, {})) boost::asio::post(control_, std::move(done));
  }
  void refuse(ChipIndex chip, const Error& why) override { ports[chip].refusals.push_back(why); }
  void explain(ChipIndex chip, const Error& why) override { ports[chip].explained = why.kind; }
  void look(ChipIndex chip, gateway::RoutePtr route, protocol::HttpUrl echo, Milliseconds,
            std::function<void(Looked)> done) override {
    ++looks;
    Looked looked{exit_of(*route, echo), 100, 200};
    if (route->epoch < ports[chip].epoch) looked.address = Error{ErrorKind::fenced};
    ++looks_of[route->session.value()];
    if (hold_looks) return unanswered[chip].push_back(std::move(done));
    boost::asio::post(control_, [looked, done = std::move(done)] { done(looked); });
  }
  Usage usage(ChipIndex chip) const override {
    const auto found = ports.find(chip);
    return found == ports.end() ? Usage{} : found->second.usage;
  }
  void tunnels(std::function<void(std::vector<TunnelView>)> done) override {
    boost::asio::post(control_, [done = std::move(done)] { done({}); });
  }
  void cut(TunnelId, std::function<void(bool)> done) override {
    boost::asio::post(control_, [done = std::move(done)] { done(false); });
  }
  void crowds(std::function<void(std::vector<Crowd>)> done) override {
    boost::asio::post(control_, [this, done = std::move(done)] { done(crowded); });
  }

  // --- the gateway behind it: every session gets the next address of the pool, and keeps it until it is moved
  Result<IpAddress> exit_of(const gateway::Route& route, const protocol::HttpUrl& echo) {
    if (failure) return *failure;
    if (silent_endpoints.contains(route.endpoint)) return Error{ErrorKind::gateway_silent};
    if (refusing_endpoints.contains(route.endpoint)) return Error{ErrorKind::gateway_refused};
    if (silent_sessions.contains(route.session.value())) return Error{ErrorKind::gateway_silent};
    if (silent_echoes.contains(echo.authority.host)) return Error{ErrorKind::gateway_silent};
    auto [place, fresh] = exits.try_emplace(route.session.value());
    if (fresh) place->second = pool.at(next_exit++ % pool.size());
    const auto lie = lies.find(echo.authority.host);
    return lie == lies.end() ? place->second : lie->second;
  }
  static IpAddress address(unsigned last) { return *IpAddress::parse("192.0.2." + std::to_string(last)); }

  struct Port {
    bool bound = false;
    Epoch epoch{1};
    gateway::RoutePtr route;
    std::optional<ErrorKind> told;
    std::vector<Error> refusals;
    std::optional<ErrorKind> explained;
    std::optional<std::uint32_t> most_whatsapp_sessions;
    Usage usage;
  };
  std::map<ChipIndex, Port> ports;
  std::vector<std::string> calls;
  std::vector<std::function<void()>> fences;
  bool finish_fences = true;
  std::set<std::uint16_t> taken_ports;
  std::vector<Crowd> crowded;
  std::size_t looks = 0;
  std::map<std::string, std::size_t> looks_of;  // by session
  bool hold_looks = false;                      // until their chip is fenced
  std::map<ChipIndex, std::vector<std::function<void(Looked)>>> unanswered;

  std::vector<IpAddress> pool{address(1), address(2), address(3), address(4), address(5)};
  std::size_t next_exit = 0;
  std::map<std::string, IpAddress> exits;
  std::map<std::string, IpAddress> lies;  // what one echo says whatever is true
  std::set<std::string> silent_echoes;
  std::set<std::string> silent_sessions;
  std::set<EndpointIndex> silent_endpoints;
  std::set<EndpointIndex> refusing_endpoints;
  std::optional<Error> failure;

 private:
  boost::asio::io_context& control_;
};

class NoLines final : public telemetry::LineSink {
 public:
  telemetry::Written write(std::string_view) override { return telemetry::Written::whole; }
};

class World : public testing::Test, private EventListener {
 protected:
  World() {
    ledger_options.path = folder_ / "chipgate.db";
    options.endpoint_names = {"http://one:1", "http://two:2"};
    options.preset = "smartproxy";
    options.instance = "test";
    options.life.verify.echoes_v4 = {{{"echo-a", 80}, "/"}, {{"echo-b", 80}, "/"}};
    options.life.draw.retry_min = Milliseconds(10);
    options.life.draw.retry_max = Milliseconds(40);
    options.life.draw.per_second = 10'000;
    options.wall_clock = [this] { return std::chrono::system_clock::now() + set_forward; };
  }
  ~World() override { close(); }

  // A chipgate that starts on the ledger as it is.
  void open() {
    control = std::make_unique<boost::asio::io_context>(1);
    plane = std::make_unique<PlayedPlane>(*control);
    opened.emplace(ledger::open_ledger(ledger_options, *control, "test"));
    service = std::make_unique<Service>(*control, options, *plane, *opened->ledger, provider, log, seeded());
    service->subscribe(*this);
    for (auto& row : opened->restored.live) row.assigned_at -= older;
    service->begin(chips, opened->restored);
    service->start();
  }
  // As kill -9 would: nothing is told, nothing is finished.
  void close() {
    if (service) service->unsubscribe(*this);
    service.reset();
    opened.reset();
    // The plane's callbacks hold coroutines of the control thread.
    plane.reset();
    control.reset();
  }
  void reopen() {
    auto exits = plane->exits;
    const auto next = plane->next_exit;
    close();
    open();
    plane->exits = std::move(exits);
    plane->next_exit = next;
  }

  // Runs the control thread until it is so. A test that waits for what never comes fails after ten seconds.
  template <class Predicate>
  [[nodiscard]] bool until(Predicate predicate) {
    const auto patience = Clock::now() + std::chrono::seconds(10);
    while (!predicate()) {
      if (Clock::now() > patience) return false;
      if (control->stopped()) control->restart();  // it had run out of work
      control->run_one_for(Milliseconds(20));
    }
    return true;
  }
  // What the control thread has at hand, and what the ledger answers to it.
  void settle() {
    bool done = false;
    boost::asio::co_spawn(
        *control,
        [&]() -> net::Task<void> {
          (void)co_await opened->ledger->events({});
          done = true;
        },
        [](const std::exception_ptr& failure) {
          if (failure) std::rethrow_exception(failure);
        });
    EXPECT_TRUE(until([&] { return done; }));
  }
  // As every half minute does, and at once. Nothing new is drawn after it.
  void count_traffic() {
    bool counted = false;
    service->stop([&] { counted = true; });
    ASSERT_TRUE(until([&] { return counted; }));
  }
  // Begun, and answered later.
  template <class T>
  std::shared_ptr<std::optional<T>> begin(net::Task<T> task) {
    auto answer = std::make_shared<std::optional<T>>();
    boost::asio::co_spawn(
        *control, [answer, task = std::move(task)]() mutable -> net::Task<void> { *answer = co_await std::move(task); },
        [](const std::exception_ptr& failure) {
          if (failure) std::rethrow_exception(failure);
        });
    return answer;
  }
  template <class T>
  T run(net::Task<T> task) {
    const auto answer = begin(std::move(task));
    EXPECT_TRUE(until([&] { return answer->has_value(); }));
    return std::move(**answer);
  }

  static ChipId id(std::string_view name) { return *ChipId::parse(name); }
  ChipView chip(std::string_view name = "alpha") const { return *service->chip(id(name)); }
  PlayedPlane::Port& port(std::uint32_t index = 0) { return plane->ports[ChipIndex(index)]; }
  void add(std::string_view name, ledger::ConnectMode mode = ledger::ConnectMode::on_demand) {
    chips.push_back({.id = id(name), .port = static_cast<std::uint16_t>(20'001 + chips.size()), .connect = mode});
  }
  [[nodiscard]] bool until_state(State state, std::string_view name = "alpha") {
    return until([&] { return chip(name).state == state; });
  }
  ChipView connected(std::string_view name = "alpha") {
    return std::get<ChipView>(run(service->connect(id(name), std::chrono::seconds(10), Urgency::normal)));
  }
  std::vector<ledger::HistoryRow> history(ledger::AssignmentFilter filter = {}) {
    return run(opened->ledger->assignments(filter)).value();
  }
  std::size_t told(std::string_view type) const {
    return static_cast<std::size_t>(std::ranges::count(events, type, &ledger::EventRow::type));
  }

  static provider::Provider smartproxy() {
    provider::ProviderOptions made;
    made.username = "user";
    made.password = Secret("pass");
    return provider::Provider::make(made).value();
  }
  static provider::RandomBits seeded() {
    return [state = std::uint64_t{1}]() mutable { return state = state * 6364136223846793005U + 1442695040888963407U; };
  }

  ServiceOptions options;
  ledger::LedgerOptions ledger_options;
  std::vector<ChipSpec> chips;
  // By so much what an earlier process assigned is older than it really is.
  Milliseconds older{0};
  // What somebody has done to the wall clock.
  Milliseconds set_forward{0};
  telemetry::Log log{{}, std::make_unique<NoLines>()};
  provider::Provider provider = smartproxy();
  std::unique_ptr<boost::asio::io_context> control;
  std::unique_ptr<PlayedPlane> plane;
  std::optional<ledger::Opened> opened;
  std::unique_ptr<Service> service;
  std::vector<ledger::EventRow> events;

 private:
  void on_event(const ledger::EventRow& event) override { events.push_back(event); }
  test::Folder folder_;
};

}  // namespace chipgate::lifecycle
