#include "libcompress/quant/reference.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <optional>
#include <type_traits>

#include "libcompress/base/error.h"
#include "libcompress/quant/fixed_point.h"

namespace compress {
namespace {

using Bytes = std::span<const std::int8_t>;
using Rows = std::span<std::int8_t>;
/// Of products with 8-bit weights.
template <typename T>
using Sum = std::conditional_t<std::is_same_v<T, std::int8_t>, std::int32_t, std::int64_t>;

/// Patches and weights are padded with zeros to this many int16 so that the dot product has no tail.
constexpr std::size_t kLanes = 8;

template <typename T>
T clamp_to(std::int32_t value, std::int32_t low, std::int32_t high) {
  return static_cast<T>(std::clamp(value, low, high));
}
std::int8_t clamp_to_int8(std::int32_t value, std::int32_t low, std::int32_t high) {
  return clamp_to<std::int8_t>(value, low, high);
}

/// Sum of products; `count` is a multiple of kLanes. The compiler makes multiply-add pairs of it.
template <typename Total>
Total dot(const std::int16_t* a, const std::int16_t* b, std::size_t count) {
  Total sum = 0;
  for (std::size_t i = 0; i < count; ++i) sum += static_cast<std::int32_t>(a[i]) * b[i];
  return sum;
}

std::int32_t scaled(std::int32_t sum, const Requantization& by) { return requantize(sum, by); }
std::int32_t scaled(std::int64_t sum, const Requantization& by) { return requantize_wide(sum, by); }

/// A weight matrix [rows, columns] widened to int16, its rows padded to kLanes.
struct WideRows {
  std::size_t stride = 0;
  std::vector<std::int16_t> data;

  WideRows(std::span<const std::int8_t> from, std::size_t rows)
      : stride((from.size() / rows + kLanes - 1) / kLanes * kLanes), data(rows * stride) {
    const auto columns = from.size() / rows;
    for (std::size_t r = 0; r < rows; ++r) {
      for (std::size_t c = 0; c < columns; ++c) data[r * stride + c] = from[r * columns + c];
    }
  }
  const std::int16_t* row(std::size_t r) const { return data.data() + r * stride; }
};

/// What conv and linear precompute.
struct Prepared {
  std::optional<WideRows> rows;
  std::vector<std::int16_t> taps;  ///< of a depthwise conv: [kh * kw, channels]
};

struct Image {
  std::int64_t height, width, channels;
  explicit Image(const Shape& shape) : height(shape[1]), width(shape[2]), channels(shape[3]) {}
};

bool is_depthwise(const QConv& conv, const Shape& weight) {
  return weight[3] == 1 && weight[0] == conv.groups && conv.groups > 1;
}

/// Calls use(tap, y, x) for each element of the window at output (oy, ox) that lies inside the image.
template <typename Use>
void for_each_tap(const Window& window, const Image& image, std::int64_t oy, std::int64_t ox,
                  const Use& use) {
  for (std::int64_t ky = 0; ky < window.kernel[0]; ++ky) {
    const auto y = oy * window.stride[0] - window.pad_begin[0] + ky * window.dilation[0];
    if (y < 0 || y >= image.height) continue;
    for (std::int64_t kx = 0; kx < window.kernel[1]; ++kx) {
      const auto x = ox * window.stride[1] - window.pad_begin[1] + kx * window.dilation[1];
      if (x >= 0 && x < image.width) use(ky * window.kernel[1] + kx, y, x);
    }
  }
}

class Run {
 public:
  Run(const QuantizedGraph& graph, const std::vector<Prepared>& prepared)
      : graph_(graph), prepared_(prepared) {
    data_.resize(graph.values.size());
  }

  void set_input(Bytes input) {
    const auto id = graph_.inputs[0];
    data_[index_of(id)] = Tensor(DType::int8, value(id).shape);
    std::copy(input.begin(), input.end(), data_[index_of(id)].as<std::int8_t>().begin());
  }
  const Tensor& tensor(QValueId id) const { return data_[index_of(id)]; }
  std::vector<std::int8_t> bytes(QValueId id) const {
    const auto levels = tensor(id).as<std::int8_t>();
    return {levels.begin(), levels.end()};
  }

