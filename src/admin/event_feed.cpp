// Waking readers, and reading what they have not seen.
#include "chipgate/admin/event_feed.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>

namespace chipgate::admin {

EventFeed::EventFeed(boost::asio::io_context& control, lifecycle::Control& source, ledger::Ledger& ledger)
    : control_(control), source_(source), ledger_(ledger) {
  source_.subscribe(*this);
}

EventFeed::~EventFeed() { source_.unsubscribe(*this); }

void EventFeed::wake() {
  for (auto* const reader : readers_) reader->bell_.cancel();
}

void EventFeed::on_event(const ledger::EventRow& event) {
  latest_ = std::max(latest_, event.id);
  for (auto* const reader : readers_) {
    // A reader that began with what comes begins here.
    if (!reader->after_) reader->after_ = event.id - 1;
    reader->told_ = std::max(reader->told_, event.id);
    reader->bell_.cancel();
  }
}

EventFeed::Reader::Reader(EventFeed& feed, std::optional<std::int64_t> after)
    : feed_(feed), after_(after), bell_(feed.control_) {
  if (!after_ && feed.latest_ > 0) after_ = feed.latest_;
  // What the ledger has behind the position is not known yet; the first reading finds out.
  if (after) told_ = *after + 1;
  feed_.readers_.push_back(this);
}

EventFeed::Reader::~Reader() { feed_.readers_.remove(this); }

net::Task<Result<std::vector<ledger::EventRow>>> EventFeed::Reader::next(std::size_t limit, Milliseconds patience) {
  if (!after_ || told_ <= *after_) {
    bell_.expires_after(patience);
    co_await bell_.async_wait(boost::asio::as_tuple(net::use_task));
  }
  if (!after_ || told_ <= *after_) co_return std::vector<ledger::EventRow>();
  const auto told = told_;
  const ledger::EventFilter filter{.after = *after_, .chip = std::nullopt, .limit = limit};
  auto rows = co_await feed_.ledger_.events(filter);
  if (rows.has_error()) co_return rows.error();
  if (!rows->empty()) after_ = rows->back().id;
  // A short page is the last one: all that was told of before it was asked for has been read.
  if (rows->size() < limit && told_ == told) told_ = *after_;
  if (rows->size() == limit) told_ = std::max(told_, *after_ + 1);
  co_return rows;
}

}  // namespace chipgate::admin
