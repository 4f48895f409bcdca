// Nodes that make constants: of nothing, of shapes, and of other constants.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

#include "libcompress/base/checked.h"
#include "libcompress/import/onnx/arguments.h"
#include "libcompress/import/onnx/compose.h"
#include "libcompress/import/onnx/operators.h"

namespace compress::onnx {
namespace {

// ---- Of nothing and of shapes

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

// ---- Element by element

/// Whether input `i` holds floats; an Error for booleans.
bool is_float_at(const Call& call, std::size_t i) {
  const auto dtype = call.tensor(i).dtype();
  if (dtype == DType::boolean) call.refuse(fmt::format("booleans as input {}", i), "numbers");
  return dtype == DType::float32;
}

Shape common_shape(const Call& call, const Shape& a, const Shape& b) {
  const auto both = broadcast(a, b);
  if (!both)
    call.refuse(fmt::format("shapes {} and {}", to_string(a), to_string(b)), "shapes that broadcast");
  call.charge(*both);
  return *both;
}

std::int64_t wrapped(std::uint64_t value) { return static_cast<std::int64_t>(value); }
std::uint64_t bits(std::int64_t value) { return static_cast<std::uint64_t>(value); }

float rounded(float x) { return std::nearbyint(x); }  // ties to even
float sign(float x) { return x > 0 ? 1.0f : x < 0 ? -1.0f : 0.0f; }
float sigmoid(float x) { return 1 / (1 + std::exp(-x)); }

struct Unary {
  std::string_view name;
  float (*function)(float);
};

constexpr std::array kUnary = {
    Unary{"Abs", [](float x) { return std::abs(x); }},
    Unary{"Ceil", [](float x) { return std::ceil(x); }},
    Unary{"Cos", [](float x) { return std::cos(x); }},
    Unary{"Erf", [](float x) { return std::erf(x); }},
    Unary{"Exp", [](float x) { return std::exp(x); }},
    Unary{"Floor", [](float x) { return std::floor(x); }},
    Unary{"Log", [](float x) { return std::log(x); }},
    Unary{"Neg", [](float x) { return -x; }},
    Unary{"Reciprocal", [](float x) { return 1 / x; }},
    Unary{"Relu", [](float x) { return std::max(x, 0.0f); }},
    Unary{"Round", rounded},
    Unary{"Sigmoid", sigmoid},
    Unary{"Sign", sign},
    Unary{"Sin", [](float x) { return std::sin(x); }},
    Unary{"Sqrt", [](float x) { return std::sqrt(x); }},
    Unary{"Tanh", [](float x) { return std::tanh(x); }},
};

std::int64_t integer_unary(const Call& call, std::int64_t x) {
  const auto op = call.node().op;
  if (op == "Neg" || (op == "Abs" && x < 0)) return wrapped(0 - bits(x));
  if (op == "Sign") return x > 0 ? 1 : x < 0 ? -1 : 0;
  if (op == "Relu") return std::max<std::int64_t>(x, 0);
  if (op == "Abs") return x;
  call.refuse("integers", "floats");
}

void unary(Call& call) {
  const auto row = std::find_if(kUnary.begin(), kUnary.end(),
                                [&](const auto& each) { return each.name == call.node().op; });
  call.charge(call.shape(0));
  if (is_float_at(call, 0)) return call.define(0, map_floats(call.tensor(0), row->function), call.type(0));
  call.define(0, map_integers(call.tensor(0), [&](auto x) { return integer_unary(call, x); }), call.type(0));
}

std::int64_t divided(const Call& call, std::int64_t a, std::int64_t b) {
  if (b == 0) call.refuse("a division by 0", "another divisor");
  return b == -1 ? wrapped(0 - bits(a)) : a / b;
}

/// The remainder has the divisor's sign, or with fmod the dividend's.
std::int64_t remainder_of(const Call& call, std::int64_t a, std::int64_t b) {
  if (b == 0) call.refuse("a division by 0", "another divisor");
  if (b == -1) return 0;
  const auto rest = a % b;
  const bool is_c = call.integer("fmod", 0) != 0;
  return !is_c && rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}

float binary_float(const Call& call, std::string_view op, float a, float b) {
  if (op == "Add" || op == "Sum" || op == "Mean") return a + b;
  if (op == "Sub") return a - b;
  if (op == "Mul") return a * b;
  if (op == "Div") return a / b;
  if (op == "Pow") return std::pow(a, b);
  if (op == "Min") return std::min(a, b);
  if (op == "Max") return std::max(a, b);
  if (op == "Mod") {
    if (call.integer("fmod", 0) != 0) return std::fmod(a, b);
    return a - b * std::floor(a / b);
  }
  return 0;
}

std::int64_t binary_integer(const Call& call, std::string_view op, std::int64_t a, std::int64_t b) {
  if (op == "Add" || op == "Sum") return wrapped(bits(a) + bits(b));
  if (op == "Sub") return wrapped(bits(a) - bits(b));
  if (op == "Mul") return wrapped(bits(a) * bits(b));
  if (op == "Div") return divided(call, a, b);
  if (op == "Mod") return remainder_of(call, a, b);
  if (op == "Min") return std::min(a, b);
  if (op == "Max") return std::max(a, b);
  call.refuse("integers", "floats");
}

Tensor combine(const Call& call, const Tensor& a, const Tensor& b) {
  common_shape(call, a.shape(), b.shape());
  const auto op = call.node().op;
  if (a.dtype() == DType::float32)
    return combine_floats(a, b, [&](float x, float y) { return binary_float(call, op, x, y); });
  return combine_integers(a, b, [&](auto x, auto y) { return binary_integer(call, op, x, y); });
}

void arithmetic(Call& call) {
  auto result = call.tensor(0);
  for (std::size_t i = 0; i < call.input_count(); ++i) {
    if (is_float_at(call, i) == is_float_at(call, 0)) continue;
    call.refuse("floats and integers", "one type");
  }
  for (std::size_t i = 1; i < call.input_count(); ++i) result = combine(call, result, call.tensor(i));
  if (call.node().op == "Mean") {
    const auto count = static_cast<float>(call.input_count());
    result = map_floats(result, [=](float x) { return x / count; });
  }
  call.define(0, std::move(result), call.type(0));
}

/// The exponent may be of another type than the base.
void power(Call& call) {
  common_shape(call, call.shape(0), call.shape(1));
  const bool is_float = is_float_at(call, 0);
  is_float_at(call, 1);
  auto result = combine_floats(call.tensor(0).to_float32(), call.tensor(1).to_float32(),
                               [](float a, float b) { return std::pow(a, b); });
  call.define(0, is_float ? std::move(result) : convert(result, DType::int64), call.type(0));
}

void clip(Call& call) {
  auto result = call.tensor(0);
  const auto bounded = [&](std::size_t i, bool is_least) {
    if (!call.has(i)) return;
    if (is_float_at(call, i) != is_float_at(call, 0)) call.refuse("floats and integers", "one type");
    common_shape(call, result.shape(), call.shape(i));
    result =
        result.dtype() == DType::float32
            ? combine_floats(result, call.tensor(i),
                             [=](float x, float y) { return is_least ? std::max(x, y) : std::min(x, y); })
            : combine_integers(result, call.tensor(i),
                               [=](auto x, auto y) { return is_least ? std::max(x, y) : std::min(x, y); });
  };
  is_float_at(call, 0);
  call.charge(call.shape(0));
  bounded(1, true);
  bounded(2, false);
  call.define(0, std::move(result), call.type(0));
}

// ---- Truth

bool holds(std::string_view op, double a, double b) {
  if (op == "Equal") return a == b;
  if (op == "Less") return a < b;
  if (op == "LessOrEqual") return a <= b;
  if (op == "Greater") return a > b;
  if (op == "GreaterOrEqual") return a >= b;
  if (op == "And") return a != 0 && b != 0;
  if (op == "Or") return a != 0 || b != 0;
  return (a != 0) != (b != 0);  // Xor
}

void comparison(Call& call) {
  const auto both = common_shape(call, call.shape(0), call.shape(1));
  const auto a = expanded(call.tensor(0), both), b = expanded(call.tensor(1), both);
  const bool is_float = a.dtype() == DType::float32 || b.dtype() == DType::float32;
  Tensor result(DType::boolean, both);
  const auto op = call.node().op;
  const auto left = a.to_float32(), right = b.to_float32();
  const auto x = is_float ? Integers() : to_integers(a), y = is_float ? Integers() : to_integers(b);
  for (std::size_t i = 0; i < result.byte_count(); ++i) {
    bool yes = false;
    if (is_float) {
      yes = holds(op, left.as<float>()[i], right.as<float>()[i]);
    } else {
      // Around 0, so that large integers stay apart as doubles.
      const auto order = x[i] < y[i] ? -1.0 : x[i] > y[i] ? 1.0 : 0.0;
      const bool is_logic = op == "And" || op == "Or" || op == "Xor";
      yes = is_logic ? holds(op, static_cast<double>(x[i]), static_cast<double>(y[i])) : holds(op, order, 0);
    }
    result.bytes()[i] = std::byte{yes};
  }
  call.define(0, std::move(result), ElementType::boolean);
}

void logical_not(Call& call) {
  call.charge(call.shape(0));
  auto result = convert(call.tensor(0), DType::boolean).clone();
  for (auto& each : result.bytes()) each ^= std::byte{1};
  call.define(0, std::move(result), ElementType::boolean);
}

void where(Call& call) {
  const auto& chosen = call.tensor(1);
  if (call.tensor(0).dtype() != DType::boolean || chosen.dtype() != call.tensor(2).dtype())
    call.refuse("a condition or branches of a wrong type", "bool, and two of one type");
  const auto all = common_shape(call, common_shape(call, call.shape(0), call.shape(1)), call.shape(2));
  const auto condition = expanded(call.tensor(0), all), otherwise = expanded(call.tensor(2), all);
  auto result = expanded(chosen, all).clone();
  const auto width = size_of(result.dtype());
  for (std::size_t i = 0; i < condition.byte_count(); ++i) {
    if (condition.bytes()[i] != std::byte{0}) continue;
    std::copy_n(otherwise.bytes().begin() + static_cast<std::ptrdiff_t>(i * width), width,
                result.bytes().begin() + static_cast<std::ptrdiff_t>(i * width));
  }
  call.define(0, std::move(result), call.type(1));
}

DType dtype_of(const Call& call, ElementType type) {
  if (is_float(type)) return DType::float32;
  if (is_integer(type)) return DType::int64;
  if (type == ElementType::boolean) return DType::boolean;
  call.refuse(fmt::format("a cast to {}", name_of(type)), "casts to floats, integers and bool");
}

void cast(Call& call) {
  const auto type = call.node().op == "CastLike"
                        ? call.type(1)
                        : static_cast<ElementType>(static_cast<std::int32_t>(call.integer("to", 0)));
  if (dtype_of(call, type) == dtype_of(call, call.type(0)) && is_float(type)) return call.pass(0, 0);
  call.charge(call.shape(0));
  call.define(0, convert(call.tensor(0), dtype_of(call, type)), type);
}

// ---- Movement

void same_elements(Call& call, Shape target) {
  if (target == call.shape(0)) return call.pass(0, 0);
  call.charge(target);
  if (element_count(target) != element_count(call.shape(0)))
    call.refuse("another number of elements", "the same");
  call.define(0, reshaped(call.tensor(0), std::move(target)), call.type(0));
}

void reshape_constant(Call& call) { same_elements(call, target_shape(call)); }
void squeeze(Call& call) { same_elements(call, squeezed_shape(call)); }
void unsqueeze(Call& call) { same_elements(call, unsqueezed_shape(call)); }

void flatten(Call& call) {
  const auto rank = call.rank(0);
  auto axis = call.integer("axis", 1);
  if (axis != rank) axis = call.axis(axis, std::max<std::int64_t>(rank, 1));
  const auto at = static_cast<std::size_t>(std::min(axis, rank));
  same_elements(call, {product(call.shape(0), 0, at), product(call.shape(0), at, call.shape(0).size())});
}

void transpose(Call& call) {
  const auto order = permutation(call);
  call.charge(call.shape(0));
  call.define(0, permuted(call.tensor(0), order), call.type(0));
}

void concat(Call& call) {
  const auto axis = static_cast<std::size_t>(call.axis(call.integer("axis", 0), call.rank(0)));
  std::vector<Tensor> tensors;
  Shape whole = call.shape(0);
  whole[axis] = 0;
  for (std::size_t i = 0; i < call.input_count(); ++i) {
    auto others = call.shape(i);
    if (others.size() != whole.size() || call.tensor(i).dtype() != call.tensor(0).dtype())
      call.refuse("inputs of different ranks or types", "inputs alike");
    whole[axis] += std::exchange(others[axis], whole[axis]);
    tensors.push_back(call.tensor(i));
    others[axis] = whole[axis];
    if (others != whole)
      call.refuse(fmt::format("input {} of shape {}", i, to_string(call.shape(i))),
                  "extents alike but for the axis");
  }
  call.charge(whole);
  call.define(0, joined(tensors, axis), call.type(0));
}

/// A part of each axis.
Tensor cut(const Call& call, const std::vector<Range>& ranges) {
  const auto dense = strides_of(call.shape(0));
  Shape extents;
  Integers strides;
  std::int64_t offset = 0;
  bool is_empty = false;
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    extents.push_back(ranges[i].count);
    is_empty = is_empty || ranges[i].count == 0;
    strides.push_back(ranges[i].count > 1 ? ranges[i].step * dense[i] : 0);
    offset += ranges[i].begin * dense[i];
  }
  call.charge(extents);
  if (is_empty) return Tensor(call.tensor(0).dtype(), extents);
  return strided(call.tensor(0), extents, strides, offset);
}

void slice_constant(Call& call) { call.define(0, cut(call, slice_ranges(call)), call.type(0)); }

void split(Call& call) {
  const auto axis = static_cast<std::size_t>(call.axis(call.integer("axis", 0), call.rank(0)));
  std::vector<Range> ranges;
  for (const auto extent : call.shape(0)) ranges.push_back({0, 1, extent, extent});
  const auto parts = split_extents(call, call.shape(0)[axis]);
  std::int64_t begin = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    ranges[axis].begin = begin;
    ranges[axis].count = parts[i];
    call.define(i, cut(call, ranges), call.type(0));
    begin += parts[i];
  }
}

