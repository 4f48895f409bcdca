#include "libcompress/export/storage.h"

#include <gtest/gtest.h>

#include "tests/export/graphs.h"

namespace compress {
namespace {

using testing_graphs::Builder;
using Where = Place::Where;

Place place_of(const Storage& storage, QValueId id) { return storage.places[index_of(id)]; }

TEST(Storage, keeps_input_and_output_outside_of_the_arena) {
  Builder b(1, {1, 4, 4, 2});
  const auto y = b.conv(b.input(), 3, {});
  const auto graph = b.done({y});
  const auto storage = assign_storage(graph);
  EXPECT_EQ(place_of(storage, b.input()), (Place{Where::input, 0}));
  EXPECT_EQ(place_of(storage, y), (Place{Where::output, 0}));
  EXPECT_EQ(storage.arena_bytes, 0);
  EXPECT_EQ(storage.output_bytes, 48);
}

TEST(Storage, shares_the_bytes_of_a_reshape_and_of_a_transpose_that_moves_nothing) {
  Builder b(1, {1, 1, 6, 2});
  const auto x = b.conv(b.input(), 3, {});
  const auto turned = b.transpose(x, {0, 2, 1, 3});
  const auto flat = b.reshape(turned, {1, 18});
  const auto graph = b.done({b.linear(flat, 4)});
  const auto storage = assign_storage(graph);
  EXPECT_EQ(place_of(storage, x), place_of(storage, flat));
  EXPECT_EQ(storage.arena_bytes, 18);
  ASSERT_EQ(storage.arena.size(), 1U);
  EXPECT_EQ(storage.arena[0].first_node, 0);
  EXPECT_EQ(storage.arena[0].last_node, 3);
}

TEST(Storage, works_in_place_only_where_the_input_is_needed_no_more) {
  Builder b(1, {1, 4, 4, 2});
  const auto x = b.conv(b.input(), 2, {});
  const auto kept = b.requantize(x);  // x is read again by the sum
  const auto reused = b.requantize(kept);
  const auto sum = b.add(x, reused);
  const auto graph = b.done({b.conv(sum, 5, {})});
  const auto storage = assign_storage(graph);
  EXPECT_NE(place_of(storage, x), place_of(storage, kept));
  EXPECT_EQ(place_of(storage, kept), place_of(storage, reused));
  EXPECT_EQ(place_of(storage, x), place_of(storage, sum));
  EXPECT_EQ(storage.arena_bytes, 64);
}

TEST(Storage, never_writes_into_the_callers_input_or_over_an_output) {
  Builder b(1, {1, 4, 4, 2});
  const auto first = b.requantize(b.input());
  const auto second = b.requantize(first);
  const auto graph = b.done({first, second});
  const auto storage = assign_storage(graph);
  EXPECT_EQ(place_of(storage, first), (Place{Where::output, 0}));
  EXPECT_EQ(place_of(storage, second), (Place{Where::output, 32}));
}

TEST(Storage, copies_an_output_that_comes_twice_or_is_the_input) {
  Builder b(1, {1, 4, 4, 2});
  const auto y = b.requantize(b.input());
  const auto graph = b.done({y, b.input(), y});
  const auto storage = assign_storage(graph);
  ASSERT_EQ(storage.copies.size(), 2U);
  EXPECT_EQ(storage.copies[0].output_offset, 32);
  EXPECT_EQ(storage.copies[1].output_offset, 64);
  EXPECT_EQ(storage.output_bytes, 96);
}

}  // namespace
}  // namespace compress
