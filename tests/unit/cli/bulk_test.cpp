// Running one action over many chips.
#include "cli/bulk.hpp"

#include "chipgate/cli/commands.hpp"

#include <boost/json/parse.hpp>
#include <gtest/gtest.h>
#include <sstream>
#include <stdexcept>

namespace chipgate::cli {
namespace {

TEST(Bulk, WhatGoesWrongWithOneChipIsThatChips) {
  std::ostringstream out;
  std::ostringstream err;
  const Session session{.target = {}, .form = Form::table, .out = out, .err = err};
  Bulk bulk(session, "rotate", boost::json::parse(R"([{"id":"alpha"},{"id":"beta"}])").as_array());
  bulk.run([](Client&, const std::string& id) -> Outcome {
    if (id == "alpha") throw std::out_of_range("no such member");
    return {Outcome::What::done};
  });
  EXPECT_EQ(bulk.finish(), exit_refused);
  EXPECT_NE(out.str().find("alpha  failed  no such member"), std::string::npos) << out.str();
  EXPECT_NE(out.str().find("beta   done"), std::string::npos) << out.str();
}

}  // namespace
}  // namespace chipgate::cli
