// Serve: chipgate as it runs: everything wired together, until a signal.
#pragma once

#include "chipgate/config/load.hpp"

#include <functional>

namespace chipgate::app {

// The file as it is now.
using ReadAgain = std::function<config::LoadResult()>;

// Blocks until SIGTERM (drains first) or SIGINT (at once), or a second signal; the process's exit code. SIGHUP has the
// configuration read again, and opens the log file anew; SIGUSR1 does only the latter. Throws where start-up fails.
int serve(const config::Settings& settings, ReadAgain read);

}  // namespace chipgate::app
