// Problems as text.
#include "chipgate/config/problem.hpp"

namespace chipgate::config {

std::string text(const Problem& problem) {
  std::string line = problem.file;
  if (problem.line > 0) line += ":" + std::to_string(problem.line);
  line += ": ";
  if (!problem.key.empty()) line += problem.key + ": ";
  line += problem.message;
  if (!problem.hint.empty()) line += " (" + problem.hint + ")";
  return line;
}

}  // namespace chipgate::config
