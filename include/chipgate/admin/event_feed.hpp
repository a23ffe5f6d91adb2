// EventFeed: tells readers that there are new events; what they are is read from the ledger.
#pragma once

#include "chipgate/ledger/ledger.hpp"
#include "chipgate/lifecycle/control.hpp"
#include "chipgate/net/task.hpp"

#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <list>
#include <optional>
#include <vector>

namespace chipgate::admin {

// One for the process, on the control thread. Readers keep nothing but a position: whoever is slow costs no memory,
// and whoever comes back with the id of its last event misses none and gets none twice.
class EventFeed final : private lifecycle::EventListener {
 public:
  EventFeed(boost::asio::io_context& control, lifecycle::Control& source, ledger::Ledger& ledger);
  ~EventFeed();
  EventFeed(const EventFeed&) = delete;
  EventFeed& operator=(const EventFeed&) = delete;

  // Lets every reader that waits look around: it finds no event, and perhaps that it should end.
  void wake();
  std::size_t readers() const { return readers_.size(); }

  // A position in the stream. It must not outlive the feed.
  class Reader {
   public:
    // From behind `after`, or from what happens next.
    Reader(EventFeed& feed, std::optional<std::int64_t> after);
    ~Reader();
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;

    // The next events, at most `limit`; none where nothing happened until `patience` was over or it was woken.
    net::Task<Result<std::vector<ledger::EventRow>>> next(std::size_t limit, Milliseconds patience);
    // The id behind which `next` reads; nothing before the first event of a reader that began with what comes.
    std::optional<std::int64_t> position() const { return after_; }

   private:
    friend class EventFeed;
    EventFeed& feed_;
    std::optional<std::int64_t> after_;
    std::int64_t told_ = 0;  // there are events up to here
    boost::asio::steady_timer bell_;
  };

 private:
  void on_event(const ledger::EventRow&) override;

  boost::asio::io_context& control_;
  lifecycle::Control& source_;
  ledger::Ledger& ledger_;
  std::list<Reader*> readers_;
  std::int64_t latest_ = 0;  // 0 before the first
};

}  // namespace chipgate::admin