void gather(Call& call) {
  const auto axis = static_cast<std::size_t>(call.axis(call.integer("axis", 0), call.rank(0)));
  const auto indices = checked_indices(call, call.shape(0)[axis]);
  Shape result = call.shape(0);
  result.erase(result.begin() + static_cast<std::ptrdiff_t>(axis));
  result.insert(result.begin() + static_cast<std::ptrdiff_t>(axis), call.shape(1).begin(),
                call.shape(1).end());
  call.charge(result);
  call.define(0, gathered(call.tensor(0), axis, of_integers(call.shape(1), indices)), call.type(0));
}

void expand(Call& call) {
  const auto wanted = call.integers(1);
  for (const auto extent : wanted) {
    if (extent < 0) call.refuse("shape " + to_string(wanted), "extents of 0 or more");
  }
  const auto all = common_shape(call, call.shape(0), wanted);
  if (all == call.shape(0)) return call.pass(0, 0);
  call.define(0, expanded(call.tensor(0), all), call.type(0));
}

void tile(Call& call) {
  const auto repeats = call.integers(1);
  const auto& from = call.shape(0);
  if (repeats.size() != from.size())
    call.refuse(fmt::format("{} repeats", repeats.size()), fmt::format("{}", from.size()));
  // [a, b] seen as [1, a, 1, b], expanded to [r, a, s, b], seen as [r * a, s * b].
  Shape apart, grown, result;
  for (std::size_t i = 0; i < repeats.size(); ++i) {
    if (repeats[i] < 0) call.refuse("repeats " + to_string(repeats), "0 or more");
    apart.insert(apart.end(), {1, from[i]});
    grown.insert(grown.end(), {repeats[i], from[i]});
    result.push_back(checked_mul(repeats[i], from[i], call.where()));
  }
  call.charge(result);
  call.define(0, reshaped(expanded(reshaped(call.tensor(0), apart), grown), result), call.type(0));
}

