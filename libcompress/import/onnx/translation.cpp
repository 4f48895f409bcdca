#include "libcompress/import/onnx/translation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "libcompress/base/error.h"
#include "libcompress/import/bytes.h"
#include "libcompress/import/onnx/call.h"
#include "libcompress/import/onnx/operators.h"

namespace compress::onnx {
namespace {

[[noreturn]] void fail(std::string where, std::string found, std::string allowed = "",
                       std::string remedy = "") {
  throw Error(ErrorKind::input, {std::move(where), std::move(found), std::move(allowed), std::move(remedy)});
}

ElementType type_of(DType dtype) {
  switch (dtype) {
    case DType::float32:
    case DType::float16:
    case DType::float64:
      return ElementType::float32;
    case DType::boolean:
      return ElementType::boolean;
    default:
      return ElementType::int64;
  }
}

/// A mask that adds minus infinity adds the least float instead: weights are finite.
Tensor with_finite(const Tensor& tensor) {
  constexpr auto kBounded = [](float each) {
    constexpr float kMost = std::numeric_limits<float>::max();
    return std::clamp(each, -kMost, kMost);
  };
  const auto elements = tensor.as<float>();
  if (std::none_of(elements.begin(), elements.end(), [](float each) { return std::isinf(each); }))
    return tensor;
  return map_floats(tensor, kBounded);
}

/// As float32, int64 or boolean.
Tensor normalized(const Tensor& tensor) {
  switch (tensor.dtype()) {
    case DType::int64:
    case DType::boolean:
      return tensor;
    case DType::float32:
    case DType::float16:
    case DType::float64:
      return tensor.to_float32();
    default:
      return convert(tensor.to_float32(),
                     DType::int64);  // at most 32 bits: but for the largest, exact in a float
  }
}

[[noreturn]] void refuse_operator(const NodeRecord& node, const std::string& where) {
  struct Kind {
    std::string_view part;  ///< of the operator's name
    const char* remedy;
  };
  constexpr Kind kKinds[] = {
      {"Quantize", "import the network of floats: quantizing is a step behind it"},
      {"QLinear", "import the network of floats: quantizing is a step behind it"},
      {"Integer", "import the network of floats: quantizing is a step behind it"},
      {"Sequence", "sequences have no place in a graph of tensors"},
      {"Optional", "optionals have no place in a graph of tensors"},
      {"LSTM", "recurrent layers have no place in a graph without loops"},
      {"GRU", "recurrent layers have no place in a graph without loops"},
      {"RNN", "recurrent layers have no place in a graph without loops"},
      {"Random", "a network must give the same output for the same input"},
  };
  const bool controls = std::any_of(node.attributes.begin(), node.attributes.end(),
                                    [](const auto& attribute) { return attribute.has_graph; });
  if (controls) fail(where, "control flow, which is not supported", "", "export the model for fixed choices");
  if (!node.domain.empty()) fail(where, fmt::format("an operator of the domain {}", in_quotes(node.domain)));
  const auto* kind = std::find_if(std::begin(kKinds), std::end(kKinds), [&](const auto& each) {
    return node.op.find(each.part) != std::string_view::npos;
  });
  fail(where, "an operator that is not supported", "", kind == std::end(kKinds) ? "" : kind->remedy);
}

}  // namespace

std::string name_of(const NodeRecord& node) {
  if (!node.name.empty()) return std::string(node.name);
  for (const auto output : node.outputs) {
    if (!output.empty()) return std::string(output);
  }
  return "node";
}

Source::Source(ModelRecord model, std::filesystem::path folder, const OnnxOptions& options)
    : model_(std::move(model)), options_(options), reader_(model_.name, std::move(folder)) {}

const Tensor& Source::load(const TensorRecord& record) {
  const auto found = loaded_.find(&record);
  if (found != loaded_.end()) return found->second;
  auto tensor = reader_.read(record, "initializer " + in_quotes(record.name));
  loaded_elements_ += tensor.count();
  return loaded_.emplace(&record, std::move(tensor)).first->second;
}

Translation::Translation(Source& source, std::int64_t batch, const Translation* larger)
    : source_(source), batch_(batch), larger_(larger) {}

Translated Translation::run(bool all_nodes) {
  translate_all(all_nodes);
  if (result_.failures.empty()) set_outputs();
  result_.graph = maker_.take_graph();
  result_.weights = maker_.take_weights();
  return std::move(result_);
}

std::vector<Tensor> Translation::fold() {
  translate_all(false);
  if (!result_.failures.empty()) fail(source_.model().name, result_.failures.front());
  std::vector<Tensor> outputs;
  for (const auto& output : source_.model().graph.outputs) {
    const auto* known = find(output.name);
    const auto* constant = known ? std::get_if<std::shared_ptr<Constant>>(known) : nullptr;
    if (!constant) fail(message("output " + in_quotes(output.name)), "not a constant");
    outputs.push_back(tensor_of(**constant));
  }
  return outputs;
}

void Translation::translate_all(bool all_nodes) {
  find_needed(all_nodes);
  define_initializers();
  define_inputs();
  for (const auto& node : source_.model().graph.nodes) {
    const bool is_needed = std::any_of(node.outputs.begin(), node.outputs.end(),
                                       [&](auto output) { return needed_.contains(output); });
    if (is_needed || all_nodes) translate(node);
  }
}

void Translation::find_needed(bool all_nodes) {
  const auto& graph = source_.model().graph;
  for (const auto& output : graph.outputs) needed_.insert(output.name);
  for (auto node = graph.nodes.rbegin(); node != graph.nodes.rend(); ++node) {
    const bool is_needed =
        all_nodes || std::any_of(node->outputs.begin(), node->outputs.end(),
                                 [&](auto output) { return !output.empty() && needed_.contains(output); });
    if (is_needed) needed_.insert(node->inputs.begin(), node->inputs.end());
  }
  needed_.erase("");
}

void Translation::define_initializers() {
  for (const auto name : source_.model().graph.sparse_initializers)
    fail(message("initializer " + in_quotes(name)), "a sparse tensor", "dense tensors");
  for (const auto& record : source_.model().graph.initializers) {
    const auto where = message("initializer " + in_quotes(record.name));
    if (record.name.empty()) fail(where, "a tensor without a name");
    check_imported_shape(record.dims, where);
    const bool trained = is_float(record.type) && element_count(record.dims) > 1;
    auto constant =
        std::make_shared<Constant>(Constant{std::string(record.name), record.type, record.dims, trained});
    constant->stored = &record;
    define(record.name, std::move(constant));
    maker_.reserve(std::string(record.name));
  }
}

void Translation::define_inputs() {
  const auto& bound = source_.options().constants;
  for (const auto& input : source_.model().graph.inputs) {
    if (input.name.empty()) fail(message("graph"), "an input without a name");
    if (const auto constant = bound.find(std::string(input.name)); constant != bound.end()) {
      auto tensor = normalized(constant->second);
      const auto type = type_of(tensor.dtype());
      const bool trained = is_float(type) && tensor.count() > 1;
      auto known = std::make_shared<Constant>(
          Constant{std::string(input.name), type, tensor.shape(), trained, std::move(tensor)});
      define(input.name, std::move(known));
      continue;
    }
    if (find(input.name) != nullptr) continue;  // files of IR version 3 list their initializers as inputs too
    try {
      define_input(input);
    } catch (const Error& error) {
      broken_.insert(input.name);
      if (needed_.contains(input.name)) result_.failures.push_back(error.what());
    }
  }
}

void Translation::define_input(const ValueRecord& input) {
  const auto where = fmt::format("input {}", in_quotes(input.name));
  if (!input.is_tensor) fail(where, "a sequence, a map or an optional", "tensors");
  if (!is_float(input.type))
    fail(where, fmt::format("elements of {}", name_of(input.type)), "floats",
         "bind it to a constant if it is one");
  define(input.name, maker_.add_input(std::string(input.name), shape_of_input(input)));
}

Shape Translation::shape_of_input(const ValueRecord& input) const {
  const auto where = fmt::format("input {}", in_quotes(input.name));
  const auto remedy = fmt::format("give the extents of {}", in_quotes(input.name));
  const auto& shapes = source_.options().shapes;
  const auto given = shapes.find(std::string(input.name));
  if (!input.has_shape && given == shapes.end()) fail(where, "no shape", "", remedy);
  if (input.has_shape && given != shapes.end() && given->second.size() != input.dims.size())
    fail(where, fmt::format("{} extents given", given->second.size()),
         fmt::format("{}, as the file says", input.dims.size()));
  Shape shape = given == shapes.end() ? Shape(input.dims.size(), -1) : given->second;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] == -1 && i < input.dims.size()) shape[i] = input.dims[i].extent;
    if (shape[i] < 0 && i == 0) shape[i] = batch_;
    if (shape[i] == 0) fail(where, fmt::format("axis {} of extent 0", i), "extents of 1 or more", remedy);
    if (shape[i] < 0) {
      const auto parameter = i < input.dims.size() ? input.dims[i].parameter : std::string_view();
      fail(where,
           parameter.empty() ? fmt::format("axis {} has no fixed extent", i)
                             : fmt::format("axis {} has the open extent {}", i, in_quotes(parameter)),
           "one only along axis 0, the batch", remedy);
    }
  }
  return shape;
}

