#include "libcompress/import/tflite/translation.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "libcompress/base/checked.h"
#include "libcompress/base/error.h"
#include "libcompress/import/bytes.h"
#include "libcompress/import/tflite/call.h"
#include "libcompress/import/tflite/constants.h"
#include "libcompress/import/tflite/operators.h"

namespace compress::tflite {
namespace {

[[noreturn]] void fail(std::string where, std::string found, std::string allowed = "",
                       std::string remedy = "") {
  throw Error(ErrorKind::input, {std::move(where), std::move(found), std::move(allowed), std::move(remedy)});
}

/// The axes that hold data, in order: all but those of extent 1. The tensor's first axis is always one of
/// them, since the batch may grow.
std::vector<std::size_t> solid_axes(const Shape& shape) {
  std::vector<std::size_t> solid;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (i == 0 || shape[i] != 1) solid.push_back(i);
  }
  return solid;
}

/// Whether `axes` bring the axes `solid` into the order in which `other` brings `other_solid`, so that no
/// element moves between the two.
bool is_same_order(const Integers& axes, const std::vector<std::size_t>& solid, const Integers& other,
                   const std::vector<std::size_t>& other_solid) {
  for (std::size_t i = 0; i < solid.size(); ++i) {
    for (std::size_t j = i + 1; j < solid.size(); ++j) {
      if ((axes[solid[i]] < axes[solid[j]]) != (other[other_solid[i]] < other[other_solid[j]])) return false;
    }
  }
  return true;
}

/// The shape of a value whose axes are at `axes`.
Shape placed(const Shape& shape, const Integers& axes) {
  Shape value(shape.size());
  for (std::size_t i = 0; i < shape.size(); ++i) value[static_cast<std::size_t>(axes[i])] = shape[i];
  return value;
}

/// The orders a value of `rank` axes may have, the best first.
std::vector<Integers> usual_orders(std::size_t rank) {
  if (rank == 4) return {channels_first(4), file_order(4)};
  return {file_order(rank)};
}

/// Axes of a shape that become axes of another with the same elements in the same order: neither can be
/// divided any further. Those of the old shape that hold data, and all of the new one.
struct Regrouped {
  std::vector<std::size_t> from;
  std::vector<std::size_t> to;
};

std::vector<Regrouped> regroup(const Shape& from, const Shape& to) {
  std::vector<Regrouped> groups;
  std::size_t i = 0, j = 0;
  const auto take_old = [&] {
    if (i == 0 || from[i] != 1) groups.back().from.push_back(i);
    return from[i++];
  };
  const auto take_new = [&] {
    groups.back().to.push_back(j);
    return to[j++];
  };
  while (i < from.size() && j < to.size()) {
    groups.emplace_back();
    auto before = take_old(), after = take_new();
    while (before != after) {
      if (before < after)
        before *= take_old();
      else
        after *= take_new();
    }
  }
  if (groups.empty()) groups.emplace_back();
  while (j < to.size()) take_new();  // what is left has an extent of 1
  return groups;
}

/// The axes that hold data in the order of the value, those of each group in the file's order; nothing if a
/// group's axes do not lie beside each other.
std::optional<std::vector<std::size_t>> gathered_order(const View& view,
                                                       const std::vector<Regrouped>& groups) {
  std::vector<std::size_t> sequence;
  for (const auto& group : groups) sequence.insert(sequence.end(), group.from.begin(), group.from.end());
  std::sort(sequence.begin(), sequence.end(), [&](auto a, auto b) { return view.axes[a] < view.axes[b]; });
  for (const auto& group : groups) {
    const auto is_of_group = [&](auto axis) {
      return std::find(group.from.begin(), group.from.end(), axis) != group.from.end();
    };
    const auto first = std::find_if(sequence.begin(), sequence.end(), is_of_group);
    const auto last = first + std::min<std::ptrdiff_t>(std::ssize(group.from), sequence.end() - first);
    if (!std::all_of(first, last, is_of_group)) return std::nullopt;
    std::sort(first, last);
  }
  return sequence;
}

/// Elements that the file's constants can stand for.
std::int64_t stored_elements(const FileRecord& file) { return static_cast<std::int64_t>(file.byte_count); }

bool has_open_extents(const FileRecord& file) {
  return std::any_of(file.inputs.begin(), file.inputs.end(), [&](auto input) {
    const auto& signature = file.tensors[static_cast<std::size_t>(input)].signature;
    return std::find(signature.begin() + (signature.empty() ? 0 : 1), signature.end(), -1) != signature.end();
  });
}

}  // namespace

