// The table of faults, and choosing among those that stand.
#include "sim/faults.hpp"

#include <algorithm>
#include <array>
#include <iterator>

namespace chipgate::sim {
namespace {

using enum FaultStage;
using enum FaultKind;

struct StageName {
  FaultStage stage;
  std::string_view name;
};
constexpr std::array<StageName, 6> stages{
    {{accept, "accept"}, {tls, "tls"}, {auth, "auth"}, {connect, "connect"}, {tunnel, "tunnel"}, {origin, "origin"}}};

constexpr unsigned at(FaultStage stage) { return 1U << static_cast<unsigned>(stage); }

struct KindRow {
  FaultKind kind;
  std::string_view name;
  unsigned stages;
};
constexpr std::array<KindRow, 18> kinds{{{refuse, "refuse", at(accept)},
                                         {silence, "silence", at(accept) | at(connect) | at(origin)},
                                         {slow, "slow", at(accept) | at(connect) | at(origin)},
                                         {fin, "fin", at(accept) | at(connect) | at(origin)},
                                         {rst, "rst", at(accept) | at(connect) | at(origin)},
                                         {garbage, "garbage", at(connect) | at(origin)},
                                         {status, "status", at(connect) | at(origin)},
                                         {split, "split", at(connect)},
                                         {extra, "extra", at(connect)},
                                         {socks_reply, "socks_reply", at(connect)},
                                         {reject, "reject", at(auth)},
                                         {expired, "expired", at(tls)},
                                         {wrong_name, "wrong_name", at(tls)},
                                         {self_signed, "self_signed", at(tls)},
                                         {cut, "cut", at(tunnel)},
                                         {blackhole, "blackhole", at(tunnel)},
                                         {idle_reap, "idle_reap", at(tunnel)},
                                         {throttle, "throttle", at(tunnel)}}};

const KindRow& row_of(FaultKind kind) { return *std::ranges::find(kinds, kind, &KindRow::kind); }

bool strikes(const Fault& fault, FaultStage stage, const Circumstances& whom) {
  return fault.stage == stage && (!fault.listener || !whom.listener || fault.listener == whom.listener) &&
         whom.session.find(fault.session) != std::string_view::npos &&
         whom.target.find(fault.target) != std::string_view::npos;
}

}  // namespace

std::optional<FaultStage> parse_stage(std::string_view text) {
  const auto found = std::ranges::find(stages, text, &StageName::name);
  return found == stages.end() ? std::nullopt : std::optional(found->stage);
}

std::optional<FaultKind> parse_kind(std::string_view text) {
  const auto found = std::ranges::find(kinds, text, &KindRow::name);
  return found == kinds.end() ? std::nullopt : std::optional(found->kind);
}

std::string_view name(FaultStage stage) { return std::ranges::find(stages, stage, &StageName::stage)->name; }
std::string_view name(FaultKind kind) { return row_of(kind).name; }

std::optional<std::uint64_t> FaultPlan::add(Fault fault) {
  if ((row_of(fault.kind).stages & at(fault.stage)) == 0) return std::nullopt;
  standing_.push_back({next_id_, std::move(fault)});
  return next_id_++;
}

std::optional<std::uint64_t> FaultPlan::replace(Fault fault) {
  const auto id = add(std::move(fault));
  if (id) standing_.erase(standing_.begin(), std::prev(standing_.end()));
  return id;
}

bool FaultPlan::remove(std::uint64_t id) {
  return std::erase_if(standing_, [id](const StandingFault& one) { return one.id == id; }) > 0;
}

std::optional<Fault> FaultPlan::strike(FaultStage stage, const Circumstances& whom) {
  for (auto& one : standing_) {
    if (one.fault.kind == refuse || one.fault.count == 0U || !strikes(one.fault, stage, whom)) continue;
    ++one.struck;
    if (one.fault.count) --*one.fault.count;
    return one.fault;
  }
  return std::nullopt;
}

bool FaultPlan::refuses(ListenerKind listener) const {
  return std::ranges::any_of(standing_, [listener](const StandingFault& one) {
    return one.fault.kind == refuse && (!one.fault.listener || one.fault.listener == listener);
  });
}

}  // namespace chipgate::sim
