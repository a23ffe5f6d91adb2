// Reading the Date of an HTTP answer.
#include "chipgate/protocol/http_date.hpp"

#include <gtest/gtest.h>

namespace chipgate::protocol {
namespace {

TEST(HttpDate, IsReadInTheFormThatIsSent) {
  const auto read = parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT");
  ASSERT_TRUE(read);
  EXPECT_EQ(rfc3339(*read), "1994-11-06T08:49:37.000Z");
}

TEST(HttpDate, NothingElseIsOne) {
  for (const auto* const text : {"", "now", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 GMT+1",
                                 "Sun, 06 Nov 1994 25:49:37 GMT", "1994-11-06T08:49:37Z"}) {
    EXPECT_FALSE(parse_http_date(text)) << text;
  }
}

}  // namespace
}  // namespace chipgate::protocol
