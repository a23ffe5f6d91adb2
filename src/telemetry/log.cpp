// The log's queue and thread, which are spdlog's.
#include "chipgate/telemetry/log.hpp"

#include "chipgate/base/duration.hpp"
#include "chipgate/telemetry/counter.hpp"
#include "chipgate/telemetry/log_format.hpp"

#include <atomic>
#include <csignal>
#include <pthread.h>
#include <spdlog/async_logger.h>
#include <spdlog/details/thread_pool.h>
#include <spdlog/sinks/sink.h>

namespace chipgate::telemetry {
namespace {

// Some seconds of a busy log, about 1.5 MB.
constexpr std::size_t queue_length = 4096;

// Lines come finished, so spdlog's patterns ("%v" would be ours) are left out altogether.
class SinkAdapter : public spdlog::sinks::sink {
 public:
  explicit SinkAdapter(std::unique_ptr<LineSink> lines) : lines_(std::move(lines)) {}

  void log(const spdlog::details::log_msg& message) override {
    const std::string_view line(message.payload.data(), message.payload.size());
    if (lines_->write(line) == Written::lost) lost_.increment();
  }
  void flush() override {}
  void set_pattern(const std::string&) override {}
  void set_formatter(std::unique_ptr<spdlog::formatter>) override {}

  std::error_code reopen() { return lines_->reopen(); }
  std::uint64_t lost() const { return lost_.value(); }

 private:
  std::unique_ptr<LineSink> lines_;
  Counter lost_;
};

// Signals are for the control thread. SIGPIPE stays blocked here too, so that a closed stderr is only an error.
void prepare_thread() {
  sigset_t all{};
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
  ::pthread_setname_np(::pthread_self(), "log");
}

}  // namespace

class Log::Impl {
 public:
  Impl(const LogOptions& options, std::unique_ptr<LineSink> lines)
      : format_(options.format),
        level_(options.level),
        access_(options.access),
        sink_(std::make_shared<SinkAdapter>(std::move(lines))),
        pool_(std::make_shared<spdlog::details::thread_pool>(queue_length, 1, prepare_thread)),
        dropping_(std::make_shared<spdlog::async_logger>("chipgate", sink_, pool_,
                                                         spdlog::async_overflow_policy::overrun_oldest)),
        waiting_(
            std::make_shared<spdlog::async_logger>("chipgate", sink_, pool_, spdlog::async_overflow_policy::block)) {}

  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  // Writes what is queued and joins the thread. Before the loggers go: a queued message shares one, and the thread
  // would be the one to destroy it.
  ~Impl() { pool_.reset(); }

  void write(const LogEvent& event) {
    const auto line = format(event, format_);
    const auto& logger = when_full_.load(std::memory_order_relaxed) == WhenFull::wait ? waiting_ : dropping_;
    logger->log(spdlog::level::info, spdlog::string_view_t(line.data(), line.size()));
  }

  std::uint64_t dropped() const { return pool_->overrun_counter() + sink_->lost(); }

  const LogFormat format_;
  std::atomic<LogLevel> level_;
  std::atomic<AccessLines> access_;
  std::atomic<WhenFull> when_full_{WhenFull::drop_oldest};
  std::shared_ptr<SinkAdapter> sink_;

 private:
  std::shared_ptr<spdlog::details::thread_pool> pool_;
  std::shared_ptr<spdlog::async_logger> dropping_;
  std::shared_ptr<spdlog::async_logger> waiting_;
};

Log::Log(const LogOptions& options) : Log(options, open_sink(options.path)) {}

Log::Log(const LogOptions& options, std::unique_ptr<LineSink> sink)
    : impl_(std::make_unique<Impl>(options, std::move(sink))) {}

Log::~Log() = default;

void Log::write(LogLevel level, std::string_view event, std::span<const LogField> fields) {
  if (enabled(level)) impl_->write({std::chrono::system_clock::now(), level, event, fields});
}

bool Log::enabled(LogLevel level) const { return level >= impl_->level_.load(std::memory_order_relaxed); }
AccessLines Log::access_lines() const { return impl_->access_.load(std::memory_order_relaxed); }
void Log::set_level(LogLevel level) { impl_->level_.store(level, std::memory_order_relaxed); }
void Log::set_access_lines(AccessLines access) { impl_->access_.store(access, std::memory_order_relaxed); }
void Log::when_full(WhenFull what) { impl_->when_full_.store(what, std::memory_order_relaxed); }
std::error_code Log::reopen() { return impl_->sink_->reopen(); }
std::uint64_t Log::dropped() const { return impl_->dropped(); }

}  // namespace chipgate::telemetry
