#include "libcompress/import/onnx/call.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "libcompress/base/error.h"
#include "libcompress/import/bytes.h"

namespace compress::onnx {
namespace {

// AttributeProto.AttributeType
constexpr std::int64_t kFloat = 1;
constexpr std::int64_t kInteger = 2;
constexpr std::int64_t kText = 3;
constexpr std::int64_t kFloats = 6;
constexpr std::int64_t kIntegers = 7;

}  // namespace

Call::Call(Translation& translation, const NodeRecord& node)
    : translation_(translation), node_(node), name_(name_of(node)) {
  for (const auto input : node.inputs) inputs_.push_back(input.empty() ? nullptr : translation.find(input));
  while (!inputs_.empty() && inputs_.back() == nullptr) inputs_.pop_back();
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    const auto constant = has(i) ? constant_at(i) : nullptr;
    shapes_.push_back(constant ? constant->shape
                      : has(i) ? shape_of(std::get<ValueId>(*inputs_[i]))
                               : Shape());
  }
}

std::string Call::where() const { return fmt::format("node {} ({})", in_quotes(name_), node_.op); }

void Call::refuse(const std::string& found, const std::string& allowed, const std::string& remedy) const {
  throw Error(ErrorKind::input, {where(), found, allowed, remedy});
}

const Known& Call::input(std::size_t i) const {
  if (!has(i)) refuse(fmt::format("no input {}", i), "all inputs that are not optional");
  return *inputs_[i];
}

std::shared_ptr<Constant> Call::constant_at(std::size_t i) const {
  const auto* constant = std::get_if<std::shared_ptr<Constant>>(&input(i));
  return constant ? *constant : nullptr;
}

bool Call::all_constant() const {
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    if (has(i) && !is_constant(i)) return false;
  }
  return true;
}

const Shape& Call::shape(std::size_t i) const {
  input(i);
  return shapes_[i];
}

ElementType Call::type(std::size_t i) const {
  const auto constant = constant_at(i);
  return constant ? constant->type : ElementType::float32;
}

const Tensor& Call::tensor(std::size_t i) const {
  const auto constant = constant_at(i);
  if (!constant) refuse(fmt::format("input {} is computed while the network runs", i), "a constant there");
  return translation_.tensor_of(*constant);
}

Integers Call::integers(std::size_t i) const {
  const auto& values = tensor(i);
  if (values.dtype() == DType::float32) refuse(fmt::format("floats as input {}", i), "integers");
  return to_integers(values);
}

double Call::number(std::size_t i) const {
  const auto& values = tensor(i);
  if (values.count() != 1) refuse(fmt::format("{} numbers as input {}", values.count(), i), "one");
  return values.to_float32().as<float>()[0];
}

bool Call::trained(std::size_t i) const {
  const auto constant = constant_at(i);
  return constant && constant->trained;
}

ValueId Call::value(std::size_t i) const {
  const auto constant = constant_at(i);
  if (!constant) return std::get<ValueId>(input(i));
  return constant->trained ? translation_.parameter(constant) : translation_.buffer(constant);
}

ValueId Call::weight(std::size_t i) const {
  const auto constant = constant_at(i);
  return constant ? translation_.parameter(constant) : std::get<ValueId>(input(i));
}

ValueId Call::running(std::size_t i) const {
  tensor(i);
  return translation_.buffer(constant_at(i));
}

ValueId Call::weight(std::size_t i, const std::string& what, Tensor tensor) const {
  const auto constant = constant_at(i);
  auto& form = constant->forms[what];
  if (!form) {
    const auto shape = tensor.shape();
    form = std::make_shared<Constant>(
        Constant{constant->name, ElementType::float32, shape, true, tensor.to_float32()});
  }
  return translation_.parameter(form);
}

