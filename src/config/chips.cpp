// The chips of the file: ranges written out, names and ports that nobody else has.
#include "chipgate/base/alias.hpp"
#include "chipgate/base/ascii.hpp"
#include "readers.hpp"
#include "words.hpp"

#include <algorithm>
#include <unordered_map>

namespace chipgate::config {
namespace {

using std::string;
using std::string_view;

// More than one host's ports, descriptors and looks carry.
constexpr std::size_t most_chips = 20'000;

// Where the kernel takes the ports of outgoing connections from, by default: one of them may be in use at a start.
constexpr std::uint16_t first_ephemeral = 32'768;
constexpr std::uint16_t last_ephemeral = 60'999;
constexpr string_view ephemeral_hint = "use lower ports, or reserve them: sysctl net.ipv4.ip_local_reserved_ports";

constexpr string_view number_mark = "{n}";

string with_number(string text, std::uint64_t number) {
  for (auto at = text.find(number_mark); at != string::npos; at = text.find(number_mark, at)) {
    text.replace(at, number_mark.size(), std::to_string(number));
  }
  return text;
}

// One chip on its way: its entry, and its port if the file gives one.
struct Draft {
  ChipId id;
  string alias;
  std::optional<std::uint16_t> port;
  ledger::ConnectMode connect;
  ledger::Quota quota;
  std::optional<std::uint32_t> whatsapp_sessions;
  const Map* entry;
};

class Chips {
 public:
  Chips(const Map& root, const ChipSurroundings& surroundings)
      : root_(root), surroundings_(surroundings), entries_(root.maps("chips")) {}

  FileChips read() {
    for (const auto& entry : entries_) {
      if (!draft(entry)) return {};
    }
    refuse_equal_names();
    refuse_equal_ports();
    refuse_what_the_provider_cannot_carry();
    return settle();
  }

 private:
  // One line an entry and key: a range of 500 would give 500.
  void problem(const Map& entry, string_view key, string message, string hint = {}) {
    if (!root_.report().complained_about(entry.path_of(key))) entry.problem(key, std::move(message), std::move(hint));
  }

  // False if there are too many to go on.
  bool draft(const Map& entry) {
    if (root_.report().complained_about(entry.path())) return true;
    const auto id = entry.scalar("id");
    if (!id && !entry.has("id")) problem(entry, "id", "is missing");
    const auto numbers = read_numbers(entry, id);
    const auto alias = read_alias(entry);
    const auto port = read_port(entry);
    const auto connect = entry.choice<ledger::ConnectMode>("connect", ledger::ConnectMode::on_demand, connect_modes);
    const auto quota = read_quota(entry.map("quota"));
    const auto sessions = read_whatsapp_sessions(entry);
    if (!id || !numbers) return true;
    if (numbers->last - numbers->first >= most_chips - drafts_.size()) {
      root_.problem("chips", "are more than 20000", "run a second chipgate with an account of its own");
      return false;
    }
    for (auto number = numbers->first; number <= numbers->last; ++number) {
      auto parsed = ChipId::parse(with_number(id->value, number));
      if (!parsed) {
        problem(entry, "id", in_quotes(id->written) + " is not a chip id", "1 to 64 of A-Z a-z 0-9 _ . -");
        return true;
      }
      std::optional<std::uint16_t> own;
      if (port) own = *port == 0 ? std::uint16_t{0} : static_cast<std::uint16_t>(*port + (number - numbers->first));
      if (port && *port + (number - numbers->first) > 65'535) {
        problem(entry, "port", "leaves no room: the last of these chips would be above 65535");
        return true;
      }
      drafts_.push_back({std::move(*parsed), entry.has("numbers") ? with_number(alias, number) : alias, own, connect,
                         quota, sessions, &entry});
    }
    return true;
  }

  std::optional<NumberRange> read_numbers(const Map& entry, const std::optional<Scalar>& id) {
    const bool marked = id && id->value.find(number_mark) != string::npos;
    if (!entry.has("numbers")) {
      if (marked) problem(entry, "id", "has {n}, but the entry has no numbers", "numbers: 1-500");
      return marked ? std::nullopt : std::optional(NumberRange{0, 0});
    }
    const auto written = entry.scalar("numbers");
    if (!written) return std::nullopt;
    if (id && !marked) problem(entry, "numbers", "has no effect: the id has no {n}", "id: bot-{n}");
    const auto range = parse_range(written->value, 999'999'999);
    if (!range) problem(entry, "numbers", in_quotes(written->written) + " is not a range of numbers", "1-500");
    return marked ? range : std::nullopt;
  }

  string read_alias(const Map& entry) {
    auto alias = entry.text("alias");
    if (const auto complaint = alias_complaint(alias)) problem(entry, "alias", string(*complaint));
    return alias;
  }

