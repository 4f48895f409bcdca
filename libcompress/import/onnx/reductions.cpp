#include <fmt/format.h>

#include <algorithm>

#include "libcompress/import/onnx/arguments.h"
#include "libcompress/import/onnx/compose.h"
#include "libcompress/import/onnx/operators.h"

namespace compress::onnx {
namespace {

ValueId reduce(Call& call, const std::string& op, ValueId input, const Integers& axes, bool keep,
               const std::string& part) {
  if (axes.empty()) return input;
  return call.emit(op, {input}, {{"axes", axes}, {"keep", keep}}, part);
}

bool keeps(const Call& call) { return call.integer("keepdims", 1) != 0; }

template <const char* op>
void plain(Call& call) {
  const auto axes = reduced_axes(call);
  if (axes.empty()) return call.pass(0, 0);
  call.define(0, reduce(call, op, call.value(0), axes, keeps(call), ""));
}

void sum_square(Call& call) {
  const auto axes = reduced_axes(call);
  const auto input = call.value(0);
  const auto squared = call.emit("mul", {input, input}, {}, axes.empty() ? "" : "squared");
  call.define(0, reduce(call, "reduce_sum", squared, axes, keeps(call), ""));
}

void log_sum(Call& call) {
  const auto sum = reduce(call, "reduce_sum", call.value(0), reduced_axes(call), keeps(call), "sum");
  call.define(0, call.emit("log", {sum}));
}

/// m + log(sum(exp(x - m))) with the maximum m, so that nothing overflows.
void log_sum_exp(Call& call) {
  const auto axes = reduced_axes(call);
  if (axes.empty()) return call.pass(0, 0);
  const auto input = call.value(0);
  const auto most = reduce(call, "reduce_max", input, axes, true, "max");
  const auto shifted = call.emit("sub", {input, most}, {}, "shifted");
  const auto sum = reduce(call, "reduce_sum", call.emit("exp", {shifted}, {}, "exp"), axes, true, "sum");
  const auto logarithm = call.emit("log", {sum}, {}, "log");
  if (keeps(call)) return call.define(0, call.emit("add", {logarithm, most}));
  const auto kept = call.emit("add", {logarithm, most}, {}, "kept");
  call.define(0, reduce(call, "reduce_max", kept, axes, false, ""));  // of one element each: drops the axes
}

constexpr char kMean[] = "reduce_mean", kSum[] = "reduce_sum", kMax[] = "reduce_max", kMin[] = "reduce_min",
               kProd[] = "reduce_prod", kL1[] = "reduce_l1", kL2[] = "reduce_l2";

}  // namespace

std::vector<Operator> reduction_operators() {
  return {{"ReduceL1", plain<kL1>},         {"ReduceL2", plain<kL2>},     {"ReduceLogSum", log_sum},
          {"ReduceLogSumExp", log_sum_exp}, {"ReduceMax", plain<kMax>},   {"ReduceMean", plain<kMean>},
          {"ReduceMin", plain<kMin>},       {"ReduceProd", plain<kProd>}, {"ReduceSum", plain<kSum>},
          {"ReduceSumSquare", sum_square}};
}

}  // namespace compress::onnx
