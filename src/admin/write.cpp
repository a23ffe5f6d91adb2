// Writing answers: whole ones, metrics family by family, and events as they happen.
#include "chipgate/telemetry/exposition.hpp"
#include "present.hpp"
#include "wire.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <boost/json/serialize.hpp>

namespace chipgate::admin {
namespace {

enum class Framing : std::uint8_t { chunks, until_close };

// One page is what a slow reader costs.
constexpr std::size_t events_a_page = 200;

Framing framing_for(const Asking& asking) { return asking.version >= 11 ? Framing::chunks : Framing::until_close; }

net::Task<bool> write_piece(Stream& stream, const Serving& serving, Framing framing, std::string text) {
  stream.expires_after(serving.limits.write_timeout);
  boost::system::error_code error;
  if (framing == Framing::chunks) {
    std::tie(error, std::ignore) = co_await asio::async_write(stream, http::make_chunk(asio::buffer(text)), as_result);
  } else {
    std::tie(error, std::ignore) = co_await asio::async_write(stream, asio::buffer(text), as_result);
  }
  co_return !error && !serving.stopped;
}

net::Task<bool> write_end(Stream& stream, const Serving& serving, Framing framing) {
  if (framing == Framing::until_close) co_return true;
  stream.expires_after(serving.limits.write_timeout);
  const auto [error, size] = co_await asio::async_write(stream, http::make_chunk_last(), as_result);
  co_return !error;
}

// The head of an answer that is written in pieces.
net::Task<bool> write_head(Stream& stream, const Serving& serving, const Response& response, Framing framing,
                           AfterAnswer after) {
  http::response<http::empty_body> message(http::response_header<>(fields_of(response)));
  message.chunked(framing == Framing::chunks);
  message.keep_alive(after == AfterAnswer::keep);
  http::response_serializer<http::empty_body> serializer(message);
  stream.expires_after(serving.limits.write_timeout);
  const auto [error, size] = co_await http::async_write_header(stream, serializer, as_result);
  co_return !error && !serving.stopped;
}

net::Task<bool> write_families(Stream& stream, const Serving& serving, Framing framing) {
  for (std::size_t family = 0; family < serving.sources.exposition.family_count(); ++family) {
    // Whatever else the control thread has to do goes between two families.
    co_await asio::post(stream.get_executor(), net::use_task);
    if (serving.stopped) co_return false;
    auto text = serving.sources.exposition.render(family);
    if (text.empty()) continue;  // an empty chunk would end the body
    const bool written = co_await write_piece(stream, serving, framing, std::move(text));
    if (!written) co_return false;
  }
  co_return co_await write_end(stream, serving, framing);
}

std::string page_text(const std::vector<ledger::EventRow>& page, const std::optional<ChipId>& chip) {
  std::string text;
  for (const auto& event : page) {
    if (chip && event.chip != chip) continue;
    text += "id: " + std::to_string(event.id) + "\nevent: " + event.type +
            "\ndata: " + boost::json::serialize(present(event)) + "\n\n";
  }
  return text;
}

// Counted as long as it lives.
class StreamPlace {
 public:
  explicit StreamPlace(Serving& serving) : serving_(serving) { ++serving_.streams; }
  ~StreamPlace() { --serving_.streams; }
  StreamPlace(const StreamPlace&) = delete;
  StreamPlace& operator=(const StreamPlace&) = delete;

 private:
  Serving& serving_;
};

}  // namespace

http::fields fields_of(const Response& response) {
  http::fields fields;
  fields.set(http::field::content_type, response.content_type);
  fields.set(http::field::cache_control, "no-store");
  for (const auto& [name, value] : response.fields) fields.set(name, value);
  return fields;
}

net::Task<AfterAnswer> write_fixed(Stream& stream, const Serving& serving, const Response& response, Asking asking,
                                   AfterAnswer after) {
  http::response<http::string_body> message(http::response_header<>(fields_of(response)), response.body);
  message.result(response.status);
  message.keep_alive(after == AfterAnswer::keep);
  message.prepare_payload();
  http::response_serializer<http::string_body> serializer(message);
  stream.expires_after(serving.limits.write_timeout);
  boost::system::error_code error;
  if (asking.head_only) {
    std::tie(error, std::ignore) = co_await http::async_write_header(stream, serializer, as_result);
  } else {
    std::tie(error, std::ignore) = co_await http::async_write(stream, serializer, as_result);
  }
  co_return error ? AfterAnswer::close : after;
}

net::Task<AfterAnswer> write_metrics(Stream& stream, const Serving& serving, const Response& response, Asking asking,
                                     AfterAnswer after) {
  const auto framing = framing_for(asking);
  if (framing == Framing::until_close) after = AfterAnswer::close;
  const bool begun = co_await write_head(stream, serving, response, framing, after);
  if (!begun) co_return AfterAnswer::close;
  if (asking.head_only) co_return after;
  const bool whole = co_await write_families(stream, serving, framing);
  co_return whole ? after : AfterAnswer::close;
}

net::Task<void> write_events(Stream& stream, Serving& serving, const Response& response, Asking asking) {
  if (serving.streams >= serving.limits.event_streams) {
    const auto refusal =
        error_response(429, "too_many_streams", "as many clients as allowed follow the events already");
    co_await write_fixed(stream, serving, refusal, asking, AfterAnswer::close);
    co_return;
  }
  const StreamPlace place(serving);
  EventFeed::Reader reader(serving.sources.api->events, response.events.after);
  const auto framing = framing_for(asking);
  bool going = co_await write_head(stream, serving, response, framing, AfterAnswer::close);
  if (asking.head_only) co_return;
  // So that a client knows at once that it is heard.
  if (going) going = co_await write_piece(stream, serving, framing, "retry: 1000\n\n");
  // Other chips' events are silence to a stream of one chip.
  auto written_at = Clock::now();
  while (going) {
    const auto silent = std::chrono::duration_cast<Milliseconds>(Clock::now() - written_at);
    const auto page = co_await reader.next(events_a_page, std::max(serving.limits.heartbeat - silent, Milliseconds(0)));
    if (serving.stopped || page.has_error()) break;
    auto text = page_text(*page, response.events.chip);
    if (text.empty() && Clock::now() - written_at < serving.limits.heartbeat) continue;
    if (text.empty()) text = ": still here\n\n";
    going = co_await write_piece(stream, serving, framing, std::move(text));
    written_at = Clock::now();
  }
  if (going && !serving.stopped) co_await write_end(stream, serving, framing);
}

}  // namespace chipgate::admin
