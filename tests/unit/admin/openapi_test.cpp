// The description of the API and the table of routes say the same.
#include "api_test.hpp"

#include <set>

namespace chipgate::admin {
namespace {

namespace json = boost::json;

std::string upper(std::string_view text) {
  std::string made(text);
  for (auto& c : made) c = static_cast<char>(std::toupper(c));
  return made;
}

class OpenApiTest : public ApiTest {
 protected:
  json::object document() { return parsed(ask("GET", "/openapi.json")); }
};

// "GET /api/v1/chips"
TEST_F(OpenApiTest, HasEveryRouteAndNoOther) {
  const auto made = document();
  std::set<std::string> described;
  for (const auto& [path, item] : made.at("paths").as_object()) {
    for (const auto& [method, operation] : item.as_object()) {
      if (method != "parameters") described.insert(upper(method) + " " + std::string(path));
    }
  }
  std::set<std::string> served;
  for (const auto& route : routes()) served.insert(std::string(route.method) + " " + std::string(route.path));
  EXPECT_EQ(described, served);
}

TEST_F(OpenApiTest, DescribesParametersBodiesAndTokensAsTheyAre) {
  const auto made = document();
  for (const auto& route : routes()) {
    const auto& item = made.at("paths").at(route.path).as_object();
    std::string method(route.method);
    for (auto& c : method) c = static_cast<char>(std::tolower(c));
    const auto& operation = item.at(method).as_object();
    std::string query;
    if (const auto* const parameters = operation.if_contains("parameters")) {
      for (const auto& parameter : parameters->as_array()) {
        if (parameter.at("in") != "query") continue;
        query += (query.empty() ? "" : " ") + std::string(parameter.at("name").as_string());
      }
    }
    EXPECT_EQ(query, route.query) << route.path;
    EXPECT_EQ(operation.contains("requestBody"), route.body == Body::json) << route.method << route.path;
    const bool open = operation.contains("security") && operation.at("security").as_array().empty();
    EXPECT_EQ(open, route.access == Access::open) << route.path;
    EXPECT_EQ(operation.at("responses").as_object().contains("401"), route.access == Access::token) << route.path;
    EXPECT_EQ(item.contains("parameters"), route.path.find('{') != std::string_view::npos) << route.path;
  }
}

// Every $ref leads somewhere.
void check_references(const json::value& value, const json::object& schemas) {
  if (value.is_array()) {
    for (const auto& one : value.get_array()) check_references(one, schemas);
  }
  if (!value.is_object()) return;
  for (const auto& [key, inner] : value.get_object()) {
    if (key == "$ref") {
      const std::string target(inner.as_string());
      EXPECT_TRUE(schemas.contains(target.substr(target.rfind('/') + 1))) << target;
    }
    check_references(inner, schemas);
  }
}

TEST_F(OpenApiTest, RefersOnlyToWhatItHas) {
  const auto made = document();
  check_references(made, made.at("components").at("schemas").as_object());
}

// What an answer has is described.
TEST_F(OpenApiTest, NamesEveryMemberOfAChip) {
  const auto made = document();
  const auto& described = made.at("components").at("schemas").at("Chip").at("properties").as_object();
  const auto shown = parsed(ask("GET", "/api/v1/chips/alpha"));
  for (const auto& [key, value] : shown) EXPECT_TRUE(described.contains(key)) << key;
  EXPECT_EQ(described.size(), shown.size());
}

}  // namespace
}  // namespace chipgate::admin
