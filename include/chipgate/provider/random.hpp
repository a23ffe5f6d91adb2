// Where random wire sessions come from.
#pragma once

#include <cstdint>
#include <functional>

namespace chipgate::provider {

// 64 random bits a call. A guessable wire session would let another customer's software share an exit.
using RandomBits = std::function<std::uint64_t()>;

// The kernel's, by getrandom(2).
RandomBits system_random();

}  // namespace chipgate::provider
