// The table of providers.
#include "chipgate/provider/preset.hpp"

#include "chipgate/base/ascii.hpp"

#include <algorithm>
#include <array>

namespace chipgate::provider {
namespace {

using namespace std::chrono_literals;
using std::string_view;

constexpr string_view lower_alnum = "abcdefghijklmnopqrstuvwxyz0123456789";
constexpr string_view upper_alnum = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

constexpr WireRule identifier{.form = WireForm::identifier};
constexpr WireRule random(string_view alphabet, std::size_t length) { return {WireForm::random, alphabet, length}; }
constexpr Lifetime assumed(Milliseconds length) { return {length, Certainty::assumed}; }
constexpr Lifetime confirmed(Milliseconds length) { return {length, Certainty::confirmed}; }

constexpr std::array<string_view, 2> smartproxy_hosts{"smartproxy.net", "smartproxy.org"};
constexpr std::array<string_view, 2> decodo_hosts{"decodo.com", "smartproxy.com"};
constexpr std::array<string_view, 4> brightdata_hosts{"superproxy.io", "brightdata.com", "luminati.io",
                                                      "lum-superproxy.io"};
constexpr std::array<string_view, 1> oxylabs_hosts{"oxylabs.io"};
constexpr std::array<string_view, 1> iproyal_hosts{"iproyal.com"};
constexpr std::array<string_view, 1> soax_hosts{"soax.com"};
constexpr std::array<string_view, 2> geonode_hosts{"geonode.com", "geonode.io"};

// Where a lifetime may be asked for, the preset asks for the longest that is known to be taken: a chip wants to keep
// its exit. The order counts: preset_for_host() takes the first that fits.
constexpr std::array<Preset, 9> table{
    Preset{.name = "smartproxy",
           .username_template = "{username}-session-{session}",
           .password_template = "{password}",
           .wire = identifier,
           .idle = assumed(30min),
           .host = "proxy.smartproxy.net",
           .ports = {.http = 3120},
           .known_hosts = smartproxy_hosts},
    // Ids of 7 to 18 characters and lifetimes of 5, 15 and 30 minutes have been seen; the largest is not known.
    Preset{.name = "smartproxy-net",
           .username_template =
               "smart-{username}[_area-{country}][_city-{city}][_life-{lifetime_minutes}]_session-{session}",
           .password_template = "{password}",
           .wire = random(lower_alnum, 12),
           .country_case = LetterCase::upper,
           .absolute = assumed(30min),
           .lifetime_range = {1min, 24h},
           .host = "proxy.smartproxy.net",
           .ports = {.http = 3120},
           .known_hosts = smartproxy_hosts},
    Preset{.name = "decodo",
           .username_template = "user-{username}[-country-{country}][-city-{city}]-session-{session}"
                                "[-sessionduration-{lifetime_minutes}]",
           .password_template = "{password}",
           .wire = random(lower_alnum, 12),
           .country_case = LetterCase::lower,
           .absolute = confirmed(24h),
           .lifetime_range = {1min, 24h},
           .host = "gate.decodo.com",
           .ports = {.http = 7000, .https = 7000, .socks5 = 7000},
           .known_hosts = decodo_hosts},
    // Its pages disagree about the idle limit (1, 5 and 7 minutes): the shortest is safe. The username is the whole
    // brd-customer-C-zone-Z. A CONNECT to an IP literal leaves by the provider's own server.
    Preset{.name = "brightdata",
           .username_template = "{username}[-country-{country}][-city-{city}]-session-{session}",
           .password_template = "{password}",
           .wire = random(lower_alnum, 12),
           .country_case = LetterCase::lower,
           .idle = assumed(1min),
           .host = "brd.superproxy.io",
           .ports = {.http = 33335, .socks5 = 22228},
           .known_hosts = brightdata_hosts,
           .carries_ip_literals = false},
    Preset{.name = "oxylabs",
           .username_template = "customer-{username}[-cc-{country}][-city-{city}]-sessid-{session}"
                                "[-sesstime-{lifetime_minutes}]",
           .password_template = "{password}",
           .wire = random(upper_alnum, 12),
           .country_case = LetterCase::upper,
           .idle = confirmed(60s),
           .absolute = confirmed(24h),
           .lifetime_range = {1min, 24h},
           .host = "pr.oxylabs.io",
           .ports = {.http = 7777},
           .known_hosts = oxylabs_hosts},
    // An id of any other length than 8 is not taken.
    Preset{.name = "iproyal",
           .username_template = "{username}",
           .password_template = "{password}[_country-{country}][_city-{city}]_session-{session}"
                                "[_lifetime-{lifetime_minutes}m]",
           .wire = random(lower_alnum, 8),
           .country_case = LetterCase::lower,
           .absolute = confirmed(24h * 7),
           .lifetime_range = {1min, 24h * 7},
           .host = "geo.iproyal.com",
           .ports = {.http = 12321, .socks5 = 32325},
           .known_hosts = iproyal_hosts},
    Preset{.name = "soax",
           .username_template = "package-{username}[-country-{country}][-city-{city}]-sessionid-{session}"
                                "[-sessionlength-{lifetime_seconds}]",
           .password_template = "{password}",
           .wire = random(lower_alnum, 16),
           .country_case = LetterCase::lower,
           .idle = assumed(60s),
           .absolute = confirmed(1h),
           .lifetime_range = {1min, 1h},
           .host = "proxy.soax.com",
           .ports = {.http = 5000},
           .known_hosts = soax_hosts},
    // Its hosts differ by product and region; neither country nor city has a confirmed place.
    Preset{.name = "geonode",
           .username_template = "{username}-session-{session}[-lifetime-{lifetime_minutes}]",
           .password_template = "{password}",
           .wire = random(lower_alnum, 12),
           .absolute = confirmed(24h),
           .lifetime_range = {3min, 24h},
           .ports = {.http = 10000},
           .known_hosts = geonode_hosts},
    Preset{.name = "custom",
           .username_template = "",
           .password_template = "{password}",
           .wire = identifier,
           .lifetime_range = {1s, 24h * 365}},
};

// Three operators, so that no one's outage or captcha leaves a look without a second opinion.
constexpr std::array<Echo, 6> echoes{{
    {"http://api.ipify.org/", EchoFamily::v4},
    {"http://ipv4.icanhazip.com/", EchoFamily::v4},
    {"http://v4.ident.me/", EchoFamily::v4},
    {"http://api6.ipify.org/", EchoFamily::v6},
    {"http://ipv6.icanhazip.com/", EchoFamily::v6},
    {"http://v6.ident.me/", EchoFamily::v6},
}};

bool is_at_or_below(string_view host, string_view domain) {
  if (host.size() < domain.size() || !equals_ignoring_case(host.substr(host.size() - domain.size()), domain)) {
    return false;
  }
  return host.size() == domain.size() || host[host.size() - domain.size() - 1] == '.';
}

}  // namespace

std::span<const Preset> presets() { return table; }

const Preset* find_preset(string_view name) {
  const auto* const found = std::ranges::find(table, name, &Preset::name);
  return found == table.end() ? nullptr : found;
}

bool serves(const Preset& preset, string_view host) {
  return std::ranges::any_of(preset.known_hosts, [&](string_view domain) { return is_at_or_below(host, domain); });
}

const Preset* preset_for_host(string_view host) {
  const auto* const found = std::ranges::find_if(table, [&](const Preset& preset) { return serves(preset, host); });
  return found == table.end() ? nullptr : found;
}

std::span<const Echo> default_echoes() { return echoes; }

}  // namespace chipgate::provider