/// Rows of `updates` written into a copy of the data where the last axis of the indices says.
void scatter_nd(Call& call) {
  if (call.text("reduction", "none") != "none") call.refuse("a reduction", "none");
  const auto& places = call.shape(1);
  if (places.empty() || places.back() < 0 || places.back() > call.rank(0))
    call.refuse("indices " + to_string(places), "[..., up to the rank of the data]");
  const auto depth = static_cast<std::size_t>(places.back());
  Shape updated(places.begin(), places.end() - 1);
  updated.insert(updated.end(), call.shape(0).begin() + static_cast<std::ptrdiff_t>(depth),
                 call.shape(0).end());
  if (call.shape(2) != updated || call.tensor(2).dtype() != call.tensor(0).dtype())
    call.refuse("updates " + to_string(call.shape(2)), to_string(updated) + " of the data's type");
  call.charge(call.shape(0));
  auto result = call.tensor(0).clone();
  const auto dense = strides_of(call.shape(0));
  const auto indices = call.integers(1);
  const auto row =
      static_cast<std::size_t>(product(call.shape(0), depth, call.shape(0).size())) * size_of(result.dtype());
  const auto rows = row == 0 ? 0 : call.tensor(2).byte_count() / row;
  for (std::size_t i = 0; i < rows; ++i) {
    std::int64_t at = 0;
    for (std::size_t axis = 0; axis < depth; ++axis)
      at += dense[axis] * call.axis(indices[i * depth + axis], call.shape(0)[axis]);
    const auto from = call.tensor(2).bytes().subspan(i * row, row);
    std::copy(from.begin(), from.end(),
              result.bytes().begin() + at * static_cast<std::ptrdiff_t>(size_of(result.dtype())));
  }
  call.define(0, std::move(result), call.type(0));
}

