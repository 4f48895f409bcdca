#include "libcompress/import/tflite/schema.h"

#include <flatbuffers/flatbuffers.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "libcompress/base/error.h"
#include "libcompress/import/bytes.h"

namespace compress::tflite {
namespace {

constexpr std::size_t kMostAxes = 16;
constexpr std::uint32_t kMostTables = 10'000'000;
constexpr flatbuffers::uoffset_t kMostDepth = 64;

using Field = std::uint16_t;
using Strings = flatbuffers::Vector<flatbuffers::Offset<flatbuffers::String>>;
using Tables = flatbuffers::Vector<flatbuffers::Offset<flatbuffers::Table>>;

[[noreturn]] void fail(const std::string& where, const std::string& found, const std::string& allowed = "") {
  throw Error(ErrorKind::input, {where, found, allowed, ""});
}

constexpr flatbuffers::voffset_t offset_of(Field field) {
  return static_cast<flatbuffers::voffset_t>(4 + 2 * field);
}

/// The verifier over one file, and the name that its errors carry.
struct Verified {
  flatbuffers::Verifier verifier;
  std::string file;

  Verified(std::span<const std::byte> bytes, std::string name)
      : verifier(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size(), kMostDepth, kMostTables),
        file(std::move(name)) {}

  void expect(bool holds) const {
    if (!holds) fail(file, "a damaged FlatBuffer", "tables that lie within the file");
  }
};

/// A table whose fields are verified as they are read.
class Table {
 public:
  Table(Verified& verified, const flatbuffers::Table* table) : verified_(&verified), table_(table) {
    verified.expect(table->VerifyTableStart(verified.verifier));
    verified.verifier.EndTable();
  }

  template <typename T>
  T scalar(Field field, T fallback) const {
    verified_->expect(table_->VerifyField<T>(verified_->verifier, offset_of(field), sizeof(T)));
    return table_->GetField<T>(offset_of(field), fallback);
  }

  std::string_view text(Field field) const {
    const auto* string = pointer<flatbuffers::String>(field);
    verified_->expect(verified_->verifier.VerifyString(string));
    return string ? std::string_view(string->c_str(), string->size()) : std::string_view();
  }

  template <typename T>
  std::span<const T> list(Field field) const {
    const auto* vector = pointer<flatbuffers::Vector<T>>(field);
    verified_->expect(verified_->verifier.VerifyVector(vector));
    if (!vector || vector->size() == 0) return {};
    // The verifier looks at the alignment of the length only.
    verified_->expect(reinterpret_cast<std::uintptr_t>(vector->Data()) % alignof(T) == 0);
    return {reinterpret_cast<const T*>(vector->Data()), vector->size()};
  }

  std::optional<Table> table(Field field) const {
    const auto* inner = pointer<flatbuffers::Table>(field);
    if (!inner) return std::nullopt;
    return Table(*verified_, inner);
  }

  std::vector<Table> tables(Field field) const {
    const auto* vector = pointer<Tables>(field);
    verified_->expect(verified_->verifier.VerifyVector(vector));
    std::vector<Table> all;
    if (!vector) return all;
    for (flatbuffers::uoffset_t i = 0; i < vector->size(); ++i) {
      const auto at = vector->Data() + i * sizeof(flatbuffers::uoffset_t);
      verified_->expect(verified_->verifier.VerifyOffset(at, 0) != 0);
      all.emplace_back(*verified_, vector->Get(i));
    }
    return all;
  }

  bool has(Field field) const { return pointer<flatbuffers::Table>(field) != nullptr; }
  const std::uint8_t* position() const { return reinterpret_cast<const std::uint8_t*>(table_); }

 private:
  template <typename T>
  const T* pointer(Field field) const {
    verified_->expect(table_->VerifyOffset(verified_->verifier, offset_of(field)));
    return table_->GetPointer<const T*>(offset_of(field));
  }

