#include "libcompress/quant/reference.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "libcompress/base/error.h"
#include "libcompress/base/random.h"

namespace compress {
namespace {

using Bytes = std::vector<std::int8_t>;

/// One node between an input (or two) and an output.
class OneNode {
 public:
  explicit OneNode(std::uint64_t seed = 3) : random_(seed) { graph_.name = "one"; }

  QValueId activation(const std::string& name, Shape shape, float scale, std::int32_t zero) {
    QValue value;
    value.name = name;
    value.shape = std::move(shape);
    value.scale = scale;
    value.zero_point = zero;
    return add(value);
  }

  QValueId weights(Shape shape, std::vector<float> scales) {
    QValue value;
    value.name = "weights";
    value.shape = shape;
    value.channel_scales = std::move(scales);
    value.constant = Tensor(DType::int8, shape);
    for (auto& w : value.constant.as<std::int8_t>()) w = static_cast<std::int8_t>(random_.below(255) - 127);
    return add(value);
  }

  QValueId bias(std::int64_t count) {
    QValue value;
    value.name = "bias";
    value.dtype = DType::int32;
    value.shape = {count};
    value.constant = Tensor(DType::int32, {count});
    for (auto& b : value.constant.as<std::int32_t>())
      b = static_cast<std::int32_t>(random_.below(4001) - 2000);
    return add(value);
  }

  QuantizedGraph& finish(QOp op, std::vector<QValueId> inputs, QValueId output) {
    graph_.nodes.push_back({"node", std::move(op), inputs, output});
    graph_.inputs = {inputs[0]};
    graph_.outputs = {output};
    return graph_;
  }

  std::vector<Requantization> factors(QValueId x, QValueId w, QValueId y) const {
    std::vector<Requantization> all;
    for (std::size_t o = 0; o < static_cast<std::size_t>(graph_.value(w).shape[0]); ++o)
      all.push_back(to_requantization(weight_factor(graph_.value(x), graph_.value(w), o, graph_.value(y))));
    return all;
  }

  Bytes noise(std::int64_t count) {
    Bytes data(static_cast<std::size_t>(count));
    for (auto& x : data) x = static_cast<std::int8_t>(random_.below(256) - 128);
    return data;
  }

  QuantizedGraph& graph() { return graph_; }
  Random& random() { return random_; }

 private:
  QValueId add(QValue value) {
    value.id = QValueId{static_cast<std::int32_t>(graph_.values.size())};
    graph_.values.push_back(std::move(value));
    return graph_.values.back().id;
  }

