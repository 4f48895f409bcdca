#include "libcompress/quant/quantized_file.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <type_traits>

#include "libcompress/base/error.h"
#include "libcompress/base/files.h"
#include "libcompress/import/safetensors.h"
#include "libcompress/import/tflite.h"
#include "libcompress/quant/tflite_network.h"

namespace compress {
namespace {

using nlohmann::json;

constexpr std::string_view kFormat = "libcompress.quantized";
constexpr std::string_view kVersion = "1";

// What is written and what is read are told by the same lines: an Archive is either a Writer or a Reader, and
// describe() lists the fields of every type.

/// Fills a JSON object.
class Writer {
 public:
  json object = json::object();

  template <typename T>
  void field(const char* name, const T& value) {
    object[name] = to_json(value);
  }
  /// What files of before do not have: only written where it is not `usual`.
  void later_field(const char* name, bool value, bool usual) {
    if (value != usual) object[name] = value;
  }

 private:
  static json to_json(const std::string& value) { return value; }
  static json to_json(std::int32_t value) { return value; }
  static json to_json(std::int8_t value) { return value; }
  static json to_json(float value) { return static_cast<double>(value); }
  static json to_json(const Requantization& value) { return {value.multiplier, value.shift}; }
  static json to_json(const std::int32_t (&value)[2]) { return {value[0], value[1]}; }
  static json to_json(QValueId value) { return index_of(value); }
  template <typename T>
  static json to_json(const std::vector<T>& values) {
    auto list = json::array();
    for (const auto& value : values) list.push_back(to_json(value));
    return list;
  }
  static json to_json(std::int64_t value) { return value; }
};

/// Reads a JSON object and, when closed, complains about fields that nobody asked for.
class Reader {
 public:
  Reader(const json& object, std::string where) : object_(object), where_(std::move(where)) {
    if (!object_.is_object()) fail(where_, std::string("a JSON ") + object_.type_name(), "an object");
  }

  [[noreturn]] static void fail(const std::string& where, std::string found, std::string allowed) {
    throw Error(ErrorKind::input, {where, std::move(found), std::move(allowed), ""});
  }

  const json& at(const char* name) {
    asked_.insert(name);
    const auto found = object_.find(name);
    if (found == object_.end()) fail(where_, fmt::format("no field '{}'", name), "it is required");
    return *found;
  }
  bool has(const char* name) const { return object_.contains(name); }
  std::string where(const char* name) const { return where_ + "." + name; }

  template <typename T>
  void field(const char* name, T& value) {
    from_json(at(name), value, where(name));
  }

  void later_field(const char* name, bool& value, bool usual) {
    value = usual;
    if (!has(name)) return;
    const auto& from = at(name);
    if (!from.is_boolean()) fail(where(name), std::string("a JSON ") + from.type_name(), "true or false");
    value = from.get<bool>();
  }

  void close() const {
    for (const auto& [name, value] : object_.items()) {
      if (!asked_.contains(name))
        fail(where_, "an unknown field '" + name + "'", "the fields of this version");
    }
  }

