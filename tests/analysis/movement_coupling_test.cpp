// Ids through movement, products of activations, norms: tiny hand-drawn graphs.
#include <gmock/gmock.h>

#include "libcompress/analysis/groups.h"
#include "tests/graph/builder.h"

namespace compress {
namespace {

using testing::Builder;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Integers = std::vector<std::int64_t>;
using Indices = std::vector<std::vector<std::int64_t>>;

/// A network under test with groups by name.
class Net : public Builder {
 public:
  using Builder::Builder;

  ValueId node(const std::string& op, const std::string& name, std::vector<ValueId> inputs,
               Attributes attributes = {}) {
    return graph.add_node(op, name, std::move(inputs), std::move(attributes));
  }
  ValueId slice(const std::string& name, ValueId x, std::int64_t begin, std::int64_t end,
                std::int64_t axis = 1) {
    return node("slice", name, {x}, {{"axis", axis}, {"begin", begin}, {"end", end}});
  }
  ValueId reshape(const std::string& name, ValueId x, Integers shape) {
    return node("reshape", name, {x}, {{"shape", std::move(shape)}});
  }

  void finish(ValueId output) {
    done(output);
    groups_ = find_groups(graph);
  }

  const PruningGroup& group(std::string_view name) const {
    for (const auto& each : groups_) {
      if (each.name == name) return each;
    }
    throw std::runtime_error("no group " + std::string(name));
  }
  /// What goes with each index of a group on one axis: "b.weight:1".
  Indices indices(std::string_view name, std::string_view axis) const {
    for (const auto& member : group(name).members) {
      if (graph.value(member.axis.value).name + ":" + std::to_string(member.axis.dimension) == axis)
        return member.indices.as_vectors();
    }
    throw std::runtime_error("no member " + std::string(axis));
  }

