// One layer of the C writer: a function whose body is a constant struct of settings and the call of a kernel.
// Every operator has a lower() here, defined in the file of its family.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "libcompress/export/c_network.h"

namespace compress {

/// Kernels index with int32; no microcontroller comes near.
inline constexpr std::int64_t kMostCBytes = std::int64_t{1} << 30;

/// Whether the sum of two products of inputs with these weights fits 16 bits.
bool pairs_fit_16_bits(const QValue& weights);

/// By at least one bit.
bool all_shift_right(const std::vector<Requantization>& scales);

/// Makes the layers of one graph.
class LayerWriter {
 public:
  LayerWriter(CNetwork& network, const QuantizedGraph& sized, CForm form)
      : network_(network), graph_(sized), form_(form) {}

  CLayer run(std::size_t position);

 private:
  using Fields = std::vector<std::pair<std::string, std::string>>;

  // The body of the layer function; each sets title_.
  // weighted.cpp
  std::string lower(const QConv& conv);
  std::string lower(const QLinear& linear);
  // pools.cpp
  std::string lower(const QMaxPool& op);
  std::string lower(const QAvgPool& op);
  std::string lower(const QMean& mean);
  // elementwise.cpp
  std::string lower(const QAdd& add);
  std::string lower(const QMul& mul);
  std::string lower(const QRequantize& op);
  std::string lower(const QTable& table);
  std::string lower(const QSoftmax& softmax);
  // movement.cpp
  std::string lower(const QConcat& concat);
  std::string lower(const QTranspose& transpose);
  std::string lower(const QReshape&);
  std::string lower(const QPad& pad);
  std::string lower(const QSlice& slice);
  std::string lower(const QResize& resize);

  // wide.cpp: of activations of 16 bits; nullopt for what only moves bytes
  std::optional<std::string> lower_wide(const QConv& conv);
  std::optional<std::string> lower_wide(const QLinear& linear);
  std::optional<std::string> lower_wide(const QMaxPool& op);
  std::optional<std::string> lower_wide(const QAvgPool& op);
  std::optional<std::string> lower_wide(const QAdd& add);
  std::optional<std::string> lower_wide(const QRequantize& op);
  std::optional<std::string> lower_wide(const QPad& pad);
  template <typename Op>
  std::optional<std::string> lower_wide(const Op&) {
    return std::nullopt;
  }
  std::string wide_pool(const std::string& kernel, const std::string& noun, const Window& window,
                        std::int32_t lowest, std::int32_t highest);

  // packed.cpp: for the DSP extension, where packs()
  std::string lower_packed(const QConv& conv);
  std::string lower_packed(const QLinear& linear);
  bool has_dsp() const { return network_.request.instructions >= InstructionSet::dsp; }

  // vector.cpp: for MVE, of one group
  std::string lower_vector(const QConv& conv);
  std::string lower_vector(const QLinear& linear, bool rounds_once);
  std::string lower_vector_depthwise(const QConv& conv);
  std::string vector_layer(const std::string& kernel, const QConv& conv, Fields fields,
                           std::vector<std::int8_t> weights, const std::string& layout);
  bool has_vectors() const { return network_.request.instructions >= InstructionSet::mve; }

  // What several of them need (layer_writer.cpp; pool, operand, repeats, spread and copy with their family).
  const QValue& value(std::size_t input) const { return graph_.value(node_->inputs[input]); }
  const QValue& output() const { return graph_.value(node_->output); }
  /// "NAME_text".
  std::string prefixed(std::string_view text) const;
  /// "03_conv2": unique by the position.
  std::string stem() const;
  [[noreturn]] void refuse(const std::string& found, const std::string& allowed) const;
  void check_size() const;
  std::string parameters() const;
  bool is_wide() const;  ///< whether it reads or makes activations of 16 bits
  std::int64_t element_bytes() const { return static_cast<std::int64_t>(size_of(output().dtype)); }
  bool sums() const { return std::holds_alternative<QAvgPool>(node_->op); }
  std::string constant(CConstant constant, const std::string& kind, const std::string& layout);
  Fields weight_fields(std::vector<std::int8_t> weights, const std::string& layout,
                       const std::vector<Requantization>& requantization);
  std::pair<std::string, std::string> window_field(const Window& window) const;
  /// Settings that begin with the window, which takes lines of its own.
  std::string window_settings(const std::string& type, const Window& window, const Fields& fields) const;
  std::string call(const std::string& kernel) const;
  /// Of a kernel that comes in all forms.
  std::string call_windowed(const std::string& kernel);
  std::string pool(const std::string& kernel, const std::string& noun, const Window& window,
                   std::int32_t lowest, std::int32_t highest);
  /// The C name of an operand: a parameter of the layer function, or a constant.
  std::string operand(std::size_t i);
  bool repeats() const;
  /// Axes along which both operands go on as before are one.
  std::string spread() const;
  /// From the caller's input to the caller's output, the one case in which such a layer must do something.
  std::string copy() const;

  static Fields number_fields(std::initializer_list<std::pair<const char*, std::int64_t>> numbers);
  static void append(Fields& fields, const Fields& more);
  /// "  static const NAME_conv_layer layer = {...};", wrapped.
  static std::string settings(const std::string& type, const Fields& fields);
  /// "{1, 1, 3, 4}": an initializer of four, `filler` before those of the list.
  static std::string braces(std::vector<std::int64_t> list, std::int64_t filler);
  Fields pad_fields(const QPad& pad);  ///< and the title
  /// Bytes from an index of an axis of the input to the next one.
  std::vector<std::int64_t> byte_strides() const;
  /// Elements taken by a step of so many bytes along each axis of the output, from an offset on.
  std::string strided(const std::vector<std::int64_t>& strides, std::int64_t offset);
  static std::string describe(const Window& window);
  std::string clamp_note(std::int32_t lowest, std::int32_t highest) const;

  CNetwork& network_;
  const QuantizedGraph& graph_;  ///< with the shapes that the functions see
  CForm form_;
  const QNode* node_ = nullptr;
  std::string position_;  ///< of the node, from "01"
  std::string title_;     ///< set by lower()
};

}  // namespace compress
