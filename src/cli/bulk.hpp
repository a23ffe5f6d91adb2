// Bulk: one action over many chips, with progress and a summary.
#pragma once

#include "session.hpp"

#include <boost/json/array.hpp>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace chipgate::cli {

struct Outcome {
  enum class What : std::uint8_t { done, skipped, pending, failed } what;
  std::string detail{};
};

// The chips that were named, or all; as the API shows them. Throws Failed for a name that is unknown.
boost::json::array chosen(const Session& session, const ChipChoice& choice);

class Bulk {
 public:
  using Action = std::function<Outcome(Client&, const std::string& id)>;

  Bulk(const Session& session, std::string verb, boost::json::array chips);

  // An interrupted run goes on by the time at which the first one began, which `finish` tells.
  void resumable_by_time(const std::optional<WallTime>& first);
  void skip(const std::function<bool(const boost::json::value& chip)>& reached);
  // Those that are on their way already, and not skipped: `run` leaves them to `run_pending`.
  void await(const std::function<bool(const boost::json::value& chip)>& on_its_way);
  // Over all others, a few at a time.
  void run(const Action& action);
  // Over those that are still on their way.
  void run_pending(const Action& action);
  // Prints what became of them; the exit code.
  int finish();

 private:
  void work(const std::vector<std::string>& ids, const Action& action);
  void progress();
  std::size_t count(Outcome::What what) const;

  const Session& session_;
  const std::string verb_;
  const boost::json::array chips_;
  WallTime begun_ = std::chrono::system_clock::now();
  bool by_time_ = false;
  std::mutex mutex_;
  std::map<std::string, Outcome> outcomes_;
};

}  // namespace chipgate::cli
