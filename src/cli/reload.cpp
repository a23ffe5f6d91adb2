// Having the configuration read again.
#include "chipgate/cli/commands.hpp"
#include "session.hpp"
#include "table.hpp"

#include <array>
#include <boost/json/array.hpp>
#include <ostream>

namespace chipgate::cli {
namespace {

namespace json = boost::json;

struct Part {
  std::string_view member;
  std::string_view title;
};

constexpr std::array<Part, 6> parts{{{"added", "added"},
                                     {"removed", "removed"},
                                     {"changed", "changed"},
                                     {"settings", "in force"},
                                     {"restart_needed", "wants a restart"},
                                     {"unfinished", "unfinished"}}};

// One line a word would be 500 for a range of chips that is new.
constexpr std::size_t most_words = 10;

std::string words_text(const json::array& words, std::string_view separator) {
  std::string text;
  for (std::size_t i = 0; i < std::min(words.size(), most_words); ++i) {
    if (i > 0) text += separator;
    text += printable(words[i].as_string());
  }
  if (words.size() > most_words) text += " and " + std::to_string(words.size() - most_words) + " more";
  return text;
}

}  // namespace

int reload(const Session& session) {
  Client client(session.target);
  const auto answer = client.ask("POST", "/api/v1/config/reload");
  if (answer.status >= 400) throw Failed(exit_refused, refusal_of(answer));
  const auto body = answer.json();
  const bool whole = body.at("unfinished").as_array().empty();
  const int code = whole ? exit_done : exit_refused;
  if (session.form == Form::json) {
    print_json(session.out, body);
    return code;
  }
  bool anything = false;
  for (const auto& part : parts) {
    const auto& words = body.at(part.member).as_array();
    if (words.empty()) continue;
    anything = true;
    session.out << part.title << ": " << words_text(words, part.member == "unfinished" ? "; " : ", ") << '\n';
  }
  if (!anything) session.out << "nothing has changed\n";
  return code;
}

}  // namespace chipgate::cli
