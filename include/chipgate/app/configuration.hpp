// Configuration: what is in force, and taking on what the file says now.
#pragma once

#include "chipgate/admin/configuration.hpp"
#include "chipgate/config/difference.hpp"
#include "chipgate/config/load.hpp"
#include "chipgate/lifecycle/reconfigure.hpp"

#include <boost/asio/io_context.hpp>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace chipgate::telemetry {
class Log;
}

namespace chipgate::app {

// On the control thread. What the steps refer to must outlive the io_context's last run.
class Configuration final : public admin::ConfigurationSource {
 public:
  struct Steps {
    std::function<config::LoadResult()> read;
    // Of all chips that there are, whoever made them.
    std::function<std::map<ChipId, std::uint16_t>()> ports;
    std::function<net::Task<lifecycle::Wish<lifecycle::Reconfigured>>(lifecycle::Reconfigure)> reconfigure;
    // Whoever else holds settings takes them from here; the keys are those that have changed.
    std::function<void(const config::Settings& in_force, const std::vector<std::string>& keys)> spread;
  };

  Configuration(boost::asio::io_context& control, telemetry::Log& log, config::Settings settings, Steps steps);

  const config::Settings& in_force() const { return in_force_; }
  std::string redacted() const override;
  net::Task<admin::ReloadAnswer> reload() override;
  // A reload that nobody waits for; what comes of it is in the log. One that comes while another runs follows it: the
  // file may have changed after it was read.
  void hang_up();
  // Nothing is read any more.
  void close() { closed_ = true; }

 private:
  net::Task<admin::ReloadAnswer> take_on();
  admin::Reloaded settle(config::Difference difference, const lifecycle::Reconfigured& done);
  void tell(const admin::ReloadAnswer& answer);

  boost::asio::io_context& control_;
  telemetry::Log& log_;
  config::Settings in_force_;
  const Steps steps_;
  std::vector<std::string> waiting_;  // keys
  bool running_ = false;
  bool again_ = false;
  bool closed_ = false;
};

}  // namespace chipgate::app
