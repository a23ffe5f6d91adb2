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
#include <unistd.h>

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

// The configuration's, where no file was named.
Secret token_of(const admin::AdminOptions& options, const std::string& named_file) {
  if (!named_file.empty()) return token_in(named_file);
  return options.token.empty() ? token_in(options.token_file) : options.token;
}

}  // namespace

// One source says both, or --token-file says the token by name: completed from another source, one chipgate's token
// would be sent to another.
Target find_target(const Common& common) {
  if (!common.admin.empty()) {
    auto address = AdminAddress::parse(common.admin);
    if (common.token_file.empty()) {
      throw Failed(exit_usage, "--admin wants --token-file beside it: no other token belongs to that address");
    }
    return {std::move(address), token_in(common.token_file)};
  }
  if (!common.config.empty()) {
    const auto options = configured(common.config);
    return {address_of(options), token_of(options, common.token_file)};
  }
  const auto where = variable("CHIPGATE_ADMIN");
  const auto token_file = common.token_file.empty() ? variable("CHIPGATE_TOKEN_FILE") : common.token_file;
  // So that `docker exec NAME chipgate status` needs no more words.
  if (where.empty() && ::access(common.usual.c_str(), R_OK) == 0) {
    const auto options = configured(common.usual);
    return {address_of(options), token_of(options, token_file)};
  }
  if (where.empty()) return {AdminAddress(), token_of(admin::AdminOptions(), token_file)};
  auto address = AdminAddress::parse(where);
  if (token_file.empty()) {
    throw Failed(exit_usage, "CHIPGATE_ADMIN wants CHIPGATE_TOKEN_FILE or --token-file beside it");
  }
  return {std::move(address), token_in(token_file)};
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
