// Who may use the gateway, and which session a login names.
#pragma once

#include "sim/options.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace chipgate::sim {

enum class LoginVerdict : std::uint8_t { accepted, unknown_user, wrong_password, bad_session };
std::string_view name(LoginVerdict verdict);

struct Login {
  LoginVerdict verdict = LoginVerdict::unknown_user;
  std::optional<std::string> session{};  // none: a rotating exit
};

// smartproxy: `{user}[-parameters]-session-{id}`; the id is all that follows the first marker, since ids hold '-'.
// iproyal: `{password}[_parameters]_session-{id}[_parameters]`.
Login log_in(const Account& account, std::string_view username, std::string_view password);

}  // namespace chipgate::sim
