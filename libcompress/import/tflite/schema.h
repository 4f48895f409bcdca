// TensorFlow Lite files as FlatBuffers lay them out: tables of numbered fields, each checked by FlatBuffers'
// verifier before it is read. Only what this project uses of the schema (version 3) is here.
//
// Everything refers to the bytes of the file, which must outlive it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "libcompress/graph/tensor.h"

namespace compress::tflite {

/// What the schema calls TensorType, as far as it matters here.
enum class ElementType : std::uint8_t {
  float32 = 0,
  float16 = 1,
  int32 = 2,
  uint8 = 3,
  int64 = 4,
  boolean = 6,
  int16 = 7,
  int8 = 9,
  float64 = 10,
};
/// "FLOAT32", "INT8"; "type 42" for what the schema does not have.
std::string name_of(ElementType type);
/// A type of values that stand for others by a scale, or could.
bool is_quantized(ElementType type);

/// The table of an operator's settings. A field that is absent, or a table that is, gives the fallback; one
/// that does not lie within the file is an Error of kind input.
class Options {
 public:
  Options() = default;
  /// A table at `position`, verified so far that it lies in the file.
  Options(std::span<const std::byte> file, std::size_t position) : file_(file), position_(position) {}

  std::int64_t byte(std::uint16_t field, std::int64_t fallback = 0) const;
  std::int64_t integer(std::uint16_t field, std::int64_t fallback = 0) const;
  bool boolean(std::uint16_t field) const;
  double number(std::uint16_t field, double fallback = 0) const;
  std::vector<std::int64_t> integers(std::uint16_t field) const;

 private:
  std::span<const std::byte> file_;
  std::optional<std::size_t> position_;
};

/// How stored integers stand for numbers: scale * (stored - zero point), one pair or one an index of `axis`.
struct Quantization {
  std::span<const float> scales;
  std::span<const std::int64_t> zero_points;
  std::int64_t axis = 0;
};

struct TensorRecord {
  std::string_view name;
  Shape shape;      ///< 1 where an extent is open
  Shape signature;  ///< -1 where an extent is open; empty if none is
  ElementType type{};
  std::span<const std::byte> data;  ///< of a constant; empty for what is computed
  bool is_variable = false;
  bool is_sparse = false;
  Quantization quantization{};
};

struct OperatorRecord {
  std::int32_t code = 0;
  std::string op;                    ///< "CONV_2D"; "CUSTOM 'its name'"
  std::vector<std::int32_t> inputs;  ///< tensors; -1 for an optional one left out
  std::vector<std::int32_t> outputs;
  Options options{};
};

/// The first subgraph, which is the network; others belong to control flow.
struct FileRecord {
  std::string file;  ///< opens every message
  std::size_t byte_count = 0;
  std::string_view name;
  std::string_view description;
  std::vector<TensorRecord> tensors;
  std::vector<std::int32_t> inputs;
  std::vector<std::int32_t> outputs;
  std::vector<OperatorRecord> operators;
};

/// Whether the bytes carry the identifier of TensorFlow Lite files, "TFL3" at byte 4.
bool has_identifier(std::span<const std::byte> bytes);

/// Error of kind input for whatever does not lie within the bytes or refers to what is not there, and for
/// data outside the FlatBuffer.
FileRecord parse_file(std::span<const std::byte> bytes, const std::string& file);

/// FlatBuffers are read in place, so their first byte must be aligned as their numbers are: a copy of bytes
/// that are not, nothing for those that are.
std::vector<std::byte> aligned_copy(std::span<const std::byte> bytes);

/// The first tensor, fed or made by an operator, whose integers have a scale; nullptr if there is none.
const TensorRecord* quantized_tensor(const FileRecord& file);

/// "CONV_2D" for 3; "operator 999" for a code that the schema does not have.
std::string operator_name(std::int32_t code);
/// The code of `name`; -1 if there is none.
std::int32_t operator_code(std::string_view name);

}  // namespace compress::tflite
