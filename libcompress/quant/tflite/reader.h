// Reads the operators of a quantized TensorFlow Lite file; the public entry is tflite_network.h. Every
// operator has a function here, defined in the file of its family and found by rows().
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "libcompress/import/tflite/schema.h"
#include "libcompress/quant/quantized_graph.h"

namespace compress {

class QuantizedTfliteReader {
 public:
  /// `file` outlives the reader.
  QuantizedTfliteReader(const tflite::FileRecord& file, const std::string& profile);

  /// Error of kind input naming the operator or tensor that is wrong or has no 8-bit form.
  QuantizedGraph run();

 private:
  using FileRecord = tflite::FileRecord;
  using OperatorRecord = tflite::OperatorRecord;
  using TensorRecord = tflite::TensorRecord;
  using ElementType = tflite::ElementType;

  using Read = void (QuantizedTfliteReader::*)();
  struct Row {
    std::string_view op;
    Read read;
    std::size_t inputs;   ///< at least
    bool splits = false;  ///< has one output or more
  };
  static const std::vector<Row>& rows();

  // weighted.cpp
  /// Where settings lie that only some operators with a window have.
  struct WindowFields {
    std::uint16_t activation;
    std::uint16_t dilation;  ///< its width's; the height's is behind it; 0 if there is none
  };
  /// What a weight becomes depends on the operator.
  enum class Form { conv, depthwise, linear };
  void conv() { convolution(Form::conv, {.activation = 3, .dilation = 4}); }
  void depthwise_conv() { convolution(Form::depthwise, {.activation = 4, .dilation = 5}); }
  /// Without keep_num_dims all axes but the features become one.
  void fully_connected();
  void convolution(Form form, const WindowFields& fields);
  template <typename Op>
  void emit_weighted(Op op, Form form, QValueId x, std::uint16_t activation);
  /// Input 1.
  QValueId weight(Form form, const std::string& node);
  /// Input 2, or zeros. Its scales are those of the products that it is added to; a file that says otherwise
  /// means another network than LiteRT runs. Behind 16 bits it has 64: LiteRT adds others up wrong.
  QValueId bias(const QValue& input, const QValue& weight, const std::string& node);
  /// Before the bias and the factors of a layer are made.
  void charge(const Shape& weights);
  /// The scales of weights with the outputs along `axis`: one, or one an output.
  std::vector<float> weight_scales(const TensorRecord& record, std::size_t axis) const;
  // pools.cpp
  template <typename Op>
  void pool();
  void mean();
  // elementwise.cpp
  void add() { sum(false); }
  void sub() { sum(true); }
  void sum(bool subtract);
  void mul();
  /// For 16 bits TensorFlow Lite has a second sum, of scales that are powers of 2.
  void check_add(const QValue& output, std::array<QValueId, 2> inputs) const;
  struct Operands {
    QValueId left, right, output;
  };
  Operands operands();
  /// Input `i` as an operand of a value with `rank` axes: an activation, or a constant of one scale.
  QValueId operand(std::size_t i, std::size_t rank);
  void logistic() { table("sigmoid"); }
  void tanh() { table("tanh"); }
  void hard_swish() { table("hard_swish"); }
  void elu() { table("elu"); }
  void gelu() { table(options().boolean(0) ? "gelu_tanh" : "gelu"); }
  void leaky_relu() { table("leaky_relu", static_cast<float>(options().number(0))); }
  void table(const std::string& function, float parameter = 0);
  void softmax();
  /// Of a float input of the network: the network begins behind it.
  void quantize();
  /// Before a float output of the network: the network ends before it.
  void dequantize();
  void relu() { clamp(0, kUnlimited); }
  void relu6() { clamp(0, 6); }
  void relu_0_to_1() { clamp(0, 1); }
  void relu_n1_to_1() { clamp(-1, 1); }
  /// An activation by itself. TensorFlow Lite divides the scales as floats; its version for microcontrollers
  /// leaves out the other scale of all but RELU.
  void clamp(float low, float high);
  void maximum() { bound(&QRequantize::clamp_min); }
  void minimum() { bound(&QRequantize::clamp_max); }
  /// With a number: a clamp of the levels. Both sides have one scale.
  void bound(std::int32_t QRequantize::* end);
  /// The constant of one element in input `i`.
  std::int32_t one_level(std::size_t i, DType dtype) const;
  // movement.cpp
  void concat();
  void transpose();
  /// To the shape that the file declares for the output.
  void reshape();
  QValueId rows_of(QValueId x, Shape shape);
  void slice();
  void strided_slice();
  /// Parts of one axis, one an output.
  void split();
  void resize_nearest();
  void pad() { emit_pad(static_cast<std::int32_t>(tensor_zero_point())); }
  void pad_v2();
  void emit_pad(std::int32_t level);
  std::int32_t tensor_zero_point() { return value(activation(input(0))).zero_point; }