  Random random_;
  QuantizedGraph graph_;
};

std::int8_t clamped(std::int32_t x, std::int32_t low = -128, std::int32_t high = 127) {
  return static_cast<std::int8_t>(std::clamp(x, low, high));
}

/// A conv from its definition, element by element.
Bytes naive_conv(const QuantizedGraph& graph, const Bytes& x) {
  const auto& node = graph.nodes[0];
  const auto& conv = std::get<QConv>(node.op);
  const auto& from = graph.value(node.inputs[0]);
  const auto& weight = graph.value(node.inputs[1]);
  const auto& to = graph.value(node.output);
  const auto w = weight.constant.as<std::int8_t>();
  const auto b = graph.value(node.inputs[2]).constant.as<std::int32_t>();
  const auto in_group = weight.shape[3];
  const auto out_group = to.shape[3] / conv.groups;
  Bytes y;
  for (std::int64_t oy = 0; oy < to.shape[1]; ++oy)
    for (std::int64_t ox = 0; ox < to.shape[2]; ++ox)
      for (std::int64_t o = 0; o < to.shape[3]; ++o) {
        std::int32_t sum = b[static_cast<std::size_t>(o)];
        for (std::int64_t ky = 0; ky < weight.shape[1]; ++ky)
          for (std::int64_t kx = 0; kx < weight.shape[2]; ++kx)
            for (std::int64_t c = 0; c < in_group; ++c) {
              const auto iy =
                  oy * conv.window.stride[0] + ky * conv.window.dilation[0] - conv.window.pad_begin[0];
              const auto ix =
                  ox * conv.window.stride[1] + kx * conv.window.dilation[1] - conv.window.pad_begin[1];
              if (iy < 0 || ix < 0 || iy >= from.shape[1] || ix >= from.shape[2]) continue;
              const auto channel = o / out_group * in_group + c;
              const auto element =
                  x[static_cast<std::size_t>((iy * from.shape[2] + ix) * from.shape[3] + channel)];
              const auto factor = w[static_cast<std::size_t>(
                  ((o * weight.shape[1] + ky) * weight.shape[2] + kx) * in_group + c)];
              sum += (element - from.zero_point) * factor;
            }
        const auto scaled = requantize(sum, conv.requantization[static_cast<std::size_t>(o)]) + to.zero_point;
        y.push_back(clamped(scaled, conv.clamp_min, conv.clamp_max));
      }
  return y;
}

struct ConvCase {
  std::int64_t in, out;
  std::int32_t groups, kernel, stride, dilation, pad;
};

TEST(ReferenceExecutor, conv_follows_its_definition_in_every_geometry) {
  const ConvCase cases[] = {{1, 4, 1, 3, 1, 1, 1}, {5, 7, 1, 3, 2, 1, 0},  {8, 8, 8, 3, 1, 1, 1},
                            {6, 9, 3, 2, 1, 2, 1}, {16, 3, 1, 1, 1, 1, 0}, {4, 8, 4, 3, 2, 2, 2}};
  for (const auto& c : cases) {
    OneNode one;
    const auto extent = [&](std::int64_t size) {
      return (size + 2 * c.pad - (c.kernel - 1) * c.dilation - 1) / c.stride + 1;
    };
    const auto x = one.activation("x", {1, 9, 11, c.in}, 0.1f, -7);
    std::vector<float> scales;
    for (std::int64_t o = 0; o < c.out; ++o) scales.push_back(0.01f * static_cast<float>(o + 1));
    const auto w = one.weights({c.out, c.kernel, c.kernel, c.in / c.groups}, scales);
    const auto b = one.bias(c.out);
    const auto y = one.activation("y", {1, extent(9), extent(11), c.out}, 1.5f, 5);
    QConv conv;
    for (int axis = 0; axis < 2; ++axis) {
      conv.window.kernel[axis] = c.kernel;
      conv.window.stride[axis] = c.stride;
      conv.window.dilation[axis] = c.dilation;
      conv.window.pad_begin[axis] = conv.window.pad_end[axis] = c.pad;
    }
    conv.groups = c.groups;
    conv.requantization = one.factors(x, w, y);
    conv.clamp_min = -100;
    const auto& graph = one.finish(conv, {x, w, b}, y);
    const auto input = one.noise(9 * 11 * c.in);
    EXPECT_EQ(ReferenceExecutor(graph).run(input), naive_conv(graph, input)) << "groups " << c.groups;
  }
}

TEST(ReferenceExecutor, linear_rounds_as_its_profile_says) {
  OneNode one;
  const auto x = one.activation("x", {1, 3, 37}, 0.05f, 12);
  const auto w = one.weights({11, 37}, std::vector<float>(11, 0.02f));
  const auto b = one.bias(11);
  const auto y = one.activation("y", {1, 3, 11}, 0.4f, -3);
  QLinear linear;
  linear.requantization = one.factors(x, w, y);
  auto& graph = one.finish(linear, {x, w, b}, y);
  int differences = 0;
  for (int repeat = 0; repeat < 200; ++repeat) {
    const auto input = one.noise(3 * 37);
    std::vector<Bytes> outputs;
    for (const auto* profile : {"litert", "tflite-micro"}) {
      graph.profile = profile;
      Bytes expected;
      for (std::size_t row = 0; row < 3; ++row)
        for (std::size_t o = 0; o < 11; ++o) {
          std::int32_t sum = graph.value(b).constant.as<std::int32_t>()[o];
          for (std::size_t i = 0; i < 37; ++i)
            sum += (input[row * 37 + i] - 12) * graph.value(w).constant.as<std::int8_t>()[o * 37 + i];
          const auto& by = linear.requantization[o];
          expected.push_back(
              clamped((graph.profile == "litert" ? requantize_once(sum, by) : requantize(sum, by)) - 3));
        }
      outputs.push_back(ReferenceExecutor(graph).run(input));
      ASSERT_EQ(outputs.back(), expected) << profile;
    }
    differences += outputs[0] != outputs[1] ? 1 : 0;
  }
  EXPECT_GT(differences, 0) << "the profiles should be distinguishable";
}

TEST(ReferenceExecutor, max_pool_ignores_padding) {
  OneNode one;
  const auto x = one.activation("x", {1, 2, 2, 1}, 1, 0);
  const auto y = one.activation("y", {1, 3, 3, 1}, 1, 0);
  QMaxPool pool;
  for (int axis = 0; axis < 2; ++axis)
    pool.window.kernel[axis] = 2, pool.window.pad_begin[axis] = pool.window.pad_end[axis] = 1;
  const auto& graph = one.finish(pool, {x}, y);
  const Bytes input = {-100, -50, -70, -90};
  EXPECT_EQ(ReferenceExecutor(graph).run(input), (Bytes{-100, -50, -50, -70, -50, -50, -70, -70, -90}));
}

TEST(ReferenceExecutor, avg_pool_rounds_halves_away_from_zero_over_the_cells_inside) {
  OneNode one;
  const auto x = one.activation("x", {1, 1, 4, 1}, 1, 0);
  const auto y = one.activation("y", {1, 1, 5, 1}, 1, 0);
  QAvgPool pool;
  pool.window.kernel[1] = 2;
  pool.window.pad_begin[1] = pool.window.pad_end[1] = 1;
  const auto& graph = one.finish(pool, {x}, y);
  EXPECT_EQ(ReferenceExecutor(graph).run(Bytes{1, 2, -3, -4}),
            (Bytes{1, 2, -1, -4, -4}));  // 1, 1.5, -0.5, -3.5, -4
}

TEST(ReferenceExecutor, add_is_the_real_sum_within_one_step) {
  OneNode one;
  const auto x = one.activation("x", {1, 4096}, 0.03f, 20);
  const auto y = one.activation("y", {1, 4096}, 0.05f, -9);
  QAdd add = add_for(one.graph().value(x), one.graph().value(x), one.graph().value(y));
  const auto& graph = one.finish(add, {x, x}, y);
  const auto input = one.noise(4096);
  const auto output = ReferenceExecutor(graph).run(input);
  for (std::size_t i = 0; i < input.size(); ++i) {
    const double exact = 2 * 0.03 * (input[i] - 20) / 0.05 - 9;
    ASSERT_NEAR(output[i], std::clamp(exact, -128.0, 127.0), 0.51) << i;
  }
}

TEST(ReferenceExecutor, softmax_is_within_one_step_of_softmax) {
  for (const float scale : {0.002f, 0.07f, 0.5f, 6.0f, 40.0f}) {
    OneNode one;
    const auto x = one.activation("x", {1, 64, 50}, scale, 3);
    const auto y = one.activation("y", {1, 64, 50}, 1.0f / 256, -128);
    const auto& graph = one.finish(softmax_for(one.graph().value(x)), {x}, y);
    const auto input = one.noise(64 * 50);
    const auto output = ReferenceExecutor(graph).run(input);
    for (std::size_t row = 0; row < input.size(); row += 50) {
      double sum = 0;
      const int largest = *std::max_element(input.begin() + static_cast<std::ptrdiff_t>(row),
                                            input.begin() + static_cast<std::ptrdiff_t>(row) + 50);
      for (std::size_t i = 0; i < 50; ++i)
        sum += std::exp(static_cast<double>(scale) * (input[row + i] - largest));
      for (std::size_t i = 0; i < 50; ++i) {
        const double exact =
            256 * std::exp(static_cast<double>(scale) * (input[row + i] - largest)) / sum - 128;
        ASSERT_NEAR(output[row + i], std::min(exact, 127.0), 0.6) << scale;
      }
    }
  }
}

TEST(ReferenceExecutor, softmax_takes_as_many_classes_as_the_sum_can_hold) {
  OneNode one;
  const auto x = one.activation("x", {1, 4095}, 0.1f, 0);
  const auto y = one.activation("y", {1, 4095}, 1.0f / 256, -128);
  const auto& graph = one.finish(softmax_for(one.graph().value(x)), {x}, y);
  const auto output = ReferenceExecutor(graph).run(Bytes(4095, 9));
  EXPECT_EQ(output, Bytes(4095, -128));
}

TEST(ReferenceExecutor, concat_and_transpose_move_bytes) {
  OneNode joined;
  const auto x = joined.activation("x", {1, 2, 2, 1}, 1, 0);
  const auto y = joined.activation("y", {1, 2, 4, 1}, 1, 0);
  const auto& concat = joined.finish(QConcat{2}, {x, x}, y);
  EXPECT_EQ(ReferenceExecutor(concat).run(Bytes{1, 2, 3, 4}), (Bytes{1, 2, 1, 2, 3, 4, 3, 4}));

  OneNode turned;
  const auto from = turned.activation("x", {1, 2, 3, 1}, 1, 0);
  const auto to = turned.activation("y", {1, 3, 1, 2}, 1, 0);
  const auto& transpose = turned.finish(QTranspose{{0, 2, 3, 1}}, {from}, to);
  EXPECT_EQ(ReferenceExecutor(transpose).run(Bytes{1, 2, 3, 4, 5, 6}), (Bytes{1, 4, 2, 5, 3, 6}));
}

TEST(ReferenceExecutor, requantize_changes_scale_and_clamps) {
  OneNode one;
  const auto x = one.activation("x", {1, 4}, 0.5f, 10);
  const auto y = one.activation("y", {1, 4}, 0.25f, -128);
  QRequantize op;
  op.requantization = to_requantization(2);
  op.clamp_min = -128;
  const auto& graph = one.finish(op, {x}, y);
  EXPECT_EQ(ReferenceExecutor(graph).run(Bytes{10, 11, 5, 127}), (Bytes{-128, -126, -128, 106}));
}

TEST(ReferenceExecutor, shows_every_activation_in_order) {
  OneNode one;
  const auto x = one.activation("x", {1, 4}, 1, 0);
  const auto y = one.activation("y", {1, 1, 4}, 1, 0);
  const auto& graph = one.finish(QReshape{}, {x}, y);
  std::vector<QValueId> seen;
  ReferenceExecutor(graph).run_observed(Bytes{1, 2, 3, 4}, [&](QValueId id, const Tensor& data) {
    seen.push_back(id);
    EXPECT_EQ(data.count(), 4);
  });
  EXPECT_EQ(seen, (std::vector<QValueId>{x, y}));
}

TEST(ReferenceExecutor, refuses_an_input_of_another_size) {
  OneNode one;
  const auto x = one.activation("x", {1, 4}, 1, 0);
  const auto y = one.activation("y", {1, 1, 4}, 1, 0);
  const ReferenceExecutor executor(one.finish(QReshape{}, {x}, y));
  EXPECT_THROW(executor.run(Bytes(5)), Error);
}

}  // namespace
}  // namespace compress
