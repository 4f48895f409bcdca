// Items made by one thread ahead of their use, in order.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>
#include <utility>

namespace compress {

/// Makes items `first` .. `last` - 1, at most `ahead` of which wait. next() is for one thread.
template <typename Item>
class Background {
 public:
  Background(std::int64_t first, std::int64_t last, std::size_t ahead, std::function<Item(std::int64_t)> make)
      : left_(last - first),
        ahead_(ahead),
        worker_([this, first, last, make = std::move(make)](std::stop_token stop) {
          work(stop, first, last, make);
        }) {}

  /// The next item, or nothing after the last. Throws again what making it threw.
  std::optional<Item> next() {
    if (left_ == 0) return std::nullopt;
    std::unique_lock lock(guard_);
    changed_.wait(lock, [this] { return !ready_.empty() || failure_; });
    if (ready_.empty()) std::rethrow_exception(failure_);
    Item item = std::move(ready_.front());
    ready_.pop_front();
    --left_;
    changed_.notify_all();
    return item;
  }

 private:
  void work(const std::stop_token& stop, std::int64_t first, std::int64_t last,
            const std::function<Item(std::int64_t)>& make) {
    for (std::int64_t i = first; i < last && !stop.stop_requested(); ++i) {
      try {
        Item item = make(i);
        std::unique_lock lock(guard_);
        if (!changed_.wait(lock, stop, [this] { return ready_.size() < ahead_; })) return;
        ready_.push_back(std::move(item));
      } catch (...) {
        const std::lock_guard lock(guard_);
        failure_ = std::current_exception();
        i = last;
      }
      changed_.notify_all();
    }
  }

  std::int64_t left_;
  std::size_t ahead_;
  std::mutex guard_;
  std::condition_variable_any changed_;
  std::deque<Item> ready_;
  std::exception_ptr failure_;
  std::jthread worker_;  ///< last: it is stopped and joined before what it uses goes
};

}  // namespace compress
