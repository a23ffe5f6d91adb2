// The table of keys.
#include "chipgate/config/keys.hpp"

#include <array>

namespace chipgate::config {
namespace {

using std::string_view;

constexpr std::array<string_view, 14> root{"listen",     "gateway", "chips",  "ledger",       "verify",
                                           "draws",      "keep",    "limits", "destinations", "timeouts",
                                           "fail_style", "workers", "log",    "admin"};
constexpr std::array<string_view, 5> listen{"address", "ports", "behind_userland_proxy", "client_credentials",
                                            "allow_clients"};
constexpr std::array<string_view, 3> credentials{"username", "password", "password_file"};
constexpr std::array<string_view, 14> gateway{
    "preset",   "endpoints", "username",        "password",      "password_file",     "country",           "city",
    "lifetime", "tls",       "connect_timeout", "resolve_every", "username_template", "password_template", "session"};
constexpr std::array<string_view, 2> tls{"ca_file", "server_name"};
constexpr std::array<string_view, 2> session{"alphabet", "length"};
constexpr std::array<string_view, 7> chip{
    "id", "alias", "port", "numbers", "connect", "quota", "max_whatsapp_sessions"};
constexpr std::array<string_view, 2> quota{"day", "month"};
constexpr std::array<string_view, 5> ledger{"path", "quarantine", "retention", "prefix_v4", "prefix_v6"};
constexpr std::array<string_view, 8> verify{"enabled", "interval",  "max_age",   "lost_after",
                                            "timeout", "echoes_v4", "echoes_v6", "on_change"};
constexpr std::array<string_view, 6> draws{"per_round",  "retry_min",         "retry_max",
                                           "per_second", "per_chip_and_hour", "when_scarce"};
constexpr std::array<string_view, 2> keep{"release_after", "unused"};
constexpr std::array<string_view, 6> limits{"tunnels",       "tunnels_per_chip",      "handshakes_per_chip",
                                            "held_per_chip", "max_whatsapp_sessions", "crowd_age"};
constexpr std::array<string_view, 2> destinations{"allow", "deny"};
constexpr std::array<string_view, 6> timeouts{"connect_budget", "head", "idle", "half_closed", "first_reply", "drain"};
constexpr std::array<string_view, 4> log{"level", "format", "access", "path"};
constexpr std::array<string_view, 7> admin{"listen",       "hosts",    "token",  "token_file",
                                           "price_per_gb", "currency", "webhook"};
constexpr std::array<string_view, 4> webhook{"url", "secret", "secret_file", "events"};

constexpr std::array<Section, 18> all{{
    {"", root},
    {"listen", listen},
    {"listen.client_credentials", credentials},
    {"gateway", gateway},
    {"gateway.tls", tls},
    {"gateway.session", session},
    {"chips[]", chip},
    {"chips[].quota", quota},
    {"ledger", ledger},
    {"verify", verify},
    {"draws", draws},
    {"keep", keep},
    {"limits", limits},
    {"destinations", destinations},
    {"timeouts", timeouts},
    {"log", log},
    {"admin", admin},
    {"admin.webhook", webhook},
}};

}  // namespace

std::span<const Section> sections() { return all; }

}  // namespace chipgate::config
