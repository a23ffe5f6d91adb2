// Facts from everywhere, one diagnosis.
#include "chipgate/app/doctor.hpp"

#include "chipgate/app/prove.hpp"
#include "chipgate/cli/commands.hpp"
#include "chipgate/cli/facts.hpp"
#include "chipgate/config/load.hpp"
#include "start_report.hpp"

#include <algorithm>
#include <exception>
#include <ostream>
#include <utility>

namespace chipgate::app {
namespace {

std::vector<std::string> texts(const config::Problems& problems) {
  std::vector<std::string> made;
  for (const auto& problem : problems) made.push_back(config::text(problem));
  return made;
}

cli::GatewayFacts ask_gateway(const config::Settings& settings, EndpointIndex endpoint) {
  cli::GatewayFacts facts;
  facts.endpoint = settings.gateway.endpoints.at(endpoint.value()).name();
  try {
    auto looks = look_three_times(settings, endpoint, [](std::string_view, const Result<IpAddress>&) {});
    facts.exits = std::move(looks.exits);
    facts.trouble = std::move(looks.trouble);
    facts.clock_ahead = looks.clock_ahead;
  } catch (const std::exception& error) {
    // An authority's file that holds no certificate: the other checks are wanted all the more.
    facts.not_asked = error.what();
  }
  return facts;
}

cli::Facts gather(const DoctorOptions& options, const config::Loaded& loaded) {
  cli::Facts facts;
  facts.warnings = loaded.warnings;
  facts.host = cli::look_at_host(loaded.settings.ledger.path);
  for (std::uint32_t i = 0; i < loaded.settings.gateway.endpoints.size(); ++i)
    facts.gateways.push_back(ask_gateway(loaded.settings, EndpointIndex(i)));
  facts.running = cli::ask_running(options.configuration);
  facts.descriptors_needed = descriptors_needed(std::max(loaded.settings.chips.size(), facts.running.chips.size()));
  facts.host_ips = options.host_ips;
  facts.silent_for = options.silent_for;
  return facts;
}

void print(const std::vector<cli::Finding>& findings, DoctorForm form, std::ostream& out) {
  form == DoctorForm::json ? cli::print_findings_json(out, findings) : cli::print_findings(out, findings);
}

}  // namespace

int doctor(const DoctorOptions& options, std::ostream& out) {
  const auto loaded = config::load(options.configuration, config::process_environment());
  if (loaded.has_error()) {
    print({cli::unreadable_configuration(texts(loaded.error()))}, options.form, out);
    return cli::exit_usage;
  }
  const auto findings = cli::diagnose(loaded->settings, gather(options, *loaded));
  print(findings, options.form, out);
  return cli::all_well(findings) ? cli::exit_done : cli::exit_refused;
}

}  // namespace chipgate::app
