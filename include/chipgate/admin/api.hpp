// Api: what the handlers of /api/v1 work on.
#pragma once

#include "chipgate/admin/configuration.hpp"
#include "chipgate/admin/event_feed.hpp"
#include "chipgate/admin/options.hpp"
#include "chipgate/ledger/ledger.hpp"
#include "chipgate/lifecycle/control.hpp"

#include <optional>

namespace chipgate::admin {

// All of it on the control thread, and it must outlive the io_context's last run: an action that was begun is finished
// though its client has left.
struct Api {
  lifecycle::Control& control;
  ledger::Ledger& ledger;
  ConfigurationSource& configuration;
  EventFeed& events;
  Secret token;
  std::optional<Price> price{};
  WallTime started_at = std::chrono::system_clock::now();
};

}  // namespace chipgate::admin
