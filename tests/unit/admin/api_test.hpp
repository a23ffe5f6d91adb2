// Requests to the API without a socket.
#pragma once

#include "chipgate/admin/router.hpp"
#include "world.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <gtest/gtest.h>
#include <optional>

namespace chipgate::admin {

class ApiTest : public testing::Test {
 protected:
  Response answer(const Request& request, std::string body = {}) {
    const Router router({"Chipgate.internal"}, {world_.source, &world_.api});
    auto decided = router.admit(request);
    if (auto* const refused = std::get_if<Response>(&decided)) return *refused;
    auto& admitted = std::get<Admitted>(decided);
    admitted.call.body = std::move(body);
    std::optional<Response> response;
    boost::asio::co_spawn(world_.context, router.answer(*admitted.route, admitted.call),
                          [&](const std::exception_ptr& failure, Response made) {
                            if (failure) std::rethrow_exception(failure);
                            response = std::move(made);
                          });
    world_.context.restart();
    world_.context.run();
    return response.value();
  }

  // By somebody who knows the token.
  Response ask(std::string_view method, std::string_view target, std::string body = {}, std::string_view accept = {}) {
    return answer({.method = method,
                   .target = target,
                   .hosts = {"localhost"},
                   .local = {},
                   .authorization = "Bearer correct-horse-battery-staple",
                   .accept = accept},
                  std::move(body));
  }

  static boost::json::object parsed(const Response& response) { return boost::json::parse(response.body).as_object(); }
  // "400 bad_value port"
  static std::string refusal(const Response& response) {
    const auto body = parsed(response);
    const auto& error = body.at("error").as_object();
    auto text = std::to_string(response.status) + " " + std::string(error.at("code").as_string());
    if (const auto* const field = error.if_contains("field")) text += " " + std::string(field->as_string());
    return text;
  }

  AdminWorld world_;
  FakeControl& control_ = world_.control;
  FakeLedger& ledger_ = world_.ledger;
};

}  // namespace chipgate::admin
