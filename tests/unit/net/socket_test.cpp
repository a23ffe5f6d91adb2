// The options that every leg of a tunnel has, dialed or accepted.
#include "chipgate/net/socket.hpp"

#include "chipgate/net/descriptors.hpp"
#include "unit/support/loopback.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

namespace chipgate::net {
namespace {

void expect_leg_options(int fd) {
  EXPECT_EQ(test::option(fd, IPPROTO_TCP, TCP_NODELAY), 1);
  EXPECT_EQ(test::option(fd, SOL_SOCKET, SO_KEEPALIVE), 1);
  EXPECT_EQ(test::option(fd, IPPROTO_TCP, TCP_KEEPIDLE), 30);
  EXPECT_EQ(test::option(fd, IPPROTO_TCP, TCP_KEEPINTVL), 10);
  EXPECT_EQ(test::option(fd, IPPROTO_TCP, TCP_KEEPCNT), 3);
  EXPECT_EQ(test::option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT), 60'000);
  EXPECT_EQ(test::option(fd, SOL_SOCKET, SO_OOBINLINE), 1);
  EXPECT_NE(::fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
  EXPECT_NE(::fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
}

TEST(Socket, AnAcceptedLegInheritsEveryOption) { expect_leg_options(test::tcp_pair().ours.get()); }

TEST(Socket, ADialedLegHasThemToo) { expect_leg_options(open_leg(test::loopback(1)).get()); }

// A restart binds the port that the kernel chose the last time, while old connections of it linger.
TEST(Socket, APortThatTheKernelChoseCanBeBoundAgainLikeAnyOther) {
  auto listening = listen_on(test::loopback());
  const auto address = local_address(listening.get());
  EXPECT_EQ(test::option(listening.get(), SOL_SOCKET, SO_REUSEADDR), 1);
  auto client = test::connect_to(address);
  UniqueFd accepted(::accept4(listening.get(), nullptr, nullptr, SOCK_CLOEXEC));
  ASSERT_TRUE(accepted);
  listening = {};
  accepted = {};  // closed first: it lingers on this side
  client = {};
  EXPECT_NO_THROW(listen_on(address));
}

TEST(Socket, UnacknowledgedCountsWhatThePeerHasNotTaken) {
  const auto pair = test::tcp_pair(4 * 1024);
  EXPECT_EQ(unacknowledged(pair.ours.get()), 0);
  const std::string much(1'000'000, 'x');
  ASSERT_GT(::send(pair.ours.get(), much.data(), much.size(), MSG_NOSIGNAL), 0);
  EXPECT_GT(unacknowledged(pair.ours.get()), 0);
}

TEST(Socket, APortInUseIsSaidWithItsAddress) {
  const auto held = listen_on(test::loopback());
  const auto address = local_address(held.get());
  try {
    listen_on(address);
    FAIL() << "bound twice";
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code().value(), EADDRINUSE);
    EXPECT_NE(std::string(error.what()).find(address.text()), std::string::npos) << error.what();
  }
}

TEST(Socket, APortThatWasJustInUseCanBeBoundAgain) {
  SocketAddress address;
  {
    const auto first = listen_on(test::loopback());
    address = local_address(first.get());
    const auto client = test::connect_to(address);
    // The server's side closes first, and its half stays in TIME_WAIT.
    UniqueFd accepted(::accept(first.get(), nullptr, nullptr));
  }
  EXPECT_TRUE(listen_on(address));
}

TEST(Descriptors, TheSoftLimitIsRaisedToTheHardOne) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit low = before;
  low.rlim_cur = 256;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);
  const auto raised = raise_descriptor_limit();
  EXPECT_EQ(raised.had, 256U);
  EXPECT_EQ(raised.has, before.rlim_max);
  ::setrlimit(RLIMIT_NOFILE, &before);
}

}  // namespace
}  // namespace chipgate::net
