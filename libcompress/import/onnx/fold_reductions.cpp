#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "libcompress/import/onnx/arguments.h"
#include "libcompress/import/onnx/fold.h"

namespace compress::onnx {
namespace {

struct Reduction {
  std::string_view name;
  double start;
  double (*step)(double, double);
};

constexpr double kInfinity = std::numeric_limits<double>::infinity();

constexpr std::array kReductions = {
    Reduction{"ReduceL1", 0, [](double sum, double x) { return sum + std::abs(x); }},
    Reduction{"ReduceL2", 0, [](double sum, double x) { return sum + x * x; }},
    Reduction{"ReduceMax", -kInfinity, [](double most, double x) { return std::max(most, x); }},
    Reduction{"ReduceMean", 0, [](double sum, double x) { return sum + x; }},
    Reduction{"ReduceMin", kInfinity, [](double least, double x) { return std::min(least, x); }},
    Reduction{"ReduceProd", 1, [](double product, double x) { return product * x; }},
    Reduction{"ReduceSum", 0, [](double sum, double x) { return sum + x; }},
    Reduction{"ReduceSumSquare", 0, [](double sum, double x) { return sum + x * x; }},
};

void reduction(Call& call) {
  const auto row = std::find_if(kReductions.begin(), kReductions.end(),
                                [&](const auto& each) { return each.name == call.node().op; });
  is_float_at(call, 0);
  const auto axes = reduced_axes(call);
  if (axes.empty()) return call.pass(0, 0);
  std::vector<bool> gone(call.shape(0).size());
  for (const auto axis : axes) gone[static_cast<std::size_t>(axis)] = true;
  Shape kept, left;
  std::int64_t folded = 1;
  for (std::size_t i = 0; i < gone.size(); ++i) {
    kept.push_back(gone[i] ? 1 : call.shape(0)[i]);
    if (gone[i]) folded *= call.shape(0)[i];
    if (!gone[i]) left.push_back(call.shape(0)[i]);
  }
  call.charge(call.shape(0));
  call.charge(kept);
  auto result = reduce(call.tensor(0), gone, row->start, row->step);
  const bool is_float = result.dtype() == DType::float32;
  if (is_float && row->name == "ReduceMean")
    result = map_floats(result, [=](float x) { return x / static_cast<float>(folded); });
  if (is_float && row->name == "ReduceL2") result = map_floats(result, [](float x) { return std::sqrt(x); });
  if (!is_float && (row->name == "ReduceMean" || row->name == "ReduceL2")) call.refuse("integers", "floats");
  if (call.integer("keepdims", 1) == 0) result = reshaped(result, left);
  call.define(0, std::move(result), call.type(0));
}

}  // namespace

std::vector<FoldRule> reduction_rules() {
  std::vector<FoldRule> rules;
  for (const auto& row : kReductions) rules.push_back({row.name, reduction});
  return rules;
}

}  // namespace compress::onnx
