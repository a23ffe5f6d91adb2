// The table of routes, and which of them a request gets.
#pragma once

#include "chipgate/admin/api.hpp"
#include "chipgate/admin/http.hpp"
#include "chipgate/admin/readiness.hpp"
#include "chipgate/net/task.hpp"

#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace chipgate::admin {

struct Site {
  const ReadinessSource& readiness;
  Api* api = nullptr;  // without it, only what is open to all is answered
};

using Handler = net::Task<Response> (*)(const Site&, Call);

enum class Access : std::uint8_t { open, token };
enum class Body : std::uint8_t { none, json };

struct Route {
  std::string_view method;  // a GET is answered to HEAD as well
  std::string_view path;    // "/api/v1/chips/{id}"
  Access access;
  Body body;
  std::string_view query;  // the parameters that it knows, separated by spaces
  Handler handler;
};

// Every route there is; docs/openapi.json describes the same ones.
std::span<const Route> routes();

// What a request that is let in will be answered by.
struct Admitted {
  const Route* route;
  Call call;  // without its body
};

class Router {
 public:
  // `hosts` are the names by which the server may be asked for, beside localhost and its addresses. What the site
  // refers to must outlive the router.
  Router(std::vector<std::string> hosts, Site site) : hosts_(std::move(hosts)), site_(site) {}

  // Decided before a byte of the body is read.
  std::variant<Admitted, Response> admit(const Request&) const;
  net::Task<Response> answer(const Route&, Call) const;

  const Site& site() const { return site_; }

 private:
  bool knows(std::string_view host, const IpAddress& local) const;
  std::optional<Response> refuse_host(const Request&) const;
  std::optional<Response> refuse_stranger(const Route&, const Request&) const;

  std::vector<std::string> hosts_;
  Site site_;
};

}  // namespace chipgate::admin
