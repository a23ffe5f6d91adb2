// Asked: one operation on its way to a thread of the ledger, and the coroutine that waits for its answer.
#pragma once

#include "chipgate/base/result.hpp"

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <functional>
#include <optional>

namespace chipgate::ledger {

// What it runs with is the thread's: Writing, or a Transaction that only reads.
template <class Context>
class Job {
 public:
  virtual ~Job() = default;
  // Once more where the transaction failed that it ran in; the last result counts.
  virtual void run(Context&) = 0;
  // The result of the last run, or what went wrong with it.
  virtual void answer(const std::optional<Error>& failure) = 0;
};

template <class Context, class T>
class Asked final : public Job<Context> {
 public:
  using Operation = std::function<Result<T>(Context&)>;
  using Handler = boost::asio::any_completion_handler<void(Result<T>)>;

  Asked(Operation operation, boost::asio::io_context& control, Handler handler)
      : operation_(std::move(operation)), waiting_(control.get_executor()), handler_(std::move(handler)) {}

  void run(Context& context) override { result_.emplace(operation_(context)); }

  // Even a coroutine that nobody resumes any more must end on its own thread.
  void answer(const std::optional<Error>& failure) override {
    Result<T> result =
        failure || !result_ ? Result<T>(failure.value_or(Error{ErrorKind::ledger_unavailable})) : std::move(*result_);
    const auto control = waiting_.get_executor();
    boost::asio::post(control, [handler = std::move(handler_), waiting = std::move(waiting_),
                                answered = std::move(result)]() mutable { std::move(handler)(std::move(answered)); });
  }

 private:
  Operation operation_;
  std::optional<Result<T>> result_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> waiting_;
  Handler handler_;
};

}  // namespace chipgate::ledger
