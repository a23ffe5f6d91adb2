// Reading a configuration: all of it, or everything that is wrong with it at once.
#pragma once

#include "chipgate/config/environment.hpp"
#include "chipgate/config/problem.hpp"
#include "chipgate/config/settings.hpp"

#include <boost/system/result.hpp>
#include <string>
#include <string_view>

namespace chipgate::config {

struct Loaded {
  Settings settings;
  Problems warnings;
};

// A syntax error is reported alone: what follows from it would only be noise.
using LoadResult = boost::system::result<Loaded, Problems>;

// `file` names the text in problems; paths in the text are taken from its folder.
LoadResult parse(std::string_view text, const std::string& file, const Environment&);
LoadResult load(const std::string& path, const Environment&);

// Only where chipgate is watched and controlled, which commands want: they are run in shells that have none of the
// gateway's credentials.
using AdminResult = boost::system::result<admin::AdminOptions, Problems>;
AdminResult load_admin(const std::string& path, const Environment&);

// Called by value() of a result where there is none: asking without looking is a bug.
[[noreturn]] void throw_exception_from_error(const Problems&, const boost::source_location&);

}  // namespace chipgate::config