  void execute(std::size_t position) {
    const auto& node = graph_.nodes[position];
    auto& output = data_[index_of(node.output)];
    output = Tensor(value(node.output).dtype, value(node.output).shape);
    if (output.dtype() == DType::int16)
      compute_into<std::int16_t>(node, prepared_[position], output);
    else
      compute_into<std::int8_t>(node, prepared_[position], output);
  }

 private:
  const QValue& value(QValueId id) const { return graph_.value(id); }

  template <typename T = std::int8_t>
  std::span<const T> data(QValueId id) const {
    return data_[index_of(id)].as<T>();
  }

  /// verify() lets 16 bits through only for operators that take them.
  template <typename T>
  void compute_into(const QNode& node, const Prepared& prepared, Tensor& to) {
    std::visit(
        [&](const auto& op) {
          auto output = to.as<T>();
          using Op = std::remove_cvref_t<decltype(op)>;
          if constexpr (std::is_same_v<T, std::int8_t> || takes_int16<Op>)
            compute(op, node, prepared, output);
        },
        node.op);
  }

  template <typename T>
  void compute(const QConv& conv, const QNode& node, const Prepared& prepared, std::span<T> output) {
    const auto& weight = value(node.inputs[1]);
    if (is_depthwise(conv, weight.shape)) {
      depthwise(conv, node, prepared, output);
      return;
    }
    const auto& input = value(node.inputs[0]);
    const Image from(input.shape);
    const Image to(value(node.output).shape);
    const auto bias = value(node.inputs[2]).constant.as<Sum<T>>();
    const auto output_zero = value(node.output).zero_point;
    const auto channels = static_cast<std::size_t>(from.channels / conv.groups);
    const auto outputs = static_cast<std::size_t>(to.channels / conv.groups);
    const auto& source = data<T>(node.inputs[0]);
    std::vector<std::int16_t> patch(prepared.rows->stride);
    auto* result = output.data();
    for (std::int64_t oy = 0; oy < to.height; ++oy) {
      for (std::int64_t ox = 0; ox < to.width; ++ox) {
        for (std::size_t group = 0; group < static_cast<std::size_t>(conv.groups); ++group) {
          std::fill(patch.begin(), patch.end(), std::int16_t{0});
          for_each_tap(conv.window, from, oy, ox, [&](std::int64_t tap, std::int64_t y, std::int64_t x) {
            const auto* cell = source.data() + (y * from.width + x) * from.channels +
                               static_cast<std::int64_t>(group * channels);
            auto* to_patch = patch.data() + static_cast<std::size_t>(tap) * channels;
            for (std::size_t c = 0; c < channels; ++c)
              to_patch[c] = static_cast<std::int16_t>(cell[c] - input.zero_point);
          });
          for (std::size_t o = group * outputs; o < (group + 1) * outputs; ++o) {
            const auto sum = bias[o] + dot<Sum<T>>(patch.data(), prepared.rows->row(o), patch.size());
            *result++ = clamp_to<T>(scaled(sum, conv.requantization[o]) + output_zero, conv.clamp_min,
                                    conv.clamp_max);
          }
        }
      }
    }
  }

  template <typename T>
  void depthwise(const QConv& conv, const QNode& node, const Prepared& prepared, std::span<T> output) {
    const auto& input = value(node.inputs[0]);
    const Image from(input.shape);
    const Image to(value(node.output).shape);
    const auto bias = value(node.inputs[2]).constant.as<Sum<T>>();
    const auto output_zero = value(node.output).zero_point;
    const auto& source = data<T>(node.inputs[0]);
    const auto channels = static_cast<std::size_t>(from.channels);
    std::vector<Sum<T>> sums(channels);
    auto* result = output.data();
    for (std::int64_t oy = 0; oy < to.height; ++oy) {
      for (std::int64_t ox = 0; ox < to.width; ++ox) {
        std::copy(bias.begin(), bias.end(), sums.begin());
        for_each_tap(conv.window, from, oy, ox, [&](std::int64_t tap, std::int64_t y, std::int64_t x) {
          const auto* cell = source.data() + (y * from.width + x) * from.channels;
          const auto* weights = prepared.taps.data() + static_cast<std::size_t>(tap) * channels;
          for (std::size_t c = 0; c < channels; ++c) sums[c] += (cell[c] - input.zero_point) * weights[c];
        });
        for (std::size_t c = 0; c < channels; ++c)
          *result++ = clamp_to<T>(scaled(sums[c], conv.requantization[c]) + output_zero, conv.clamp_min,
                                  conv.clamp_max);
      }
    }
  }

