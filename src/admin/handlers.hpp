// The handlers of the table of routes, by what they are about.
#pragma once

#include "chipgate/admin/router.hpp"

namespace chipgate::admin {

// watching.cpp
net::Task<Response> live(const Site& site, Call call);
net::Task<Response> ready(const Site& site, Call call);
net::Task<Response> metrics(const Site& site, Call call);
net::Task<Response> openapi(const Site& site, Call call);
net::Task<Response> show_status(const Site& site, Call call);
net::Task<Response> show_gateway(const Site& site, Call call);
net::Task<Response> list_tunnels(const Site& site, Call call);
net::Task<Response> cut_tunnel(const Site& site, Call call);

// reload.cpp
net::Task<Response> show_configuration(const Site& site, Call call);
net::Task<Response> reload_configuration(const Site& site, Call call);

// chips.cpp
net::Task<Response> list_chips(const Site& site, Call call);
net::Task<Response> show_chip(const Site& site, Call call);
net::Task<Response> put_chip(const Site& site, Call call);
net::Task<Response> delete_chip(const Site& site, Call call);

// actions.cpp
net::Task<Response> connect_chip(const Site& site, Call call);
net::Task<Response> release_chip(const Site& site, Call call);
net::Task<Response> rotate_chip(const Site& site, Call call);
net::Task<Response> verify_chip(const Site& site, Call call);
net::Task<Response> report_chip(const Site& site, Call call);

// history.cpp
net::Task<Response> list_assignments(const Site& site, Call call);
net::Task<Response> list_events(const Site& site, Call call);
net::Task<Response> list_traffic(const Site& site, Call call);

// denials.cpp
net::Task<Response> list_denied(const Site& site, Call call);
net::Task<Response> deny_exit(const Site& site, Call call);
net::Task<Response> allow_exit(const Site& site, Call call);

}  // namespace chipgate::admin
