// Feeding HTTP readers, whole and in pieces.
#pragma once

#include "chipgate/base/result.hpp"
#include "wire.hpp"

#include <algorithm>
#include <gtest/gtest.h>

namespace chipgate::protocol {

// Everything up to the end of the message; what is left over is the next one's.
template <class Reader>
Result<std::size_t> take_all(Reader& reader, std::string_view bytes) {
  std::size_t total = 0;
  while (total < bytes.size() && !reader.complete()) {
    const auto taken = reader.take(bytes.substr(total));
    if (!taken) return taken;
    total += *taken;
  }
  return total;
}

// The same message in two pieces, and byte by byte, ends at the same place.
template <class Make>
void expect_end_at(const Make& make, std::string_view bytes, std::size_t end) {
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    auto reader = make();
    const auto first = take_all(reader, bytes.substr(0, cut));
    ASSERT_TRUE(first) << first.error().detail << " cut at " << cut;
    EXPECT_EQ(*first, std::min(cut, end));
    const auto second = take_all(reader, bytes.substr(*first));
    ASSERT_TRUE(second) << second.error().detail << " cut at " << cut;
    EXPECT_EQ(*first + *second, end) << "cut at " << cut;
    EXPECT_TRUE(reader.complete()) << "cut at " << cut;
  }
  auto reader = make();
  for (std::size_t i = 0; i < end; ++i) {
    EXPECT_FALSE(reader.complete()) << i;
    ASSERT_EQ(take_all(reader, bytes.substr(i, 1)).value(), 1U) << i;
  }
  EXPECT_TRUE(reader.complete());
  EXPECT_EQ(reader.take("more").value(), 0U);
}

// The kind of error that these bytes are refused with.
template <class Reader>
ErrorKind fault_of(Reader reader, std::string_view bytes) {
  const auto taken = take_all(reader, bytes);
  if (taken) ADD_FAILURE() << "accepted: " << bytes;
  return taken ? ErrorKind::client_gone : taken.error().kind;
}

// Whatever comes, in whatever pieces, a reader neither crashes, nor takes more than it was given, nor stands still.
template <class Reader>
void feed_in_pieces(Reader reader, std::string_view bytes, RandomBytes& random) {
  while (!bytes.empty() && !reader.complete()) {
    const auto piece = bytes.substr(0, 1 + random.below(std::min<std::size_t>(bytes.size(), 48)));
    const auto taken = reader.take(piece);
    if (!taken) return;
    ASSERT_LE(*taken, piece.size());
    ASSERT_TRUE(*taken > 0 || reader.complete());
    bytes.remove_prefix(*taken);
  }
  if constexpr (requires { reader.finish(); }) (void)reader.finish();
}

}  // namespace chipgate::protocol
