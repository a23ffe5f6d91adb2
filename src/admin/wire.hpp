// What the sources that speak HTTP share; only they include Beast.
#pragma once

#include "connection.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

namespace chipgate::admin {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;

using Stream = beast::basic_stream<asio::generic::stream_protocol>;

inline constexpr auto as_result = asio::as_tuple(net::use_task);

enum class AfterAnswer : std::uint8_t { keep, close };

// How an answer is to be written, as the request has it.
struct Asking {
  unsigned version;
  bool head_only;
};

http::fields fields_of(const Response& response);

// An error while writing always means that the connection is of no more use.
net::Task<AfterAnswer> write_fixed(Stream& stream, const Serving& serving, const Response& response, Asking asking,
                                   AfterAnswer after);
// Bodies whose length is not known before. HTTP/1.0 knows no chunks: there the end of the connection ends the body.
net::Task<AfterAnswer> write_metrics(Stream& stream, const Serving& serving, const Response& response, Asking asking,
                                     AfterAnswer after);
// Until the client leaves or does not keep up; it comes back with the id of its last event.
net::Task<void> write_events(Stream& stream, Serving& serving, const Response& response, Asking asking);

}  // namespace chipgate::admin
