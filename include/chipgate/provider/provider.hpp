// A provider as configured: turns wire sessions into the credentials that its gateway expects.
#pragma once

#include "chipgate/base/duration.hpp"
#include "chipgate/base/ids.hpp"
#include "chipgate/base/secret.hpp"
#include "chipgate/provider/preset.hpp"
#include "chipgate/provider/random.hpp"
#include "chipgate/provider/template.hpp"

#include <boost/system/result.hpp>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace chipgate::provider {

// Random wire sessions of a custom provider.
struct RandomSession {
  std::string alphabet = "abcdefghijklmnopqrstuvwxyz0123456789";
  std::size_t length = 8;  // with the alphabet above, what nearly every provider takes
};

struct ProviderOptions {
  std::string preset = "smartproxy";
  std::string username;
  Secret password;
  std::string country;
  std::string city;
  Milliseconds lifetime{0};  // 0 is the preset's
  // Only for `custom`.
  std::optional<std::string> username_template;
  std::optional<std::string> password_template;
  std::optional<RandomSession> session;  // without one, the session identifier is the wire session
};

// One thing wrong with ProviderOptions. `key` is the option's name ("session.length"); no text carries a secret.
struct Complaint {
  std::string key;
  std::string message;
  std::string hint;
};

using Complaints = std::vector<Complaint>;

// What the gateway is told: HTTP Basic or RFC 1929.
struct Credentials {
  Secret username;
  Secret password;
  // The account's own, which are parts of the two above, for whoever must keep all of it out of sight.
  Secret account_username{};
  Secret account_password{};
};

// SHA-256, 64 hexadecimal digits: tells whether a configuration still yields the credentials of an assignment.
std::string credentials_digest(const Credentials&);

// Immutable once made, so any thread may use it.
class Provider {
 public:
  static boost::system::result<Provider, Complaints> make(ProviderOptions);

  const Preset& preset() const { return *preset_; }
  // What holds for sessions under these options.
  Lifetime idle_limit() const { return preset_->idle; }
  Lifetime absolute_lifetime() const;

  Credentials render(const WireSession&) const;
  WireSession wire_session(const SessionIdentifier&, RandomBits&) const;
  // Why this chip cannot be carried, in a sentence; nothing if it can.
  std::optional<std::string> complaint(const ChipId&) const;

 private:
  Provider(ProviderOptions options, const Preset& preset, Template username, Template password);

  WireRule wire_rule() const;
  // Of the longest that the chip may get.
  std::size_t session_length(const ChipId&) const;
  // Which of the credentials does not fit.
  std::optional<std::string_view> too_long(const ChipId&) const;

  ProviderOptions options_;
  const Preset* preset_;
  Template username_;
  Template password_;
  std::string country_;  // as the provider writes it
  std::string minutes_;
  std::string seconds_;
};

// Called by result::value() where there is none: asking without looking is a bug.
[[noreturn]] void throw_exception_from_error(const Complaints&, const boost::source_location&);

}  // namespace chipgate::provider