  template <typename T>
  void compute(const QLinear& linear, const QNode& node, const Prepared& prepared, std::span<T> output) {
    const auto& input = value(node.inputs[0]);
    const auto bias = value(node.inputs[2]).constant.as<Sum<T>>();
    const auto output_zero = value(node.output).zero_point;
    const bool once = linear_rounds_once(graph_);
    const auto& source = data<T>(node.inputs[0]);
    const auto features = static_cast<std::size_t>(input.shape.back());
    std::vector<std::int16_t> patch(prepared.rows->stride);
    auto* result = output.data();
    for (std::size_t row = 0; row < source.size(); row += features) {
      for (std::size_t i = 0; i < features; ++i)
        patch[i] = static_cast<std::int16_t>(source[row + i] - input.zero_point);
      for (std::size_t o = 0; o < bias.size(); ++o) {
        const auto sum = bias[o] + dot<Sum<T>>(patch.data(), prepared.rows->row(o), patch.size());
        const auto& by = linear.requantization[o];
        *result++ = clamp_to<T>((once ? requantize_once(sum, by) : scaled(sum, by)) + output_zero,
                                linear.clamp_min, linear.clamp_max);
      }
    }
  }

  template <typename T>
  void compute(const QMaxPool& pool, const QNode& node, const Prepared&, std::span<T> output) {
    const Image from(value(node.inputs[0]).shape);
    const Image to(value(node.output).shape);
    const auto& source = data<T>(node.inputs[0]);
    auto* result = output.data();
    const auto channels = static_cast<std::size_t>(from.channels);
    for (std::int64_t oy = 0; oy < to.height; ++oy) {
      for (std::int64_t ox = 0; ox < to.width; ++ox, result += channels) {
        std::fill_n(result, channels, std::numeric_limits<T>::min());
        for_each_tap(pool.window, from, oy, ox, [&](std::int64_t, std::int64_t y, std::int64_t x) {
          const auto* cell = source.data() + (y * from.width + x) * from.channels;
          for (std::size_t c = 0; c < channels; ++c) result[c] = std::max(result[c], cell[c]);
        });
        for (std::size_t c = 0; c < channels; ++c)
          result[c] = clamp_to<T>(result[c], pool.clamp_min, pool.clamp_max);
      }
    }
  }

  template <typename T>
  void compute(const QAvgPool& pool, const QNode& node, const Prepared&, std::span<T> output) {
    const Image from(value(node.inputs[0]).shape);
    const Image to(value(node.output).shape);
    const auto& source = data<T>(node.inputs[0]);
    const auto channels = static_cast<std::size_t>(from.channels);
    std::vector<std::int32_t> sums(channels);
    auto* result = output.data();
    for (std::int64_t oy = 0; oy < to.height; ++oy) {
      for (std::int64_t ox = 0; ox < to.width; ++ox) {
        std::fill(sums.begin(), sums.end(), 0);
        std::int32_t cells = 0;
        for_each_tap(pool.window, from, oy, ox, [&](std::int64_t, std::int64_t y, std::int64_t x) {
          const auto* cell = source.data() + (y * from.width + x) * from.channels;
          for (std::size_t c = 0; c < channels; ++c) sums[c] += cell[c];
          ++cells;
        });
        for (const auto sum : sums) {
          const auto mean = (sum > 0 ? sum + cells / 2 : sum - cells / 2) / cells;
          *result++ = clamp_to<T>(mean, pool.clamp_min, pool.clamp_max);
        }
      }
    }
  }

  /// An activation or a constant operand.
  template <typename T>
  std::span<const T> operand(QValueId id) const {
    const auto& constant = value(id).constant;
    return constant.empty() ? data<T>(id) : std::span<const T>(constant.as<T>());
  }