Integers file_order(std::size_t rank) {
  Integers axes(rank);
  std::iota(axes.begin(), axes.end(), 0);
  return axes;
}

Integers channels_first(std::size_t rank) {
  auto axes = file_order(rank);
  for (std::size_t i = 1; i + 1 < rank; ++i) ++axes[i];
  if (rank > 2) axes.back() = 1;
  return axes;
}

Translation::Translation(const FileRecord& file, const TfliteOptions& options, std::int64_t batch)
    : file_(file),
      options_(options),
      batch_(batch),
      shapes_are_declared_(batch == 1 && options.shapes.empty() && !has_open_extents(file)),
      maker_(stored_elements(file)),
      known_(file.tensors.size()),
      broken_(file.tensors.size()),
      needed_(file.tensors.size()) {}

Translated Translation::run(bool all_operators) {
  find_needed(all_operators);
  define_constants();
  define_inputs();
  for (const auto& record : file_.operators) {
    const bool is_needed = std::any_of(record.outputs.begin(), record.outputs.end(), [&](auto output) {
      return needed_[static_cast<std::size_t>(output)] != 0;
    });
    if (is_needed || all_operators) translate(record);
  }
  if (result_.failures.empty()) set_outputs();
  result_.graph = maker_.take_graph();
  result_.weights = maker_.take_weights();
  return std::move(result_);
}

void Translation::find_needed(bool all_operators) {
  for (const auto output : file_.outputs) needed_[static_cast<std::size_t>(output)] = 1;
  for (auto record = file_.operators.rbegin(); record != file_.operators.rend(); ++record) {
    const bool is_needed =
        all_operators || std::any_of(record->outputs.begin(), record->outputs.end(), [&](auto output) {
          return needed_[static_cast<std::size_t>(output)] != 0;
        });
    if (!is_needed) continue;
    for (const auto input : record->inputs) {
      if (input >= 0) needed_[static_cast<std::size_t>(input)] = 1;
    }
  }
}

void Translation::define_constants() {
  std::vector<char> is_made(file_.tensors.size());
  for (const auto input : file_.inputs) is_made[static_cast<std::size_t>(input)] = 1;
  for (const auto& record : file_.operators) {
    for (const auto output : record.outputs) is_made[static_cast<std::size_t>(output)] = 1;
  }
  for (std::size_t i = 0; i < file_.tensors.size(); ++i) {
    const auto& record = file_.tensors[i];
    const bool is_empty = std::find(record.shape.begin(), record.shape.end(), 0) != record.shape.end();
    if (is_made[i] || (record.data.empty() && !is_empty)) continue;
    auto constant = std::make_shared<Constant>();
    constant->name = name_of(static_cast<std::int32_t>(i));
    constant->shape = record.shape;
    constant->is_float = stands_for_floats(record);
    constant->stored = &record;
    known_[i] = std::move(constant);
  }
}

void Translation::define_inputs() {
  for (const auto tensor : file_.inputs) {
    try {
      define_input(tensor);
    } catch (const Error& error) {
      broken_[static_cast<std::size_t>(tensor)] = 1;
      if (needed_[static_cast<std::size_t>(tensor)]) result_.failures.push_back(error.what());
    }
  }
}

void Translation::define_input(std::int32_t tensor) {
  const auto& record = file_.tensors[static_cast<std::size_t>(tensor)];
  const auto where = fmt::format("input {}", in_quotes(record.name));
  if (record.type != ElementType::float32)
    fail(where, fmt::format("elements of {}", tflite::name_of(record.type)), "FLOAT32");
  if (record.is_variable) fail(where, "a variable", "values that are not kept between runs");
  const auto shape = shape_of_input(record);
  check_imported_shape(shape, where);
  const auto axes = usual_orders(shape.size()).front();
  define(tensor, View{maker_.add_input(name_of(tensor), placed(shape, axes)), axes});
}

Shape Translation::shape_of_input(const TensorRecord& record) const {
  const auto where = fmt::format("input {}", in_quotes(record.name));
  auto shape = record.signature.size() == record.shape.size() ? record.signature : record.shape;
  const auto given = options_.shapes.find(std::string(record.name));
  if (given != options_.shapes.end()) {
    if (given->second.size() != shape.size())
      fail(where, fmt::format("{} extents given", given->second.size()),
           fmt::format("{}, as the file says", shape.size()));
    for (std::size_t i = 0; i < shape.size(); ++i) {
      if (given->second[i] != -1) shape[i] = given->second[i];
    }
  }
  if (shape.empty()) fail(where, "no axes", "a batch as the first axis");
  if (shape[0] == -1) shape[0] = batch_;
  for (const auto extent : shape) {
    if (extent < 1)
      fail(where, fmt::format("shape {}", to_string(shape)), "open extents only along axis 0, the batch",
           fmt::format("give the extents of {}", in_quotes(record.name)));
  }
  return shape;
}

