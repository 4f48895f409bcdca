#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "libcompress/import/onnx/fold.h"

namespace compress::onnx {
namespace {

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

void identity(Call& call) { call.pass(0, 0); }

}  // namespace

std::vector<FoldRule> arithmetic_rules() {
  std::vector<FoldRule> rules = {
      {"Add", arithmetic},    {"And", comparison},     {"Cast", cast},
      {"CastLike", cast},     {"Clip", clip},          {"Div", arithmetic},
      {"Equal", comparison},  {"Greater", comparison}, {"GreaterOrEqual", comparison},
      {"Identity", identity}, {"Less", comparison},    {"LessOrEqual", comparison},
      {"Max", arithmetic},    {"Mean", arithmetic},    {"Min", arithmetic},
      {"Mod", arithmetic},    {"Mul", arithmetic},     {"Not", logical_not},
      {"Or", comparison},     {"Pow", power},          {"Sub", arithmetic},
      {"Sum", arithmetic},    {"Where", where},        {"Xor", comparison}};
  for (const auto& row : kUnary) rules.push_back({row.name, unary});
  return rules;
}

}  // namespace compress::onnx
