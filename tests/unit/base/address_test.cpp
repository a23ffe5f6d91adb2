// Addresses have one form each.
#include "chipgate/base/address.hpp"

#include <gtest/gtest.h>

namespace chipgate {
namespace {

TEST(IpAddress, AnIpv4MappedAddressIsTheIpv4Address) {
  EXPECT_EQ(IpAddress::parse("::ffff:192.0.2.7"), IpAddress::parse("192.0.2.7"));
  EXPECT_EQ(IpAddress::parse("::ffff:192.0.2.7")->text(), "192.0.2.7");
}

TEST(IpAddress, IsReadInItsLongestForm) {
  EXPECT_EQ(IpAddress::parse("2001:0db8:0000:0000:0000:0000:255.255.255.255")->text(), "2001:db8::ffff:ffff");
}

TEST(IpAddress, IsWrittenInItsCanonicalForm) { EXPECT_EQ(IpAddress::parse("2001:DB8:0:0::1")->text(), "2001:db8::1"); }

TEST(IpAddress, RejectsWhatIsNotAnAddress) {
  for (const auto* text : {"", "1.2.3", "1.2.3.4.5", "256.1.1.1", "01.2.3.4", "::g", "localhost", " 1.2.3.4"}) {
    EXPECT_FALSE(IpAddress::parse(text)) << text;
  }
  EXPECT_FALSE(IpAddress::parse(std::string_view("1.2.3.4\0x", 9)));
  EXPECT_FALSE(IpAddress::parse(std::string(1'000, '1')));
}

TEST(IpAddress, KnowsLoopbackInBothFamilies) {
  EXPECT_TRUE(IpAddress::parse("127.20.0.1")->is_loopback());
  EXPECT_TRUE(IpAddress::parse("::1")->is_loopback());
  EXPECT_FALSE(IpAddress::parse("10.0.0.1")->is_loopback());
  EXPECT_FALSE(IpAddress::parse("::2")->is_loopback());
}

TEST(SocketAddress, ReadsBothFamiliesAndRefusesUnbracketedIpv6) {
  EXPECT_EQ(SocketAddress::parse("127.0.0.1:80")->text(), "127.0.0.1:80");
  EXPECT_EQ(SocketAddress::parse("[::1]:443")->text(), "[::1]:443");
  for (const auto* text : {"::1:443", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "[127.0.0.1]:80", "host:80"}) {
    EXPECT_FALSE(SocketAddress::parse(text)) << text;
  }
}

TEST(SocketAddress, SurvivesTheKernelsForm) {
  for (const auto* text : {"127.0.0.1:80", "[2001:db8::5]:443"}) {
    const auto address = *SocketAddress::parse(text);
    EXPECT_EQ(SocketAddress::from(KernelAddress(address).storage), address);
  }
}

TEST(Network, MatchesByPrefixWithinItsFamily) {
  const auto ten = *Network::parse("10.16.0.0/12");
  EXPECT_TRUE(ten.contains(*IpAddress::parse("10.31.255.255")));
  EXPECT_FALSE(ten.contains(*IpAddress::parse("10.32.0.0")));
  EXPECT_FALSE(ten.contains(*IpAddress::parse("::1")));
  EXPECT_TRUE(Network::parse("0.0.0.0/0")->contains(*IpAddress::parse("203.0.113.9")));
  EXPECT_TRUE(Network::parse("192.0.2.1")->contains(*IpAddress::parse("192.0.2.1")));
  EXPECT_FALSE(Network::parse("10.0.0.0/33"));
  EXPECT_FALSE(Network::parse("10.0.0.0/"));
}

TEST(HostAndPort, IsWrittenAndTakenApartWithItsBrackets) {
  EXPECT_EQ(host_and_port_text("name.test", 443), "name.test:443");
  EXPECT_EQ(host_and_port_text("2001:db8::1", 443), "[2001:db8::1]:443");
  EXPECT_EQ(split_host_and_port("name.test:443").host, "name.test");
  EXPECT_EQ(split_host_and_port("[2001:db8::1]:443").host, "[2001:db8::1]");
  EXPECT_EQ(split_host_and_port("[2001:db8::1]:443").port, "443");
  EXPECT_FALSE(split_host_and_port("[2001:db8::1]").port);
  EXPECT_FALSE(split_host_and_port("[2001:db8::1:443").port);
  EXPECT_EQ(split_host_and_port("name.test:").port, "");
}

TEST(IpAddress, MasksWhatIsBehindItsPrefix) {
  EXPECT_EQ(IpAddress::parse("192.0.2.201")->masked(32).text(), "192.0.2.201");
  EXPECT_EQ(IpAddress::parse("192.0.2.201")->masked(25).text(), "192.0.2.128");
  EXPECT_EQ(IpAddress::parse("192.0.2.201")->masked(0).text(), "0.0.0.0");
  EXPECT_EQ(IpAddress::parse("2001:db8:1:2:3:4:5:6")->masked(64).text(), "2001:db8:1:2::");
  EXPECT_EQ(IpAddress::parse("2001:db8::1")->masked(128).text(), "2001:db8::1");
}

TEST(ExitPrefixes, TakeForOneExitWhatAgreesInThem) {
  const ExitPrefixes prefixes{24, 64};
  EXPECT_EQ(prefixes.exit_of(*IpAddress::parse("192.0.2.201")).text(), "192.0.2.0");
  EXPECT_EQ(prefixes.exit_of(*IpAddress::parse("2001:db8::1")).text(), "2001:db8::");
  EXPECT_EQ(prefixes.bits(*IpAddress::parse("192.0.2.1")), 24U);
}

}  // namespace
}  // namespace chipgate
