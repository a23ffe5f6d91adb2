// Wiping and comparing secrets.
#include "chipgate/base/secret.hpp"

#include <cstring>

namespace chipgate {

bool Secret::equals(std::string_view other) const {
  // The length may show in the time; the text may not.
  if (text_.size() != other.size()) return false;
  unsigned char difference = 0;
  for (std::size_t i = 0; i < text_.size(); ++i) {
    difference = static_cast<unsigned char>(difference | (text_[i] ^ other[i]));
  }
  return difference == 0;
}

// explicit_bzero: a plain memset before a free is removed by the optimiser.
void Secret::wipe(std::string& text) {
  text.resize(text.capacity());
  ::explicit_bzero(text.data(), text.size());
  text.clear();
}

}  // namespace chipgate
