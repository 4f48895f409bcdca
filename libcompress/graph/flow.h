// What a coupling rule works with: cell ids flowing through one node.
//
// Every index of every axis of a parameter has a cell id. Ids travel with the data: an IdLayer says which
// id's removal removes which index of an axis. A value carries zero or more layers (in mixers two axes are
// prunable at once); no layer along an axis means that nothing prunable reaches it. A rule reads the layers
// of its node's inputs, ties ids that must live or die together, and says which layers the output carries.
// What a rule does not understand it pins: pinned ids are never removed, and the reason is kept for the user.
//
// What a removed index holds in the unpruned network does not matter, since whoever reads it loses the
// weights that read it. Where something is read without weights of its own (a sum over the axis, a product of
// two activations) it has to be zero: a layer says whether it is.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "libcompress/graph/op.h"

namespace compress {

using CellId = std::int32_t;
constexpr CellId kNoCell = -1;  ///< an index that nothing removes (an input's channel, a constant)

/// Ids along one axis of a value. An element goes when any of its value's layers says so. Layers share their
/// ids: handing one on costs nothing.
struct IdLayer {
  int axis = 0;
  std::shared_ptr<const std::vector<CellId>> cells;  ///< one an index of the axis
  bool zero = false;                                 ///< what is removed is exactly zero in the masked twin

  IdLayer() = default;
  IdLayer(int along, std::vector<CellId> ids, bool is_zero)
      : axis(along), cells(std::make_shared<const std::vector<CellId>>(std::move(ids))), zero(is_zero) {}

  /// The same ids along another axis, or with another word on zero.
  IdLayer on(int other_axis) const;
  IdLayer with_zero(bool is_zero) const;
};

using IdLayers = std::vector<IdLayer>;

/// The layers of `layers` along `axis`, in order.
std::vector<const IdLayer*> layers_along(const IdLayers& layers, int axis);

/// The view of one node that its coupling rule gets. Input positions are those of Node::inputs.
class IdFlow {
 public:
  virtual ~IdFlow() = default;

  virtual const Node& node() const = 0;
  virtual const Shape& input_shape(std::size_t input) const = 0;
  virtual const Shape& output_shape() const = 0;
  virtual std::size_t input_count() const = 0;
  virtual const std::string& input_name(std::size_t input) const = 0;

  /// The same before pruning, where a removal is checked on the small graph: what decides which form of its
  /// operator a node is (depthwise, broadcasting), since extents may have shrunk to 1.
  virtual const Node& full_node() const = 0;
  virtual const Shape& full_input_shape(std::size_t input) const = 0;
  virtual const Shape& full_output_shape() const = 0;

  /// Layers of an input. A parameter or buffer has one for each of its axes.
  virtual const IdLayers& layers(std::size_t input) const = 0;

  /// Whether two ids are known to go together.
  virtual CellId root(CellId cell) const = 0;

  /// Ids that must live or die together. kNoCell on one side pins the other; on both sides it says nothing.
  virtual void tie(CellId a, CellId b) = 0;

  /// Never remove `cell`; `reason` is a clause for the user: "a softmax over channels needs them all".
  virtual void pin(CellId cell, const std::string& reason) = 0;

  /// `count` ids of this node's own, for indices that it makes itself and could make fewer of: the channels
  /// that a pad appends.
  virtual std::vector<CellId> fresh(std::size_t count) = 0;

  /// Of `cells` at least one must stay whatever happens: this node takes them out of a wider axis, and taking
  /// out none is no network.
  virtual void keep_one_of(const std::vector<CellId>& cells) = 0;

  /// The cells of `layer` become rows or columns of an image that this node reads across; `reason` says so:
  /// "its channels become rows of the image that node 'conv3' reads". They stay prunable only where the model
  /// or recipe chose that for their producer, else they are pinned. Either way the ids end here: the rule
  /// emits none of them, and extents behind follow by shape rules alone.
  virtual void becomes_spatial(const IdLayer& layer, const std::string& reason) = 0;

  /// A layer of the output.
  virtual void emit(IdLayer layer) = 0;

  // Over whole layers.
  void tie(const std::vector<CellId>& a, const std::vector<CellId>& b);
  void pin(const IdLayer& layer, const std::string& reason);
};

/// What pruning leaves of one node, for the literals in its attributes: the ends of a slice, the extents of a
/// reshape.
class Remains {
 public:
  virtual ~Remains() = default;

  virtual const OpCall& before() const = 0;                 ///< as the node was
  virtual const Shape& input(std::size_t input) const = 0;  ///< as its inputs are now
  /// Which indices survive, ascending. All of them where no id flows along the axis.
  virtual std::vector<std::int64_t> kept(std::size_t input, int axis) const = 0;
  virtual std::vector<std::int64_t> kept_of_output(int axis) const = 0;
  /// The output's shape before.
  virtual const Shape& output_before() const = 0;
};

}  // namespace compress