 private:
  template <typename T>
  static void integer(const json& from, T& value, const std::string& where) {
    const bool fits =
        from.is_number_integer() &&
        (!from.is_number_unsigned() ||
         from.get<std::uint64_t>() <= static_cast<std::uint64_t>(std::numeric_limits<T>::max()));
    const auto wide = fits ? from.get<std::int64_t>() : 0;
    if (!fits || wide < std::numeric_limits<T>::min() || wide > std::numeric_limits<T>::max())
      fail(where, from.dump().substr(0, 40), fmt::format("a {}-bit integer", 8 * sizeof(T)));
    value = static_cast<T>(wide);
  }
  static void from_json(const json& from, std::string& value, const std::string& where) {
    if (!from.is_string()) fail(where, std::string("a JSON ") + from.type_name(), "a string");
    value = from.get<std::string>();
  }
  static void from_json(const json& from, std::int32_t& value, const std::string& where) {
    integer(from, value, where);
  }
  static void from_json(const json& from, std::int8_t& value, const std::string& where) {
    integer(from, value, where);
  }
  static void from_json(const json& from, std::int64_t& value, const std::string& where) {
    integer(from, value, where);
  }
  static void from_json(const json& from, float& value, const std::string& where) {
    if (!from.is_number()) fail(where, std::string("a JSON ") + from.type_name(), "a number");
    const auto wide = from.get<double>();
    if (!(std::abs(wide) <= std::numeric_limits<float>::max()))
      fail(where, fmt::format("{}", wide), "a float32");
    value = static_cast<float>(wide);
  }
  static const json& pair(const json& from, const std::string& where) {
    if (!from.is_array() || from.size() != 2) fail(where, "something else", "a list of two integers");
    return from;
  }
  static void from_json(const json& from, Requantization& value, const std::string& where) {
    integer(pair(from, where)[0], value.multiplier, where);
    integer(from[1], value.shift, where);
  }
  static void from_json(const json& from, std::int32_t (&value)[2], const std::string& where) {
    integer(pair(from, where)[0], value[0], where);
    integer(from[1], value[1], where);
  }
  static void from_json(const json& from, QValueId& value, const std::string& where) {
    std::int32_t index = 0;
    integer(from, index, where);
    if (index < 0) fail(where, fmt::format("{}", index), "a position in 'values'");
    value = QValueId{index};
  }
  template <typename T>
  static void from_json(const json& from, std::vector<T>& values, const std::string& where) {
    if (!from.is_array()) fail(where, std::string("a JSON ") + from.type_name(), "a list");
    values.clear();
    for (const auto& item : from) {
      T value{};
      from_json(item, value, where);
      values.push_back(value);
    }
  }