const Known* Translation::find(std::string_view name) const {
  const auto found = known_.find(name);
  return found == known_.end() ? nullptr : &found->second;
}

const Tensor* Translation::stored(ValueId value) const {
  const auto found = maker_.weights().find(graph().value(value).name);
  return found == maker_.weights().end() ? nullptr : &found->second;
}

void Translation::define(std::string_view name, Known known) {
  if (name.empty()) return;
  if (broken_.contains(name) || !known_.emplace(name, std::move(known)).second)
    fail("value " + in_quotes(name), "made twice", "one node that makes it");
}

const Tensor& Translation::tensor_of(Constant& constant) {
  if (constant.tensor.empty() && constant.stored) constant.tensor = source_.load(*constant.stored);
  return constant.tensor;
}

ValueId Translation::parameter(const std::shared_ptr<Constant>& constant) {
  if (!constant->as_parameter && constant->as_buffer) return *constant->as_buffer;
  if (!constant->as_parameter) {
    tensor_of(*constant);
    constant->as_parameter = store(*constant, ValueKind::parameter);
  }
  return *constant->as_parameter;
}

ValueId Translation::buffer(const std::shared_ptr<Constant>& constant) {
  if (!constant->as_buffer) {
    tensor_of(*constant);
    constant->as_buffer = store(*constant, ValueKind::buffer);
  }
  return *constant->as_buffer;
}

