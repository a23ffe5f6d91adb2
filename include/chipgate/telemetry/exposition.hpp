// Turns the counters into the text that Prometheus reads, one family at a time.
#pragma once

#include "chipgate/telemetry/source.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace chipgate::telemetry {

// Lives on the thread of the scrape. Ten thousand chips as one piece are 100 MB of samples: a server asks for family
// after family and lets go of each before the next.
class Exposition {
 public:
  static constexpr std::string_view content_type = "text/plain; version=0.0.4; charset=utf-8";

  // The source must outlive the exposition.
  explicit Exposition(const MetricsSource& source) : source_(source) {}

  std::size_t family_count() const { return families.size(); }
  // The text of one family, its HELP and TYPE first; empty where it has no sample now.
  std::string render(std::size_t family) const;

 private:
  const MetricsSource& source_;
};

}  // namespace chipgate::telemetry
