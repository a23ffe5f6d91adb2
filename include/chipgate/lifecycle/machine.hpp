// The life of a chip as one table: where it stands, what happens, where it stands then, and what has to be done.
#pragma once

#include "chipgate/lifecycle/state.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace chipgate::lifecycle {

// A state, and while something ends also what comes afterwards.
enum class Phase : std::uint8_t {
  released,
  acquiring,
  resuming,
  active,
  renewing,
  blocked,
  releasing,  // released afterwards
  rotating,   // acquiring afterwards
  blocking,   // blocked afterwards
  removing,   // removed afterwards
  removed,    // the chip is no more
};
inline constexpr std::size_t phase_count = 11;

enum class Event : std::uint8_t {
  connect,       // an operator, or the start of an on_start chip
  wanted,        // a client waits, and the chip may draw for it
  drawn,         // an exit was looked at, its lease taken, its row opened
  draw_failed,   // a round gave nothing; another may
  gave_up,       // no further round makes sense before somebody does something
  confirmed,     // a look said *same*
  doubted,       // what was known of the exit is too old or may be wrong: look before new tunnels
  lost,          // the assignment cannot go on and the chip wants another: it moved, its lifetime ended
  forbidden,     // it moved, and on_change is block
  unused,        // nobody has used it for long
  release,       // an operator
  rotate,        // an operator
  remove,        // an operator
  renew_due,     // the absolute lifetime ends soon
  renewed,       // old and new have changed places
  renew_failed,  // no successor was found; there is still time
  closed,        // everything is fenced and the rows are closed
};
inline constexpr std::size_t event_count = 17;

enum class Action : std::uint8_t {
  none,
  draw,      // begin a round
  hurry,     // a waiting client or operator may pull the next round or look forward
  retry,     // another round later
  admit,     // open the route
  withhold,  // no new tunnels; those that are open stay
  refuse,    // tell those who wait
  end,       // raise the epoch, fence, close the rows
  renew,     // draw a successor
  settle,    // tell those who wait for the end
  forget,    // the chip goes
};

struct Step {
  Phase phase;
  Action action;
  friend bool operator==(const Step&, const Step&) = default;
};

// Total: every event has an answer in every phase. What makes no sense where it comes (it crossed another on its way)
// changes nothing.
Step next(Phase, Event);

State state_of(Phase);
std::string_view name(Phase);
std::string_view name(Event);

}  // namespace chipgate::lifecycle
