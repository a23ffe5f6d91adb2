// One POST of a webhook. What speaks HTTP stands behind this.
#pragma once

#include "chipgate/admin/webhook.hpp"

#include <utility>
#include <vector>

namespace boost::asio::ssl {
class context;  // NOLINT(readability-identifier-naming): its name is Asio's
}

namespace chipgate::admin {

// The answer's status, or why there was none.
struct Posted {
  unsigned status = 0;
  std::string trouble{};
};

class WebhookClient {
 public:
  WebhookClient(boost::asio::io_context& control, WebhookUrl url, net::Resolver& resolver);
  ~WebhookClient();

  using Fields = std::vector<std::pair<std::string, std::string>>;
  net::Task<Posted> post(std::string body, Fields fields, Milliseconds within);

 private:
  net::Task<net::Resolver::Answer> resolve(Milliseconds within);

  boost::asio::io_context& control_;
  const WebhookUrl url_;
  net::Resolver& resolver_;
  std::unique_ptr<boost::asio::ssl::context> tls_;
};

}  // namespace chipgate::admin
