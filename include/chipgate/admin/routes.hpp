// Which answer a request gets: no sockets, a request in and a description of the response out.
#pragma once

#include "chipgate/admin/readiness.hpp"
#include "chipgate/base/address.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace chipgate::admin {

enum class HttpVersion : std::uint8_t { http_1_0, http_1_1 };

struct Request {
  HttpVersion version = HttpVersion::http_1_1;
  std::string_view method;
  std::string_view target;
  std::vector<std::string_view> hosts;  // every Host field there is
  IpAddress local;                      // the address that the client reached
};

// `metrics` is streamed by the server, family by family; `fixed` is the body below.
enum class Content : std::uint8_t { fixed, metrics };

struct Response {
  unsigned status = 200;
  std::string_view content_type;
  Content content = Content::fixed;
  std::string body{};
  std::string_view allow{};  // the Allow field of a 405, else empty
};

// {"error":{"code":...,"message":...}}
Response error_response(unsigned status, std::string_view code, std::string_view message);

class Routes {
 public:
  // `hosts` are the names by which the server may be asked for, beside localhost and its addresses. The source must
  // outlive the routes.
  Routes(std::vector<std::string> hosts, const ReadinessSource& readiness);

  Response answer(const Request&) const;

 private:
  Response get(std::string_view path) const;
  bool knows(std::string_view host, const IpAddress& local) const;

  std::vector<std::string> hosts_;
  const ReadinessSource& readiness_;
};

}  // namespace chipgate::admin
