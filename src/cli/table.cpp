// Writing tables.
#include "table.hpp"

#include <algorithm>
#include <array>
#include <boost/json/serialize.hpp>
#include <cstdio>
#include <ostream>

namespace chipgate::cli {
namespace {

namespace json = boost::json;

// Code points: every byte that does not continue one.
std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(text, [](char c) { return (c & 0xC0) != 0x80; }));
}

void print_row(std::ostream& out, const Cells& cells, const std::vector<std::size_t>& widths) {
  for (std::size_t i = 0; i < cells.size(); ++i) {
    out << cells[i];
    if (i + 1 < cells.size()) out << std::string(widths[i] - width_of(cells[i]) + 2, ' ');
  }
  out << '\n';
}

}  // namespace

void print_table(std::ostream& out, const Cells& header, const std::vector<Cells>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& cell : header) widths.push_back(width_of(cell));
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
  }
  print_row(out, header, widths);
  for (const auto& row : rows) print_row(out, row, widths);
}

std::string size_text(std::uint64_t bytes) {
  constexpr std::array<const char*, 5> units{"B", "kB", "MB", "GB", "TB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 999.5 && unit + 1 < units.size()) {
    value /= 1000;
    ++unit;
  }
  std::array<char, 32> buffer{};
  const int digits = unit == 0 || value >= 99.95 ? 0 : 1;
  std::snprintf(buffer.data(), buffer.size(), "%.*f %s", digits, value, units.at(unit));
  return buffer.data();
}

const json::value* find(const json::value& value, std::string_view path) {
  const auto* at = &value;
  while (!path.empty()) {
    const auto dot = std::min(path.find('.'), path.size());
    if (!at->is_object()) return nullptr;
    at = at->get_object().if_contains(path.substr(0, dot));
    if (at == nullptr || at->is_null()) return nullptr;
    path.remove_prefix(std::min(dot + 1, path.size()));
  }
  return at;
}

std::string text_at(const json::value& value, std::string_view path) {
  const auto* const found = find(value, path);
  if (found == nullptr) return "-";
  if (found->is_string()) return found->get_string().empty() ? "-" : printable(found->get_string());
  // Money; JSON writes it as 5E0.
  if (found->is_double()) {
    std::array<char, 64> buffer{};
    std::snprintf(buffer.data(), buffer.size(), "%.2f", found->get_double());
    return buffer.data();
  }
  if (!found->is_array()) return printable(json::serialize(*found));
  std::string joined;
  for (const auto& one : found->get_array()) joined += (joined.empty() ? "" : " ") + text_at(one, {});
  return joined.empty() ? "-" : joined;
}

std::int64_t number_at(const json::value& value, std::string_view path) {
  const auto* const found = find(value, path);
  boost::system::error_code error;
  const auto number = found == nullptr ? 0 : found->to_number<std::int64_t>(error);
  return error ? 0 : number;
}

std::string printable(std::string_view text) {
  std::string made;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    made += byte < 0x20 || byte == 0x7f ? '?' : c;
  }
  return made;
}

}  // namespace chipgate::cli