  /// Calls use(left, right) for each element of the output, in order.
  template <typename T, typename Use>
  void for_each_pair(const QNode& node, const Use& use) const {
    const auto left = operand<T>(node.inputs[0]), right = operand<T>(node.inputs[1]);
    const auto& shape = value(node.output).shape;
    const auto count = static_cast<std::size_t>(element_count(shape));
    if (left.size() == count && right.size() == count) {
      for (std::size_t i = 0; i < count; ++i) use(left[i], right[i]);
      return;
    }
    const auto left_strides = broadcast_strides(value(node.inputs[0]).shape, shape);
    const auto right_strides = broadcast_strides(value(node.inputs[1]).shape, shape);
    std::vector<std::int64_t> index(shape.size(), 0);
    std::int64_t l = 0, r = 0;
    for (std::size_t i = 0; i < count; ++i) {
      use(left[static_cast<std::size_t>(l)], right[static_cast<std::size_t>(r)]);
      for (std::size_t axis = shape.size(); axis-- > 0;) {
        l += left_strides[axis], r += right_strides[axis];
        if (++index[axis] < shape[axis]) break;
        l -= left_strides[axis] * shape[axis], r -= right_strides[axis] * shape[axis];
        index[axis] = 0;
      }
    }
  }

  template <typename T>
  void compute(const QAdd& add, const QNode& node, const Prepared&, std::span<T> output) {
    const auto left_zero = value(node.inputs[0]).zero_point;
    const auto right_zero = value(node.inputs[1]).zero_point;
    const auto output_zero = value(node.output).zero_point;
    const std::int32_t headroom = 1 << add.left_shift;
    auto* result = output.data();
    for_each_pair<T>(node, [&](T left, T right) {
      const auto a = requantize((left - left_zero) * headroom, add.left);
      const auto b = requantize((right - right_zero) * headroom, add.right);
      const auto sum = requantize(add.subtract ? a - b : a + b, add.output);
      *result++ = clamp_to<T>(sum + output_zero, add.clamp_min, add.clamp_max);
    });
  }

  void compute(const QMul& mul, const QNode& node, const Prepared&, std::span<std::int8_t> output) {
    const auto left_zero = value(node.inputs[0]).zero_point;
    const auto right_zero = value(node.inputs[1]).zero_point;
    const auto output_zero = value(node.output).zero_point;
    auto* result = output.data();
    for_each_pair<std::int8_t>(node, [&](std::int8_t left, std::int8_t right) {
      const auto product = requantize((left - left_zero) * (right - right_zero), mul.requantization);
      *result++ = clamp_to_int8(product + output_zero, mul.clamp_min, mul.clamp_max);
    });
  }

  void compute(const QMean& mean, const QNode& node, const Prepared&, std::span<std::int8_t> output) {
    const auto& input = value(node.inputs[0]);
    const auto [outer, count, inner] = extents_of(mean, input.shape);
    const auto output_zero = value(node.output).zero_point;
    const auto* source = data(node.inputs[0]).data();
    auto* result = output.data();
    for (std::int64_t block = 0; block < outer; ++block, source += count * inner) {
      for (std::int64_t i = 0; i < inner; ++i) {
        std::int32_t sum = 0;
        for (std::int64_t k = 0; k < count; ++k) sum += source[k * inner + i] - input.zero_point;
        *result++ = clamp_to_int8(requantize(sum, mean.requantization) + output_zero, -128, 127);
      }
    }
  }

  void compute(const QPad& pad, const QNode& node, const Prepared&, std::span<std::int8_t> output) {
    const auto& from = value(node.inputs[0]).shape;
    const auto& to = value(node.output).shape;
    const auto& source = data(node.inputs[0]);
    std::fill(output.begin(), output.end(), static_cast<std::int8_t>(pad.level));
    for (std::size_t i = 0; i < source.size(); ++i) {
      std::int64_t rest = static_cast<std::int64_t>(i), at = 0, step = 1;
      for (std::size_t axis = from.size(); axis-- > 0;) {
        at += (rest % from[axis] + pad.begin[axis]) * step;
        rest /= from[axis];
        step *= to[axis];
      }
      output[static_cast<std::size_t>(at)] = source[i];
    }
  }

