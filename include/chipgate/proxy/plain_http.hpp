// Plain HTTP: absolute-form requests, one after the other on a client's connection, through the chip's gateway.
#pragma once

#include "chipgate/net/task.hpp"
#include "chipgate/protocol/http_reader.hpp"

#include <optional>
#include <string>

namespace chipgate::proxy {

class Client;

// The client's first request has been read. An HTTP gateway gets absolute-form requests with the chip's credentials,
// as it would from any client of its own; a SOCKS5 gateway a tunnel, and in it the origin's form.
struct ConnectBehind {
  protocol::RequestReader reader;
  std::string bytes;  // behind its head
};
// Until the connection has ended, or the client asks for a tunnel on it.
net::Task<std::optional<ConnectBehind>> serve_plain(Client& client);

}  // namespace chipgate::proxy
