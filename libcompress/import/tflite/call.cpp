#include "libcompress/import/tflite/call.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "libcompress/base/error.h"
#include "libcompress/import/bytes.h"
#include "libcompress/import/tensor_math.h"

namespace compress::tflite {
namespace {

constexpr std::int64_t kLargest = std::int64_t{1} << 30;

/// Axes of extent 1 are put before the others.
Shape padded(const Shape& shape, std::size_t rank) {
  Shape longer(rank - shape.size(), 1);
  longer.insert(longer.end(), shape.begin(), shape.end());
  return longer;
}

Integers inverse(const Integers& axes) {
  Integers order(axes.size());
  for (std::size_t i = 0; i < axes.size(); ++i)
    order[static_cast<std::size_t>(axes[i])] = static_cast<std::int64_t>(i);
  return order;
}

std::string as_key(const Integers& axes) { return fmt::format("{}", fmt::join(axes, ",")); }

}  // namespace

Call::Call(Translation& translation, const OperatorRecord& record, std::string name)
    : translation_(translation), record_(record), name_(std::move(name)) {}

const Known& Call::known(std::size_t i) const {
  if (!has(i)) refuse(fmt::format("no input {}", i), "all inputs that the operator has");
  return *translation_.find(record_.inputs[i]);
}

std::shared_ptr<Constant> Call::constant_at(std::size_t i) const {
  const auto* constant = std::get_if<std::shared_ptr<Constant>>(&known(i));
  return constant ? *constant : nullptr;
}

bool Call::is_constant(std::size_t i) const { return has(i) && constant_at(i) != nullptr; }

bool Call::all_constant() const {
  for (std::size_t i = 0; i < input_count(); ++i) {
    if (has(i) && !is_constant(i)) return false;
  }
  return true;
}

Shape Call::shape(std::size_t i) const {
  if (const auto constant = constant_at(i)) return constant->shape;
  return translation_.shape_of(std::get<View>(known(i)));
}

const Tensor& Call::tensor(std::size_t i) const {
  const auto constant = constant_at(i);
  if (!constant) refuse(fmt::format("input {} that is computed while the network runs", i), "a constant");
  return translation_.tensor_of(*constant);
}

Integers Call::integers(std::size_t i) const {
  if (tensor(i).dtype() == DType::float32) refuse(fmt::format("floats in input {}", i), "integers");
  return tensor_math::to_integers(tensor(i));
}

std::int64_t Call::integer(std::size_t i) const {
  const auto all = integers(i);
  if (all.size() != 1) refuse(fmt::format("{} numbers in input {}", all.size(), i), "one");
  return all.front();
}

double Call::number(std::size_t i) const {
  const auto as_float = tensor(i).to_float32();
  if (as_float.count() != 1) refuse(fmt::format("{} numbers in input {}", as_float.count(), i), "one");
  return std::as_const(as_float).as<float>()[0];
}

ElementType Call::output_type(std::size_t i) const {
  if (i >= output_count()) refuse(fmt::format("no output {}", i), "all outputs that it makes");
  return translation_.file().tensors[static_cast<std::size_t>(record_.outputs[i])].type;
}

View Call::view(std::size_t i) const {
  if (const auto* view = std::get_if<View>(&known(i))) return *view;
  const auto axes = file_order(rank(i));
  return {weight(i, "itself", "constant", tensor(i)), axes};
}

ValueId Call::operand(std::size_t i, const Integers& axes) const {
  if (shape(i).size() > axes.size())
    refuse(fmt::format("input {} of rank {}", i, shape(i).size()),
           fmt::format("rank {} at most", axes.size()));
  const auto padded_shape = padded(shape(i), axes.size());
  if (!is_constant(i)) return order(reshaped(view(i), padded_shape, fmt::format("operand{}", i)), axes);
  auto moved = tensor_math::permuted(tensor_math::reshaped(tensor(i), padded_shape), inverse(axes));
  Shape short_shape = moved.shape();
  while (!short_shape.empty() && short_shape.front() == 1) short_shape.erase(short_shape.begin());
  return weight(i, "at " + as_key(axes), "constant", tensor_math::reshaped(moved, short_shape));
}

ValueId Call::weight(std::size_t i, const std::string& form, const std::string& part,
                     const Tensor& tensor) const {
  const auto constant = constant_at(i);
  if (!constant) refuse(fmt::format("a computed {}", part), "a constant");
  if (!constant->is_float) refuse(fmt::format("integers as {}", part), "floats");
  const auto found = constant->forms.find(form);
  if (found != constant->forms.end()) return found->second;
  charge(tensor.shape());
  const auto kind = tensor.count() > 1 ? ValueKind::parameter : ValueKind::buffer;
  const auto id = translation_.maker().add_constant(name_ + "." + part, kind, tensor);
  constant->forms.emplace(form, id);
  return id;
}

ValueId Call::literal(const std::string& part, const Tensor& tensor) const {
  return translation_.maker().add_constant(name_ + "." + part, ValueKind::buffer, tensor);
}

std::size_t Call::axis(std::int64_t given, std::size_t rank) const {
  const auto count = static_cast<std::int64_t>(rank);
  const auto axis = given < 0 ? given + count : given;
  if (axis < 0 || axis >= count)
    refuse(fmt::format("axis {}", given), fmt::format("-{} to {}", count, count - 1));
  return static_cast<std::size_t>(axis);
}

Integers Call::axes(std::size_t i, std::size_t rank) const {
  Integers all;
  for (const auto given : integers(i)) all.push_back(static_cast<std::int64_t>(axis(given, rank)));
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

ValueId Call::emit(const std::string& op, const std::vector<ValueId>& inputs, Attributes attributes,
                   const std::string& part) const {
  const auto own_name = part.empty() ? name_ : name_ + "." + part;
  return translation_.maker().add_node(op, own_name, inputs, std::move(attributes));
}

View Call::reshaped(const View& view, const Shape& shape, const std::string& part) const {
  check_imported_shape(shape, where());
  if (element_count(shape) != element_count(shape_of(view)))
    refuse(fmt::format("a reshape of {} to {}", to_string(shape_of(view)), to_string(shape)),
           "as many elements");
  return translation_.reshaped(view, shape, part.empty() ? name_ : name_ + "." + part);
}

void Call::define(std::size_t output, const View& view) const {
  if (output >= output_count()) refuse(fmt::format("no output {}", output), "all outputs that it makes");
  translation_.define(record_.outputs[output], view);
}

void Call::define(std::size_t output, Tensor tensor) const {
  if (output >= output_count()) refuse(fmt::format("no output {}", output), "all outputs that it makes");
  auto constant = std::make_shared<Constant>();
  constant->name = translation_.name_of(record_.outputs[output]);
  constant->shape = tensor.shape();
  constant->is_float = tensor.dtype() == DType::float32;
  constant->tensor = std::move(tensor);
  translation_.define(record_.outputs[output], std::move(constant));
}

void Call::pass(std::size_t output, std::size_t input) const {
  if (output >= output_count()) refuse(fmt::format("no output {}", output), "all outputs that it makes");
  translation_.define(record_.outputs[output], known(input));
}

void Call::define_activated(const View& view, std::int64_t activation) const {
  const auto define_by = [&](const char* op, Attributes attributes) {
    define(0, View{emit(op, {view.value}, std::move(attributes), op), view.axes});
  };
  switch (activation) {
    case 0:
      return define(0, view);
    case 1:
      return define_by("relu", {});
    case 2:
      return define_by("clip", {{"min", -1.0}, {"max", 1.0}});
    case 3:
      return define_by("relu6", {});
    case 4:
      return define_by("tanh", {});
    default:
      refuse(fmt::format("fused activation {}", activation), "NONE, RELU, RELU_N1_TO_1, RELU6, TANH");
  }
}

std::string Call::where() const { return fmt::format("node {} ({})", in_quotes(name_), record_.op); }

void Call::refuse(const std::string& found, const std::string& allowed, const std::string& remedy) const {
  throw Error(ErrorKind::input, {where(), found, allowed, remedy});
}

Tensor permuted(const Call& call, std::size_t i, const Integers& order) {
  const auto& tensor = call.tensor(i);
  if (tensor.shape().size() != order.size())
    call.refuse(fmt::format("input {} of shape {}", i, to_string(tensor.shape())),
                fmt::format("{} axes", order.size()));
  call.charge(tensor.shape());
  return tensor_math::permuted(tensor, order);
}

std::int64_t positive(const Call& call, std::int64_t number, const std::string& what) {
  if (number < 1 || number > kLargest) call.refuse(fmt::format("{} {}", what, number), "1 to 2^30");
  return number;
}

View with_number(const Call& call, const std::string& op, const View& view, double number,
                 const std::string& part) {
  const auto literal = call.literal(part.empty() ? "number" : part + "_number",
                                    tensor_math::scalar(static_cast<float>(number)));
  return {call.emit(op, {view.value, literal}, {}, part), view.axes};
}

}  // namespace compress::tflite
