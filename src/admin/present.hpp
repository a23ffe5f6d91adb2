// What the API says of chips, assignments and the rest, as JSON.
#pragma once

#include "chipgate/admin/http.hpp"
#include "chipgate/admin/options.hpp"
#include "chipgate/lifecycle/control.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <string>

namespace chipgate::admin {

inline constexpr std::string_view json_text = "application/json";

Response json_response(unsigned status, const boost::json::object& body);
// {"<name>":[...],"next_cursor":"..."}; the cursor is null at the end.
Response page_response(std::string_view name, boost::json::array rows, const std::optional<std::string>& cursor);

std::string_view name(ledger::ConnectMode);
std::optional<ledger::ConnectMode> connect_mode(std::string_view);
std::string_view name(lifecycle::Denial);
Response denied_response(const lifecycle::Denied&);
Response released_response(const lifecycle::Released&);
// 503 where the ledger does not answer.
Response ledger_response(const Error&);

boost::json::value present(const std::optional<WallTime>&);
boost::json::object present(const Error&);
boost::json::object present(const ledger::Traffic&);
boost::json::object present(const lifecycle::ChipView&, const std::optional<Price>&);
boost::json::object present(const ledger::HistoryRow&);
boost::json::object present(const lifecycle::TunnelView&);
boost::json::object present(const lifecycle::GatewayView&);
boost::json::object present(const ledger::EventRow&);
boost::json::object present(const ledger::DeniedExit&);

// In the currency's own unit, to a hundredth of a cent.
double cost_of(std::uint64_t bytes, const Price&);

}  // namespace chipgate::admin
