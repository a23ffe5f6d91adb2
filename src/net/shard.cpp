// A shard's beginning and end.
#include "chipgate/net/shard.hpp"

namespace chipgate::net {

Shard::Shard()
    : work_(context_.get_executor()),
      set_(context_),
      timers_(context_),
      tasks_(context_),
      scratch_(std::make_unique<std::array<char, scratch_size>>()) {}

Shard::~Shard() = default;

void Shard::run() { context_.run(); }

void Shard::stop() {
  tasks_.on_empty([this] {
    timers_.stop();
    set_.stop();
    work_.reset();
  });
}

}  // namespace chipgate::net
