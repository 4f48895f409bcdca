// Constants made of nothing and of shapes.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "libcompress/import/onnx/fold.h"

namespace compress::onnx {
namespace {

void constant(Call& call) {
  if (const auto* value = call.find("value")) {
    if (value->tensors.size() != 1) call.refuse("a value without a tensor", "one");
    return call.define(0, decode(value->tensors.front(), call.where()), value->tensors.front().type);
  }
  if (call.has_attribute("value_float"))
    return call.define(0, scalar(static_cast<float>(call.number("value_float", 0))), ElementType::float32);
  if (call.has_attribute("value_int"))
    return call.define(0, of_integers({}, Integers{call.integer("value_int", 0)}), ElementType::int64);
  if (call.has_attribute("value_floats")) {
    const auto numbers = call.numbers("value_floats");
    return call.define(0, Tensor::of({static_cast<std::int64_t>(numbers.size())}, numbers),
                       ElementType::float32);
  }
  if (call.has_attribute("value_ints")) {
    const auto numbers = call.integers("value_ints");
    return call.define(0, of_integers({static_cast<std::int64_t>(numbers.size())}, numbers),
                       ElementType::int64);
  }
  call.refuse("a constant of another kind", "tensors, floats and integers");
}

void shape(Call& call) {
  const auto rank = call.rank(0);
  const auto place = [&](std::int64_t at) {
    return std::clamp<std::int64_t>(at < 0 ? at + rank : at, 0, rank);
  };
  const auto begin = place(call.integer("start", 0)), end = place(call.integer("end", rank));
  const auto& extents = call.shape(0);
  Integers part;
  for (auto i = begin; i < end; ++i) part.push_back(extents[static_cast<std::size_t>(i)]);
  call.define(0, of_integers({static_cast<std::int64_t>(part.size())}, part), ElementType::int64);
}

void size(Call& call) {
  call.define(0, of_integers({}, Integers{element_count(call.shape(0))}), ElementType::int64);
}

void constant_of_shape(Call& call) {
  const auto extents = call.integers(0);
  call.charge(extents);
  const auto* value = call.find("value");
  if (!value) return call.define(0, full(extents, 0.0f), ElementType::float32);
  if (value->tensors.size() != 1) call.refuse("a value without a tensor", "one");
  const auto element = decode(value->tensors.front(), call.where());
  if (element.count() != 1) call.refuse("a value of several elements", "one");
  call.define(0, expanded(reshaped(element, {}), extents), value->tensors.front().type);
}

void range(Call& call) {
  if (call.tensor(0).dtype() == DType::float32) {
    const auto start = call.number(0), step = call.number(2);
    const auto count = step == 0 ? -1.0 : std::max(0.0, std::ceil((call.number(1) - start) / step));
    if (!(count >= 0 && count < 1e9)) call.refuse("a range without end", "a finite one");
    call.charge({static_cast<std::int64_t>(count)});
    Tensor result(DType::float32, {static_cast<std::int64_t>(count)});
    const auto to = result.as<float>();
    for (std::size_t i = 0; i < to.size(); ++i)
      to[i] = static_cast<float>(start + static_cast<double>(i) * step);
    return call.define(0, std::move(result), call.type(0));
  }
  const auto first = [&](std::size_t i) {
    const auto values = call.integers(i);
    if (values.size() != 1) call.refuse(fmt::format("{} numbers as input {}", values.size(), i), "one");
    if (std::abs(values[0]) > (std::int64_t{1} << 40)) call.refuse("a bound beyond 2^40", "less");
    return values[0];
  };
  const auto start = first(0), end = first(1), step = first(2);
  if (step == 0) call.refuse("a range without end", "a step other than 0");
  const auto distance = step > 0 ? end - start : start - end;
  const auto count = distance <= 0 ? 0 : (distance - 1) / std::abs(step) + 1;
  call.charge({count});
  Integers values;
  for (std::int64_t i = 0; i < count; ++i) values.push_back(start + i * step);
  call.define(0, of_integers({count}, values), call.type(0));
}

}  // namespace

std::vector<Operator> constant_operators() {
  return {{"Constant", constant}, {"Shape", shape}, {"Size", size}};
}

std::vector<FoldRule> generation_rules() {
  return {{"ConstantOfShape", constant_of_shape}, {"Range", range}};
}

}  // namespace compress::onnx