  const json& object_;
  std::string where_;
  std::set<std::string, std::less<>> asked_;
};

template <typename Archive, typename T>
void describe_window(Archive& archive, T& window) {
  archive.field("kernel", window.kernel);
  archive.field("stride", window.stride);
  archive.field("pad_begin", window.pad_begin);
  archive.field("pad_end", window.pad_end);
  archive.field("dilation", window.dilation);
}

template <typename Archive, typename Op>
void describe_clamp(Archive& archive, Op& op) {
  archive.field("clamp_min", op.clamp_min);
  archive.field("clamp_max", op.clamp_max);
}

/// Works on constant and mutable ops alike.
template <typename Archive, typename Op>
void describe(Archive& archive, Op& op) {
  using T = std::remove_const_t<Op>;
  if constexpr (std::is_same_v<T, QConv>) {
    describe_window(archive, op.window);
    archive.field("groups", op.groups);
    archive.field("requantization", op.requantization);
    describe_clamp(archive, op);
  } else if constexpr (std::is_same_v<T, QLinear> || std::is_same_v<T, QRequantize> ||
                       std::is_same_v<T, QMul>) {
    archive.field("requantization", op.requantization);
    describe_clamp(archive, op);
  } else if constexpr (std::is_same_v<T, QMaxPool> || std::is_same_v<T, QAvgPool>) {
    describe_window(archive, op.window);
    describe_clamp(archive, op);
  } else if constexpr (std::is_same_v<T, QAdd>) {
    archive.field("left", op.left);
    archive.field("right", op.right);
    archive.field("output_requantization", op.output);
    archive.field("left_shift", op.left_shift);
    archive.later_field("subtract", op.subtract, false);
    describe_clamp(archive, op);
  } else if constexpr (std::is_same_v<T, QConcat>) {
    archive.field("axis", op.axis);
  } else if constexpr (std::is_same_v<T, QTranspose>) {
    archive.field("order", op.order);
  } else if constexpr (std::is_same_v<T, QSoftmax>) {
    archive.field("input", op.input);
    archive.field("diff_min", op.diff_min);
  } else if constexpr (std::is_same_v<T, QMean>) {
    archive.field("first_axis", op.first_axis);
    archive.field("last_axis", op.last_axis);
    archive.field("requantization", op.requantization);
  } else if constexpr (std::is_same_v<T, QPad>) {
    archive.field("begin", op.begin);
    archive.field("end", op.end);
    archive.field("level", op.level);
  } else if constexpr (std::is_same_v<T, QTable>) {
    archive.field("function", op.function);
    archive.field("parameter", op.parameter);
    archive.field("levels", op.levels);
  } else if constexpr (std::is_same_v<T, QSlice>) {
    archive.field("begin", op.begin);
    archive.field("step", op.step);
  } else if constexpr (std::is_same_v<T, QResize>) {
    archive.later_field("align_corners", op.align_corners, false);
    archive.later_field("half_pixel", op.half_pixel, false);
  } else {
    static_assert(std::is_same_v<T, QReshape>);
  }
}

template <std::size_t I = 0>
QOp op_named(const std::string& name, const std::string& where) {
  if constexpr (I == std::variant_size_v<QOp>) {
    Reader::fail(where, "operator '" + name + "'", "an operator of the 8-bit network");
  } else {
    QOp op{std::in_place_index<I>};
    return name_of(op) == name ? op : op_named<I + 1>(name, where);
  }
}

json to_json(const QValue& value) {
  Writer writer;
  writer.field("name", value.name);
  writer.field("dtype", std::string(name_of(value.dtype)));
  writer.field("shape", value.shape);
  writer.field("scale", value.scale);
  writer.field("zero_point", value.zero_point);
  if (!value.channel_scales.empty()) writer.field("channel_scales", value.channel_scales);
  writer.object["constant"] = !value.constant.empty();
  return writer.object;
}

json to_json(const QNode& node) {
  Writer writer;
  writer.field("name", node.name);
  writer.field("op", std::string(name_of(node.op)));
  writer.field("inputs", node.inputs);
  writer.field("output", node.output);
  std::visit([&](const auto& op) { describe(writer, op); }, node.op);
  return writer.object;
}

DType dtype_named(const std::string& name, const std::string& where) {
  for (const auto dtype : {DType::int8, DType::int16, DType::int32, DType::int64}) {
    if (name_of(dtype) == name) return dtype;
  }
  Reader::fail(where, "'" + name + "'", "int8, int16, int32, int64");
}

QValue read_value(const json& from, std::size_t position, StateDict& tensors, const std::string& where) {
  Reader reader(from, where);
  QValue value;
  value.id = QValueId{static_cast<std::int32_t>(position)};
  reader.field("name", value.name);
  std::string dtype;
  reader.field("dtype", dtype);
  value.dtype = dtype_named(dtype, reader.where("dtype"));
  reader.field("shape", value.shape);
  reader.field("scale", value.scale);
  reader.field("zero_point", value.zero_point);
  if (reader.has("channel_scales")) reader.field("channel_scales", value.channel_scales);
  const auto& constant = reader.at("constant");
  if (!constant.is_boolean()) Reader::fail(reader.where("constant"), constant.type_name(), "true or false");
  reader.close();
  if (constant.get<bool>()) {
    auto tensor = tensors.extract(value.name);
    if (tensor.empty())
      Reader::fail(where, "no tensor '" + value.name + "' in the file", "one for every constant");
    value.constant = std::move(tensor.mapped());
  }
  return value;
}

QNode read_node(const json& from, const std::string& where) {
  Reader reader(from, where);
  QNode node;
  std::string op;
  reader.field("name", node.name);
  reader.field("op", op);
  reader.field("inputs", node.inputs);
  reader.field("output", node.output);
  node.op = op_named(op, where);
  std::visit([&](auto& settings) { describe(reader, settings); }, node.op);
  reader.close();
  return node;
}

const json& list(Reader& reader, const char* name) {
  const auto& items = reader.at(name);
  if (!items.is_array())
    Reader::fail(reader.where(name), std::string("a JSON ") + items.type_name(), "a list");
  return items;
}

QuantizedGraph read_graph(const json& from, StateDict& tensors, const std::string& where) {
  Reader reader(from, where);
  QuantizedGraph graph;
  reader.field("name", graph.name);
  reader.field("profile", graph.profile);
  reader.field("inputs", graph.inputs);
  reader.field("outputs", graph.outputs);
  for (const auto& value : list(reader, "values"))
    graph.values.push_back(read_value(value, graph.values.size(), tensors,
                                      fmt::format("{}.values[{}]", where, graph.values.size())));
  for (const auto& node : list(reader, "nodes"))
    graph.nodes.push_back(read_node(node, fmt::format("{}.nodes[{}]", where, graph.nodes.size())));
  reader.close();
  return graph;
}

/// The file is a safetensors file of this format; else Error.
std::string graph_text(const StateFile& file, const std::string& name) {
  const auto entry = [&](const char* key) {
    const auto found = file.metadata.find(key);
    if (found == file.metadata.end())
      Reader::fail(name, fmt::format("no '{}' in its metadata", key),
                   "a file that `quantize` or `run` wrote");
    return found->second;
  };
  if (entry("format") != kFormat)
    Reader::fail(name, "format '" + entry("format") + "'", std::string(kFormat));
  if (entry("version") != kVersion)
    Reader::fail(name, "version '" + entry("version") + "'", std::string(kVersion));
  return entry("graph");
}

QuantizedGraph from_file(StateFile file, const std::string& name) {
  const auto parsed = json::parse(graph_text(file, name), nullptr, false);
  if (parsed.is_discarded()) Reader::fail(name, "a graph that is no JSON", "JSON");
  auto graph = read_graph(parsed, file.tensors, name + ": graph");
  if (!file.tensors.empty())
    Reader::fail(name, "a tensor '" + file.tensors.begin()->first + "' that no value names",
                 "constants only");
  verify(graph);
  return graph;
}

StateFile to_file(const QuantizedGraph& graph) {
  verify(graph);
  Writer writer;
  writer.field("name", graph.name);
  writer.field("profile", graph.profile);
  writer.field("inputs", graph.inputs);
  writer.field("outputs", graph.outputs);
  auto& object = writer.object;
  object["values"] = json::array();
  object["nodes"] = json::array();
  StateFile file;
  for (const auto& value : graph.values) {
    object["values"].push_back(to_json(value));
    if (!value.constant.empty()) file.tensors[value.name] = value.constant;
  }
  for (const auto& node : graph.nodes) object["nodes"].push_back(to_json(node));
  file.metadata = {
      {"format", std::string(kFormat)}, {"version", std::string(kVersion)}, {"graph", object.dump()}};
  return file;
}

/// Files that cannot be read are left to their reader's error.
bool begins_as_tflite(const std::filesystem::path& path) {
  constexpr std::uint64_t kBytes = 8;
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  return !error && size >= kBytes && is_tflite(read_range(path, 0, kBytes));
}

/// The length of a header, and the header's brace. Files that cannot be read are left to their reader's
/// error.
bool may_be_safetensors(const std::filesystem::path& path) {
  constexpr std::uint64_t kLength = 8;
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  return error || (size > kLength && read_range(path, kLength, 1)[0] == std::byte{'{'});
}

}  // namespace

void save_quantized(const std::filesystem::path& path, const QuantizedGraph& graph) {
  const auto file = to_file(graph);
  write_safetensors(path, file.tensors, file.metadata);
}

QuantizedGraph load_quantized(const std::filesystem::path& path, const std::string& profile) {
  if (begins_as_tflite(path)) return read_quantized_tflite(path, profile);
  if (!may_be_safetensors(path))
    throw Error(ErrorKind::input,
                {path.string(), "no 8-bit network", "quantized.safetensors of a run, or an int8 .tflite file",
                 "quantize a float network first"});
  return from_file(read_safetensors(path), path.string());
}

bool is_quantized_file(const std::filesystem::path& path) {
  if (begins_as_tflite(path)) return is_quantized_tflite(read_bytes(path), path.string());
  if (path.extension() != ".safetensors") return false;
  const auto metadata = read_safetensors(path).metadata;
  const auto format = metadata.find("format");
  return format != metadata.end() && format->second == kFormat;
}

std::string format_quantized(const QuantizedGraph& graph) {
  const auto file = to_file(graph);
  return format_safetensors(file.tensors, file.metadata);
}

QuantizedGraph parse_quantized(std::span<const std::byte> bytes, const std::string& name) {
  return from_file(parse_safetensors(bytes, name), name);
}

}  // namespace compress
