// Making credentials.
#include "chipgate/provider/provider.hpp"

#include "chipgate/base/ascii.hpp"
#include "rules.hpp"

#include <algorithm>
#include <stdexcept>

namespace chipgate::provider {
namespace {

// RFC 1929 has one byte for each length, and HTTP gateways have been seen to cut there too.
constexpr std::size_t longest_credential = 255;

// "chip-", "-" and microseconds until the year 2286.
constexpr std::size_t identifier_frame = 5 + 1 + 16;

std::string names_of_presets() {
  std::string names;
  for (const auto& preset : presets()) names.append(names.empty() ? "one of " : ", ").append(preset.name);
  return names;
}

// An index below `size`, each as likely as any other: bits that would favour the first ones are drawn again.
std::size_t pick(std::size_t size, RandomBits& bits) {
  const std::uint64_t fair = UINT64_MAX - UINT64_MAX % size;
  for (;;) {
    if (const auto drawn = bits(); drawn < fair) return drawn % size;
  }
}

std::string in_case(std::string text, LetterCase letters) {
  if (letters == LetterCase::as_written) return text;
  text = lower(text);
  if (letters == LetterCase::upper) {
    std::ranges::transform(text, text.begin(),
                           [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  }
  return text;
}

// A template that cannot be read counts as empty, so that the other options are looked at all the same.
Template read(std::string_view key, std::string_view text, Complaints& complaints) {
  auto parsed = Template::parse(text);
  if (auto* const good = std::get_if<Template>(&parsed)) return std::move(*good);
  complaints.push_back({std::string(key), std::get<std::string>(parsed), {}});
  return {};
}

}  // namespace

boost::system::result<Provider, Complaints> Provider::make(ProviderOptions options) {
  const Preset* const preset = find_preset(options.preset);
  if (preset == nullptr) return Complaints{{"preset", "is not known", names_of_presets()}};
  const bool custom = preset->name == "custom";
  if (custom && !options.username_template) {
    return Complaints{{"username_template", "is missing: the preset custom needs one", "{username}-session-{session}"}};
  }
  const auto text = [&](const std::optional<std::string>& own, std::string_view usual) {
    return custom && own ? std::string_view(*own) : usual;
  };
  Complaints complaints;
  Grammar grammar{read("username_template", text(options.username_template, preset->username_template), complaints),
                  read("password_template", text(options.password_template, preset->password_template), complaints)};
  // What follows from a template that cannot be read would only be noise.
  if (!complaints.empty()) return complaints;
  complaints = check(options, *preset, grammar);
  if (!complaints.empty()) return complaints;
  Provider made(std::move(options), *preset, std::move(grammar.username), std::move(grammar.password));
  const auto shortest = *ChipId::parse("x");
  if (const auto key = made.too_long(shortest)) {
    return Complaints{{std::string(*key), "gets longer than 255 bytes with a session in it", {}}};
  }
  if (auto why = made.complaint(shortest)) return Complaints{{"session", std::move(*why), {}}};
  return made;
}

Provider::Provider(ProviderOptions options, const Preset& preset, Template username, Template password)
    : options_(std::move(options)),
      preset_(&preset),
      username_(std::move(username)),
      password_(std::move(password)),
      country_(in_case(options_.country, preset.country_case)) {
  using namespace std::chrono;
  const auto lifetime = absolute_lifetime().length;
  if (lifetime.count() == 0) return;
  minutes_ = std::to_string(duration_cast<minutes>(lifetime).count());
  seconds_ = std::to_string(duration_cast<seconds>(lifetime).count());
}

Lifetime Provider::absolute_lifetime() const {
  if (options_.lifetime.count() == 0) return preset_->absolute;
  return {options_.lifetime, preset_->absolute.certainty};
}

WireRule Provider::wire_rule() const {
  if (!options_.session) return preset_->wire;
  return {WireForm::random, options_.session->alphabet, options_.session->length};
}

Credentials Provider::render(const WireSession& session) const {
  Values values;
  values[Placeholder::username] = options_.username;
  values[Placeholder::password] = options_.password.reveal();
  values[Placeholder::session] = session.value();
  values[Placeholder::country] = country_;
  values[Placeholder::city] = options_.city;
  values[Placeholder::lifetime_minutes] = minutes_;
  values[Placeholder::lifetime_seconds] = seconds_;
  return {Secret(username_.render(values)), Secret(password_.render(values)), Secret(options_.username),
          options_.password};
}

WireSession Provider::wire_session(const SessionIdentifier& identifier, RandomBits& bits) const {
  const auto rule = wire_rule();
  if (rule.form == WireForm::identifier) return WireSession(identifier.value());
  std::string text;
  for (std::size_t i = 0; i < rule.length; ++i) text += rule.alphabet[pick(rule.alphabet.size(), bits)];
  return WireSession(std::move(text));
}

std::size_t Provider::session_length(const ChipId& chip) const {
  const auto rule = wire_rule();
  return rule.form == WireForm::random ? rule.length : identifier_frame + chip.value().size();
}

std::optional<std::string_view> Provider::too_long(const ChipId& chip) const {
  const auto credentials = render(WireSession(std::string(session_length(chip), 'x')));
  if (credentials.username.reveal().size() > longest_credential) return "username";
  if (credentials.password.reveal().size() > longest_credential) return "password";
  return std::nullopt;
}

std::optional<std::string> Provider::complaint(const ChipId& chip) const {
  if (const auto which = too_long(chip)) return "with it the " + std::string(*which) + " gets longer than 255 bytes";
  const auto rule = wire_rule();
  if (rule.form == WireForm::random) return std::nullopt;
  if (rule.length > 0 && session_length(chip) > rule.length) {
    return "its session identifiers are longer than the " + std::to_string(rule.length) + " characters of a session";
  }
  return misread(chip, {username_, password_});
}

void throw_exception_from_error(const Complaints& complaints, const boost::source_location&) {
  throw std::logic_error("value of a failed result: " + (complaints.empty() ? "" : complaints.front().key));
}

}  // namespace chipgate::provider
