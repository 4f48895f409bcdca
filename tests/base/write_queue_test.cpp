#include "libcompress/base/write_queue.h"

#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <numeric>
#include <vector>

#include "libcompress/base/error.h"

namespace compress {
namespace {

TEST(WriteQueue, does_its_jobs_in_their_order) {
  std::vector<int> done;
  WriteQueue queue;
  for (int i = 0; i < 100; ++i) queue.add([&done, i] { done.push_back(i); });
  queue.settle();
  std::vector<int> expected(100);
  std::iota(expected.begin(), expected.end(), 0);
  EXPECT_EQ(done, expected);
}

TEST(WriteQueue, gives_the_caller_back_while_a_job_is_done) {
  std::promise<void> go;
  bool done = false;
  WriteQueue queue;
  queue.add([&] {
    go.get_future().wait();
    done = true;
  });
  EXPECT_FALSE(done);
  go.set_value();
  queue.settle();
  EXPECT_TRUE(done);
}

TEST(WriteQueue, holds_the_caller_back_when_too_many_jobs_wait) {
  std::promise<void> go;
  const auto open = go.get_future().share();
  WriteQueue queue;
  for (std::size_t i = 0; i < WriteQueue::kMostWaiting; ++i) queue.add([open] { open.wait(); });
  auto one_more = std::async(std::launch::async, [&] { queue.add([] {}); });
  EXPECT_EQ(one_more.wait_for(std::chrono::milliseconds(50)), std::future_status::timeout);
  go.set_value();
  one_more.get();
  queue.settle();
}

TEST(WriteQueue, does_nothing_behind_a_job_that_failed_and_says_so_at_every_call) {
  bool done = false;
  WriteQueue queue;
  std::promise<void> go;
  queue.add([&] { go.get_future().wait(), throw Error(ErrorKind::io, "the disk is full"); });
  queue.add([&] { done = true; });
  go.set_value();
  EXPECT_THROW(queue.settle(), Error);
  EXPECT_THROW(queue.add([&] { done = true; }), Error);
  EXPECT_THROW(queue.settle(), Error);
  EXPECT_FALSE(done);
}

TEST(WriteQueue, does_what_is_left_when_it_is_destroyed) {
  int done = 0;
  {
    WriteQueue queue;
    for (int i = 0; i < 5; ++i) queue.add([&] { ++done; });
  }
  EXPECT_EQ(done, 5);
}

}  // namespace
}  // namespace compress
