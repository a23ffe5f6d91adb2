// The table.
#include "chipgate/lifecycle/machine.hpp"

#include <array>

namespace chipgate::lifecycle {
namespace {

using enum Phase;

constexpr Step stay(Phase phase) { return {phase, Action::none}; }

using Row = std::array<Step, event_count>;

// clang-format off
constexpr std::array<Row, phase_count> table{{
  // released
  {{{acquiring, Action::draw},      // connect
    {acquiring, Action::draw},      // wanted
    stay(released),                 // drawn
    stay(released),                 // draw_failed
    stay(released),                 // gave_up
    stay(released),                 // confirmed
    stay(released),                 // doubted
    stay(released),                 // lost
    stay(released),                 // forbidden
    stay(released),                 // unused
    stay(released),                 // release
    {acquiring, Action::draw},      // rotate
    {removing, Action::end},        // remove
    stay(released),                 // renew_due
    stay(released),                 // renewed
    stay(released),                 // renew_failed
    stay(released)}},               // closed
  // acquiring
  {{{acquiring, Action::hurry},     // connect
    {acquiring, Action::hurry},     // wanted
    {active, Action::admit},        // drawn
    {acquiring, Action::retry},     // draw_failed
    {blocked, Action::refuse},      // gave_up
    stay(acquiring),                // confirmed
    stay(acquiring),                // doubted
    stay(acquiring),                // lost
    stay(acquiring),                // forbidden
    stay(acquiring),                // unused
    {releasing, Action::end},       // release
    {acquiring, Action::hurry},     // rotate
    {removing, Action::end},        // remove
    stay(acquiring),                // renew_due
    stay(acquiring),                // renewed
    stay(acquiring),                // renew_failed
    stay(acquiring)}},              // closed
  // resuming
  {{{resuming, Action::hurry},      // connect
    {resuming, Action::hurry},      // wanted
    stay(resuming),                 // drawn
    stay(resuming),                 // draw_failed
    stay(resuming),                 // gave_up
    {active, Action::admit},        // confirmed
    stay(resuming),                 // doubted
    {rotating, Action::end},        // lost
    {blocking, Action::end},        // forbidden
    {releasing, Action::end},       // unused
    {releasing, Action::end},       // release
    {rotating, Action::end},        // rotate
    {removing, Action::end},        // remove
    stay(resuming),                 // renew_due
    stay(resuming),                 // renewed
    stay(resuming),                 // renew_failed
    stay(resuming)}},               // closed
  // active
  {{stay(active),                   // connect
    stay(active),                   // wanted
    stay(active),                   // drawn
    stay(active),                   // draw_failed
    stay(active),                   // gave_up
    stay(active),                   // confirmed
    {resuming, Action::withhold},   // doubted
    {rotating, Action::end},        // lost
    {blocking, Action::end},        // forbidden
    {releasing, Action::end},       // unused
    {releasing, Action::end},       // release
    {rotating, Action::end},        // rotate
    {removing, Action::end},        // remove
    {renewing, Action::renew},      // renew_due
    stay(active),                   // renewed
    stay(active),                   // renew_failed
    stay(active)}},                 // closed
  // renewing
  {{stay(renewing),                 // connect
    stay(renewing),                 // wanted
    stay(renewing),                 // drawn
    stay(renewing),                 // draw_failed
    stay(renewing),                 // gave_up
    stay(renewing),                 // confirmed
    {resuming, Action::withhold},   // doubted: its successor is as much in doubt, and is given up
    {rotating, Action::end},        // lost
    {blocking, Action::end},        // forbidden
    {releasing, Action::end},       // unused
    {releasing, Action::end},       // release
    {rotating, Action::end},        // rotate
    {removing, Action::end},        // remove
    stay(renewing),                 // renew_due
    {active, Action::admit},        // renewed
    stay(active),                   // renew_failed
    stay(renewing)}},               // closed
  // blocked
  {{{acquiring, Action::draw},      // connect
    {blocked, Action::refuse},      // wanted
    stay(blocked),                  // drawn
    stay(blocked),                  // draw_failed
    stay(blocked),                  // gave_up
    stay(blocked),                  // confirmed
    stay(blocked),                  // doubted
    stay(blocked),                  // lost
    stay(blocked),                  // forbidden
    stay(blocked),                  // unused
    {released, Action::settle},     // release
    {acquiring, Action::draw},      // rotate
    {removing, Action::end},        // remove
    stay(blocked),                  // renew_due
    stay(blocked),                  // renewed
    stay(blocked),                  // renew_failed
    stay(blocked)}},                // closed
  // releasing
  {{stay(rotating),                 // connect
    stay(rotating),                 // wanted
    stay(releasing),                // drawn
    stay(releasing),                // draw_failed
    stay(releasing),                // gave_up
    stay(releasing),                // confirmed
    stay(releasing),                // doubted
    stay(releasing),                // lost
    stay(releasing),                // forbidden
    stay(releasing),                // unused
    stay(releasing),                // release
    stay(rotating),                 // rotate
    stay(removing),                 // remove
    stay(releasing),                // renew_due
    stay(releasing),                // renewed
    stay(releasing),                // renew_failed
    {released, Action::settle}}},   // closed
  // rotating
  {{stay(rotating),                 // connect
    stay(rotating),                 // wanted
    stay(rotating),                 // drawn
    stay(rotating),                 // draw_failed
    stay(rotating),                 // gave_up
    stay(rotating),                 // confirmed
    stay(rotating),                 // doubted
    stay(rotating),                 // lost
    stay(blocking),                 // forbidden
    stay(rotating),                 // unused
    stay(releasing),                // release
    stay(rotating),                 // rotate
    stay(removing),                 // remove
    stay(rotating),                 // renew_due
    stay(rotating),                 // renewed
    stay(rotating),                 // renew_failed
    {acquiring, Action::draw}}},    // closed
  // blocking
  {{stay(rotating),                 // connect
    stay(blocking),                 // wanted
    stay(blocking),                 // drawn
    stay(blocking),                 // draw_failed
    stay(blocking),                 // gave_up
    stay(blocking),                 // confirmed
    stay(blocking),                 // doubted
    stay(blocking),                 // lost
    stay(blocking),                 // forbidden
    stay(blocking),                 // unused
    stay(releasing),                // release
    stay(rotating),                 // rotate
    stay(removing),                 // remove
    stay(blocking),                 // renew_due
    stay(blocking),                 // renewed
    stay(blocking),                 // renew_failed
    {blocked, Action::refuse}}},    // closed
  // removing
  {{stay(removing), stay(removing), stay(removing), stay(removing), stay(removing), stay(removing), stay(removing),
    stay(removing), stay(removing), stay(removing), stay(removing), stay(removing), stay(removing), stay(removing),
    stay(removing), stay(removing),
    {removed, Action::forget}}},    // closed
  // removed
  {{stay(removed), stay(removed), stay(removed), stay(removed), stay(removed), stay(removed), stay(removed),
    stay(removed), stay(removed), stay(removed), stay(removed), stay(removed), stay(removed), stay(removed),
    stay(removed), stay(removed), stay(removed)}},
}};
// clang-format on

}  // namespace

Step next(Phase phase, Event event) {
  return table.at(static_cast<std::size_t>(phase)).at(static_cast<std::size_t>(event));
}

State state_of(Phase phase) {
  switch (phase) {
    case released: return State::released;
    case acquiring: return State::acquiring;
    case resuming: return State::resuming;
    case active: return State::active;
    case renewing: return State::renewing;
    case blocked: return State::blocked;
    case releasing:
    case rotating:
    case blocking:
    case removing:
    case removed: return State::releasing;
  }
  return State::released;
}

std::string_view name(State state) {
  switch (state) {
    case State::released: return "released";
    case State::acquiring: return "acquiring";
    case State::resuming: return "resuming";
    case State::active: return "active";
    case State::renewing: return "renewing";
    case State::blocked: return "blocked";
    case State::releasing: return "releasing";
  }
  return {};
}

std::string_view name(Phase phase) {
  constexpr std::array<std::string_view, phase_count> names{"released", "acquiring", "resuming",  "active",
                                                            "renewing", "blocked",   "releasing", "rotating",
                                                            "blocking", "removing",  "removed"};
  return names.at(static_cast<std::size_t>(phase));
}

std::string_view name(Event event) {
  constexpr std::array<std::string_view, event_count> names{
      "connect", "wanted",  "drawn",  "draw_failed", "gave_up",   "confirmed", "doubted",      "lost",  "forbidden",
      "unused",  "release", "rotate", "remove",      "renew_due", "renewed",   "renew_failed", "closed"};
  return names.at(static_cast<std::size_t>(event));
}

}  // namespace chipgate::lifecycle
