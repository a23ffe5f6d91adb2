// A reader must see the same message in whatever pieces it comes.
#pragma once

#include "chipgate/base/result.hpp"
#include "fuzz.hpp"

namespace chipgate::fuzz {

struct Reading {
  std::size_t taken = 0;
  bool refused = false;
  ErrorKind why{};
};

template <class Reader>
Reading read_in_pieces(Reader& reader, std::string_view bytes, std::size_t piece) {
  Reading reading;
  while (reading.taken < bytes.size() && !reader.complete()) {
    const auto given = bytes.substr(reading.taken, piece);
    const auto taken = reader.take(given);
    if (taken.has_error()) {
      reading.refused = true;
      reading.why = taken.error().kind;
      break;
    }
    require(*taken <= given.size(), "a reader takes no more than it is given");
    require(*taken > 0, "a reader that wants more takes something");
    reading.taken += *taken;
  }
  return reading;
}

template <class Make>
void same_in_all_pieces(const Make& make, std::string_view bytes) {
  auto whole = make();
  const auto at_once = read_in_pieces(whole, bytes, bytes.size());
  for (const std::size_t piece : {1U, 7U}) {
    auto reader = make();
    const auto reading = read_in_pieces(reader, bytes, piece);
    require(reading.refused == at_once.refused, "pieces are refused where the whole is");
    if (reading.refused) {
      require(reading.why == at_once.why, "pieces are refused for the same reason");
      continue;
    }
    require(reading.taken == at_once.taken, "a message ends at the same byte");
    require(reader.complete() == whole.complete(), "a message is complete in pieces too");
    require(reader.head_complete() == whole.head_complete(), "a head is complete in pieces too");
  }
}

}  // namespace chipgate::fuzz
