// Reading what the kernel and the running chipgate say.
#include "chipgate/cli/facts.hpp"

#include <gtest/gtest.h>

namespace chipgate::cli {
namespace {

TEST(HostFiles, ThePortRangeIsTwoNumbers) {
  const auto range = parse_port_range("32768\t60999");
  ASSERT_TRUE(range);
  EXPECT_EQ(range->first, 32768);
  EXPECT_EQ(range->last, 60999);
  for (const auto* const text : {"", "32768", "a b", "1 70000"}) EXPECT_FALSE(parse_port_range(text)) << text;
}

TEST(HostFiles, ReservedPortsAreNumbersAndSpans) {
  const auto spans = parse_reserved_ports("8080,20001-20100,x,");
  ASSERT_EQ(spans.size(), 2U);
  EXPECT_EQ(spans[0].first, 8080);
  EXPECT_EQ(spans[0].last, 8080);
  EXPECT_EQ(spans[1].last, 20100);
  EXPECT_TRUE(parse_reserved_ports("").empty());
}

TEST(HostFiles, ALedgerInAFolderThatIsNotThereCannotBeWritten) {
  EXPECT_NE(look_at_host("/nonexistent/chipgate.db").ledger.trouble, "");
  EXPECT_EQ(look_at_host("/nonexistent/chipgate.db").ledger.access, LedgerRights::Access::no_folder);
  EXPECT_EQ(look_at_host("/tmp/a-ledger-that-is-not-there-yet.db").ledger.trouble, "");
}

TEST(Exposition, ASampleWithoutLabelsIsFoundByItsWholeName) {
  constexpr auto text = "# HELP a_b x\na_b_total 7\na_b{c=\"d\"} 3\na_b 1.048576e+06\n";
  EXPECT_EQ(sample_of(text, "a_b"), 1'048'576U);
  EXPECT_EQ(sample_of(text, "a"), 0U);
}

}  // namespace
}  // namespace chipgate::cli
