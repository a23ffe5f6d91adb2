// Running a bulk action.
#include "bulk.hpp"
#include "chipgate/cli/commands.hpp"
#include "table.hpp"

#include <algorithm>
#include <atomic>
#include <boost/json/object.hpp>
#include <exception>
#include <ostream>
#include <set>
#include <thread>

namespace chipgate::cli {
namespace {

namespace json = boost::json;
using What = Outcome::What;

// Few beside the connections that chipgate answers.
constexpr std::size_t workers = 8;

}  // namespace

json::array chosen(const Session& session, const ChipChoice& choice) {
  Client client(session.target);
  if (choice.all) return all_pages(client, "/api/v1/chips?limit=1000", "chips");
  if (choice.ids.empty()) throw Failed(exit_usage, "name chips, or say --all");
  json::array chips;
  std::set<std::string> seen;
  for (const auto& id : choice.ids) {
    if (seen.insert(id).second) chips.push_back(client.get("/api/v1/chips/" + encoded(id)));
  }
  return chips;
}

Bulk::Bulk(const Session& session, std::string verb, json::array chips)
    : session_(session), verb_(std::move(verb)), chips_(std::move(chips)) {}

void Bulk::skip(const std::function<bool(const json::value& chip)>& reached) {
  for (const auto& chip : chips_) {
    if (reached(chip)) outcomes_.insert_or_assign(text_at(chip, "id"), Outcome{What::skipped});
  }
}

void Bulk::resumable_by_time(const std::optional<WallTime>& first) {
  by_time_ = true;
  begun_ = first.value_or(begun_);
}

void Bulk::await(const std::function<bool(const json::value& chip)>& on_its_way) {
  for (const auto& chip : chips_) {
    if (on_its_way(chip)) outcomes_.try_emplace(text_at(chip, "id"), Outcome{What::pending});
  }
}

void Bulk::run(const Action& action) {
  std::vector<std::string> ids;
  for (const auto& chip : chips_) {
    auto id = text_at(chip, "id");
    if (!outcomes_.contains(id)) ids.push_back(std::move(id));
  }
  work(ids, action);
}

void Bulk::run_pending(const Action& action) {
  std::vector<std::string> ids;
  for (const auto& [id, outcome] : outcomes_) {
    if (outcome.what == What::pending) ids.push_back(id);
  }
  work(ids, action);
}

void Bulk::work(const std::vector<std::string>& ids, const Action& action) {
  std::atomic<std::size_t> next = 0;
  const auto take = [&] {
    Client client(session_.target);
    for (auto i = next++; i < ids.size(); i = next++) {
      Outcome outcome{What::failed};
      try {
        outcome = action(client, ids[i]);
      } catch (const std::exception& error) {
        // Whatever it is, one chip's: what leaves a thread ends the program.
        outcome.detail = error.what();
      }
      const std::lock_guard lock(mutex_);
      outcomes_.insert_or_assign(ids[i], std::move(outcome));
      progress();
    }
  };
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < std::min(workers, ids.size()); ++i) threads.emplace_back(take);
  for (auto& thread : threads) thread.join();
}

std::size_t Bulk::count(What what) const {
  return static_cast<std::size_t>(
      std::ranges::count_if(outcomes_, [what](const auto& entry) { return entry.second.what == what; }));
}

void Bulk::progress() {
  if (session_.terminal == Terminal::no || chips_.size() < 2) return;
  session_.err << '\r' << verb_ << ": " << count(What::done) << " done, " << count(What::skipped) << " skipped, "
               << count(What::failed) << " failed, of " << chips_.size() << "\033[K" << std::flush;
}

int Bulk::finish() {
  if (session_.terminal == Terminal::yes && chips_.size() > 1) session_.err << "\r\033[K";
  const auto left = count(What::failed) + count(What::pending);
  constexpr std::array<std::string_view, 4> words{"done", "skipped", "pending", "failed"};
  if (session_.form == Form::json) {
    json::object body;
    for (const auto& [id, outcome] : outcomes_) {
      body[id] = {{"outcome", words.at(static_cast<std::size_t>(outcome.what))}, {"detail", outcome.detail}};
    }
    print_json(session_.out, json::object{{"chips", std::move(body)}});
  } else {
    std::vector<Cells> rows;
    for (const auto& [id, outcome] : outcomes_) {
      // A fleet's success is a number; what needs somebody is told by name.
      const bool notable = outcome.what == What::failed || outcome.what == What::pending;
      if (!notable && chips_.size() > 20) continue;
      rows.push_back({id, std::string(words.at(static_cast<std::size_t>(outcome.what))), printable(outcome.detail)});
    }
    if (!rows.empty()) print_table(session_.out, {"CHIP", verb_, "DETAIL"}, rows);
    if (chips_.size() > 1) {
      session_.out << verb_ << ": " << count(What::done) << " done, " << count(What::skipped) << " skipped, "
                   << count(What::pending) << " pending, " << count(What::failed) << " failed\n";
    }
  }
  if (left > 0 && chips_.size() > 1) {
    session_.err << "run it again for the rest" << (by_time_ ? ", with --since " + rfc3339(begun_) : "") << '\n';
  }
  return left == 0 ? exit_done : exit_refused;
}

}  // namespace chipgate::cli
