// Values that a grammar forbids, or that its readers could take for something else.
#include "rules.hpp"

#include "chipgate/base/ascii.hpp"

#include <algorithm>
#include <array>

namespace chipgate::provider {
namespace {

using std::string;
using std::string_view;

// What providers' grammars call their parameters. A chip of such a name would be read as one.
constexpr std::array<string_view, 27> parameter_words{
    "area",          "asn",        "cc",       "city",    "const",     "continent",
    "country",       "idlettl",    "ip",       "isp",     "life",      "lifetime",
    "region",        "rotate",     "sessid",   "session", "sessionid", "sessionduration",
    "sessionlength", "sessionttl", "sesstime", "sid",     "st",        "state",
    "ttl",           "zip",        "zone"};

// What the template puts between its parts: every character of its literals that is no letter and no digit.
string separators(const Template& grammar) {
  string found;
  for (const auto& piece : grammar.pieces()) {
    std::ranges::copy_if(piece.literal, std::back_inserter(found), [](char c) { return !is_alphanumeric(c); });
  }
  return found;
}

std::vector<string> words(string_view text, string_view separators) {
  std::vector<string> found;
  for (std::size_t start = 0; start <= text.size();) {
    const auto end = std::min(text.find_first_of(separators, start), text.size());
    if (end > start) found.push_back(lower(text.substr(start, end - start)));
    start = end + 1;
  }
  return found;
}

// "country" for "-country-{country}".
string parameter_of(const Template& grammar, Placeholder which) {
  const auto all = words(grammar.literal_before(which), separators(grammar));
  return all.empty() ? string{} : all.back();
}

bool has_control(string_view text) {
  return std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f; });
}

class Checks {
 public:
  Checks(const ProviderOptions& options, const Preset& preset, const Grammar& grammar)
      : options_(options), preset_(preset), grammar_(grammar) {}

  Complaints all() {
    overrides();
    account();
    place(Placeholder::country, options_.country);
    place(Placeholder::city, options_.city);
    country();
    lifetime();
    session();
    return std::move(complaints_);
  }

 private:
  void complain(string_view key, string message, string hint = {}) {
    complaints_.push_back({string(key), std::move(message), std::move(hint)});
  }

  void overrides() {
    if (preset_.name == "custom") return;
    const string hint = "write preset: custom, or remove it";
    const string message = "belongs to the preset custom only";
    if (options_.username_template) complain("username_template", message, hint);
    if (options_.password_template) complain("password_template", message, hint);
    if (options_.session) complain("session", message, hint);
  }

  void account() {
    if (options_.username.empty() && grammar_.mentions(Placeholder::username)) complain("username", "is missing");
    if (options_.password.empty() && grammar_.mentions(Placeholder::password)) complain("password", "is missing");
    if (options_.username.find(':') != string::npos) {
      complain("username", "contains ':', which ends the username in HTTP", "the password is a setting of its own");
    }
    if (has_control(options_.username)) complain("username", "contains a control character");
    if (has_control(options_.password.reveal())) complain("password", "contains a control character");
    embedded("username", options_.username, grammar_.username, Placeholder::username);
    embedded("password", options_.password.reveal(), grammar_.password, Placeholder::password);
  }

  // People paste what a dashboard shows, with parameters that chipgate adds by itself.
  void embedded(string_view key, string_view value, const Template& grammar, Placeholder where) {
    const auto prefix = grammar.prefix();
    if (!prefix.empty() && grammar.pieces().front().placeholder == where && value.starts_with(prefix)) {
      complain(key, "starts with \"" + string(prefix) + "\", which the preset adds",
               "remove it from the " + string(key));
    }
    const auto present = words(value, separators(grammar));
    for (const auto added : {Placeholder::session, Placeholder::country, Placeholder::city,
                             Placeholder::lifetime_minutes, Placeholder::lifetime_seconds}) {
      const auto word = parameter_of(grammar, added);
      if (word.empty() || !is_set(added) || std::ranges::find(present, word) == present.end()) continue;
      complain(key, "already contains the parameter \"" + word + "\", which chipgate adds",
               "keep the account's own name only");
    }
  }

  bool is_set(Placeholder which) const {
    switch (which) {
      case Placeholder::country: return !options_.country.empty();
      case Placeholder::city: return !options_.city.empty();
      case Placeholder::lifetime_minutes:
      case Placeholder::lifetime_seconds: return effective_lifetime().count() > 0;
      default: return true;
    }
  }

  Milliseconds effective_lifetime() const {
    return options_.lifetime.count() > 0 ? options_.lifetime : preset_.absolute.length;
  }

  void place(Placeholder which, const string& value) {
    const auto key = name(which);
    if (value.empty()) {
      if (grammar_.demands(which)) complain(key, "is missing: the template writes it always");
      return;
    }
    if (!grammar_.mentions(which)) {
      complain(key, "has no place in the grammar of the preset " + string(preset_.name),
               "remove it, or use the preset custom with {" + string(key) + "} in username_template");
    }
    for (const auto* grammar : {&grammar_.username, &grammar_.password}) {
      if (!grammar->mentions(which)) continue;
      const auto at = value.find_first_of(separators(*grammar) + ": \t");
      if (at == string::npos) continue;
      complain(key, "contains '" + string(1, value[at]) + "', which the provider would read as the end of it");
    }
    if (has_control(value)) complain(key, "contains a control character");
  }