const Known* Translation::find(std::int32_t tensor) const {
  const auto& known = known_[static_cast<std::size_t>(tensor)];
  return known ? &*known : nullptr;
}

void Translation::define(std::int32_t tensor, Known known) {
  const auto at = static_cast<std::size_t>(tensor);
  const auto& record = file_.tensors[at];
  const auto where = fmt::format("tensor {}", in_quotes(record.name));
  if (known_[at] || broken_[at]) fail(where, "made twice", "one operator that makes it");
  const auto* view = std::get_if<View>(&known);
  const bool is_shaped =
      !record.shape.empty() && (record.signature.empty() || record.signature.size() == record.shape.size());
  if (view && shapes_are_declared_ && is_shaped && shape_of(*view) != record.shape)
    fail(where,
         fmt::format("declared as {}, computed as {}", to_string(record.shape), to_string(shape_of(*view))),
         "the shape that its operator makes");
  known_[at] = std::move(known);
}

std::string Translation::name_of(std::int32_t tensor) const {
  // Operators that the converter fused carry all their names, separated by semicolons.
  const auto full = file_.tensors[static_cast<std::size_t>(tensor)].name;
  auto name = readable_name(full.substr(0, full.find(';')));
  return name.empty() ? fmt::format("tensor{}", tensor) : name;
}

const Tensor& Translation::tensor_of(Constant& constant) {
  if (!constant.tensor) {
    const auto where = fmt::format("constant {}", in_quotes(constant.name));
    maker_.charge(constant.shape, where);
    constant.tensor = decode(*constant.stored, where);
  }
  return *constant.tensor;
}

Shape Translation::shape_of(const View& view) const {
  const auto& own = graph().value(view.value).shape;
  Shape shape;
  for (const auto axis : view.axes) shape.push_back(own[static_cast<std::size_t>(axis)]);
  return shape;
}

ValueId Translation::ordered(const View& view, const Integers& axes) {
  if (view.axes == axes) return view.value;
  Integers order(axes.size());
  for (std::size_t i = 0; i < axes.size(); ++i) order[static_cast<std::size_t>(axes[i])] = view.axes[i];
  const auto found = permuted_.find({view.value, order});
  if (found != permuted_.end()) return found->second;
  const auto shape = shape_of(view);
  auto solid = solid_axes(shape);
  // The value's own first axis is the batch, wherever the tensor has it.
  const auto batch =
      static_cast<std::size_t>(std::find(view.axes.begin(), view.axes.end(), 0) - view.axes.begin());
  if (std::find(solid.begin(), solid.end(), batch) == solid.end()) solid.push_back(batch);
  const auto name = graph().value(view.value).name + ".ordered";
  const auto id = is_same_order(view.axes, solid, axes, solid)
                      ? maker_.add_node("reshape", name, {view.value},
                                        {{"shape", placed(shape, axes)}, {"batch_axis", std::int64_t{-1}}})
                      : maker_.add_node("permute", name, {view.value}, {{"order", order}});
  permuted_.emplace(std::pair{view.value, order}, id);
  return id;
}

View Translation::straight(const View& view) {
  const auto axes = file_order(view.axes.size());
  return {ordered(view, axes), axes};
}

View Translation::reshaped(const View& view, const Shape& shape, const std::string& name) {
  const auto old_shape = shape_of(view);
  if (old_shape == shape) return view;
  // Axes that are split, merged or dropped can be so where they are in the value, as long as those that merge
  // lie beside each other and the batch stays in front. Else the elements must be in the file's order.
  const auto groups = regroup(old_shape, shape);
  const bool keeps_batch = view.axes.empty() || view.axes[0] == 0;
  auto sequence = keeps_batch ? gathered_order(view, groups) : std::nullopt;
  const auto from = sequence ? moved_to(view, *sequence) : straight(view);
  if (!sequence) sequence = gathered_order(from, groups);

  Integers axes(shape.size(), -1);
  std::int64_t next = 0;
  const auto place = [&](const Regrouped& group) {
    for (const auto axis : group.to) axes[axis] = next++;
  };
  for (const auto axis : *sequence) {
    const auto group = std::find_if(groups.begin(), groups.end(), [&](const auto& each) {
      return !each.from.empty() && each.from.front() == axis;
    });
    if (group != groups.end()) place(*group);
  }
  for (const auto& group : groups) {
    if (group.from.empty()) place(group);
  }
  const auto solid = solid_axes(shape);
  for (const auto& usual : usual_orders(shape.size())) {
    if (!is_same_order(usual, solid, axes, solid)) continue;
    axes = usual;
    break;
  }
  const auto own_shape = placed(shape, axes);
  if (graph().value(from.value).shape == own_shape) return {from.value, axes};
  return {maker_.add_node("reshape", name, {from.value},
                          {{"shape", own_shape}, {"batch_axis", std::int64_t{-1}}}),
          axes};
}

