#include "libcompress/graph/canonicalize.h"

#include <gmock/gmock.h>

#include "tests/graph/builder.h"
#include "tests/graph/table_drawing.h"

namespace compress {
namespace {

using testing::Builder;
using ::testing::HasSubstr;
using ::testing::Not;
using Integers = std::vector<std::int64_t>;

ValueId reshape(Builder& net, const std::string& name, ValueId input, Integers shape) {
  return net.graph.add_node("reshape", name, {input}, {{"shape", std::move(shape)}});
}

/// The shuffle as most networks write it.
ValueId written_shuffle(Builder& net, ValueId input, std::int64_t groups) {
  auto shape = net.shape(input);
  const auto split = reshape(net, "split", input, {shape[0], groups, shape[1] / groups, shape[2], shape[3]});
  return reshape(net, "shuffled", net.permute("turn", split, {0, 2, 1, 3, 4}), shape);
}

TEST(Canonicalize, knows_a_channel_shuffle_again) {
  Builder found({1, 3, 4, 4}), expected({1, 3, 4, 4});
  const auto a = written_shuffle(found, found.conv("a", found.input(), 6), 3);
  const auto graph = found.done(found.conv("b", a, 2));
  const auto shuffled =
      expected.graph.add_node("channel_shuffle", "shuffled", {expected.conv("a", expected.input(), 6)},
                              {{"groups", std::int64_t{3}}});
  EXPECT_EQ(to_text(canonicalize(graph)), to_text(expected.done(expected.conv("b", shuffled, 2))));
}

TEST(Canonicalize, makes_a_gather_of_a_longer_reordering) {
  Builder net({1, 8, 2, 2});
  const auto split = reshape(net, "split", net.input(), {1, 2, 2, 2, 2, 2});
  const auto turned = net.permute("turn", split, {0, 3, 2, 1, 4, 5});
  const auto graph = canonicalize(net.done(net.conv("b", reshape(net, "back", turned, {1, 8, 2, 2}), 2)));
  const auto& node = graph.node(*graph.find_node("back"));
  EXPECT_EQ(node.op, "gather");
  EXPECT_EQ(node.attributes.integers("indices"), (Integers{0, 4, 2, 6, 1, 5, 3, 7}));
}

TEST(Canonicalize, leaves_a_permute_of_two_axes_alone) {
  Builder net({1, 4, 4, 2});
  const auto split = reshape(net, "split", net.input(), {1, 2, 2, 4, 2});
  const auto turned = net.permute("turn", split, {0, 3, 2, 1, 4});
  const auto graph = net.done(net.conv("b", reshape(net, "back", turned, {1, 4, 4, 2}), 2));
  EXPECT_EQ(to_text(canonicalize(graph)), to_text(graph));
}

TEST(Canonicalize, leaves_a_shuffle_alone_whose_middle_is_read_elsewhere) {
  Builder net({1, 4, 4, 4});
  const auto shuffled = written_shuffle(net, net.input(), 2);
  const auto middle = *net.graph.find_value("turn");
  net.graph.set_outputs({net.conv("b", shuffled, 2), middle});
  EXPECT_EQ(to_text(canonicalize(net.graph)), to_text(net.graph));
}

TEST(Canonicalize, leaves_a_shuffle_of_examples_alone) {
  Builder net({1, 4, 4, 4});
  const auto split = reshape(net, "split", net.input(), {2, 2, 4, 4});
  const auto turned = net.permute("turn", split, {1, 0, 2, 3});
  const auto graph = net.done(net.conv("b", reshape(net, "back", turned, {1, 4, 4, 4}), 2));
  EXPECT_EQ(to_text(canonicalize(graph)), to_text(graph));
}

TEST(Canonicalize, knows_a_shuffle_of_another_axis_as_a_gather) {
  Builder net({1, 4, 6, 2});
  const auto split = reshape(net, "split", net.input(), {1, 4, 2, 3, 2});
  const auto turned = net.permute("turn", split, {0, 1, 3, 2, 4});
  const auto graph = canonicalize(net.done(net.conv("b", reshape(net, "back", turned, {1, 4, 6, 2}), 2)));
  const auto& node = graph.node(*graph.find_node("back"));
  EXPECT_EQ(node.attributes.integer("axis"), 2);
  EXPECT_EQ(node.attributes.integers("indices"), (Integers{0, 3, 1, 4, 2, 5}));
}

TEST(Canonicalize, a_merged_reshape_keeps_a_batch_that_one_of_them_fixed) {
  Builder net({1, 4, 4, 2});
  const auto first = net.graph.add_node("reshape", "one", {net.input()},
                                        {{"shape", Integers{16, 2}}, {"batch_axis", std::int64_t{-1}}});
  const auto graph = canonicalize(net.done(net.linear("fc", reshape(net, "two", first, {1, 32}), 2)));
  const auto& node = graph.node(*graph.find_node("two"));
  EXPECT_EQ(graph.value(node.inputs[0]).name, "input");
  EXPECT_EQ(node.attributes.integer("batch_axis"), -1);
}

TEST(Canonicalize, changes_nothing_the_second_time) {
  Random random(3);
  for (int i = 0; i < 50; ++i) {
    const auto once = canonicalize(testing::draw_from_op_table(random));
    EXPECT_EQ(to_text(canonicalize(once)), to_text(once));
  }
}

TEST(Canonicalize, keeps_the_last_of_several_reshapes) {
  Builder net({1, 4, 4, 2});
  auto x = reshape(net, "one", net.input(), {1, 16, 2});
  x = reshape(net, "two", x, {1, 2, 16});
  x = reshape(net, "three", x, {1, 32});
  const auto text = to_text(canonicalize(net.done(net.linear("fc", x, 2))));
  EXPECT_THAT(text, HasSubstr("three: reshape(input)"));
  EXPECT_THAT(text, Not(HasSubstr("two")));
}

TEST(Canonicalize, drops_what_changes_nothing_but_not_an_output) {
  Builder net({1, 4, 4, 2});
  auto x = net.unary("identity", "same", net.conv("a", net.input(), 4));
  x = net.permute("still", x, {0, 1, 2, 3});
  x = net.unary("relu", "r", x);
  const auto text = to_text(canonicalize(net.done(net.unary("identity", "out", x))));
  EXPECT_THAT(text, HasSubstr("r: relu(a)"));
  EXPECT_THAT(text, HasSubstr("out: identity(r)"));
}

TEST(Canonicalize, drops_what_no_output_needs_with_its_weights) {
  Builder net({1, 4, 4, 2});
  net.conv("dead", net.input(), 4);
  Random random(1);
  const auto model = testing::with_random_weights(net.done(net.conv("a", net.input(), 4)), random);
  const auto small = canonicalize(model);
  EXPECT_FALSE(small.weights.contains("dead.weight"));
  EXPECT_TRUE(small.weights.contains("a.weight"));
  EXPECT_NO_THROW(verify(small));
}

}  // namespace
}  // namespace compress