  void compute(const QTable& table, const QNode& node, const Prepared&, std::span<std::int8_t> output) {
    const auto& source = data(node.inputs[0]);
    for (std::size_t i = 0; i < output.size(); ++i)
      output[i] = table.levels[static_cast<std::size_t>(source[i] + 128)];
  }

  template <typename T>
  void compute(const QConcat& concat, const QNode& node, const Prepared&, std::span<T> output) {
    const auto& shape = value(node.output).shape;
    const auto axis = static_cast<std::size_t>(concat.axis);
    const auto blocks = element_count({shape.begin(), shape.begin() + concat.axis});
    const auto below = element_count({shape.begin() + concat.axis + 1, shape.end()});
    const auto block = shape[axis] * below;
    std::int64_t offset = 0;
    for (const auto id : node.inputs) {
      const auto length = value(id).shape[axis] * below;
      for (std::int64_t b = 0; b < blocks; ++b)
        std::copy_n(data<T>(id).data() + b * length, length, output.data() + b * block + offset);
      offset += length;
    }
  }

  template <typename T>
  void compute(const QTranspose& transpose, const QNode& node, const Prepared&, std::span<T> output) {
    const auto& input_shape = value(node.inputs[0]).shape;
    const auto& shape = value(node.output).shape;
    const auto rank = shape.size();
    std::vector<std::int64_t> input_strides(rank, 1);
    for (std::size_t axis = rank; axis-- > 1;)
      input_strides[axis - 1] = input_strides[axis] * input_shape[axis];
    std::vector<std::int64_t> index(rank, 0);
    const auto& source = data<T>(node.inputs[0]);
    for (auto& element : output) {
      std::int64_t at = 0;
      for (std::size_t axis = 0; axis < rank; ++axis)
        at += index[axis] * input_strides[static_cast<std::size_t>(transpose.order[axis])];
      element = source[static_cast<std::size_t>(at)];
      for (std::size_t axis = rank; axis-- > 0;) {
        if (++index[axis] < shape[axis]) break;
        index[axis] = 0;
      }
    }
  }

  template <typename T>
  void compute(const QReshape&, const QNode& node, const Prepared&, std::span<T> output) {
    std::ranges::copy(data<T>(node.inputs[0]), output.begin());
  }

  void compute(const QSoftmax& softmax, const QNode& node, const Prepared&, Rows& output) {
    const auto classes = static_cast<std::size_t>(value(node.output).shape.back());
    const auto& source = data(node.inputs[0]);
    for (std::size_t row = 0; row < source.size(); row += classes)
      softmax_row(softmax, {source.data() + row, classes}, {output.data() + row, classes});
  }

  static void softmax_row(const QSoftmax& softmax, Bytes input, std::span<std::int8_t> output) {
    constexpr int kSumIntegerBits = 12;
    const std::int32_t largest = *std::max_element(input.begin(), input.end());
    const auto exp_of = [&](std::int32_t difference) {
      return fixed_point::exp_of_negative(requantize(difference, softmax.input));
    };
    std::int32_t sum = 0;
    for (const auto element : input) {
      const auto difference = element - largest;
      if (difference >= softmax.diff_min)
        sum += fixed_point::rounding_shift_right(exp_of(difference), kSumIntegerBits);
    }
    // sum = 2^(headroom bits) * (1 + rest) with rest in 0 .. 1.
    const int headroom = std::countl_zero(static_cast<std::uint32_t>(sum));
    const auto rest = static_cast<std::int32_t>((static_cast<std::uint32_t>(sum) << headroom) - (1u << 31));
    const auto scale = fixed_point::reciprocal_of_one_plus(rest);
    const int shift = kSumIntegerBits - headroom + 31 - 8;
    for (std::size_t i = 0; i < input.size(); ++i) {
      const auto difference = input[i] - largest;
      std::int32_t result = -128;
      if (difference >= softmax.diff_min) {
        const auto product = fixed_point::doubling_high_multiply(scale, exp_of(difference));
        result = fixed_point::rounding_shift_right(product, shift) - 128;
      }
      output[i] = clamp_to_int8(result, -128, 127);
    }
  }

