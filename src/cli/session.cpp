// Finding the running chipgate, and what its commands share.
#include "session.hpp"

#include "chipgate/base/ascii.hpp"
#include "chipgate/cli/commands.hpp"
#include "chipgate/config/load.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cstdlib>
#include <ostream>

namespace chipgate::cli {
namespace {

std::string variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

Secret token_in(const std::string& path) {
  auto content = config::process_environment().read(path);
  if (!content.text) throw Failed(exit_no_token, "the token file " + path + " cannot be read: " + content.error);
  auto text = std::string_view(*content.text);
  while (text.ends_with('\n') || text.ends_with('\r')) text.remove_suffix(1);
  return Secret(std::string(trim(text)));
}

admin::AdminOptions configured(const std::string& path) {
  auto loaded = config::load_admin(path, config::process_environment());
  if (loaded.has_value()) return *loaded;
  std::string problems;
  for (const auto& problem : loaded.error()) problems += (problems.empty() ? "" : "\n") + config::text(problem);
  throw Failed(exit_usage, problems);
}

AdminAddress address_of(const admin::AdminOptions& options) {
  AdminAddress address;
  address.unix_socket = options.unix_socket;
  address.port = options.listen.port;
  address.host = options.listen.ip.is_unspecified() ? "127.0.0.1" : options.listen.ip.text();
  return address;
}

}  // namespace

Target find_target(const Common& common) {
  auto where = common.admin.empty() ? variable("CHIPGATE_ADMIN") : common.admin;
  auto token_file = common.token_file.empty() ? variable("CHIPGATE_TOKEN_FILE") : common.token_file;
  admin::AdminOptions options;
  if (!common.config.empty() && (where.empty() || token_file.empty())) options = configured(common.config);
  Target target;
  target.address = where.empty() ? address_of(options) : AdminAddress::parse(where);
  const bool by_configuration = token_file.empty() && !options.token.empty();
  if (token_file.empty()) token_file = options.token_file;
  target.token = by_configuration ? options.token : token_in(token_file);
  return target;
}

boost::json::array all_pages(Client& client, const std::string& path, std::string_view member, std::size_t most) {
  boost::json::array all;
  std::string cursor;
  while (all.size() < most) {
    const auto separator = path.find('?') == std::string::npos ? "?" : "&";
    auto page = client.get(cursor.empty() ? path : path + separator + "cursor=" + encoded(cursor));
    for (auto& row : page.at(member).as_array()) {
      if (all.size() < most) all.push_back(std::move(row));
    }
    const auto& next = page.at("next_cursor");
    if (!next.is_string()) break;
    cursor = next.get_string();
  }
  return all;
}

void print_json(std::ostream& out, const boost::json::value& value) { out << boost::json::serialize(value) << '\n'; }

}  // namespace chipgate::cli
