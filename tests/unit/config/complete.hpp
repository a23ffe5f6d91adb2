// A configuration that says everything.
#pragma once

namespace chipgate::config {

inline constexpr const char* complete = R"(
listen:
  address: 0.0.0.0
  ports: 20001-20010
  client_credentials: {username: u, password: hunter2}
  allow_clients: [172.17.0.0/16]
gateway:
  preset: decodo
  endpoints: ["http://gate.decodo.com", "https://gate.decodo.com:7443/", "socks5://[2001:db8::1]:1080"]
  username: ${USER_NAME}
  password_file: password
  country: br
  city: santos
  lifetime: 30min
  tls: {ca_file: ca.pem, server_name: gate.decodo.com}
  connect_timeout: 4s
  resolve_every: 1min
chips:
  - {id: sales-01, alias: Sales, port: 20001}
  - id: first-free
  - {id: "bot-{n}", alias: "Bot {n}", numbers: 8-10, port: 21001}
  - {id: chosen, port: 0}
  - {id: next-free, max_whatsapp_sessions: off}
ledger: {retention: 90d}
limits: {tunnels: 2000, tunnels_per_chip: 10, handshakes_per_chip: 20, held_per_chip: 3, max_whatsapp_sessions: 1, crowd_age: 2min}
destinations: {allow: [whatsapp, "*.Example.org:8000-8099", "[2001:db8::/32]:443"], deny: [10.0.0.0/8]}
timeouts: {connect_budget: 12s, head: 5s, idle: 10min, half_closed: 30s, first_reply: 20s, drain: 20s}
fail_style: reset
workers: 4
log: {level: debug, format: json, access: false, path: log/chipgate.log}
admin:
  listen: "[::1]:9000"
  hosts: [chipgate.example.org]
  token_file: secrets/token
  price_per_gb: 3.50
  currency: EUR
  webhook: {url: "https://example.org/hooks/hunter2", secret_file: password, events: [chip.blocked]}
)";

}  // namespace chipgate::config
