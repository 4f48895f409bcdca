// Writes a quantized graph as a TensorFlow Lite file; the public entry is tflite_writer.h. Every operator has
// a write() here, defined in the file of its family.
#pragma once

#include <flatbuffers/flatbuffers.h>

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "libcompress/import/tflite/schema.h"
#include "libcompress/quant/quantized_graph.h"

namespace compress {

class TfliteWriter {
 public:
  /// `graph` is verified, and outlives the writer.
  explicit TfliteWriter(const QuantizedGraph& graph);

  /// The file. Error of kind input naming the node that has no form in it.
  std::string run();

 private:
  using TableAt = flatbuffers::Offset<flatbuffers::Table>;
  using ElementType = tflite::ElementType;
  using Fill = std::function<void()>;

  /// Which member of the union BuiltinOptions an operator's settings are.
  enum class Settings : std::uint8_t {
    none = 0,
    conv = 1,
    depthwise = 2,
    pool = 5,
    linear = 8,
    softmax = 9,
    concat = 10,
    add = 11,
    mul = 21,
    reducer = 27,
    sub = 28,
    strided_slice = 32,
    resize_nearest = 74,
    leaky_relu = 75,
    gelu = 116,
  };

  /// An activation as the operator that does it alone.
  struct Activation {
    std::int8_t number;  ///< in the schema where it is fused; kAlone if it never is
    const char* op;
    std::int32_t version;  ///< of `op`, for int8
    float lowest, highest;
  };
  static constexpr std::int8_t kAlone = -1;
  static const Activation kActivations[5];
  struct Clamp {
    std::int32_t lowest, highest;
  };
  struct Padded {
    std::int32_t from;
    std::int8_t padding;
  };

  // weighted.cpp
  void write(const QConv& conv);
  void write(const QLinear& linear);
  // pools.cpp
  void write(const QMaxPool& pool);
  void write(const QAvgPool& pool);
  void write(const QMean& mean);
  void write_pool(const char* name, const Window& window, Clamp clamp, Padded from);
  // elementwise.cpp
  void write(const QAdd& add);
  void write(const QMul& mul);
  void write(const QTable& table);
  /// x * sigmoid(x)
  void write_silu(std::int32_t x, std::int32_t y);
  /// relu6(x + 3) / 6
  void write_hard_sigmoid(std::int32_t x, std::int32_t y);
  /// The number that 127 is in the scale `like`.
  std::int32_t largest_level(const std::string& what, const QValue& like);
  void write(const QSoftmax&);
  /// An activation by itself divides the scales as floats, QUANTIZE as doubles. Activations of TensorFlow
  /// Lite Micro know one scale.
  void write(const QRequantize& op);
  // movement.cpp
  void write(const QConcat& concat);
  void write(const QTranspose& transpose);
  void write(const QReshape&);
  void write(const QPad& pad);
  void write(const QSlice& slice);
  void write(const QResize& resize);

  // ---- What the families share

  [[noreturn]] void refuse(std::string found, std::string allowed, std::string remedy = "") const;
  const QValue& input(std::size_t i) const { return graph_.value(node_->inputs[i]); }
  const QValue& output() const { return graph_.value(node_->output); }
  static bool is_wide(const QValue& value) { return value.dtype == DType::int16; }
  /// The version of an operator that first takes what the node reads and makes.
  std::int32_t version(std::int32_t of_8_bits, std::int32_t of_16_bits) const;
  std::function<void(std::int8_t)> set_activation() {
    return [this](std::int8_t activation) { set(0, activation); };
  }
  /// An activation, or a constant.
  std::int32_t operand(std::size_t i);
  static bool is_same_padding(const Window& window, const Shape& image);
  static bool is_unpadded(const Window& window);
  /// A padding that is neither SAME nor VALID is an operator of its own, with `filler` around the image.
  Padded padded(const Window& window, std::int32_t filler);
  /// Padding and strides, which open the settings of all windows. Returns the next field.
  int set_window(std::int8_t padding, const Window& window);
  /// The activation that limits the output so; nullptr if there is none.
  const Activation* activation_for(Clamp clamp) const;
  /// An operator with a fused activation, whose number `settings` takes, or with operators behind it that
  /// limit the levels.
  void add_clamped(const std::string& name, std::int32_t version, const std::vector<std::int32_t>& inputs,
                   Clamp clamp, Settings kind, const std::function<void(std::int8_t)>& settings);
  std::int32_t unclamped() { return activation(output().name + ".unclamped", output().shape, output()); }
  void add_limits(std::int32_t from, Clamp clamp);
  /// One number of the output's scale.
  std::int32_t level(const std::string& what, std::int32_t number);
  std::int32_t level_like(const QValue& like, const std::string& what, std::int32_t number);
  static bool follows(const Requantization& stated, double factor);
  /// Readers of the file compute multipliers from its scales.
  void expect_multiplier(const Requantization& stated, double factor) const;

  // ---- Values

  static ElementType element_type(DType dtype);
  std::int32_t activation(const std::string& name, const Shape& shape, const QValue& like);
  std::int32_t tensor(QValueId id);
  std::int32_t constant(const QValue& value, const Tensor& data, std::int32_t axis);
  std::int32_t integers(const std::string& what, const std::vector<std::int32_t>& list, const Shape& shape);

  // ---- The file's tables

  static constexpr flatbuffers::voffset_t field(int number) {
    return static_cast<flatbuffers::voffset_t>(4 + 2 * number);
  }
  TableAt table(const Fill& fill);
  template <typename T>
  void set(int number, T scalar) {
    builder_.AddElement<T>(field(number), scalar, T{});
  }
  template <typename T>
  void set(int number, flatbuffers::Offset<T> at) {
    builder_.AddOffset(field(number), at);
  }
  TableAt buffer(std::span<const std::byte> data);
  TableAt quantization(const std::vector<float>& scales, std::int64_t zero_point, std::int32_t axis);
  std::int32_t add_tensor(const std::string& name, const Shape& shape, ElementType type,
                          std::span<const std::byte> data, std::optional<TableAt> quantized);
  TableAt subgraph(const std::vector<std::int32_t>& inputs, const std::vector<std::int32_t>& outputs);
  TableAt model(TableAt graph);
  void add_operator(const std::string& name, std::int32_t version, const std::vector<std::int32_t>& inputs,
                    std::int32_t to, Settings kind = Settings::none, const Fill& settings = {});

  const QuantizedGraph& graph_;
  const QNode* node_ = nullptr;
  flatbuffers::FlatBufferBuilder builder_;
  std::vector<std::int32_t> tensor_of_;  ///< by value; -1 where it has none yet
  std::vector<TableAt> buffers_, tensors_, operators_;
  std::vector<std::pair<std::string, std::int32_t>> codes_;  ///< operators and their versions
};

}  // namespace compress
