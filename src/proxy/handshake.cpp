// Reading a client's request.
#include "chipgate/proxy/handshake.hpp"

#include "chipgate/base/ascii.hpp"
#include "chipgate/protocol/http_rewrite.hpp"
#include "chipgate/protocol/sniff.hpp"
#include "chipgate/protocol/socks.hpp"

namespace chipgate::proxy {

using protocol::ClientProtocol;
using protocol::RequestKind;

namespace {

bool equal(const ClientCredentials& ours, const protocol::BasicCredentials& theirs) {
  // Both are compared, so that the time does not tell which of the two was wrong.
  const bool username = Secret(ours.username).equals(theirs.username);
  const bool password = ours.password.equals(theirs.password.reveal());
  return username && password;
}

}  // namespace

bool authorized(const ListenOptions& listen, const protocol::RequestHead& head) {
  if (!listen.credentials) return true;
  const auto value = head.fields.find("Proxy-Authorization");
  const auto theirs = value ? protocol::parse_basic(*value) : std::nullopt;
  return theirs && equal(*listen.credentials, *theirs);
}

net::Task<Result<void>> Handshake::run() {
  const auto heard = co_await hear_more();
  if (heard.has_error()) co_return heard.error();
  const auto protocol = protocol::sniff(heard_.front());
  if (!protocol) co_return Error{ErrorKind::malformed_request};
  protocol_ = *protocol;
  switch (protocol_) {
    case ClientProtocol::http: co_return co_await read_http();
    case ClientProtocol::socks5: co_return co_await read_socks5();
    case ClientProtocol::socks4: co_return co_await read_socks4();
  }
  co_return Error{ErrorKind::malformed_request};
}

net::Task<Result<void>> Handshake::hear_more() {
  const auto room = waiter_.shard().scratch();
  const auto read = co_await waiter_.read(client_, room);
  if (read.has_error()) co_return read.error();
  if (read->status == net::IoStatus::failed || (read->status == net::IoStatus::eof && !spoke_)) {
    co_return Error{ErrorKind::client_gone};
  }
  if (read->status == net::IoStatus::eof) co_return Error{ErrorKind::head_truncated};
  spoke_ = true;
  heard_.append(room.data(), read->bytes);
  co_return Result<void>();
}

net::Task<Result<void>> Handshake::say(std::string words) {
  const auto written = co_await waiter_.write(client_, words);
  if (written.has_error()) co_return written.error();
  if (written->status == net::IoStatus::failed) co_return Error{ErrorKind::client_gone};
  co_return Result<void>();
}

net::Task<Result<void>> Handshake::read_http() {
  for (;;) {
    const auto taken = reader_.take(heard_);
    if (taken.has_error()) {
      understand_refused(reader_.refused_head());
      co_return taken.error();
    }
    heard_.erase(0, *taken);
    if (reader_.head_complete()) break;
    const auto heard = co_await hear_more();
    if (heard.has_error()) co_return heard.error();
  }
  co_return understand_http();
}

// A head whose first line is a CONNECT's asks for a tunnel, whatever is wrong with the rest of it.
void Handshake::understand_refused(std::string_view head) {
  const auto line = head.substr(0, head.find("\r\n"));
  const bool whole = line.size() < head.size();
  if (!whole || !line.starts_with("CONNECT ") || !(line.ends_with(" HTTP/1.1") || line.ends_with(" HTTP/1.0"))) return;
  kind_ = RequestKind::connect;
  if (lower(head).find("\r\nuser-agent:") != std::string::npos) user_agent_ = protocol::UserAgent::present;
}

Result<void> Handshake::go_on(protocol::RequestReader reader, std::string behind) {
  reader_ = std::move(reader);
  heard_ = std::move(behind);
  user_agent_ = protocol::UserAgent::absent;
  target_ = {};
  return understand_http();
}

Result<void> Handshake::understand_http() {
  const auto& head = reader_.head();
  if (head.fields.has("User-Agent")) user_agent_ = protocol::UserAgent::present;
  if (head.method == "CONNECT") {
    kind_ = RequestKind::connect;
    auto target = protocol::parse_authority(head.target);
    if (!target) return Error{ErrorKind::malformed_request, "CONNECT wants host:port"};
    target_ = std::move(*target);
  } else {
    kind_ = RequestKind::absolute;
    auto url = protocol::requested_url(head);
    if (url.has_error()) return url.error();
    target_ = std::move(url->authority);
  }
  if (!authorized(listen_, head)) return Error{ErrorKind::client_auth_required};
  return {};
}

template <class T>
net::Task<Result<T>> Handshake::hear(protocol::Parse<T> (*parse)(std::string_view)) {
  for (;;) {
    auto parsed = parse(heard_);
    if (parsed.has_error()) co_return parsed.error();
    if (auto& taken = *parsed) {
      heard_.erase(0, taken->bytes);
      co_return std::move(taken->value);
    }
    const auto heard = co_await hear_more();
    if (heard.has_error()) co_return heard.error();
  }
}

net::Task<Result<void>> Handshake::read_socks5() {
  const auto greeting = co_await hear(protocol::parse_socks5_greeting);
  if (greeting.has_error()) co_return greeting.error();
  const auto authenticated = co_await authenticate_socks5(*greeting);
  if (authenticated.has_error()) co_return authenticated.error();
  const auto request = co_await hear(protocol::parse_socks5_request);
  if (request.has_error()) {
    // The request was asked as far as an answer to it goes: 8, or a reset.
    if (request.error().kind == ErrorKind::socks_address_unknown) kind_ = RequestKind::connect;
    co_return request.error();
  }
  co_return accept_socks(*request);
}

// A failed authentication would be told with a status that WhatsApp clients take for a broken login. So wrong
// credentials are let pass here, and denied where the request is answered.
net::Task<Result<void>> Handshake::authenticate_socks5(const protocol::SocksGreeting& greeting) {
  using protocol::SocksMethod;
  if (!greeting.no_auth && !greeting.password) {
    const auto said = co_await say(protocol::socks5_method(SocksMethod::none_acceptable));
    if (said.has_error()) co_return said.error();
    co_return Error{ErrorKind::client_auth_required, "the client offers no known SOCKS method"};
  }
  const bool ask = greeting.password && (listen_.credentials || !greeting.no_auth);
  auto said = co_await say(protocol::socks5_method(ask ? SocksMethod::password : SocksMethod::no_auth));
  if (said.has_error()) co_return said.error();
  denied_ = listen_.credentials.has_value();
  if (!ask) co_return Result<void>();
  const auto credentials = co_await hear(protocol::parse_socks5_credentials);
  if (credentials.has_error()) co_return credentials.error();
  if (listen_.credentials) denied_ = !equal(*listen_.credentials, *credentials);
  said = co_await say(protocol::socks5_auth_status(protocol::SocksAuth::accepted));
  co_return said;
}

net::Task<Result<void>> Handshake::read_socks4() {
  const auto request = co_await hear(protocol::parse_socks4_request);
  if (request.has_error()) co_return request.error();
  denied_ = listen_.credentials.has_value();
  co_return accept_socks(*request);
}

Result<void> Handshake::accept_socks(const protocol::SocksRequest& request) {
  kind_ = RequestKind::connect;
  target_ = request.target;
  if (request.command != protocol::SocksCommand::connect) return Error{ErrorKind::socks_command_refused};
  if (target_.host.empty()) {
    return Error{ErrorKind::malformed_request, "the SOCKS target is not a host and a port"};
  }
  if (denied_) return Error{ErrorKind::client_auth_required};
  return {};
}

}  // namespace chipgate::proxy
