// Resolving endpoints again and again.
#include "chipgate/gateway/names.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>

namespace chipgate::gateway {
namespace {

constexpr Milliseconds first_retry{1'000};

}  // namespace

Names::Names(boost::asio::io_context& control, net::Resolver& resolver, const GatewayOptions& options, Publish publish)
    : control_(control), resolver_(resolver), refresh_(options.resolve_every), publish_(std::move(publish)) {
  for (const auto& endpoint : options.endpoints) entries_.emplace_back(control, endpoint.host);
}

void Names::start() {
  for (std::size_t i = 0; i < entries_.size(); ++i) ask(i);
}

void Names::stop() {
  stopped_ = true;
  for (auto& entry : entries_) entry.timer.cancel();
}

void Names::ask(std::size_t index) {
  resolver_.resolve(entries_[index].host, [this, index](net::Resolver::Answer answer) {
    boost::asio::post(control_, [this, index, answer = std::move(answer)] { answered(index, answer); });
  });
}

void Names::answered(std::size_t index, const net::Resolver::Answer& answer) {
  if (stopped_) return;
  publish_(EndpointIndex(static_cast<std::uint32_t>(index)), answer);
  auto& entry = entries_[index];
  // An address written as such stays what it is.
  if (IpAddress::parse(entry.host)) return;
  entry.retry = answer.has_error() ? std::min(refresh_, std::max(first_retry, entry.retry * 2)) : Milliseconds(0);
  entry.timer.expires_after(answer.has_error() ? entry.retry : refresh_);
  entry.timer.async_wait([this, index](boost::system::error_code error) {
    if (!error) ask(index);
  });
}

}  // namespace chipgate::gateway
