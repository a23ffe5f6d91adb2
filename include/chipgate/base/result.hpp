// Result: a value, or the Error that a client, a peer or the kernel caused.
#pragma once

#include "chipgate/base/errors.hpp"

#include <boost/system/result.hpp>
#include <stdexcept>

namespace chipgate {

template <class T>
using Result = boost::system::result<T, Error>;

// Called by Result::value() where there is none: asking without looking is a bug.
[[noreturn]] inline void throw_exception_from_error(const Error& error, const boost::source_location&) {
  throw std::logic_error("value of a failed Result: " + std::string(info(error.kind).name));
}

}  // namespace chipgate
