// Writes that are carried out one after another behind the back of a program that computes.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>

namespace compress {

/// One thread that does the jobs it is given, in their order. The first that throws is the last that is done:
/// what stands in a file never presupposes one that could not be written. Its error is thrown by the next
/// call.
class WriteQueue {
 public:
  using Job = std::function<void()>;

  WriteQueue();
  /// Does what was given before. An error that nobody was told is lost: call settle() first.
  ~WriteQueue();
  WriteQueue(const WriteQueue&) = delete;
  WriteQueue& operator=(const WriteQueue&) = delete;

  /// Waits while kMostWaiting jobs wait, so that a slow disk bounds what they hold in memory.
  void add(Job job);

  /// Waits until everything given is done.
  void settle();

  static constexpr std::size_t kMostWaiting = 8;

 private:
  void work();
  void rethrow() const;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> waiting_;  ///< the one that is being done included
  std::exception_ptr failure_;
  bool closing_ = false;
  std::thread thread_;  // last: it uses the others
};

}  // namespace compress
