// Every refusal is one that its client survives.
#include "chipgate/protocol/refusal.hpp"

#include "chipgate/protocol/http_reader.hpp"
#include "chipgate/protocol/socks.hpp"
#include "wire.hpp"

#include <algorithm>
#include <gtest/gtest.h>
#include <vector>

namespace chipgate::protocol {
namespace {

std::vector<ErrorKind> all_kinds() {
  std::vector<ErrorKind> kinds;
  for (std::size_t i = 0; i < error_count; ++i) kinds.push_back(static_cast<ErrorKind>(i));
  return kinds;
}

std::vector<RefusedClient> all_clients() {
  std::vector<RefusedClient> clients;
  for (const auto style : {FailStyle::automatic, FailStyle::status, FailStyle::reset, FailStyle::established}) {
    for (const auto protocol : {ClientProtocol::http, ClientProtocol::socks5, ClientProtocol::socks4}) {
      for (const auto request : {RequestKind::connect, RequestKind::absolute, RequestKind::none_yet}) {
        for (const auto agent : {UserAgent::absent, UserAgent::present}) {
          for (const auto reach : {ListenerReach::direct, ListenerReach::through_userland_proxy}) {
            clients.push_back({style, protocol, request, agent, reach});
          }
        }
      }
    }
  }
  return clients;
}

ResponseHead head_of(const std::string& answer, ResponseTo request = ResponseTo::other) {
  ResponseReader reader(request);
  std::size_t total = 0;
  while (total < answer.size() && !reader.complete())
    total += reader.take(std::string_view(answer).substr(total)).value();
  EXPECT_TRUE(reader.complete());
  EXPECT_EQ(total, answer.size());
  return reader.head();
}

constexpr RefusedClient node{.request = RequestKind::connect};
constexpr RefusedClient browser{.request = RequestKind::connect, .user_agent = UserAgent::present};
constexpr RefusedClient behind_docker{.request = RequestKind::connect, .reach = ListenerReach::through_userland_proxy};
constexpr RefusedClient socks5{.protocol = ClientProtocol::socks5, .request = RequestKind::connect};
constexpr RefusedClient socks4{.protocol = ClientProtocol::socks4, .request = RequestKind::connect};

TEST(Refusal, IsAResetForNodeSoThatItReconnects) {
  EXPECT_EQ(refusal_form(node, ErrorKind::provider_session_lost), RefusalForm::reset);
  EXPECT_EQ(refusal_form(node, ErrorKind::client_not_allowed), RefusalForm::reset);
}

TEST(Refusal, IsEstablishedAndThenResetWhereAResetWouldArriveAsAClose) {
  EXPECT_EQ(refusal_form(behind_docker, ErrorKind::no_assignment), RefusalForm::established_then_reset);
}

TEST(Refusal, IsAStatusForClientsThatReportOne) {
  EXPECT_EQ(refusal_form(browser, ErrorKind::provider_session_lost), RefusalForm::status);
}

TEST(Refusal, IsNeverASocksReplyThatReadsAsABadSession) {
  EXPECT_EQ(refusal_form(socks5, ErrorKind::no_assignment), RefusalForm::established_then_reset);
  EXPECT_EQ(refusal_form(socks5, ErrorKind::client_auth_required), RefusalForm::established_then_reset);
  EXPECT_EQ(refusal_form(socks4, ErrorKind::no_assignment), RefusalForm::established_then_reset);
}

TEST(Refusal, OfAFaultyRequestIsAStatusWhateverTheStyleWhileItIsNotComplete) {
  for (const auto kind : {ErrorKind::malformed_request, ErrorKind::head_too_large, ErrorKind::head_timeout,
                          ErrorKind::too_many_handshakes, ErrorKind::head_truncated, ErrorKind::not_a_proxy_request,
                          ErrorKind::cleartext_https, ErrorKind::cleartext_upgrade}) {
    for (const auto& client : all_clients()) {
      if (client.protocol == ClientProtocol::http && client.request != RequestKind::connect) {
        EXPECT_EQ(refusal_form(client, kind), RefusalForm::status);
      }
    }
  }
}

// Baileys stays in "connecting" for ever at any status, 407 too.
TEST(Refusal, OfACompleteConnectWithoutAUserAgentIsNeverAStatus) {
  for (const auto kind : {ErrorKind::malformed_request, ErrorKind::client_auth_required}) {
    EXPECT_EQ(refusal_form(node, kind), RefusalForm::reset);
    EXPECT_EQ(refusal_form(behind_docker, kind), RefusalForm::established_then_reset);
    EXPECT_EQ(refusal_form(browser, kind), RefusalForm::status);
  }
}

TEST(Refusal, KeepsItsPromisesForEveryClientAndEveryKind) {
  for (const auto kind : all_kinds()) {
    for (const auto& client : all_clients()) {
      const auto form = refusal_form(client, kind);
      SCOPED_TRACE(info(kind).name);
      if (info(kind).status == 0) {
        EXPECT_EQ(form, RefusalForm::silent_close);
        continue;
      }
      EXPECT_NE(form, RefusalForm::silent_close);
      if (client.protocol == ClientProtocol::http) {
        EXPECT_NE(form, RefusalForm::socks_reply);
        if (client.request == RequestKind::absolute) EXPECT_EQ(form, RefusalForm::status);
      } else {
        EXPECT_NE(form, RefusalForm::status);
        const bool not_carried = kind == ErrorKind::socks_command_refused || kind == ErrorKind::socks_address_unknown;
        if (client.style != FailStyle::status || client.request == RequestKind::none_yet) {
          EXPECT_EQ(form == RefusalForm::socks_reply, not_carried);
        }
        if (client.request == RequestKind::none_yet && !not_carried) EXPECT_EQ(form, RefusalForm::reset);
      }
    }
  }
}

TEST(Refusal, FollowsAForcedStyleWhereTheClientCanBear) {
  const std::pair<FailStyle, RefusalForm> http[] = {{FailStyle::status, RefusalForm::status},
                                                    {FailStyle::reset, RefusalForm::reset},
                                                    {FailStyle::established, RefusalForm::established_then_reset}};
  for (const auto& [style, form] : http) {
    for (auto client : {node, browser, behind_docker}) {
      client.style = style;
      EXPECT_EQ(refusal_form(client, ErrorKind::gateway_refused), form);
      EXPECT_EQ(refusal_form(client, ErrorKind::client_auth_required), form);
    }
  }
  const std::pair<FailStyle, RefusalForm> socks[] = {{FailStyle::status, RefusalForm::socks_reply},
                                                     {FailStyle::reset, RefusalForm::reset},
                                                     {FailStyle::established, RefusalForm::established_then_reset}};
  for (const auto& [style, form] : socks) {
    for (auto client : {socks5, socks4}) {
      client.style = style;
      EXPECT_EQ(refusal_form(client, ErrorKind::gateway_refused), form);
    }
  }
}

TEST(StatusRefusal, NeverSendsAStatusThatReadsAsAVerdictAboutTheLogin) {
  constexpr std::array<unsigned, 7> verdicts{401, 402, 404, 406, 410, 440, 500};
  for (const auto kind : all_kinds()) {
    const auto head = head_of(status_refusal({kind}));
    EXPECT_FALSE(std::ranges::count(verdicts, head.status)) << info(kind).name;
    EXPECT_GE(head.status, 400U) << info(kind).name;
    if (info(kind).status != 0) EXPECT_EQ(head.status, info(kind).status);
  }
}

TEST(StatusRefusal, IsAWholeAnswerThatSaysWhy) {
  EXPECT_EQ(status_refusal({ErrorKind::provider_no_exit, "no peers in \"BR\""}),
            "HTTP/1.1 503 Service Unavailable (provider_no_exit)\r\n"
            "Proxy-Status: chipgate; error=destination_unavailable; "
            "details=\"the provider has no exit to give (503, 525): no peers in \\\"BR\\\"\"\r\n"
            "X-Chipgate-Error: provider_no_exit\r\nRetry-After: 1\r\n"
            "Content-Type: text/plain\r\nContent-Length: 73\r\nConnection: close\r\n\r\n"
            "chipgate: the provider has no exit to give (503, 525) [provider_no_exit]\n");
}

TEST(StatusRefusal, TellsTheFixWhereTheClientIsSetUpWrongly) {
  EXPECT_NE(status_refusal({ErrorKind::cleartext_https}).find("; make the client use CONNECT: axios"),
            std::string::npos);
  const auto upgrade = status_refusal({ErrorKind::cleartext_upgrade, "web.whatsapp.com:443"});
  EXPECT_TRUE(upgrade.starts_with("HTTP/1.1 400 "));
  EXPECT_NE(upgrade.find("HttpsProxyAgent(url) of https-proxy-agent, not http-proxy-agent [cleartext_upgrade]\n"),
            std::string::npos);
  const auto body = upgrade.substr(upgrade.find("\r\n\r\n") + 4);
  EXPECT_EQ(head_of(upgrade).fields.find("Content-Length"), std::to_string(body.size()));
}

TEST(Refusal, OfADestinationIsToldLikeAllOthers) {
  EXPECT_EQ(refusal_form(node, ErrorKind::destination_denied), RefusalForm::reset);
  EXPECT_EQ(refusal_form(browser, ErrorKind::destination_denied), RefusalForm::status);
  EXPECT_EQ(refusal_form(socks5, ErrorKind::destination_denied), RefusalForm::established_then_reset);
  EXPECT_TRUE(status_refusal({ErrorKind::destination_denied}).starts_with("HTTP/1.1 403 "));
}

TEST(StatusRefusal, HasNoBodyForHead) {
  const auto whole = status_refusal({ErrorKind::gateway_refused});
  const auto head = status_refusal({ErrorKind::gateway_refused}, ResponseTo::head);
  EXPECT_TRUE(head.ends_with("\r\n\r\n"));
  EXPECT_TRUE(whole.starts_with(head));
}

TEST(StatusRefusal, AsksForCredentialsAndForPatience) {
  EXPECT_EQ(head_of(status_refusal({ErrorKind::client_auth_required})).fields.find("Proxy-Authenticate"),
            "Basic realm=\"chipgate\"");
  EXPECT_EQ(head_of(status_refusal({ErrorKind::too_many_tunnels})).fields.find("Retry-After"), "1");
  EXPECT_FALSE(head_of(status_refusal({ErrorKind::gateway_refused})).fields.has("Retry-After"));
}

TEST(StatusRefusal, LetsNoPeerWriteIntoTheAnswer) {
  for (const auto& detail : {raw("a\r\nSet-Cookie: x\r\n\r\n<script>"), raw("\0\x01\x7f\xff\xc3\xb6"), raw("\\\"\\"),
                             std::string(5'000, '"'), std::string(5'000, '\n')}) {
    const auto head = head_of(status_refusal({ErrorKind::provider_refused, detail}));
    const auto details = std::string(head.fields.find("Proxy-Status").value());
    EXPECT_EQ(head.fields.size(), 5U);
    EXPECT_LT(details.size(), 500U);
    EXPECT_TRUE(std::ranges::all_of(details, [](char c) { return c >= ' ' && c <= '~'; }));
    EXPECT_TRUE(details.ends_with('"'));
  }
  RandomBytes random(5);
  for (int round = 0; round < 2'000; ++round) (void)head_of(status_refusal({ErrorKind::fenced, random.next(300)}));
}

TEST(RefusalAnswer, IsWhatTheFormSays) {
  const Error error{ErrorKind::target_unreachable};
  const auto of = [&](ClientProtocol protocol, RefusalForm form) { return refusal_answer(protocol, form, error); };
  EXPECT_EQ(of(ClientProtocol::http, RefusalForm::status), status_refusal(error));
  EXPECT_EQ(of(ClientProtocol::http, RefusalForm::reset), "");
  EXPECT_EQ(of(ClientProtocol::http, RefusalForm::silent_close), "");
  EXPECT_EQ(of(ClientProtocol::http, RefusalForm::established_then_reset),
            "HTTP/1.1 200 Connection established\r\n\r\n");
  EXPECT_EQ(of(ClientProtocol::socks5, RefusalForm::established_then_reset), socks5_reply(0));
  EXPECT_EQ(of(ClientProtocol::socks4, RefusalForm::established_then_reset), socks4_reply(Socks4Outcome::granted));
  EXPECT_EQ(of(ClientProtocol::socks5, RefusalForm::socks_reply), socks5_reply(4));
  EXPECT_EQ(of(ClientProtocol::socks4, RefusalForm::socks_reply), socks4_reply(Socks4Outcome::rejected));
}

TEST(RefusalAnswer, TellsSocksClientsWhatIsNotCarried) {
  EXPECT_EQ(refusal_answer(ClientProtocol::socks5, RefusalForm::socks_reply, {ErrorKind::socks_command_refused}),
            socks5_reply(7));
  EXPECT_EQ(refusal_answer(ClientProtocol::socks5, RefusalForm::socks_reply, {ErrorKind::socks_address_unknown}),
            socks5_reply(8));
}

TEST(RefusalAnswer, NeverGrantsByASocksReply) {
  for (const auto kind : all_kinds()) {
    if (info(kind).status == 0) continue;
    EXPECT_NE(refusal_answer(ClientProtocol::socks5, RefusalForm::socks_reply, {kind}), socks5_reply(0))
        << info(kind).name;
  }
}

TEST(EstablishedAnswer, IsASuccessToConnect) {
  EXPECT_EQ(head_of(established_answer(ClientProtocol::http), ResponseTo::connect).status, 200U);
}

TEST(Sniff, KnowsTheProtocolFromTheFirstByte) {
  for (int byte = 0; byte < 256; ++byte) {
    const auto c = static_cast<char>(byte);
    const auto protocol = sniff(c);
    if (byte == 5) {
      EXPECT_EQ(protocol, ClientProtocol::socks5);
    } else if (byte == 4) {
      EXPECT_EQ(protocol, ClientProtocol::socks4);
    } else if ((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')) {
      EXPECT_EQ(protocol, ClientProtocol::http);
    } else {
      EXPECT_EQ(protocol, std::nullopt) << byte;
    }
  }
}

TEST(StatusRefusal, OfAChipWithoutAnExitSaysInItsBodyWhatTheDrawMet) {
  const auto answer = status_refusal({ErrorKind::no_assignment, "gateway_unresolved"}, ResponseTo::other);
  EXPECT_NE(answer.find("the chip has no assignment: gateway_unresolved [no_assignment]\n"), std::string::npos)
      << answer;
}

}  // namespace
}  // namespace chipgate::protocol
