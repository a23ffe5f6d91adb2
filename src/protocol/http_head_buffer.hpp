// Gathers a message head byte by byte, and refuses at once what no head may contain.
#pragma once

#include "chipgate/base/result.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace chipgate::protocol {

enum class HeadOf : std::uint8_t { request, response };

// Stricter than Beast, which joins folded lines and waits for the whole head before it looks at a line: garbage must
// fail when it comes, not when the head's time is up.
class HeadBuffer {
 public:
  explicit HeadBuffer(HeadOf kind) : kind_(kind) {}

  // How many bytes are the head's.
  Result<std::size_t> take(std::string_view bytes);
  // Its empty line is there.
  bool complete() const { return text_.ends_with("\r\n\r\n"); }
  // The start line to the empty line. Called once.
  std::string release() { return std::move(text_); }

  Error malformed(std::string why) const;

 private:
  const char* complaint_about(char next) const;

  HeadOf kind_;
  std::string text_;
};

}  // namespace chipgate::protocol
