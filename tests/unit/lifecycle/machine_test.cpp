// The life of a chip: every state with every event.
#include "chipgate/lifecycle/machine.hpp"

#include <array>
#include <gtest/gtest.h>
#include <map>
#include <set>
#include <string>
#include <utility>

namespace chipgate::lifecycle {
namespace {

template <std::size_t count, class T>
std::vector<T> all() {
  std::vector<T> found;
  for (std::size_t i = 0; i < count; ++i) found.push_back(static_cast<T>(i));
  return found;
}

const auto phases = all<phase_count, Phase>();
const auto events = all<event_count, Event>();

// Everything that changes anything, written down a second time: phase, event, what comes of it.
using Change = std::pair<Phase, Event>;
const std::map<Change, Step>& changes() {
  using enum Phase;
  static const std::map<Change, Step> known{
      {{released, Event::connect}, {acquiring, Action::draw}},
      {{released, Event::wanted}, {acquiring, Action::draw}},
      {{released, Event::rotate}, {acquiring, Action::draw}},
      {{released, Event::remove}, {removing, Action::end}},
      {{acquiring, Event::connect}, {acquiring, Action::hurry}},
      {{acquiring, Event::wanted}, {acquiring, Action::hurry}},
      {{acquiring, Event::rotate}, {acquiring, Action::hurry}},
      {{acquiring, Event::drawn}, {active, Action::admit}},
      {{acquiring, Event::draw_failed}, {acquiring, Action::retry}},
      {{acquiring, Event::gave_up}, {blocked, Action::refuse}},
      {{acquiring, Event::release}, {releasing, Action::end}},
      {{acquiring, Event::remove}, {removing, Action::end}},
      {{resuming, Event::connect}, {resuming, Action::hurry}},
      {{resuming, Event::wanted}, {resuming, Action::hurry}},
      {{resuming, Event::confirmed}, {active, Action::admit}},
      {{resuming, Event::lost}, {rotating, Action::end}},
      {{resuming, Event::forbidden}, {blocking, Action::end}},
      {{resuming, Event::unused}, {releasing, Action::end}},
      {{resuming, Event::release}, {releasing, Action::end}},
      {{resuming, Event::rotate}, {rotating, Action::end}},
      {{resuming, Event::remove}, {removing, Action::end}},
      {{active, Event::doubted}, {resuming, Action::withhold}},
      {{active, Event::lost}, {rotating, Action::end}},
      {{active, Event::forbidden}, {blocking, Action::end}},
      {{active, Event::unused}, {releasing, Action::end}},
      {{active, Event::release}, {releasing, Action::end}},
      {{active, Event::rotate}, {rotating, Action::end}},
      {{active, Event::remove}, {removing, Action::end}},
      {{active, Event::renew_due}, {renewing, Action::renew}},
      {{renewing, Event::doubted}, {resuming, Action::withhold}},
      {{renewing, Event::lost}, {rotating, Action::end}},
      {{renewing, Event::forbidden}, {blocking, Action::end}},
      {{renewing, Event::unused}, {releasing, Action::end}},
      {{renewing, Event::release}, {releasing, Action::end}},
      {{renewing, Event::rotate}, {rotating, Action::end}},
      {{renewing, Event::remove}, {removing, Action::end}},
      {{renewing, Event::renewed}, {active, Action::admit}},
      {{renewing, Event::renew_failed}, {active, Action::none}},
      {{blocked, Event::connect}, {acquiring, Action::draw}},
      {{blocked, Event::rotate}, {acquiring, Action::draw}},
      {{blocked, Event::wanted}, {blocked, Action::refuse}},
      {{blocked, Event::release}, {released, Action::settle}},
      {{blocked, Event::remove}, {removing, Action::end}},
      {{releasing, Event::connect}, {rotating, Action::none}},
      {{releasing, Event::wanted}, {rotating, Action::none}},
      {{releasing, Event::rotate}, {rotating, Action::none}},
      {{releasing, Event::remove}, {removing, Action::none}},
      {{releasing, Event::closed}, {released, Action::settle}},
      {{rotating, Event::release}, {releasing, Action::none}},
      {{rotating, Event::forbidden}, {blocking, Action::none}},
      {{rotating, Event::remove}, {removing, Action::none}},
      {{rotating, Event::closed}, {acquiring, Action::draw}},
      {{blocking, Event::connect}, {rotating, Action::none}},
      {{blocking, Event::rotate}, {rotating, Action::none}},
      {{blocking, Event::release}, {releasing, Action::none}},
      {{blocking, Event::remove}, {removing, Action::none}},
      {{blocking, Event::closed}, {blocked, Action::refuse}},
      {{removing, Event::closed}, {removed, Action::forget}},
  };
  return known;
}

std::string shown(const Step& step) {
  return std::string(name(step.phase)) + " with action " + std::to_string(static_cast<int>(step.action));
}

TEST(Machine, AnswersEveryEventInEveryPhase) {
  for (const auto phase : phases) {
    for (const auto event : events) {
      const auto known = changes().find({phase, event});
      const auto expected = known == changes().end() ? Step{phase, Action::none} : known->second;
      EXPECT_EQ(next(phase, event), expected)
          << name(phase) << " + " << name(event) << " gives " << shown(next(phase, event));
    }
  }
}

// What a chip holds or has under way is let go of only through an ending, which fences.
TEST(Machine, LeavesWhatHoldsAnAssignmentOnlyThroughAnEnding) {
  const std::set<Phase> holding{Phase::acquiring, Phase::resuming, Phase::active, Phase::renewing};
  const std::set<Phase> ending{Phase::releasing, Phase::rotating, Phase::blocking, Phase::removing};
  for (const auto phase : phases) {
    for (const auto event : events) {
      const auto step = next(phase, event);
      const bool lets_go = holding.contains(phase) && !holding.contains(step.phase);
      // A draw that gave up holds nothing.
      if (!lets_go || event == Event::gave_up) continue;
      EXPECT_TRUE(ending.contains(step.phase)) << name(phase) << " + " << name(event);
      EXPECT_EQ(step.action, Action::end) << name(phase) << " + " << name(event);
    }
  }
}

TEST(Machine, LeavesAnEndingOnlyOnceEverythingIsClosed) {
  for (const auto phase : {Phase::releasing, Phase::rotating, Phase::blocking, Phase::removing}) {
    for (const auto event : events) {
      if (event == Event::closed) continue;
      EXPECT_EQ(state_of(next(phase, event).phase), State::releasing) << name(phase) << " + " << name(event);
      EXPECT_EQ(next(phase, event).action, Action::none) << "an ending is begun once";
    }
  }
}

TEST(Machine, AdmitsOnlyWhatWasDrawnConfirmedOrRenewed) {
  const std::set<Event> reasons{Event::drawn, Event::confirmed, Event::renewed};
  for (const auto phase : phases) {
    for (const auto event : events) {
      if (next(phase, event).action == Action::admit) {
        EXPECT_TRUE(reasons.contains(event)) << name(phase) << " + " << name(event);
      }
    }
  }
}

TEST(Machine, FollowsAReleaseAndARemovalFromEveryPhase) {
  for (const auto phase : phases) {
    if (phase == Phase::removing || phase == Phase::removed) continue;
    const auto released = next(phase, Event::release).phase;
    EXPECT_TRUE(released == Phase::released || released == Phase::releasing) << name(phase);
    EXPECT_EQ(next(phase, Event::remove).phase, Phase::removing) << name(phase);
  }
}

TEST(Machine, HasANameForEverything) {
  std::set<std::string_view> names;
  for (const auto phase : phases) names.insert(name(phase));
  EXPECT_EQ(names.size(), phase_count);
  names.clear();
  for (const auto event : events) names.insert(name(event));
  EXPECT_EQ(names.size(), event_count);
  names.clear();
  for (const auto state : all<state_count, State>()) names.insert(name(state));
  EXPECT_EQ(names.size(), state_count);
}

}  // namespace
}  // namespace chipgate::lifecycle