ValueId Call::literal(const std::string& part, Tensor tensor) const {
  const auto shape = tensor.shape();
  return translation_.buffer(std::make_shared<Constant>(
      Constant{name_ + "." + part, ElementType::float32, shape, false, std::move(tensor)}));
}

const AttributeRecord* Call::find(std::string_view attribute) const {
  const auto found = std::find_if(node_.attributes.begin(), node_.attributes.end(),
                                  [&](const auto& each) { return each.name == attribute; });
  return found == node_.attributes.end() ? nullptr : &*found;
}

std::int64_t Call::integer(std::string_view attribute, std::int64_t fallback) const {
  const auto* found = find(attribute);
  if (!found) return fallback;
  if (found->type != 0 && found->type != kInteger)
    refuse(fmt::format("attribute '{}' of another type", attribute), "an integer");
  return found->integer;
}

double Call::number(std::string_view attribute, double fallback) const {
  const auto* found = find(attribute);
  if (!found) return fallback;
  if (found->type != 0 && found->type != kFloat)
    refuse(fmt::format("attribute '{}' of another type", attribute), "a float");
  return found->number;
}

std::string Call::text(std::string_view attribute, const std::string& fallback) const {
  const auto* found = find(attribute);
  if (!found) return fallback;
  if (found->type != 0 && found->type != kText)
    refuse(fmt::format("attribute '{}' of another type", attribute), "text");
  return std::string(found->text);
}

Integers Call::integers(std::string_view attribute, const Integers& fallback) const {
  const auto* found = find(attribute);
  if (!found) return fallback;
  if (found->type != 0 && found->type != kIntegers)
    refuse(fmt::format("attribute '{}' of another type", attribute), "a list of integers");
  return found->integers;
}

std::vector<float> Call::numbers(std::string_view attribute) const {
  const auto* found = find(attribute);
  if (!found) return {};
  if (found->type != 0 && found->type != kFloats)
    refuse(fmt::format("attribute '{}' of another type", attribute), "a list of floats");
  return found->numbers;
}

std::int64_t Call::axis(std::int64_t given, std::int64_t rank) const {
  if (given < -rank || given >= rank)
    refuse(fmt::format("axis {}", given), fmt::format("{} to {}", -rank, rank - 1));
  return given < 0 ? given + rank : given;
}

bool Call::wants(std::size_t output) const {
  return output < node_.outputs.size() && translation_.is_needed(node_.outputs[output]);
}

ValueId Call::emit(const std::string& op, const std::vector<ValueId>& inputs, Attributes attributes,
                   const std::string& part) {
  return translation_.add_node(op, part.empty() ? name_ : name_ + "." + part, inputs, std::move(attributes));
}

bool Call::is_all(ValueId value, float number) const {
  const auto* tensor = translation_.stored(value);
  if (tensor == nullptr) return false;
  const auto elements = tensor->as<float>();
  return std::all_of(elements.begin(), elements.end(), [=](float each) { return each == number; });
}

void Call::define(std::size_t output, ValueId value) {
  if (output < node_.outputs.size()) translation_.define(node_.outputs[output], value);
}

void Call::define(std::size_t output, Tensor tensor, ElementType type) {
  if (output >= node_.outputs.size() || node_.outputs[output].empty()) return;
  auto constant = std::make_shared<Constant>();
  constant->name = std::string(node_.outputs[output]);
  constant->type = type;
  constant->shape = tensor.shape();
  std::vector<std::string> origins;
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    if (has(i) && trained(i)) origins.push_back(constant_at(i)->name);
  }
  constant->trained = !origins.empty() && is_float(type) && tensor.count() > 1;
  if (constant->trained && origins.size() == 1) constant->name = origins.front();
  constant->tensor = std::move(tensor);
  translation_.define(node_.outputs[output], std::move(constant));
}

void Call::pass(std::size_t output, std::size_t input_index) {
  if (output < node_.outputs.size()) translation_.define(node_.outputs[output], input(input_index));
}

}  // namespace compress::onnx
