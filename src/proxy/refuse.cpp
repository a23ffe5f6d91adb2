// How a client is told no.
#include "chipgate/net/socket.hpp"
#include "chipgate/proxy/chip_tunnel.hpp"
#include "chipgate/proxy/client.hpp"

namespace chipgate::proxy {
namespace {

// A close with unread bytes becomes a reset, and a reset overtakes the refusal: Node and Python then never see it. So
// the client's bytes are read and dropped for a while after the answer.
constexpr Milliseconds linger_time{1'000};
constexpr std::size_t linger_bytes = 1024 * 1024;

// A reset also drops what the client's kernel has not acknowledged, and the client would see it before its answer.
constexpr Milliseconds acknowledge_time{200};
constexpr Milliseconds acknowledge_poll{5};

// What a client may have sent that is let go unheard: more than that is in no socket buffer at once.
constexpr int most_reads_at_once = 32;

}  // namespace

telemetry::AccessLine Client::line() const {
  telemetry::AccessLine line;
  line.chip = port_.chip();
  line.protocol = handshake_.kind() == protocol::RequestKind::absolute ? "http" : name(handshake_.protocol());
  line.target = target_;
  line.stages = watch_.times();
  if (route_) {
    line.session = route_->session.value();
    line.endpoint = port_.parts().dialer.endpoint(route_->endpoint).name();
  }
  return line;
}

net::Task<void> Client::refuse(Error error) {
  watch_.leave();
  if (const auto why = waiter_.called_off()) error = {*why};
  // What ends tunnels has no words for a client that has none yet, and a close without a word reads as a broken login.
  if (waiter_.called_off() && info(error.kind).status == 0) {
    error = {ErrorKind::fenced, std::string(info(error.kind).name)};
  }
  // Somebody looked whether the port is open.
  if (error == ErrorKind::client_gone && handshake_.silent()) co_return;
  refused_ = true;
  place_.reset();
  port_.counters().refusals.increment(error.kind);
  if (target_.empty() && !handshake_.target().host.empty()) target_ = handshake_.target().text();
  auto refused = line();
  refused.ended = error.kind;
  refused.detail = error.detail;
  telemetry::write(port_.parts().log, refused);

  const auto& options = port_.parts().options;
  const protocol::RefusedClient client{options.fail_style, handshake_.protocol(), handshake_.kind(),
                                       handshake_.user_agent(), options.listen.reach};
  // Whoever was let through has had its answer.
  const auto form =
      admitted_ ? protocol::RefusalForm::established_then_reset : protocol::refusal_form(client, error.kind);
  if (protocol::is_paced(form, error.kind)) co_await pace(error.kind);
  // One that ended its side may still read.
  waiter_.guard(socket_.get());
  auto answer = admitted_ ? std::string() : protocol::refusal_answer(handshake_.protocol(), form, error, wants_);
  if (waiter_.called_off()) co_return co_await dismiss(form, std::move(answer));
  co_await tell(form, std::move(answer));
}

// A bare reset is what a SOCKS client, and Node behind a user-space forwarder, take for a broken login. One write is
// all there is time for, and all that so few bytes need.
net::Task<void> Client::dismiss(protocol::RefusalForm form, std::string answer) {
  using protocol::RefusalForm;
  if (form == RefusalForm::silent_close) co_return;
  // It has asked for nothing, so that no answer would be one.
  if (form == RefusalForm::reset || handshake_.silent()) co_return reset();
  if (!answer.empty()) (void)socket_->write(answer);
  if (form == RefusalForm::established_then_reset) {
    co_await acknowledged();
    co_return reset();
  }
  for (int i = 0; i < most_reads_at_once && socket_->readable(); ++i) {
    if (socket_->read(waiter_.shard().scratch()).status != net::IoStatus::moved) break;
  }
  (void)socket_->shut_write();
  co_await acknowledged();
}

net::Task<void> Client::pace(ErrorKind why) {
  const auto now = Clock::now();
  const bool by_itself = protocol::says_nothing_of_the_chip(why) || !allowed();
  const auto due = by_itself ? port_.pacer().due_by_itself(arrived_, now) : port_.pacer().due(arrived_, now);
  const auto place = port_.take_pause();
  // With all places taken, waiting longer would only fill the memory.
  if (!place) co_return;
  if (port_.leaving()) co_return;
  waiter_.no_deadline();
  resting_ = true;
  (void)co_await waiter_.sleep_until(due);
  // From here on it is being told.
  resting_ = false;
}

net::Task<void> Client::tell(protocol::RefusalForm form, std::string answer) {
  using protocol::RefusalForm;
  if (form == RefusalForm::silent_close) co_return;
  if (form == RefusalForm::reset) {
    reset();
    co_return;
  }
  waiter_.deadline(Clock::now() + linger_time, ErrorKind::client_gone);
  const auto written = co_await waiter_.write(*socket_, answer);
  if (written.has_error() || written->status == net::IoStatus::failed) co_return;
  if (form == RefusalForm::established_then_reset) {
    co_await acknowledged();
    co_return reset();
  }
  co_await drop_until_end();
}

net::Task<void> Client::linger() {
  waiter_.deadline(Clock::now() + linger_time, ErrorKind::client_gone);
  co_await drop_until_end();
}

net::Task<void> Client::drop_until_end() {
  (void)socket_->shut_write();
  std::size_t dropped = 0;
  while (dropped < linger_bytes) {
    const auto read = co_await waiter_.read(*socket_, waiter_.shard().scratch());
    if (read.has_error() || read->status != net::IoStatus::moved) co_return;
    dropped += read->bytes;
  }
}

// The kernel has no event for an acknowledgement, so it is looked for. Sleeping on a waiter of its own, since the
// client's wakes no more once it is called off.
net::Task<void> Client::acknowledged() {
  net::Waiter waiter(waiter_.shard());
  const auto until = Clock::now() + acknowledge_time;
  while (net::unacknowledged(socket_->fd()) > 0 && Clock::now() < until) {
    (void)co_await waiter.sleep_until(Clock::now() + acknowledge_poll);
  }
}

}  // namespace chipgate::proxy
