// Text for people: tables as wide as their content, sizes, times.
#pragma once

#include <boost/json/value.hpp>
#include <cstdint>
#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

namespace chipgate::cli {

using Cells = std::vector<std::string>;

// A header and its rows; columns as wide as the widest cell, the last one not padded.
void print_table(std::ostream& out, const Cells& header, const std::vector<Cells>& rows);

// "1.5 GB", by powers of 1000, as providers bill.
std::string size_text(std::uint64_t bytes);

// Looking into answers; "-" or 0 where there is nothing. A path is "assignment.exit_ips".
const boost::json::value* find(const boost::json::value& value, std::string_view path);
std::string text_at(const boost::json::value& value, std::string_view path);
std::int64_t number_at(const boost::json::value& value, std::string_view path);

// Without control characters, so that nothing that came from afar moves the cursor.
std::string printable(std::string_view text);

}  // namespace chipgate::cli
