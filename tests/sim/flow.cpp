// Copying one direction.
#include "sim/flow.hpp"

#include <algorithm>

namespace chipgate::sim {

bool Flow::ready() const {
  if (over()) return false;
  if (!held_.empty() || state_ == FlowState::ending) return to_.end->writable();
  return from_.end->readable();
}

std::size_t Flow::move(std::span<char> scratch, std::size_t budget) {
  std::size_t moved = 0;
  while (moved < budget && ready()) {
    if (!held_.empty()) {
      moved += flush(budget - moved);
      continue;
    }
    if (state_ == FlowState::ending) {
      shut();
      continue;
    }
    const auto outcome = from_.end->read(scratch.first(std::min(scratch.size(), budget - moved)));
    if (outcome.status == net::IoStatus::would_block) break;
    if (outcome.status == net::IoStatus::failed) {
      if (from_.tap != nullptr) from_.tap->broke();
      state_ = FlowState::failed;
    } else if (outcome.status == net::IoStatus::eof) {
      if (from_.tap != nullptr) from_.tap->ended();
      state_ = FlowState::ending;
    } else {
      const std::string_view bytes(scratch.data(), outcome.bytes);
      if (from_.tap != nullptr) from_.tap->came(bytes);
      moved += bytes.size();
      const auto written = to_.end->writable() ? write(bytes) : 0;
      held_ = bytes.substr(written);
    }
  }
  // An end needs no budget: it must not wait for the next byte.
  if (state_ == FlowState::ending && held_.empty() && to_.end->writable()) shut();
  return moved;
}

std::size_t Flow::flush(std::size_t budget) {
  const auto written = write(std::string_view(held_).substr(flushed_, budget));
  flushed_ += written;
  if (flushed_ == held_.size()) {
    held_ = std::string();  // an idle tunnel keeps no buffer
    flushed_ = 0;
  }
  return written;
}

void Flow::shut() {
  const auto outcome = to_.end->shut_write();
  if (outcome.status != net::IoStatus::would_block) state_ = FlowState::done;
}

std::size_t Flow::write(std::string_view bytes) {
  const auto outcome = to_.end->write(bytes);
  if (outcome.status == net::IoStatus::moved) {
    if (to_.tap != nullptr) to_.tap->went(bytes.substr(0, outcome.bytes));
    return outcome.bytes;
  }
  if (outcome.status == net::IoStatus::failed) {
    if (to_.tap != nullptr) to_.tap->broke();
    state_ = FlowState::failed;
  }
  return 0;
}

}  // namespace chipgate::sim