  Verified* verified_;
  const flatbuffers::Table* table_;
};

// Fields of the schema's tables.
namespace model {
constexpr Field kVersion = 0, kOperatorCodes = 1, kSubgraphs = 2, kDescription = 3, kBuffers = 4;
}
namespace code {
constexpr Field kShortCode = 0, kCustomName = 1, kCode = 3;
}
namespace subgraph {
constexpr Field kTensors = 0, kInputs = 1, kOutputs = 2, kOperators = 3, kName = 4;
}
namespace tensor {
constexpr Field kShape = 0, kType = 1, kBuffer = 2, kName = 3, kQuantization = 4, kIsVariable = 5,
                kSparsity = 6, kSignature = 7, kVariants = 9, kExternalBuffer = 10;
}
namespace quantization {
constexpr Field kScale = 2, kZeroPoint = 3, kAxis = 6;
}
namespace op {
constexpr Field kCode = 0, kInputs = 1, kOutputs = 2, kOptions = 4;
}
namespace buffer {
constexpr Field kData = 0, kOffset = 1, kSize = 2;
}

/// Custom operators have this code.
constexpr std::int32_t kCustom = 32;

Shape extents(std::span<const std::int32_t> list, const std::string& where) {
  if (list.size() > kMostAxes)
    fail(where, fmt::format("{} axes", list.size()), fmt::format("at most {}", kMostAxes));
  return {list.begin(), list.end()};
}

std::vector<std::int32_t> indices(std::span<const std::int32_t> list, std::size_t count, std::int32_t least,
                                  const std::string& where) {
  for (const auto index : list) {
    if (index < least || (index >= 0 && static_cast<std::size_t>(index) >= count))
      fail(where, fmt::format("tensor {}", index), fmt::format("tensors 0 to {}", count));
  }
  return {list.begin(), list.end()};
}

Quantization read_quantization(const Table& table, const std::string& where) {
  const auto inner = table.table(tensor::kQuantization);
  if (!inner) return {};
  Quantization read{inner->list<float>(quantization::kScale),
                    inner->list<std::int64_t>(quantization::kZeroPoint),
                    inner->scalar<std::int32_t>(quantization::kAxis, 0)};
  if (!read.zero_points.empty() && read.zero_points.size() != read.scales.size())
    fail(where, fmt::format("{} zero points", read.zero_points.size()),
         fmt::format("as many as scales, {}", read.scales.size()));
  return read;
}

/// The constant data of each buffer; empty for those of activations.
std::vector<std::span<const std::byte>> read_buffers(const Table& root, const std::string& file) {
  std::vector<std::span<const std::byte>> all;
  for (const auto& table : root.tables(model::kBuffers)) {
    if (table.scalar<std::uint64_t>(buffer::kOffset, 0) > 1 ||
        table.scalar<std::uint64_t>(buffer::kSize, 0) > 1)
      fail(fmt::format("{}: buffer {}", file, all.size()), "data outside the FlatBuffer",
           "files below 2 GB with their data inside");
    all.push_back(std::as_bytes(table.list<std::uint8_t>(buffer::kData)));
  }
  return all;
}

TensorRecord read_tensor(const Table& table, const std::vector<std::span<const std::byte>>& buffers,
                         const std::string& file, std::size_t index) {
  TensorRecord record;
  record.name = table.text(tensor::kName);
  const auto where = fmt::format("{}: tensor {} {}", file, index, in_quotes(record.name));
  record.shape = extents(table.list<std::int32_t>(tensor::kShape), where);
  record.signature = extents(table.list<std::int32_t>(tensor::kSignature), where);
  record.type = static_cast<ElementType>(table.scalar<std::int8_t>(tensor::kType, 0));
  record.is_variable = table.scalar<std::uint8_t>(tensor::kIsVariable, 0) != 0;
  record.is_sparse = table.has(tensor::kSparsity) || table.has(tensor::kVariants);
  record.quantization = read_quantization(table, where);
  const auto number = table.scalar<std::uint32_t>(tensor::kBuffer, 0);
  if (number >= buffers.size() && number != 0)
    fail(where, fmt::format("buffer {}", number), fmt::format("buffers 0 to {}", buffers.size()));
  if (number < buffers.size()) record.data = buffers[number];
  if (table.scalar<std::uint32_t>(tensor::kExternalBuffer, 0) != 0)
    fail(where, "data in another file", "files that hold their own data");
  return record;
}

std::int32_t code_of(const Table& table) {
  return std::max<std::int32_t>(table.scalar<std::int8_t>(code::kShortCode, 0),
                                table.scalar<std::int32_t>(code::kCode, 0));
}

OperatorRecord read_operator(const Table& table, const std::vector<Table>& codes, const FileRecord& file,
                             std::span<const std::byte> bytes) {
  const auto where = fmt::format("{}: operator {}", file.file, file.operators.size());
  const auto number = table.scalar<std::uint32_t>(op::kCode, 0);
  if (number >= codes.size())
    fail(where, fmt::format("operator code {}", number), fmt::format("0 to {}", codes.size()));
  OperatorRecord record;
  record.code = code_of(codes[number]);
  record.op = operator_name(record.code);
  if (record.code == kCustom) record.op += " " + in_quotes(codes[number].text(code::kCustomName));
  const auto count = file.tensors.size();
  record.inputs = indices(table.list<std::int32_t>(op::kInputs), count, -1, where);
  record.outputs = indices(table.list<std::int32_t>(op::kOutputs), count, 0, where);
  if (const auto options = table.table(op::kOptions)) {
    const auto* start = reinterpret_cast<const std::uint8_t*>(bytes.data());
    record.options = Options(bytes, static_cast<std::size_t>(options->position() - start));
  }
  return record;
}

/// Lists that many tables share would make a small file a large network.
void limit_total(std::size_t& total, std::size_t more, const FileRecord& file) {
  total += more;
  if (total > file.byte_count + 1024)
    fail(file.file, "lists of more entries than the file has bytes", "lists that are not shared");
}

void read_subgraph(const Table& root, const Table& graph, std::span<const std::byte> bytes,
                   FileRecord& file) {
  const auto buffers = read_buffers(root, file.file);
  const auto codes = root.tables(model::kOperatorCodes);
  std::size_t total = 0;
  file.name = graph.text(subgraph::kName);
  const auto tensors = graph.tables(subgraph::kTensors);
  limit_total(total, tensors.size(), file);
  for (const auto& table : tensors)
    file.tensors.push_back(read_tensor(table, buffers, file.file, file.tensors.size()));
  const auto count = file.tensors.size();
  file.inputs = indices(graph.list<std::int32_t>(subgraph::kInputs), count, 0, file.file + ": inputs");
  file.outputs = indices(graph.list<std::int32_t>(subgraph::kOutputs), count, 0, file.file + ": outputs");
  for (const auto& table : graph.tables(subgraph::kOperators)) {
    auto record = read_operator(table, codes, file, bytes);
    limit_total(total, record.inputs.size() + record.outputs.size() + 1, file);
    file.operators.push_back(std::move(record));
  }
}

/// Runs `read` on the table of `options`, which is in the file.
template <typename Read>
auto with_table(std::span<const std::byte> file, std::size_t position, Read read) {
  Verified verified(file, "operator's options");
  return read(Table(verified, reinterpret_cast<const flatbuffers::Table*>(file.data() + position)));
}

/// In the order of their codes.
constexpr std::string_view kOperators[] = {"ADD",
                                           "AVERAGE_POOL_2D",
                                           "CONCATENATION",
                                           "CONV_2D",
                                           "DEPTHWISE_CONV_2D",
                                           "DEPTH_TO_SPACE",
                                           "DEQUANTIZE",
                                           "EMBEDDING_LOOKUP",
                                           "FLOOR",
                                           "FULLY_CONNECTED",
                                           "HASHTABLE_LOOKUP",
                                           "L2_NORMALIZATION",
                                           "L2_POOL_2D",
                                           "LOCAL_RESPONSE_NORMALIZATION",
                                           "LOGISTIC",
                                           "LSH_PROJECTION",
                                           "LSTM",
                                           "MAX_POOL_2D",
                                           "MUL",
                                           "RELU",
                                           "RELU_N1_TO_1",
                                           "RELU6",
                                           "RESHAPE",
                                           "RESIZE_BILINEAR",
                                           "RNN",
                                           "SOFTMAX",
                                           "SPACE_TO_DEPTH",
                                           "SVDF",
                                           "TANH",
                                           "CONCAT_EMBEDDINGS",
                                           "SKIP_GRAM",
                                           "CALL",
                                           "CUSTOM",
                                           "EMBEDDING_LOOKUP_SPARSE",
                                           "PAD",
                                           "UNIDIRECTIONAL_SEQUENCE_RNN",
                                           "GATHER",
                                           "BATCH_TO_SPACE_ND",
                                           "SPACE_TO_BATCH_ND",
                                           "TRANSPOSE",
                                           "MEAN",
                                           "SUB",
                                           "DIV",
                                           "SQUEEZE",
                                           "UNIDIRECTIONAL_SEQUENCE_LSTM",
                                           "STRIDED_SLICE",
                                           "BIDIRECTIONAL_SEQUENCE_RNN",
                                           "EXP",
                                           "TOPK_V2",
                                           "SPLIT",
                                           "LOG_SOFTMAX",
                                           "DELEGATE",
                                           "BIDIRECTIONAL_SEQUENCE_LSTM",
                                           "CAST",
                                           "PRELU",
                                           "MAXIMUM",
                                           "ARG_MAX",
                                           "MINIMUM",
                                           "LESS",
                                           "NEG",
                                           "PADV2",
                                           "GREATER",
                                           "GREATER_EQUAL",
                                           "LESS_EQUAL",
                                           "SELECT",
                                           "SLICE",
                                           "SIN",
                                           "TRANSPOSE_CONV",
                                           "SPARSE_TO_DENSE",
                                           "TILE",
                                           "EXPAND_DIMS",
                                           "EQUAL",
                                           "NOT_EQUAL",
                                           "LOG",
                                           "SUM",
                                           "SQRT",
                                           "RSQRT",
                                           "SHAPE",
                                           "POW",
                                           "ARG_MIN",
                                           "FAKE_QUANT",
                                           "REDUCE_PROD",
                                           "REDUCE_MAX",
                                           "PACK",
                                           "LOGICAL_OR",
                                           "ONE_HOT",
                                           "LOGICAL_AND",
                                           "LOGICAL_NOT",
                                           "UNPACK",
                                           "REDUCE_MIN",
                                           "FLOOR_DIV",
                                           "REDUCE_ANY",
                                           "SQUARE",
                                           "ZEROS_LIKE",
                                           "FILL",
                                           "FLOOR_MOD",
                                           "RANGE",
                                           "RESIZE_NEAREST_NEIGHBOR",
                                           "LEAKY_RELU",
                                           "SQUARED_DIFFERENCE",
                                           "MIRROR_PAD",
                                           "ABS",
                                           "SPLIT_V",
                                           "UNIQUE",
                                           "CEIL",
                                           "REVERSE_V2",
                                           "ADD_N",
                                           "GATHER_ND",
                                           "COS",
                                           "WHERE",
                                           "RANK",
                                           "ELU",
                                           "REVERSE_SEQUENCE",
                                           "MATRIX_DIAG",
                                           "QUANTIZE",
                                           "MATRIX_SET_DIAG",
                                           "ROUND",
                                           "HARD_SWISH",
                                           "IF",
                                           "WHILE",
                                           "NON_MAX_SUPPRESSION_V4",
                                           "NON_MAX_SUPPRESSION_V5",
                                           "SCATTER_ND",
                                           "SELECT_V2",
                                           "DENSIFY",
                                           "SEGMENT_SUM",
                                           "BATCH_MATMUL",
                                           "PLACEHOLDER_FOR_GREATER_OP_CODES",
                                           "CUMSUM",
                                           "CALL_ONCE",
                                           "BROADCAST_TO",
                                           "RFFT2D",
                                           "CONV_3D",
                                           "IMAG",
                                           "REAL",
                                           "COMPLEX_ABS",
                                           "HASHTABLE",
                                           "HASHTABLE_FIND",
                                           "HASHTABLE_IMPORT",
                                           "HASHTABLE_SIZE",
                                           "REDUCE_ALL",
                                           "CONV_3D_TRANSPOSE",
                                           "VAR_HANDLE",
                                           "READ_VARIABLE",
                                           "ASSIGN_VARIABLE",
                                           "BROADCAST_ARGS",
                                           "RANDOM_STANDARD_NORMAL",
                                           "BUCKETIZE",
                                           "RANDOM_UNIFORM",
                                           "MULTINOMIAL",
                                           "GELU",
                                           "DYNAMIC_UPDATE_SLICE",
                                           "RELU_0_TO_1",
                                           "UNSORTED_SEGMENT_PROD",
                                           "UNSORTED_SEGMENT_MAX",
                                           "UNSORTED_SEGMENT_SUM",
                                           "ATAN2",
                                           "UNSORTED_SEGMENT_MIN",
                                           "SIGN",
                                           "BITCAST",
                                           "BITWISE_XOR",
                                           "RIGHT_SHIFT",
                                           "STABLEHLO_LOGISTIC",
                                           "STABLEHLO_ADD",
                                           "STABLEHLO_DIVIDE",
                                           "STABLEHLO_MULTIPLY",
                                           "STABLEHLO_MAXIMUM",
                                           "STABLEHLO_RESHAPE",
                                           "STABLEHLO_CLAMP",
                                           "STABLEHLO_CONCATENATE",
                                           "STABLEHLO_BROADCAST_IN_DIM",
                                           "STABLEHLO_CONVOLUTION",
                                           "STABLEHLO_SLICE",
                                           "STABLEHLO_CUSTOM_CALL",
                                           "STABLEHLO_REDUCE",
                                           "STABLEHLO_ABS",
                                           "STABLEHLO_AND",
                                           "STABLEHLO_COSINE",
                                           "STABLEHLO_EXPONENTIAL",
                                           "STABLEHLO_FLOOR",
                                           "STABLEHLO_LOG",
                                           "STABLEHLO_MINIMUM",
                                           "STABLEHLO_NEGATE",
                                           "STABLEHLO_OR",
                                           "STABLEHLO_POWER",
                                           "STABLEHLO_REMAINDER",
                                           "STABLEHLO_RSQRT",
                                           "STABLEHLO_SELECT",
                                           "STABLEHLO_SUBTRACT",
                                           "STABLEHLO_TANH",
                                           "STABLEHLO_SCATTER",
                                           "STABLEHLO_COMPARE",
                                           "STABLEHLO_CONVERT",
                                           "STABLEHLO_DYNAMIC_SLICE",
                                           "STABLEHLO_DYNAMIC_UPDATE_SLICE",
                                           "STABLEHLO_PAD",
                                           "STABLEHLO_IOTA",
                                           "STABLEHLO_DOT_GENERAL",
                                           "STABLEHLO_REDUCE_WINDOW",
                                           "STABLEHLO_SORT",
                                           "STABLEHLO_WHILE",
                                           "STABLEHLO_GATHER",
                                           "STABLEHLO_TRANSPOSE",
                                           "DILATE",
                                           "STABLEHLO_RNG_BIT_GENERATOR",
                                           "REDUCE_WINDOW",
                                           "STABLEHLO_COMPOSITE",
                                           "STABLEHLO_SHIFT_LEFT",
                                           "STABLEHLO_CBRT",
                                           "STABLEHLO_CASE"};

}  // namespace

std::string name_of(ElementType type) {
  static constexpr std::array kNames = {
      "FLOAT32", "FLOAT16",   "INT32",  "UINT8",   "INT64",      "STRING", "BOOL",
      "INT16",   "COMPLEX64", "INT8",   "FLOAT64", "COMPLEX128", "UINT64", "RESOURCE",
      "VARIANT", "UINT32",    "UINT16", "INT4",    "BFLOAT16",   "INT2",   "UINT4"};
  const auto number = static_cast<std::size_t>(type);
  return number < kNames.size() ? kNames[number] : fmt::format("type {}", number);
}

bool is_quantized(ElementType type) {
  constexpr auto kInt4 = ElementType{17};
  return type == ElementType::int8 || type == ElementType::uint8 || type == ElementType::int16 ||
         type == kInt4;
}

std::int64_t Options::byte(std::uint16_t field, std::int64_t fallback) const {
  if (!position_) return fallback;
  return with_table(file_, *position_, [=](const Table& table) {
    return std::int64_t{table.scalar<std::int8_t>(field, static_cast<std::int8_t>(fallback))};
  });
}

std::int64_t Options::integer(std::uint16_t field, std::int64_t fallback) const {
  if (!position_) return fallback;
  return with_table(file_, *position_, [=](const Table& table) {
    return std::int64_t{table.scalar<std::int32_t>(field, static_cast<std::int32_t>(fallback))};
  });
}

bool Options::boolean(std::uint16_t field) const { return byte(field) != 0; }

double Options::number(std::uint16_t field, double fallback) const {
  if (!position_) return fallback;
  return with_table(file_, *position_, [=](const Table& table) {
    return double{table.scalar<float>(field, static_cast<float>(fallback))};
  });
}

std::vector<std::int64_t> Options::integers(std::uint16_t field) const {
  if (!position_) return {};
  return with_table(file_, *position_, [=](const Table& table) {
    const auto list = table.list<std::int32_t>(field);
    return std::vector<std::int64_t>(list.begin(), list.end());
  });
}

bool has_identifier(std::span<const std::byte> bytes) {
  return bytes.size() >= 8 && std::memcmp(bytes.data() + 4, "TFL3", 4) == 0;
}

FileRecord parse_file(std::span<const std::byte> bytes, const std::string& file) {
  if (!has_identifier(bytes)) fail(file, "no TensorFlow Lite file", "a FlatBuffer with the identifier TFL3");
  if (bytes.size() >= FLATBUFFERS_MAX_BUFFER_SIZE) fail(file, "more than 2 GB", "what a FlatBuffer can hold");
  Verified verified(bytes, file);
  verified.expect(verified.verifier.VerifyOffset(0) != 0);
  const Table root(verified, flatbuffers::GetRoot<flatbuffers::Table>(bytes.data()));
  const auto version = root.scalar<std::uint32_t>(model::kVersion, 0);
  if (version != 3) fail(file, fmt::format("schema version {}", version), "version 3");
  const auto graphs = root.tables(model::kSubgraphs);
  if (graphs.empty()) fail(file, "no graph");
  FileRecord record;
  record.file = file;
  record.byte_count = bytes.size();
  record.description = root.text(model::kDescription);
  read_subgraph(root, graphs.front(), bytes, record);
  return record;
}

std::vector<std::byte> aligned_copy(std::span<const std::byte> bytes) {
  if (reinterpret_cast<std::uintptr_t>(bytes.data()) % 16 == 0) return {};
  return {bytes.begin(), bytes.end()};
}

const TensorRecord* quantized_tensor(const FileRecord& file) {
  auto made = file.inputs;
  for (const auto& record : file.operators)
    made.insert(made.end(), record.outputs.begin(), record.outputs.end());
  for (const auto index : made) {
    const auto& tensor = file.tensors[static_cast<std::size_t>(index)];
    if (is_quantized(tensor.type) && !tensor.quantization.scales.empty()) return &tensor;
  }
  return nullptr;
}

std::string operator_name(std::int32_t code) {
  const auto at = static_cast<std::size_t>(code);
  return code >= 0 && at < std::size(kOperators) ? std::string(kOperators[at])
                                                 : fmt::format("operator {}", code);
}

std::int32_t operator_code(std::string_view name) {
  const auto found = std::find(std::begin(kOperators), std::end(kOperators), name);
  return found == std::end(kOperators) ? -1 : static_cast<std::int32_t>(found - std::begin(kOperators));
}

}  // namespace compress::tflite