View Translation::moved_to(const View& view, const std::vector<std::size_t>& sequence) {
  const auto is_ascending = std::is_sorted(sequence.begin(), sequence.end(),
                                           [&](auto a, auto b) { return view.axes[a] < view.axes[b]; });
  if (is_ascending) return view;
  Integers axes(view.axes.size(), -1);
  std::int64_t next = 0;
  for (const auto axis : sequence) axes[axis] = next++;
  for (auto& axis : axes) {
    if (axis < 0) axis = next++;
  }
  return {ordered(view, axes), axes};
}

void Translation::translate(const OperatorRecord& record) {
  ForeignNode& listed = result_.nodes.emplace_back();
  listed.name = record.outputs.empty() ? std::string("operator") : name_of(record.outputs.front());
  listed.op = record.op;
  for (const auto input : record.inputs) listed.inputs.push_back(input < 0 ? std::string() : name_of(input));
  for (const auto output : record.outputs) listed.outputs.push_back(name_of(output));
  try {
    translate_checked(record, listed.name);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::input) throw;
    listed.supported = false;
    listed.reason = error.what();
    result_.failures.push_back(error.what());
  }
  // What an operator did not make is not looked for any further: only the first cause is told.
  for (const auto output : record.outputs) {
    if (!find(output)) broken_[static_cast<std::size_t>(output)] = 1;
  }
}

void Translation::check_operands(const OperatorRecord& record, const std::string& where) const {
  for (const auto input : record.inputs) {
    if (input < 0) continue;
    const auto& tensor = file_.tensors[static_cast<std::size_t>(input)];
    if (!find(input))
      fail(where, fmt::format("the input {}, which nothing makes before it", in_quotes(tensor.name)),
           "operators in an order in which they can be computed");
    if (tensor.is_variable || tensor.is_sparse)
      fail(
          where,
          fmt::format("the {} tensor {}", tensor.is_variable ? "variable" : "sparse", in_quotes(tensor.name)),
          "dense constants and activations");
  }
  for (const auto output : record.outputs) {
    const auto& tensor = file_.tensors[static_cast<std::size_t>(output)];
    if (find(output) || broken_[static_cast<std::size_t>(output)])
      fail(where, fmt::format("the output {}, which is made twice", in_quotes(tensor.name)),
           "one operator that makes it");
    if (is_quantized(tensor.type))
      fail(where,
           fmt::format("quantized values ({}) in {}", tflite::name_of(tensor.type), in_quotes(tensor.name)),
           "files of floats", "convert the network without quantization");
  }
}

void Translation::translate_checked(const OperatorRecord& record, const std::string& name) {
  const auto where = fmt::format("node {} ({})", in_quotes(name), record.op);
  const auto* row = find_operator(record.op);
  result_.lacks_operator = result_.lacks_operator || !row;
  if (!row) fail(where, "an operator that is not supported");
  if (record.outputs.empty()) fail(where, "no output");
  for (const auto input : record.inputs) {
    if (input >= 0 && broken_[static_cast<std::size_t>(input)]) return;
  }
  check_operands(record, where);
  Call call(*this, record, name);
  if (row->fold && call.all_constant()) return row->fold(call);
  if (!row->translate) call.refuse("inputs that are computed while the network runs", "constants");
  row->translate(call);
}

void Translation::set_outputs() {
  std::vector<ValueId> outputs;
  for (const auto tensor : file_.outputs) {
    const auto where = fmt::format("{}: output {}", file_.file,
                                   in_quotes(file_.tensors[static_cast<std::size_t>(tensor)].name));
    const auto* known = find(tensor);
    if (!known) fail(where, "nothing makes it");
    const auto* view = std::get_if<View>(known);
    if (!view) fail(where, "a constant", "values that the network computes");
    auto id = ordered(*view, usual_orders(view->axes.size()).front());
    if (graph().value(id).kind == ValueKind::input)
      id = maker_.add_node("identity", name_of(tensor), {id}, {});
    outputs.push_back(id);
  }
  if (outputs.empty()) fail(file_.file, "no outputs");
  maker_.set_outputs(std::move(outputs));
}

}  // namespace compress::tflite
