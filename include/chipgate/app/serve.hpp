// Serve: chipgate as it runs: everything wired together, until a signal.
#pragma once

#include "chipgate/config/settings.hpp"

namespace chipgate::app {

// Blocks until SIGTERM (drains first) or SIGINT (at once), or a second signal; the process's exit code. SIGHUP opens
// the log file anew. Throws where start-up fails.
int serve(const config::Settings& settings);

}  // namespace chipgate::app