  // ---- The file

  [[noreturn]] static void fail(const std::string& where, std::string found, std::string allowed,
                                std::string remedy = "");
  const TensorRecord& tensor(std::int32_t index) const;
  static std::string where(const TensorRecord& record);
  std::string where() const;
  [[noreturn]] void refuse(std::string found, std::string allowed, std::string remedy = "") const;
  bool has(std::size_t i) const { return i < record_->inputs.size() && record_->inputs[i] >= 0; }
  std::int32_t input(std::size_t i) const;
  std::int32_t output() const { return record_->outputs[0]; }
  const tflite::Options& options() const { return record_->options; }
  void read(const OperatorRecord& record);

  // ---- Values

  /// Counting on where the last of that name stopped: files may have many of one name.
  std::string unique_name(const std::string& wanted);
  QValueId append(QValue value);
  static void check_scales(const TensorRecord& record);
  /// Operators that the converter fused carry all their names, separated by semicolons.
  static std::string name_of_activation(const TensorRecord& record);
  QValueId activation(std::int32_t index);
  /// The constant in input `i`, with the bytes that its shape asks for.
  const TensorRecord& constant(std::size_t i, ElementType type, std::size_t size) const;
  static Tensor tensor_of(const TensorRecord& record, DType type, Shape shape);
  std::vector<std::int32_t> integers(std::size_t i) const;

  // ---- Nodes

  const QValue& value(QValueId id) const { return graph_.value(id); }
  void emit(QOp op, std::vector<QValueId> inputs, QValueId output);
  QValueId make_output() { return activation(output()); }
  static constexpr float kUnlimited = std::numeric_limits<float>::infinity();
  /// Those that may be fused, by their numbers in the schema.
  static constexpr std::int64_t kNone = 0, kRelu = 1, kReluN1To1 = 2, kRelu6 = 3;
  void check_activation(std::int64_t activation) const;
  template <typename Op>
  void set_clamp(Op& op, const QValue& output, std::int64_t activation) const {
    check_activation(activation);
    limit(op, output, -kUnlimited, kUnlimited);
    if (activation == kRelu) limit(op, output, 0, kUnlimited);
    if (activation == kReluN1To1) limit(op, output, -1, 1);
    if (activation == kRelu6) limit(op, output, 0, 6);
  }
  template <typename Op>
  static void limit(Op& op, const QValue& output, float low, float high) {
    op.clamp_min = clamp_level(output, low);
    op.clamp_max = clamp_level(output, high);
  }
  /// As verify() has it: window arithmetic stays far from overflow.
  static constexpr std::int64_t kLargestSetting = 1 << 20;
  std::int32_t setting(std::int64_t number, const char* what) const;
  /// SAME puts the smaller half of what it needs before the image.
  Window window(const Shape& image, std::array<std::int64_t, 2> kernel, std::uint16_t dilation) const;
  bool is_constant(std::size_t i) const { return !tensor(input(i)).data.empty(); }
  static Shape aligned(const Shape& shape, std::size_t rank);

  const FileRecord& file_;
  QuantizedGraph graph_;
  const OperatorRecord* record_ = nullptr;
  std::size_t skipped_ = 0;  ///< operators that made no node
  std::set<std::string> names_;
  std::map<std::string, std::size_t> used_;                    ///< how often a name was wanted again
  std::int64_t outputs_ = 0, weighed_ = 0;                     ///< charged
  std::map<std::int32_t, QValueId> activations_;               ///< by tensor
  std::map<std::pair<std::int32_t, Form>, QValueId> weights_;  ///< by tensor
  std::set<std::int32_t> float_inputs_;                        ///< tensors not yet quantized
  std::map<std::int32_t, std::int32_t> dequantized_;           ///< float tensor to its integers
};

}  // namespace compress
