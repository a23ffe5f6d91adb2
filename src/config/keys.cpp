// The table of keys.
#include "chipgate/config/keys.hpp"

#include <array>

namespace chipgate::config {
namespace {

using std::string_view;

constexpr std::array<string_view, 9> root{"listen",     "gateway", "chips", "limits", "timeouts",
                                          "fail_style", "workers", "log",   "admin"};
constexpr std::array<string_view, 5> listen{"address", "ports", "behind_userland_proxy", "client_credentials",
                                            "allow_clients"};
constexpr std::array<string_view, 3> credentials{"username", "password", "password_file"};
constexpr std::array<string_view, 14> gateway{
    "preset",   "endpoints", "username",        "password",      "password_file",     "country",           "city",
    "lifetime", "tls",       "connect_timeout", "resolve_every", "username_template", "password_template", "session"};
constexpr std::array<string_view, 2> tls{"ca_file", "server_name"};
constexpr std::array<string_view, 2> session{"alphabet", "length"};
constexpr std::array<string_view, 4> chip{"id", "alias", "port", "numbers"};
constexpr std::array<string_view, 2> limits{"tunnels_per_chip", "held_per_chip"};
constexpr std::array<string_view, 6> timeouts{"connect_budget", "head", "idle", "half_closed", "first_reply", "drain"};
constexpr std::array<string_view, 4> log{"level", "format", "access", "path"};
constexpr std::array<string_view, 7> admin{"listen",       "hosts",    "token",  "token_file",
                                           "price_per_gb", "currency", "webhook"};
constexpr std::array<string_view, 4> webhook{"url", "secret", "secret_file", "events"};

constexpr std::array<Section, 12> all{{
    {"", root},
    {"listen", listen},
    {"listen.client_credentials", credentials},
    {"gateway", gateway},
    {"gateway.tls", tls},
    {"gateway.session", session},
    {"chips[]", chip},
    {"limits", limits},
    {"timeouts", timeouts},
    {"log", log},
    {"admin", admin},
    {"admin.webhook", webhook},
}};

}  // namespace

std::span<const Section> sections() { return all; }

}  // namespace chipgate::config
