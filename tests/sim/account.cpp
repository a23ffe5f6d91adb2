// The username and password grammars of providers.
#include "sim/account.hpp"

namespace chipgate::sim {
namespace {

using std::string_view;

// `text` is the account's own part, alone or followed by parameters.
std::optional<string_view> parameters_after(string_view text, string_view own, char separator) {
  if (!text.starts_with(own)) return std::nullopt;
  text.remove_prefix(own.size());
  if (!text.empty() && text.front() != separator) return std::nullopt;
  return text;
}

Login with_session(string_view parameters, string_view marker, string_view end_of_id) {
  const auto at = parameters.find(marker);
  if (at == string_view::npos) return {LoginVerdict::accepted};
  const auto rest = parameters.substr(at + marker.size());
  const auto id = end_of_id.empty() ? rest : rest.substr(0, rest.find(end_of_id));
  if (id.empty()) return {LoginVerdict::bad_session};
  return {LoginVerdict::accepted, std::string(id)};
}

}  // namespace

string_view name(LoginVerdict verdict) {
  switch (verdict) {
    case LoginVerdict::accepted: return "accepted";
    case LoginVerdict::unknown_user: return "unknown user";
    case LoginVerdict::wrong_password: return "wrong password";
    case LoginVerdict::bad_session: return "bad session";
  }
  return {};
}

Login log_in(const Account& account, string_view username, string_view password) {
  if (account.grammar == Grammar::iproyal) {
    if (username != account.username) return {LoginVerdict::unknown_user};
    const auto parameters = parameters_after(password, account.password, '_');
    return parameters ? with_session(*parameters, "_session-", "_") : Login{LoginVerdict::wrong_password};
  }
  const auto parameters = parameters_after(username, account.username, account.session_marker.front());
  if (!parameters) return {LoginVerdict::unknown_user};
  if (password != account.password) return {LoginVerdict::wrong_password};
  return with_session(*parameters, account.session_marker, {});
}

}  // namespace chipgate::sim
