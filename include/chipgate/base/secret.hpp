// Secret: text that no log, error or stream can print by accident, and that is wiped when it goes.
#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace chipgate {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string text) : text_(std::move(text)) { wipe(text); }
  Secret(const Secret&) = default;
  Secret(Secret&& other) noexcept : text_(std::move(other.text_)) { other.wipe(); }
  Secret& operator=(const Secret& other) {
    if (this != &other) {
      wipe();
      text_ = other.text_;
    }
    return *this;
  }
  Secret& operator=(Secret&& other) noexcept {
    if (this != &other) {
      wipe();
      text_ = std::move(other.text_);
      other.wipe();
    }
    return *this;
  }
  ~Secret() { wipe(); }

  // The only way out; whoever calls it answers for where the text goes.
  std::string_view reveal() const { return text_; }
  bool empty() const { return text_.empty(); }

  // Takes the same time wherever the first difference is.
  bool equals(std::string_view other) const;

 private:
  void wipe() { wipe(text_); }
  // All of its memory: a string that was moved from keeps a short text in itself, beyond its size.
  static void wipe(std::string& text);

  std::string text_;
};

}  // namespace chipgate
