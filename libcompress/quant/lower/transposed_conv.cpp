// A transposed convolution as a convolution at the input's resolution that makes all results which lie
// between two inputs as channels, which are then laid out as rows and columns. Sums are of the same products,
// so it is exact, and needs no kernel of its own.
//
// Along an axis result o = stride * t + phase sums input[t + offset] * weight[tap] over all offsets, where
// tap * dilation = phase + cut - stride * offset; cut is the padding in front.
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "libcompress/quant/lower/operators.h"
#include "libcompress/quant/lower/weights.h"

namespace compress::lowering {
namespace {

std::int64_t rounded_down(std::int64_t value, std::int64_t by) {
  return (value - (by - 1) * (value < 0)) / by;
}

/// Rows or columns.
struct PhaseAxis {
  std::int64_t stride, cut, dilation, taps;
  std::int64_t steps;        ///< results of one phase
  std::int64_t first, last;  ///< offsets of the convolution's window

  PhaseAxis(const Window& window, std::size_t axis, std::int64_t inputs, std::int64_t outputs)
      : stride(window.stride[axis]),
        cut(window.pad_begin[axis]),
        dilation(window.dilation[axis]),
        taps(window.kernel[axis]),
        steps(outputs / stride) {
    first = std::min<std::int64_t>(rounded_down(cut - dilation * (taps - 1) - 1, stride) + 1, 0);
    last = std::max((stride - 1 + cut) / stride, inputs - steps);  // neither end may cut inputs off
  }

  std::int64_t kernel() const { return last - first + 1; }
  std::optional<std::int64_t> tap(std::int64_t phase, std::int64_t offset) const {
    const auto at = phase + cut - stride * offset;
    if (at < 0 || at % dilation != 0 || at / dilation >= taps) return std::nullopt;
    return at / dilation;
  }
};

struct Phases {
  PhaseAxis rows, columns;
  std::int64_t groups, in_a_group, out_a_group;  ///< channels

  std::int64_t count() const { return rows.stride * columns.stride; }
};

/// [group, phase, output channel of the group], each a window of channels last.
std::vector<float> weights_of(const Phases& by, std::span<const float> from) {
  std::vector<float> to;
  const auto add_window = [&](std::int64_t group, std::int64_t phase, std::int64_t channel) {
    for (auto y = by.rows.first; y <= by.rows.last; ++y) {
      for (auto x = by.columns.first; x <= by.columns.last; ++x) {
        const auto row = by.rows.tap(phase / by.columns.stride, y);
        const auto column = by.columns.tap(phase % by.columns.stride, x);
        for (std::int64_t i = 0; i < by.in_a_group; ++i) {
          const auto plane = (group * by.in_a_group + i) * by.out_a_group + channel;
          to.push_back(
              row && column
                  ? from[static_cast<std::size_t>((plane * by.rows.taps + *row) * by.columns.taps + *column)]
                  : 0.0f);
        }
      }
    }
  };
  for (std::int64_t group = 0; group < by.groups; ++group) {
    for (std::int64_t phase = 0; phase < by.count(); ++phase) {
      for (std::int64_t channel = 0; channel < by.out_a_group; ++channel) add_window(group, phase, channel);
    }
  }
  return to;
}

std::vector<float> bias_of(const Phases& by, const std::vector<float>& from) {
  std::vector<float> to;
  for (auto group = from.begin(); group != from.end(); group += by.out_a_group) {
    for (std::int64_t phase = 0; phase < by.count(); ++phase)
      to.insert(to.end(), group, group + by.out_a_group);
  }
  return to;
}

QConv convolution_of(const Phases& by, const Shape& input) {
  QConv op;
  const PhaseAxis* axes[] = {&by.rows, &by.columns};
  for (std::size_t i = 0; i < 2; ++i) {
    op.window.kernel[i] = static_cast<std::int32_t>(axes[i]->kernel());
    op.window.pad_begin[i] = static_cast<std::int32_t>(-axes[i]->first);
    op.window.pad_end[i] = static_cast<std::int32_t>(axes[i]->steps - input[i + 1] + axes[i]->last);
  }
  op.groups = static_cast<std::int32_t>(by.groups);
  return op;
}

/// Takes the elements of `x` for [1, a, b, c, d] and makes [1, a, c, b, d].
QValueId with_middle_swapped(Lowering& to, const std::string& name, QValueId x, const Shape& shape) {
  const std::vector<std::int32_t> order = {0, 1, 3, 2, 4};
  if (!reorders(shape, order)) return x;
  const auto apart = to.add_same_scale(name + "/apart", QReshape{}, x, name + "/apart", shape);
  return to.add_same_scale(name, QTranspose{order}, apart, name, {1, shape[1], shape[3], shape[2], shape[4]});
}

/// Phases from channels to rows and columns.
QValueId laid_out(Lowering& to, const Node& node, const Phases& by, QValueId x, const std::string& name,
                  const Shape& shape) {
  const auto rows = by.rows.steps, columns = by.columns.steps;
  x = with_middle_swapped(to, node.name + "/groups", x,
                          {1, rows * columns, by.groups, by.count(), by.out_a_group});
  x = with_middle_swapped(to, node.name + "/phases", x,
                          {1, rows, columns, by.rows.stride, by.columns.stride * shape[3]});
  return to.add_same_scale(node.name + "/joined", QReshape{}, x, name, shape);
}

void conv_transpose(Lowering& to, const Node& node) {
  const auto& weight = to.shape(node.inputs[1]);
  const auto window = window_of(node, std::span(weight).subspan(2));
  const auto result = to.result_of(node);
  const auto axes = canonical_order(to.rank(result));
  const auto shape = to.shape_in(result, axes), input = to.shape_in(node.inputs[0], axes);
  for (std::size_t i = 0; i < 2; ++i) {
    refuse_if(shape[i + 1] % window.stride[i] != 0, node,
              fmt::format("{} results along an axis of stride {}", shape[i + 1], window.stride[i]),
              "a multiple of the stride; another padding or output_padding gives it");
  }
  const auto groups = node.attributes.integer("groups");
  const Phases by{PhaseAxis(window, 0, input[1], shape[1]), PhaseAxis(window, 1, input[2], shape[2]), groups,
                  weight[0] / groups, weight[1]};
  const bool one = by.count() == 1;
  const auto channels = by.count() * shape[3];
  const FloatWeights from{{channels, by.rows.kernel(), by.columns.kernel(), by.in_a_group},
                          weights_of(by, to.weight(node.inputs[1])),
                          bias_of(by, bias_of(to, node, shape[3]))};
  const auto name = to.name_in(result, axes);
  auto y = add_weighted(to, node, convolution_of(by, input), to.canonical(node.inputs[0]), from,
                        one ? name : name + "/channels", {1, by.rows.steps, by.columns.steps, channels});
  if (!one) y = laid_out(to, node, by, y, name, shape);
  to.set_form(result, {y, axes});
}

}  // namespace

std::vector<Operator> transposed_operators() {
  return {{"conv_transpose", conv_transpose, Operator::Operands::weights_behind_first}};
}

}  // namespace compress::lowering