 private:
  std::vector<PruningGroup> groups_;
};

TEST(Movement, halves_of_a_slice_are_groups_of_their_own) {
  Net net({1, 3, 4, 4});
  const auto a = net.conv("a", net.input(), 6);
  const auto b = net.conv("b", net.slice("low", a, 0, 2), 2);
  const auto c = net.conv("c", net.slice("high", a, 2, 6), 2);
  net.finish(net.conv("d", net.concat("j", {b, c}), 2));
  EXPECT_EQ(net.indices("a", "b.weight:1"), (Indices{{0}, {1}}));
  EXPECT_EQ(net.indices("a#2", "c.weight:1"), (Indices{{0}, {1}, {2}, {3}}));
  EXPECT_EQ(net.indices("a#2", "a.weight:0"), (Indices{{2}, {3}, {4}, {5}}));
}

TEST(Movement, a_roll_over_channels_moves_them) {
  Net net({1, 3, 4, 4});
  const auto a = net.conv("a", net.input(), 5);
  const auto rolled = net.concat("roll", {net.slice("end", a, 3, 5), net.slice("start", a, 0, 3)});
  net.finish(net.conv("b", rolled, 2));
  EXPECT_EQ(net.indices("a", "b.weight:1"), (Indices{{2}, {3}, {4}}));
  EXPECT_EQ(net.indices("a#2", "b.weight:1"), (Indices{{0}, {1}}));
}

TEST(Movement, a_gate_ties_both_halves) {
  Net net({1, 3, 4, 4});
  const auto a = net.conv("a", net.input(), 6);
  const auto gate = net.unary("sigmoid", "s", net.slice("second", a, 3, 6));
  net.finish(net.conv("b", net.node("mul", "glu", {net.slice("first", a, 0, 3), gate}), 2));
  EXPECT_EQ(net.indices("a", "a.weight:0"), (Indices{{0, 3}, {1, 4}, {2, 5}}));
}

TEST(Movement, a_shuffle_ties_nothing) {
  Net net({1, 3, 4, 4});
  const auto shuffled =
      net.node("channel_shuffle", "s", {net.conv("a", net.input(), 6)}, {{"groups", std::int64_t{2}}});
  net.finish(net.conv("b", shuffled, 2));
  EXPECT_EQ(net.indices("a", "b.weight:1"), (Indices{{0}, {2}, {4}, {1}, {3}, {5}}));
}

TEST(Movement, squeeze_and_excite_ties_the_scale_to_what_it_scales) {
  Net net({1, 3, 4, 4});
  const auto a = net.conv("a", net.input(), 4);
  const Integers ones{1, 1}, none{0, 0};
  const auto scale =
      net.unary("sigmoid", "s",
                net.conv("up", net.unary("global_avg_pool", "g", a), 4, {.kernel = ones, .padding = none}));
  net.finish(net.conv("b", net.node("mul", "m", {a, scale}), 2));
  EXPECT_EQ(net.indices("a", "up.weight:0"), (Indices{{0}, {1}, {2}, {3}}));
  EXPECT_EQ(net.indices("a", "up.weight:1"), (Indices{{0}, {1}, {2}, {3}}));
}

TEST(Movement, a_shortcut_padded_with_zero_channels_is_prunable) {
  Net net({1, 3, 4, 4});
  const auto a = net.conv("a", net.input(), 2);
  const auto wide = net.node("pad", "p", {a}, {{"padding", Integers{0, 1, 0, 0, 0, 1, 0, 0}}});
  net.finish(net.conv("c", net.add("s", net.conv("b", a, 4), wide), 2));
  EXPECT_EQ(net.indices("a", "b.weight:0"), (Indices{{1}, {2}}));
  EXPECT_EQ(net.indices("p", "b.weight:0"), (Indices{{0}, {3}})) << "those the pad makes go with b's alone";
}

TEST(Movement, heads_of_an_attention_go_whole) {
  Net net({1, 6, 8});
  const auto part = [&](const std::string& name) {
    const auto split = net.reshape(name + "_heads", net.linear(name, net.input(), 8), {1, 6, 4, 2});
    return net.permute(name + "_turned", split, {0, 2, 1, 3});
  };
  const auto q = part("q"), k = part("k"), v = part("v");
  auto x = net.node("matmul", "scores", {q, net.permute("kt", k, {0, 1, 3, 2})});
  x = net.node("softmax", "soft", {x}, {{"axis", std::int64_t{3}}});
  x = net.permute("back", net.node("matmul", "mixed", {x, v}), {0, 2, 1, 3});
  net.finish(net.linear("out", net.linear("proj", net.reshape("flat", x, {1, 6, 8}), 5), 2));
  EXPECT_EQ(net.indices("q", "q.weight:0"), (Indices{{0, 1}, {2, 3}, {4, 5}, {6, 7}}));
  EXPECT_EQ(net.indices("q", "k.weight:0"), net.indices("q", "v.weight:0"));
  EXPECT_EQ(net.indices("q", "proj.weight:1"), net.indices("q", "q.weight:0"));
}

TEST(Movement, of_few_heads_each_loses_the_same_elements) {
  Net net({1, 6, 8});
  const auto split = net.reshape("split", net.linear("a", net.input(), 8), {1, 6, 2, 4});
  net.finish(net.linear("b", split, 3));
  EXPECT_EQ(net.indices("a", "a.weight:0"), (Indices{{0, 4}, {1, 5}, {2, 6}, {3, 7}}));
}

TEST(Movement, a_pixel_shuffle_ties_the_pixels_of_a_channel) {
  Net net({1, 3, 4, 4});
  const auto wide =
      net.node("depth_to_space", "up", {net.conv("a", net.input(), 8)}, {{"block", std::int64_t{2}}});
  net.finish(net.conv("b", wide, 2));
  EXPECT_EQ(net.indices("a", "a.weight:0"), (Indices{{0, 1, 2, 3}, {4, 5, 6, 7}}));
}

TEST(Movement, a_layer_norm_follows_the_width_of_a_transformer) {
  Net net({1, 6, 8});
  const auto x = net.linear("a", net.input(), 4);
  const auto weight = net.graph.add_parameter("ln.weight", {4}),
             bias = net.graph.add_parameter("ln.bias", {4});
  const auto normed = net.node("layer_norm", "ln", {x, weight, bias}, {{"axis", std::int64_t{2}}});
  net.finish(net.linear("out", net.linear("b", normed, 3), 2));
  EXPECT_EQ(net.indices("a", "ln.weight:0"), (Indices{{0}, {1}, {2}, {3}}));
  EXPECT_EQ(net.indices("a", "b.weight:1"), (Indices{{0}, {1}, {2}, {3}}));
}

TEST(Movement, a_grouped_transposed_conv_keeps_equal_counts) {
  Net net({1, 3, 4, 4});
  const auto a = net.conv("a", net.input(), 4);
  const auto weight = net.graph.add_parameter("t.weight", {4, 3, 2, 2});
  const auto t = net.node("conv_transpose", "t", {a, weight}, {{"groups", std::int64_t{2}}});
  net.finish(net.conv("b", t, 2));
  EXPECT_EQ(net.indices("a", "a.weight:0"), (Indices{{0, 2}, {1, 3}}));
  EXPECT_EQ(net.indices("t", "t.weight:1"), (Indices{{0}, {1}, {2}}));
  EXPECT_EQ(net.indices("t", "b.weight:1"), (Indices{{0, 3}, {1, 4}, {2, 5}}));
}

TEST(Movement, a_mean_over_channels_pins_them_and_a_sum_of_zeros_does_not) {
  Net net({1, 3, 4, 4});
  const Attributes channels = {{"axes", Integers{1}}, {"keep", true}};
  const auto a = net.conv("a", net.input(), 4), b = net.conv("b", net.input(), 4);
  const auto mean = net.node("reduce_mean", "mean", {a}, channels);
  const auto sum = net.node("reduce_sum", "sum", {b}, channels);
  net.finish(net.conv("c", net.concat("j", {mean, sum}), 2));
  EXPECT_EQ(net.group("a").reason, "node 'mean' reduces over it and needs every index");
  EXPECT_TRUE(net.group("b").prunable) << net.group("b").reason;
}

TEST(Movement, a_sum_over_what_is_not_zero_pins) {
  Net net({1, 3, 4, 4});
  const auto gates = net.unary("sigmoid", "s", net.conv("a", net.input(), 4));
  const auto sum = net.node("reduce_sum", "sum", {gates}, {{"axes", Integers{1}}, {"keep", true}});
  net.finish(net.conv("c", sum, 2));
  EXPECT_FALSE(net.group("a").prunable);
}

TEST(Movement, a_division_by_channels_pins_them) {
  Net net({1, 3, 4, 4});
  const auto a = net.conv("a", net.input(), 4), b = net.conv("b", net.input(), 4);
  net.finish(net.conv("c", net.node("div", "d", {a, b}), 2));
  EXPECT_EQ(net.group("a").reason, "node 'd' divides by it");
}

TEST(Movement, a_computed_weight_is_listed_under_the_node_that_uses_it) {
  Net net({1, 3, 4, 4});
  const auto v = net.graph.add_parameter("v", {4, 3, 3, 3}), g = net.graph.add_parameter("g", {4, 1, 1, 1});
  const auto norm = net.node("reduce_l2", "norm", {v}, {{"axes", Integers{1, 2, 3}}, {"keep", true}});
  const auto weight = net.node("mul", "weight", {v, net.node("div", "ratio", {g, norm})});
  net.finish(net.conv("b", net.node("conv", "a", {net.input(), weight}), 2));
  EXPECT_EQ(net.group("a").reason, "node 'ratio' divides by it");
}

TEST(Movement, one_index_that_is_selected_stays) {
  Net net({1, 3, 4, 4});
  const auto one = net.slice("one", net.conv("a", net.input(), 4), 2, 3);
  net.finish(net.conv("b", one, 2));
  EXPECT_EQ(net.group("a#2").reason, "all of it goes together or not at all");
}

}  // namespace
}  // namespace compress
