// Writing findings.
#include "chipgate/cli/diagnosis.hpp"
#include "session.hpp"
#include "table.hpp"

#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <ostream>

namespace chipgate::cli {
namespace {

std::string_view name(Health health) {
  static constexpr std::array<std::string_view, 4> names{"fine", "unknown", "warning", "wrong"};
  return names.at(static_cast<std::size_t>(health));
}

}  // namespace

void print_findings(std::ostream& out, const std::vector<Finding>& findings) {
  std::vector<Cells> rows;
  for (const auto& finding : findings) {
    rows.push_back({std::string(name(finding.health)), finding.what, printable(finding.evidence)});
    // Below what it is for, since a line that is longer than the screen is not read.
    if (!finding.fix.empty()) rows.push_back({"", "", "-> " + finding.fix});
  }
  print_table(out, {"HEALTH", "CHECK", "EVIDENCE"}, rows);
}

void print_findings_json(std::ostream& out, const std::vector<Finding>& findings) {
  boost::json::array rows;
  for (const auto& [what, health, evidence, fix] : findings) {
    rows.push_back({{"what", what}, {"health", name(health)}, {"evidence", evidence}, {"fix", fix}});
  }
  print_json(out, boost::json::object{{"ok", all_well(findings)}, {"findings", std::move(rows)}});
}

}  // namespace chipgate::cli
