// Changing: whoever writes a chip's row is the only one that does, from what it reads of the chip until the ledger has
// answered. So the ledger's last word is memory's too.
#pragma once

#include "chipgate/lifecycle/chip.hpp"

#include <utility>

namespace chipgate::lifecycle {

class Changing {
 public:
  // Where nobody else changes the chip.
  explicit Changing(ChipPtr chip) : chip_(std::move(chip)) { chip_->changing = Chip::Busy::yes; }
  // As soon as nobody else does; where that is now, at once.
  static net::Task<Changing> begin(ChipPtr chip) {
    while (chip->changing == Chip::Busy::yes) co_await chip->bell.wait_until(TimePoint::max());
    co_return Changing(chip);
  }
  ~Changing() {
    if (!chip_) return;
    chip_->changing = Chip::Busy::no;
    chip_->bell.ring();
  }
  Changing(Changing&&) = default;
  Changing& operator=(Changing&&) = delete;
  Changing(const Changing&) = delete;
  Changing& operator=(const Changing&) = delete;

 private:
  ChipPtr chip_;
};

}  // namespace chipgate::lifecycle
