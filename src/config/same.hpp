// Whether two values of settings say the same.
#pragma once

#include "chipgate/config/settings.hpp"

#include <algorithm>
#include <optional>
#include <tuple>
#include <vector>

namespace chipgate::config {

inline bool same(const Secret& one, const Secret& other) { return one.equals(other.reveal()); }

inline bool same(const Network& one, const Network& other) { return one.text() == other.text(); }

inline bool same(const protocol::HttpUrl& one, const protocol::HttpUrl& other) {
  return std::tie(one.authority, one.path_and_query) == std::tie(other.authority, other.path_and_query);
}

inline bool same(const protocol::DestinationRule& one, const protocol::DestinationRule& other) {
  return one.text() == other.text();
}

inline bool same(const gateway::EndpointOptions& one, const gateway::EndpointOptions& other) {
  return std::tie(one.kind, one.host, one.port) == std::tie(other.kind, other.host, other.port);
}

inline bool same(const gateway::TlsOptions& one, const gateway::TlsOptions& other) {
  return std::tie(one.ca_file, one.server_name) == std::tie(other.ca_file, other.server_name);
}

inline bool same(const provider::RandomSession& one, const provider::RandomSession& other) {
  return std::tie(one.alphabet, one.length) == std::tie(other.alphabet, other.length);
}

inline bool same(const proxy::ClientCredentials& one, const proxy::ClientCredentials& other) {
  return one.username == other.username && same(one.password, other.password);
}

inline bool same(const PortRange& one, const PortRange& other) {
  return std::tie(one.first, one.last) == std::tie(other.first, other.last);
}

inline bool same(const admin::Price& one, const admin::Price& other) {
  return std::tie(one.per_gb, one.currency) == std::tie(other.per_gb, other.currency);
}

inline bool same(const admin::WebhookOptions& one, const admin::WebhookOptions& other) {
  return one.url == other.url && same(one.secret, other.secret) && one.events == other.events;
}

template <class T>
bool same(const T& one, const T& other) {
  return one == other;
}

template <class T>
bool same(const std::optional<T>& one, const std::optional<T>& other) {
  return one.has_value() == other.has_value() && (!one || same(*one, *other));
}

template <class T>
bool same(const std::vector<T>& one, const std::vector<T>& other) {
  return std::ranges::equal(one, other, [](const T& a, const T& b) { return same(a, b); });
}

}  // namespace chipgate::config
