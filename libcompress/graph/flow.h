// What a coupling rule works with: cell ids flowing through one node.
//
// Every index of every axis of a parameter has a cell id. Ids travel with the data: an IdLayer gives each
// element of a value the id whose removal removes that element. A value carries zero or more layers (in
// mixers two axes are prunable at once); no layer means that nothing prunable reaches it. A rule reads the
// layers of its node's inputs, ties ids that must live or die together, and says which layers the output
// carries. What a rule does not understand it pins: pinned ids are never removed, and the reason is kept for
// the user.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "libcompress/graph/op.h"

namespace compress {

using CellId = std::int32_t;
constexpr CellId kNoCell = -1;  ///< an element that nothing removes (padding, a constant)

/// Ids of the elements of a value as a strided view. Stride 0 repeats: a layer that varies along one axis
/// costs as many ids as that axis has indices.
struct IdLayer {
  Shape shape;                        ///< of the value
  std::vector<std::int64_t> strides;  ///< in ids; 0 along axes on which the ids do not change
  std::shared_ptr<const std::vector<CellId>> cells;
  std::int64_t offset = 0;

  CellId at(const std::vector<std::int64_t>& index) const;
  /// The one axis along which the ids vary, or -1 if none does, or -2 if several do.
  int varying_axis() const;
  /// The ids along `axis` at index 0 of the others.
  std::vector<CellId> along(int axis) const;
  /// A layer that varies along `axis` only.
  static IdLayer along_axis(Shape shape, int axis, std::vector<CellId> cells);
};

using IdLayers = std::vector<IdLayer>;

/// The layer of `layers` that varies along `axis`, or nullptr.
const IdLayer* layer_along(const IdLayers& layers, int axis);

/// The view of one node that its coupling rule gets. Input positions are those of Node::inputs.
class IdFlow {
 public:
  virtual ~IdFlow() = default;

  virtual const Node& node() const = 0;
  virtual const Shape& input_shape(std::size_t input) const = 0;
  virtual const Shape& output_shape() const = 0;
  virtual std::size_t input_count() const = 0;

  /// Layers of an activation input.
  virtual const IdLayers& layers(std::size_t input) const = 0;

  /// Cell ids of the axis `dimension` of the parameter at position `input`.
  virtual std::vector<CellId> cells(std::size_t input, int dimension) const = 0;

  /// Ids that must live or die together. kNoCell on one side pins the other; on both sides it says nothing.
  virtual void tie(CellId a, CellId b) = 0;

  /// Never remove `cell`; `reason` is a clause for the user: "a softmax over channels needs them all".
  virtual void pin(CellId cell, const std::string& reason) = 0;
  virtual void pin(const IdLayer& layer, const std::string& reason) = 0;

  /// The cells of `layer` become rows or columns of an image that this node reads across; `reason` says so:
  /// "its channels become rows of the image that node 'conv3' reads". They stay prunable only where the model
  /// or recipe chose that for their producer, else they are pinned. Either way the ids end here: the rule
  /// emits none of them, and extents behind follow by shape rules alone.
  virtual void becomes_spatial(const IdLayer& layer, const std::string& reason) = 0;

  /// A layer of the output. Not calling it means that the output is dense.
  virtual void emit(IdLayer layer) = 0;
};

}  // namespace compress
