// The facts of a healthy host, of which each test makes one worse.
#pragma once

#include "chipgate/cli/diagnosis.hpp"

#include <algorithm>
#include <gtest/gtest.h>

namespace chipgate::cli {

inline IpAddress ip(const char* text) { return *IpAddress::parse(text); }

inline lifecycle::ChipSpec chip(const char* id, std::uint16_t port) {
  lifecycle::ChipSpec spec{.id = *ChipId::parse(id)};
  spec.port = port;
  return spec;
}

class Diagnosis : public testing::Test {
 protected:
  Diagnosis() {
    settings_.chips = {chip("alpha", 20001), chip("beta", 20002)};
    facts_.host.ephemeral = PortSpan{32768, 60999};
    facts_.host.descriptors = 4096;
    facts_.host.addresses = {ip("203.0.113.7"), ip("192.168.1.2")};
    facts_.gateways = {
        {"http://gateway:3120", {ip("198.51.100.1"), ip("198.51.100.2"), ip("198.51.100.1")}, {}, Milliseconds(900)}};
    facts_.running.chips = {{"alpha", 20001, std::nullopt}, {"beta", 20002, Milliseconds(1'000)}};
    facts_.running.descriptors = 4096;
    facts_.descriptors_needed = 146;
    facts_.silent_for = std::chrono::minutes(10);
  }

  std::vector<Finding> findings() const { return diagnose(settings_, facts_); }

  Finding of(std::string_view what) const {
    const auto all = findings();
    const auto found = std::ranges::find(all, what, &Finding::what);
    return found == all.end() ? Finding{"none", Health::unknown, {}} : *found;
  }

  config::Settings settings_;
  Facts facts_;
};

}  // namespace chipgate::cli