// ---- Reductions

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

void identity(Call& call) { call.pass(0, 0); }

struct Rule {
  std::string_view name;
  Translate apply;
};

std::vector<Rule> make_rules() {
  std::vector<Rule> rules = {{"Add", arithmetic},
                             {"And", comparison},
                             {"Cast", cast},
                             {"CastLike", cast},
                             {"Clip", clip},
                             {"Concat", concat},
                             {"ConstantOfShape", constant_of_shape},
                             {"Div", arithmetic},
                             {"Equal", comparison},
                             {"Expand", expand},
                             {"Flatten", flatten},
                             {"Gather", gather},
                             {"Greater", comparison},
                             {"GreaterOrEqual", comparison},
                             {"Identity", identity},
                             {"Less", comparison},
                             {"LessOrEqual", comparison},
                             {"Max", arithmetic},
                             {"Mean", arithmetic},
                             {"Min", arithmetic},
                             {"Mod", arithmetic},
                             {"Mul", arithmetic},
                             {"Not", logical_not},
                             {"Or", comparison},
                             {"Pow", power},
                             {"Range", range},
                             {"ScatterND", scatter_nd},
                             {"Reshape", reshape_constant},
                             {"Slice", slice_constant},
                             {"Split", split},
                             {"Squeeze", squeeze},
                             {"Sub", arithmetic},
                             {"Sum", arithmetic},
                             {"Tile", tile},
                             {"Transpose", transpose},
                             {"Unsqueeze", unsqueeze},
                             {"Where", where},
                             {"Xor", comparison}};
  for (const auto& row : kUnary) rules.push_back({row.name, unary});
  for (const auto& row : kReductions) rules.push_back({row.name, reduction});
  return rules;
}

const std::vector<Rule>& rules() {
  static const std::vector<Rule> table = make_rules();
  return table;
}

const Rule* find_rule(const NodeRecord& node) {
  if (!node.domain.empty()) return nullptr;
  const auto found =
      std::find_if(rules().begin(), rules().end(), [&](const auto& rule) { return rule.name == node.op; });
  return found == rules().end() ? nullptr : &*found;
}

}  // namespace

bool fold(Call& call) {
  const auto* rule = find_rule(call.node());
  if (rule == nullptr || (rule->name == "Clip" && call.opset() < 11)) return false;
  rule->apply(call);
  return true;
}

bool is_foldable(const NodeRecord& node) { return find_rule(node) != nullptr; }

std::vector<std::string_view> foldable_operators() {
  std::vector<std::string_view> names;
  for (const auto& rule : rules()) names.push_back(rule.name);
  return names;
}

std::vector<Operator> constant_operators() {
  return {{"Constant", constant}, {"Shape", shape}, {"Size", size}};
}

}  // namespace compress::onnx
