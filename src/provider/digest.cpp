// SHA-256 of credentials.
#include "chipgate/provider/provider.hpp"

#include <array>
#include <openssl/evp.h>
#include <stdexcept>

namespace chipgate::provider {

std::string credentials_digest(const Credentials& credentials) {
  // The length stands before the username, so that moving a character between the two gives another digest. Every
  // username or password carries a wire session that is used once: equal passwords do not show as equal digests.
  const std::string length = std::to_string(credentials.username.reveal().size()) + ":";
  const std::array parts{std::string_view(length), credentials.username.reveal(), credentials.password.reveal()};
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  EVP_MD_CTX* const context = EVP_MD_CTX_new();
  bool good = context != nullptr && EVP_DigestInit_ex(context, EVP_sha256(), nullptr) == 1;
  for (const auto part : parts) good = good && EVP_DigestUpdate(context, part.data(), part.size()) == 1;
  good = good && EVP_DigestFinal_ex(context, digest.data(), &size) == 1;
  EVP_MD_CTX_free(context);
  if (!good) throw std::runtime_error("OpenSSL cannot compute SHA-256");

  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (unsigned i = 0; i < size; ++i) {
    text += digits[digest[i] >> 4U];
    text += digits[digest[i] & 15U];
  }
  return text;
}

}  // namespace chipgate::provider
