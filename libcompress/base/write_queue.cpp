#include "libcompress/base/write_queue.h"

#include <utility>

namespace compress {

WriteQueue::WriteQueue() : thread_([this] { work(); }) {}

WriteQueue::~WriteQueue() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void WriteQueue::add(Job job) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return waiting_.size() < kMostWaiting || failure_; });
  rethrow();
  waiting_.push_back(std::move(job));
  changed_.notify_all();
}

void WriteQueue::settle() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return waiting_.empty(); });
  rethrow();
}

void WriteQueue::rethrow() const {
  if (failure_) std::rethrow_exception(failure_);
}

void WriteQueue::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return !waiting_.empty() || closing_; });
    if (waiting_.empty()) return;
    std::exception_ptr failure;
    Job& job = waiting_.front();  // a deque keeps it in its place while others are added
    lock.unlock();
    try {
      job();
    } catch (...) {
      failure = std::current_exception();
    }
    lock.lock();
    waiting_.pop_front();
    if (failure) {
      failure_ = failure;
      waiting_.clear();
    }
    changed_.notify_all();
  }
}

}  // namespace compress
