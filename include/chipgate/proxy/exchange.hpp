// Exchange: one plain request and its answer, both directions at once.
#pragma once

#include "chipgate/base/result.hpp"
#include "chipgate/base/secret.hpp"
#include "chipgate/gateway/options.hpp"
#include "chipgate/gateway/route.hpp"
#include "chipgate/net/waiter.hpp"
#include "chipgate/protocol/http_reader.hpp"
#include "chipgate/protocol/http_rewrite.hpp"
#include "chipgate/proxy/port_counters.hpp"
#include "chipgate/relay/options.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace chipgate::proxy {

// Both at once, since an origin may answer before the body is through, or want to be asked for it (100-continue). Lives
// in its coroutine's frame.
class Exchange {
 public:
  struct Ends {
    net::Waiter& waiter;
    net::End& client;
    net::End& upstream;
    PortCounters& counters;
    gateway::EndpointKind gateway;
    const gateway::Route& route;
    const relay::RelayOptions& quiet;  // how long either side may be
  };

  // `behind` are bytes that the client has sent behind the head; what belongs to the next request is left there.
  Exchange(Ends ends, protocol::RequestReader& request, std::string& behind);

  // Until the answer is delivered. `head` is what goes to the upstream first, by `until`. Where no body takes
  // its time, the client hears something by `promised`, or a little later where next to nothing is left until then.
  net::Task<Result<void>> run(const Secret& head, TimePoint until, TimePoint promised);

  // Whether a byte of an answer went to the client: from then on it can only be cut off.
  bool answered() const { return answered_; }
  // Whether the request could be sent once more: nothing of it but the head is gone.
  bool repeatable() const { return !answered_ && !body_sent_ && !heard_; }
  // Where the gateway named an exit that is none of the route's: nothing of that answer is delivered.
  const std::optional<IpAddress>& other_exit() const { return other_exit_; }
  // Whether the gateway said anything.
  bool heard() const { return heard_; }
  // Whether the upstream had less time to answer than others have: its silence says nothing.
  bool was_cut_short() const { return cut_short_; }
  bool upstream_reusable() const { return upstream_reusable_; }
  protocol::KeepAlive client_keep_alive() const { return keep_alive_; }
  std::uint64_t bytes_up() const { return bytes_up_; }
  std::uint64_t bytes_down() const { return bytes_down_; }

 private:
  // What the exchange waits for, for how long (zero is for ever), and what it means in vain.
  struct Awaited {
    Milliseconds longest;
    ErrorKind late;
  };

  Awaited awaited() const;
  bool client_owes_body() const;
  void wait_from(TimePoint since, TimePoint promised);

  enum class Progress : std::uint8_t { none, some };

  Result<Progress> push_request();
  Result<Progress> fetch_body();
  Result<Progress> pull_answer();
  Result<Progress> deliver();
  Result<void> take_answer(std::string_view bytes);
  Result<void> answer_head();
  protocol::ResponseHead for_client(const protocol::ResponseHead& head) const;
  Result<void> upstream_ended();
  void count_up(std::size_t bytes);
  std::uint64_t moved() const { return bytes_up_ + bytes_down_; }
  bool finished() const { return answer_.complete() && final_ && to_client_.empty(); }

  Ends ends_;
  protocol::RequestReader& request_;
  std::string& behind_;
  protocol::ResponseTo response_to_;
  protocol::ResponseReader answer_;
  std::string to_upstream_;
  std::string to_client_;
  protocol::KeepAlive keep_alive_;
  std::uint64_t bytes_up_ = 0;
  std::uint64_t bytes_down_ = 0;
  std::optional<IpAddress> other_exit_;
  int interim_answers_ = 0;
  bool head_begun_ = false;  // and not complete: its next bytes buy it no time
  bool final_ = false;       // the head of the final answer was seen
  bool upstream_deaf_ = false;
  bool upstream_reusable_ = true;
  bool answered_ = false;
  bool body_sent_ = false;
  bool body_took_time_ = false;
  bool cut_short_ = false;
  bool heard_ = false;
};

}  // namespace chipgate::proxy