  std::optional<std::uint64_t> read_port(const Map& entry) {
    const auto written = entry.scalar("port");
    if (!written) return std::nullopt;
    const auto port = parse_decimal(written->value, 65'535);
    if (!port) {
      problem(entry, "port", in_quotes(written->written) + " is not a port from 1 to 65535",
              "0 lets the kernel choose");
    }
    return port;
  }

  void refuse_equal_names() {
    std::unordered_map<string_view, const Draft*> ids;
    for (const auto& chip : drafts_) {
      const auto [first, fresh] = ids.try_emplace(chip.id.value(), &chip);
      if (!fresh)
        problem(*chip.entry, "id", in_quotes(chip.id.value()) + " is already the id of a chip", place(*first->second));
    }
    std::unordered_map<string_view, const Draft*> aliases;
    for (const auto& chip : drafts_) {
      if (chip.alias.empty()) continue;
      const auto [first, fresh] = aliases.try_emplace(chip.alias, &chip);
      if (!fresh) {
        problem(*chip.entry, "alias", in_quotes(chip.alias) + " is already the alias of a chip", place(*first->second));
      }
      const auto named = ids.find(chip.alias);
      if (named != ids.end() && named->second->id != chip.id) {
        problem(*chip.entry, "alias", in_quotes(chip.alias) + " is the id of another chip", place(*named->second));
      }
    }
  }

  static string place(const Draft& chip) { return "line " + std::to_string(chip.entry->line()); }

  bool meets_admin(std::uint16_t port) const {
    const auto& [ip, admin_port] = surroundings_.admin;
    const auto& address = surroundings_.address;
    return port == admin_port && (ip == address || ip.is_unspecified() || address.is_unspecified());
  }

  void refuse_equal_ports() {
    for (const auto& chip : drafts_) {
      if (chip.port.value_or(0) == 0) continue;
      const auto port = *chip.port;
      const auto [first, fresh] = ports_.try_emplace(port, &chip);
      const auto number = std::to_string(port);
      if (!fresh) {
        problem(*chip.entry, "port", number + " is already the port of " + first->second->id.value(),
                place(*first->second));
      }
      if (meets_admin(port)) problem(*chip.entry, "port", number + " is admin's port");
      if (port >= first_ephemeral && port <= last_ephemeral && warned_ != chip.entry) {
        warned_ = chip.entry;
        chip.entry->warning("port", number + " is among the ports of outgoing connections", string(ephemeral_hint));
      }
    }
  }

  void refuse_what_the_provider_cannot_carry() {
    if (!surroundings_.provider) return;
    for (const auto& chip : drafts_) {
      if (auto why = surroundings_.provider->complaint(chip.id)) problem(*chip.entry, "id", std::move(*why));
    }
  }

  // Gives the lowest free ports of the range to those without one, in order.
  FileChips settle() {
    std::set<ChipId> of_range;
    std::vector<lifecycle::ChipSpec> chips;
    chips.reserve(drafts_.size());
    const auto& range = surroundings_.range;
    std::uint32_t next = range.first;
    std::size_t left_out = 0;
    for (auto& chip : drafts_) {
      if (!chip.port) {
        of_range.insert(chip.id);
        while (next <= range.last && taken(static_cast<std::uint16_t>(next))) ++next;
        if (next > range.last) ++left_out;
        chip.port = next > range.last ? std::uint16_t{0} : static_cast<std::uint16_t>(next++);
      }
      chips.push_back(
          {std::move(chip.id), std::move(chip.alias), *chip.port, chip.connect, chip.quota, chip.whatsapp_sessions});
    }
    const auto listen = root_.map("listen");
    if (left_out > 0) {
      listen.problem("ports", "has too few ports: " + std::to_string(left_out) + " more chips need one",
                     "a wider range, or port: in the chips");
    }
    if (range.last >= first_ephemeral && range.first <= last_ephemeral) {
      listen.warning("ports", "reaches into the ports of outgoing connections, 32768-60999", string(ephemeral_hint));
    }
    return {std::move(chips), std::move(of_range)};
  }

  bool taken(std::uint16_t port) const { return ports_.contains(port) || meets_admin(port); }

  const Map& root_;
  const ChipSurroundings& surroundings_;
  const std::vector<Map> entries_;
  std::vector<Draft> drafts_;
  std::unordered_map<std::uint16_t, const Draft*> ports_;
  const Map* warned_ = nullptr;
};

}  // namespace

bool is_about_ephemeral_ports(const Problem& problem) { return problem.hint == ephemeral_hint; }

FileChips read_chips(const Map& root, const ChipSurroundings& surroundings) { return Chips(root, surroundings).read(); }

}  // namespace chipgate::config
