// Task: a coroutine of a shard.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace chipgate::net {

template <class T>
using Task = boost::asio::awaitable<T, boost::asio::io_context::executor_type>;

inline constexpr boost::asio::use_awaitable_t<boost::asio::io_context::executor_type> use_task{};

}  // namespace chipgate::net
