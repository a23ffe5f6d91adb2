// TlsSession: OpenSSL on a descriptor, without buffers of its own between records.
#pragma once

#include <cstdint>
#include <memory>

struct ssl_st;
struct ssl_ctx_st;

namespace chipgate::net {

struct IoOutcome;

class TlsSession {
 public:
  enum class Step : std::uint8_t { done, want_read, want_write, failed };

  TlsSession() = default;
  // Takes over an SSL that already has its descriptor and its role.
  explicit TlsSession(ssl_st* ssl) : ssl_(ssl) {}

  explicit operator bool() const { return ssl_ != nullptr; }
  ssl_st* get() const { return ssl_.get(); }

  Step handshake();
  IoOutcome read(char* into, std::size_t size);
  IoOutcome write(const char* from, std::size_t size);
  IoOutcome shut_write();

 private:
  struct Free {
    void operator()(ssl_st*) const;
  };
  std::unique_ptr<ssl_st, Free> ssl_;
};

}  // namespace chipgate::net