  void country() {
    const auto& text = options_.country;
    const bool two_letters =
        text.size() == 2 && std::ranges::all_of(text, [](char c) { return lower(c) >= 'a' && lower(c) <= 'z'; });
    if (!text.empty() && !two_letters) {
      complain("country", "is not a country code of two letters (ISO 3166)", "br, us, de");
    }
  }

  void lifetime() {
    const auto lifetime = options_.lifetime;
    const bool minutes = grammar_.mentions(Placeholder::lifetime_minutes);
    const bool seconds = grammar_.mentions(Placeholder::lifetime_seconds);
    if (lifetime.count() == 0) {
      const bool demanded =
          grammar_.demands(Placeholder::lifetime_minutes) || grammar_.demands(Placeholder::lifetime_seconds);
      if (demanded && preset_.absolute.length.count() == 0) {
        complain("lifetime", "is missing: the template writes it always");
      }
      return;
    }
    if (!minutes && !seconds) {
      complain("lifetime", "has no place in the grammar of the preset " + string(preset_.name), "remove it");
      return;
    }
    const auto [shortest, longest] = preset_.lifetime_range;
    if (lifetime < shortest || lifetime > longest) {
      complain("lifetime", "must be between " + format_duration(shortest) + " and " + format_duration(longest));
    }
    if (lifetime.count() % (minutes ? 60'000 : 1'000) != 0) {
      complain("lifetime", minutes ? "must be whole minutes" : "must be whole seconds");
    }
  }

  void session() {
    if (!grammar_.mentions(Placeholder::session)) {
      complain("username_template", "has no {session}, and password_template neither",
               "without it every chip would share one exit");
    } else if (!grammar_.demands(Placeholder::session)) {
      complain(grammar_.username.mentions(Placeholder::session) ? "username_template" : "password_template",
               "has {session} in brackets only", "it is always set");
    }
    if (!options_.session) return;
    const auto& [alphabet, length] = *options_.session;
    if (!std::ranges::all_of(alphabet, is_alphanumeric)) {
      complain("session.alphabet", "has characters other than letters and digits");
    }
    auto sorted = alphabet;
    std::ranges::sort(sorted);
    if (std::ranges::adjacent_find(sorted) != sorted.end()) complain("session.alphabet", "has a character twice");
    // Sessions live within the account, and the ledger refuses one used before: a million keeps such draws rare.
    double names = 1;
    for (std::size_t i = 0; i < std::min<std::size_t>(length, 64); ++i) names *= static_cast<double>(alphabet.size());
    if (length > 64) complain("session.length", "is larger than 64");
    if (names < 1e6) complain("session.length", "gives fewer than a million sessions", "make it longer");
  }

  const ProviderOptions& options_;
  const Preset& preset_;
  const Grammar& grammar_;
  Complaints complaints_;
};

// The first characters of what may follow {session}.
string ends_of_session(const Template& grammar) {
  string ends;
  bool after = false;
  for (const auto& piece : grammar.pieces()) {
    if (after && !piece.literal.empty()) ends += piece.literal.front();
    // A bracket may be left out, and then what stands behind it follows.
    if (after && !piece.literal.empty() && piece.group == 0) break;
    after = after || piece.placeholder == Placeholder::session;
  }
  return ends;
}

std::optional<string> misread(const string& identifier, const ChipId& chip, const Template& grammar) {
  if (!grammar.mentions(Placeholder::session)) return std::nullopt;
  const auto end = identifier.find_first_of(ends_of_session(grammar));
  if (end != string::npos) {
    return "the '" + string(1, identifier[end]) + "' in " + identifier +
           " would be read as the end of the session: write session: {alphabet, length} for random ones";
  }
  const auto between = separators(grammar);
  std::vector<string> reserved(parameter_words.begin(), parameter_words.end());
  for (const auto& piece : grammar.pieces()) {
    for (auto& word : words(piece.literal, between)) reserved.push_back(std::move(word));
  }
  for (const auto& word : words(chip.value(), between)) {
    if (std::ranges::find(reserved, word) == reserved.end()) continue;
    return "\"" + word + "\" in the chip id could be read as a parameter of the provider's grammar: give it another id";
  }
  return std::nullopt;
}

}  // namespace

Complaints check(const ProviderOptions& options, const Preset& preset, const Grammar& grammar) {
  return Checks(options, preset, grammar).all();
}

std::optional<string> misread(const ChipId& chip, const Grammar& grammar) {
  const string identifier = "chip-" + chip.value() + "-1";
  if (auto why = misread(identifier, chip, grammar.username)) return why;
  return misread(identifier, chip, grammar.password);
}

}  // namespace chipgate::provider