ValueId Translation::store(const Constant& constant, ValueKind kind) {
  const auto floats = constant.tensor.to_float32();
  return maker_.add_constant(constant.name, kind, constant.trained ? floats : with_finite(floats));
}

void Translation::charge(const Shape& shape, const std::string& where) {
  maker_.expect(source_.loaded_elements());
  maker_.charge(shape, where);
}

bool Translation::choose(const std::string& place, bool condition) {
  if (!condition || (larger_ != nullptr && !larger_->chosen_.contains(place))) return false;
  chosen_.insert(place);
  return true;
}

void Translation::translate(const NodeRecord& node) {
  ForeignNode& listed = result_.nodes.emplace_back();
  listed.name = name_of(node);
  listed.op = std::string(node.op);
  listed.inputs.assign(node.inputs.begin(), node.inputs.end());
  listed.outputs.assign(node.outputs.begin(), node.outputs.end());
  try {
    translate_checked(node);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::input) throw;
    listed.supported = false;
    listed.reason = error.what();
    result_.failures.push_back(error.what());
  }
  // What a node did not make is not looked for any further: only the first cause is told.
  for (const auto output : node.outputs) {
    if (!output.empty() && !known_.contains(output)) broken_.insert(output);
  }
}

void Translation::translate_checked(const NodeRecord& node) {
  const auto where = fmt::format("node {} ({})", in_quotes(name_of(node)), in_quotes(node.op));
  const auto* row = find_operator(node);
  if (row == nullptr && !is_foldable(node)) {
    result_.lacks_operator = true;
    refuse_operator(node, where);
  }
  for (const auto input : node.inputs) {
    if (broken_.contains(input)) return;
    if (!input.empty() && find(input) == nullptr)
      fail(where, fmt::format("the input {}, which nothing makes before it", in_quotes(input)),
           "nodes in an order in which they can be computed");
  }
  for (const auto output : node.outputs) {
    if (!output.empty() && find(output) != nullptr)
      fail(where, fmt::format("the output {}, which is made twice", in_quotes(output)), "unique names");
  }
  Call call(*this, node);
  if (is_foldable(node) && call.all_constant() && onnx::fold(call)) return;
  if (row == nullptr) call.refuse("inputs that are computed while the network runs", "constants");
  row->translate(call);
  for (std::size_t i = 0; i < node.outputs.size(); ++i) {
    if (call.wants(i) && find(node.outputs[i]) == nullptr)
      call.refuse(fmt::format("its output {} in use", i), "its first output");
  }
}

void Translation::set_outputs() {
  std::vector<ValueId> outputs;
  for (const auto& output : source_.model().graph.outputs) {
    const auto* known = find(output.name);
    const auto where = fmt::format("output {}", in_quotes(output.name));
    if (known == nullptr) fail(message(where), "nothing makes it");
    const auto* computed = std::get_if<ValueId>(known);
    if (computed == nullptr && !is_float(std::get<1>(*known)->type))
      fail(message(where), "a constant of integers", "floats that the network computes");
    auto id = computed ? *computed : parameter(std::get<1>(*known));
    if (graph().value(id).kind == ValueKind::input)
      id = add_node("identity", std::string(output.name), {id}, {});
    outputs.push_back(id);
  }
  maker_.set_outputs(std::move(outputs));
}

}  // namespace compress::onnx
