// Handshake: what a client asks for, in HTTP, SOCKS5 or SOCKS4a, read from its first byte on.
#pragma once

#include "chipgate/base/result.hpp"
#include "chipgate/net/waiter.hpp"
#include "chipgate/protocol/authority.hpp"
#include "chipgate/protocol/basic.hpp"
#include "chipgate/protocol/http_reader.hpp"
#include "chipgate/protocol/refusal.hpp"
#include "chipgate/protocol/socks.hpp"
#include "chipgate/proxy/options.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace chipgate::proxy {

// Belongs to one client's coroutine. What became known before an error stays known: it decides how the error is told.
class Handshake {
 public:
  Handshake(net::Waiter& waiter, net::End& client, const ListenOptions& listen)
      : waiter_(waiter), client_(client), listen_(listen) {}

  // Until the request's head is complete. SOCKS clients have then been answered all but their final reply.
  net::Task<Result<void>> run();

  // A request that came behind another one: its reader, which has the head, and the bytes behind it.
  Result<void> go_on(protocol::RequestReader reader, std::string behind);

  bool silent() const { return heard_.empty() && !spoke_; }
  protocol::ClientProtocol protocol() const { return protocol_; }
  protocol::RequestKind kind() const { return kind_; }
  protocol::UserAgent user_agent() const { return user_agent_; }
  const protocol::Authority& target() const { return target_; }

  // A plain request: its reader, which goes on with the body.
  protocol::RequestReader& reader() { return reader_; }
  // Whether bytes came behind the request's head, and which.
  bool has_early() const { return !heard_.empty(); }
  std::string take_early() { return std::exchange(heard_, {}); }

 private:
  net::Task<Result<void>> read_http();
  Result<void> understand_http();
  void understand_refused(std::string_view head);
  net::Task<Result<void>> read_socks5();
  net::Task<Result<void>> read_socks4();
  net::Task<Result<void>> hear_more();
  net::Task<Result<void>> say(std::string words);
  template <class T>
  net::Task<Result<T>> hear(protocol::Parse<T> (*parse)(std::string_view));
  net::Task<Result<void>> authenticate_socks5(const protocol::SocksGreeting& greeting);
  Result<void> accept_socks(const protocol::SocksRequest& request);

  net::Waiter& waiter_;
  net::End& client_;
  const ListenOptions& listen_;

  std::string heard_;
  bool spoke_ = false;
  bool denied_ = false;
  protocol::ClientProtocol protocol_ = protocol::ClientProtocol::http;
  protocol::RequestKind kind_ = protocol::RequestKind::none_yet;
  protocol::UserAgent user_agent_ = protocol::UserAgent::absent;
  protocol::Authority target_;
  protocol::RequestReader reader_;
};

// Whether a request's Proxy-Authorization is the port's; true where the port wants none.
bool authorized(const ListenOptions& listen, const protocol::RequestHead& head);

}  // namespace chipgate::proxy
