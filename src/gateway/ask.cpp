// The CONNECT that goes to the gateway, and its answer.
#include "chipgate/gateway/ask.hpp"

#include "chipgate/protocol/http_reader.hpp"
#include "chipgate/protocol/http_rewrite.hpp"
#include "chipgate/protocol/socks.hpp"
#include "chipgate/provider/status.hpp"

#include <system_error>

namespace chipgate::gateway {
namespace {

// A gateway that only ever sends 1xx answers is not answering.
constexpr int most_interim_answers = 8;

// Everything that a SOCKS5 server says before the tunnel fits: 2 + 2 + 262 bytes.
constexpr std::size_t most_socks_bytes = 1024;

net::Task<Result<void>> say(net::Waiter& waiter, net::End& upstream, const Secret& words) {
  const auto written = co_await waiter.write(upstream, words.reveal());
  if (written.has_error()) co_return written.error();
  if (written->status == net::IoStatus::failed) co_return gateway_failure(*written);
  co_return Result<void>();
}

struct Answer {
  protocol::ResponseHead head;
  std::string behind;
};

net::Task<Result<Answer>> read_answer(net::Waiter& waiter, net::End& upstream) {
  std::string behind;
  for (int i = 0; i < most_interim_answers; ++i) {
    protocol::ResponseReader reader(protocol::ResponseTo::connect);
    auto bytes = std::exchange(behind, {});
    while (!reader.head_complete()) {
      if (bytes.empty()) {
        const auto room = waiter.shard().scratch();
        const auto read = co_await waiter.read(upstream, room);
        if (read.has_error()) co_return read.error();
        if (read->status != net::IoStatus::moved) co_return gateway_failure(*read);
        bytes.assign(room.data(), read->bytes);
      }
      const auto taken = reader.take(bytes);
      if (taken.has_error()) co_return taken.error();
      bytes.erase(0, *taken);
    }
    behind = std::move(bytes);
    // Nobody asked to switch, and what follows is no HTTP any more.
    if (reader.head().status == 101) co_return Error{ErrorKind::gateway_garbled, "101 without an upgrade"};
    if (reader.head().status >= 200) co_return Answer{reader.head(), std::move(behind)};
  }
  co_return Error{ErrorKind::gateway_garbled, "only interim answers"};
}

// Reads until `parse` has its value, and takes the value's bytes out of `heard`, which lives across the steps.
template <class T>
net::Task<Result<T>> hear(net::Waiter& waiter, net::End& upstream, std::string& heard,
                          protocol::Parse<T> (*parse)(std::string_view)) {
  for (;;) {
    const auto parsed = parse(heard);
    if (parsed.has_error()) co_return parsed.error();
    if (const auto& taken = *parsed) {
      heard.erase(0, taken->bytes);
      co_return taken->value;
    }
    if (heard.size() > most_socks_bytes) co_return Error{ErrorKind::gateway_garbled};
    const auto room = waiter.shard().scratch();
    const auto read = co_await waiter.read(upstream, room);
    if (read.has_error()) co_return read.error();
    if (read->status != net::IoStatus::moved) co_return gateway_failure(*read);
    heard.append(room.data(), read->bytes);
  }
}

}  // namespace

Error gateway_failure(const net::IoOutcome& outcome) {
  if (outcome.status == net::IoStatus::eof) return {ErrorKind::gateway_closed};
  return {ErrorKind::gateway_closed, std::generic_category().message(outcome.error)};
}

net::Task<Result<Connected>> ask_http(net::Waiter& waiter, net::EndPtr upstream, const Route& route,
                                      const protocol::Authority& target) {
  const auto request = protocol::connect_request(target, route.authorization_line.reveal());
  const auto said = co_await say(waiter, *upstream, request);
  if (said.has_error()) co_return said.error();
  auto answer = co_await read_answer(waiter, *upstream);
  if (answer.has_error()) co_return answer.error();
  if (answer->head.status > 299) {
    co_return error_of_status(route, answer->head.status, answer->head.fields);
  }
  co_return Connected{std::move(upstream), std::move(answer->behind), provider::exit_address(answer->head.fields)};
}

net::Task<Result<Connected>> ask_socks5(net::Waiter& waiter, net::EndPtr upstream, const Route& route,
                                        const protocol::Authority& target) {
  std::string heard;
  const Secret greeting(protocol::socks5_client_greeting());
  auto said = co_await say(waiter, *upstream, greeting);
  if (said.has_error()) co_return said.error();
  const auto method = co_await hear(waiter, *upstream, heard, protocol::parse_socks5_method_answer);
  if (method.has_error()) co_return method.error();

  said = co_await say(waiter, *upstream, route.socks_credentials);
  if (said.has_error()) co_return said.error();
  const auto auth = co_await hear(waiter, *upstream, heard, protocol::parse_socks5_auth_answer);
  if (auth.has_error()) co_return auth.error();
  if (*auth == protocol::SocksAuth::rejected) co_return Error{ErrorKind::provider_auth};

  const Secret request(protocol::socks5_client_request(target));
  said = co_await say(waiter, *upstream, request);
  if (said.has_error()) co_return said.error();
  const auto reply = co_await hear(waiter, *upstream, heard, protocol::parse_socks5_reply);
  if (reply.has_error()) co_return reply.error();
  if (*reply != 0) co_return Error{protocol::error_of_socks_reply(*reply), "SOCKS reply " + std::to_string(*reply)};
  co_return Connected{std::move(upstream), std::move(heard), std::nullopt};
}

}  // namespace chipgate::gateway