  template <typename T>
  void compute(const QRequantize& op, const QNode& node, const Prepared&, std::span<T> output) {
    if (value(node.inputs[0]).dtype == DType::int16)
      requantize_elements(op, node, data<std::int16_t>(node.inputs[0]), output);
    else
      requantize_elements(op, node, data(node.inputs[0]), output);
  }

  template <typename From, typename To>
  void requantize_elements(const QRequantize& op, const QNode& node, std::span<const From> source,
                           std::span<To> output) {
    const auto input_zero = value(node.inputs[0]).zero_point;
    const auto output_zero = value(node.output).zero_point;
    for (std::size_t i = 0; i < output.size(); ++i)
      output[i] = clamp_to<To>(requantize(source[i] - input_zero, op.requantization) + output_zero,
                               op.clamp_min, op.clamp_max);
  }

  const QuantizedGraph& graph_;
  const std::vector<Prepared>& prepared_;
  std::vector<Tensor> data_;  ///< by value; empty until computed
};

Prepared prepare(const QuantizedGraph& graph, const QNode& node) {
  Prepared prepared;
  const auto* conv = std::get_if<QConv>(&node.op);
  if (!conv && !std::holds_alternative<QLinear>(node.op)) return prepared;
  const auto& weight = graph.value(node.inputs[1]);
  const auto data = weight.constant.as<std::int8_t>();
  const auto outputs = static_cast<std::size_t>(weight.shape[0]);
  if (conv && is_depthwise(*conv, weight.shape)) {
    const auto taps = data.size() / outputs;
    prepared.taps.resize(data.size());
    for (std::size_t c = 0; c < outputs; ++c) {
      for (std::size_t t = 0; t < taps; ++t) prepared.taps[t * outputs + c] = data[c * taps + t];
    }
  } else {
    prepared.rows.emplace(data, outputs);
  }
  return prepared;
}

}  // namespace

struct ReferenceExecutor::Impl {
  QuantizedGraph graph;  // constants are shared with the caller's
  std::vector<Prepared> prepared;

  Run run(Bytes input, const Observe& observe) const {
    const auto expected = element_count(graph.value(graph.inputs[0]).shape);
    if (static_cast<std::int64_t>(input.size()) != expected) {
      throw Error(ErrorKind::usage,
                  {"int8 network '" + graph.name + "'", fmt::format("an input of {} elements", input.size()),
                   fmt::format("{}", expected), ""});
    }
    Run run(graph, prepared);
    run.set_input(input);
    if (observe) observe(graph.inputs[0], run.tensor(graph.inputs[0]));
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
      run.execute(i);
      if (observe) observe(graph.nodes[i].output, run.tensor(graph.nodes[i].output));
    }
    return run;
  }
};

ReferenceExecutor::ReferenceExecutor(const QuantizedGraph& graph) {
  verify(graph);
  impl_ = std::make_unique<Impl>();
  impl_->graph = graph;
  for (const auto& node : graph.nodes) impl_->prepared.push_back(prepare(graph, node));
}

ReferenceExecutor::ReferenceExecutor(ReferenceExecutor&&) noexcept = default;
ReferenceExecutor& ReferenceExecutor::operator=(ReferenceExecutor&&) noexcept = default;
ReferenceExecutor::~ReferenceExecutor() = default;

std::vector<std::int8_t> ReferenceExecutor::run(std::span<const std::int8_t> input) const {
  return impl_->run(input, {}).bytes(impl_->graph.outputs[0]);
}

std::vector<std::vector<std::int8_t>> ReferenceExecutor::run_all(std::span<const std::int8_t> input) const {
  const auto run = impl_->run(input, {});
  std::vector<std::vector<std::int8_t>> outputs;
  for (const auto id : impl_->graph.outputs) outputs.push_back(run.bytes(id));
  return outputs;
}

void ReferenceExecutor::run_observed(std::span<const std::int8_t> input, const Observe& observe) const {
  impl_->run(input, observe);
}

const QuantizedGraph& ReferenceExecutor::graph() const { return impl_->graph; }

}  // namespace compress
