// Movement of ids: permute, concat, reshape, slice, gather, pad, expand, pixel and channel shuffles.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>

#include "libcompress/graph/ops/couple.h"
#include "libcompress/graph/reshape_blocks.h"

namespace compress::couple {
namespace {

using Integers = std::vector<std::int64_t>;

constexpr std::size_t kEnoughToChooseFrom = 4;

std::size_t extent_of(const Shape& shape, int axis) {
  return static_cast<std::size_t>(shape[static_cast<std::size_t>(axis)]);
}

std::int64_t product(const Shape& shape, std::size_t begin, std::size_t end) {
  std::int64_t total = 1;
  for (std::size_t i = begin; i < end; ++i) total *= shape[i];
  return total;
}

int axis_attribute(const IdFlow& flow) { return static_cast<int>(flow.node().attributes.integer("axis")); }

/// Along the joined axis ids line up behind each other, kNoCell where an input is dense.
void join(IdFlow& flow, int axis) {
  std::size_t depth = 0;
  for (std::size_t i = 0; i < flow.input_count(); ++i)
    depth = std::max(depth, layers_along(flow.layers(i), axis).size());
  for (std::size_t level = 0; level < depth; ++level) {
    std::vector<CellId> joined;
    bool zero = true;
    for (std::size_t i = 0; i < flow.input_count(); ++i) {
      const auto layers = layers_along(flow.layers(i), axis);
      if (level < layers.size()) {
        joined.insert(joined.end(), layers[level]->cells->begin(), layers[level]->cells->end());
        zero = zero && layers[level]->zero;
      } else {
        joined.insert(joined.end(), extent_of(flow.input_shape(i), axis), kNoCell);
      }
    }
    flow.emit({axis, std::move(joined), zero});
  }
}

/// Along any other axis the inputs must keep one extent, so what lies side by side is tied.
void lay_side_by_side(IdFlow& flow, int axis) {
  const auto first = layers_along(flow.layers(0), axis);
  std::size_t common = first.size();
  std::size_t stiff = 0;  // the input that has the fewest
  for (std::size_t i = 1; i < flow.input_count(); ++i) {
    const auto depth = layers_along(flow.layers(i), axis).size();
    if (depth >= common) continue;
    common = depth;
    stiff = i;
  }
  std::vector<bool> zero(common, true);
  for (std::size_t i = 0; i < flow.input_count(); ++i) {
    const auto layers = layers_along(flow.layers(i), axis);
    for (std::size_t level = 0; level < layers.size(); ++level) {
      if (level < common) {
        flow.tie(*first[level]->cells, *layers[level]->cells);
        zero[level] = zero[level] && layers[level]->zero;
      } else {
        flow.pin(*layers[level], fmt::format("node '{}' joins it with '{}', which cannot shrink there",
                                             flow.node().name, flow.input_name(stiff)));
      }
    }
  }
  for (std::size_t level = 0; level < common; ++level) flow.emit(first[level]->with_zero(zero[level]));
}

/// The ids of a block's elements, row-major, of a layer along `axis`.
std::vector<CellId> spread(const IdLayer& layer, const Shape& shape, const ReshapeBlock& block) {
  const auto at = static_cast<std::size_t>(layer.axis);
  const auto inner = product(shape, at + 1, block.in_end);
  const auto size = product(shape, block.in_begin, block.in_end);
  const auto& cells = *layer.cells;
  if (inner == 1 && size == static_cast<std::int64_t>(cells.size())) return cells;
  std::vector<CellId> flat(static_cast<std::size_t>(size));
  for (std::int64_t i = 0; i < size; ++i)
    flat[static_cast<std::size_t>(i)] = cells[static_cast<std::size_t>(i / inner) % cells.size()];
  return flat;
}

/// Ids of a block seen along one of its new axes: fiber y is all elements with index y there.
class Fibers {
 public:
  Fibers(const std::vector<CellId>& flat, const Shape& shape, const ReshapeBlock& block, std::size_t axis)
      : flat_(flat), extent_(shape[axis]), inner_(product(shape, axis + 1, block.out_end)) {}

  std::size_t count() const { return static_cast<std::size_t>(extent_); }
  std::size_t fiber_of(std::size_t element) const {
    return static_cast<std::size_t>(static_cast<std::int64_t>(element) / inner_ % extent_);
  }
  /// The first element of each fiber.
  std::vector<CellId> heads() const {
    std::vector<CellId> heads;
    for (std::size_t y = 0; y < count(); ++y) heads.push_back(flat_[y * static_cast<std::size_t>(inner_)]);
    return heads;
  }
  /// Whether each fiber is of one id already.
  bool uniform(const IdFlow& flow) const {
    const auto first = heads();
    for (std::size_t i = 0; i < flat_.size(); ++i) {
      if (flow.root(flat_[i]) != flow.root(first[fiber_of(i)])) return false;
    }
    return true;
  }
  /// How many sets of ids remain that can go by themselves when each fiber is tied.
  std::size_t choices(const IdFlow& flow) const {
    std::vector<std::size_t> parent(count());
    std::iota(parent.begin(), parent.end(), std::size_t{0});
    const auto top = [&parent](std::size_t y) {
      while (parent[y] != y) y = parent[y] = parent[parent[y]];
      return y;
    };
    std::map<CellId, std::size_t> seen;
    for (std::size_t i = 0; i < flat_.size(); ++i) {
      const auto [found, added] = seen.emplace(flow.root(flat_[i]), fiber_of(i));
      if (!added) parent[top(fiber_of(i))] = top(found->second);
    }
    std::size_t sets = 0;
    for (std::size_t y = 0; y < count(); ++y) sets += top(y) == y;
    return sets;
  }
  void tie(IdFlow& flow) const {
    const auto first = heads();
    for (std::size_t i = 0; i < flat_.size(); ++i) flow.tie(first[fiber_of(i)], flat_[i]);
  }

 private:
  const std::vector<CellId>& flat_;
  std::int64_t extent_, inner_;
};

/// The new axis that the ids of a block will follow.
std::size_t choose_axis(const IdFlow& flow, const std::vector<CellId>& flat, const ReshapeBlock& block) {
  const auto& shape = flow.output_shape();
  std::size_t best = block.out_begin, most = 0;
  for (std::size_t axis = block.out_begin; axis < block.out_end; ++axis) {
    const Fibers fibers(flat, shape, block, axis);
    if (fibers.count() > 1 && fibers.uniform(flow)) return axis;
    const auto choices = fibers.choices(flow);
    if (most < kEnoughToChooseFrom && choices > most) {
      most = choices;
      best = axis;
    }
  }
  return best;
}

void split(IdFlow& flow, const std::vector<CellId>& flat, const ReshapeBlock& block, bool zero) {
  const auto axis = choose_axis(flow, flat, block);
  const Fibers fibers(flat, flow.output_shape(), block, axis);
  fibers.tie(flow);
  flow.emit({static_cast<int>(axis), fibers.heads(), zero});
}

/// Where among the kept indices each old index is now; -1 for those that went.
Integers new_places(const Integers& kept, std::int64_t extent) {
  Integers places(static_cast<std::size_t>(extent), -1);
  for (std::size_t i = 0; i < kept.size(); ++i)
    places[static_cast<std::size_t>(kept[i])] = static_cast<std::int64_t>(i);
  return places;
}

/// The gather that takes what is left of `sources` (by output index, an index of the input).
Rewrite gather_of(const Remains& left, int axis, const Integers& sources) {
  const auto places = new_places(left.kept(0, axis), left.before().input(0)[static_cast<std::size_t>(axis)]);
  Integers indices;
  for (const auto i : left.kept_of_output(axis))
    indices.push_back(places[static_cast<std::size_t>(sources[static_cast<std::size_t>(i)])]);
  Rewrite rewrite{"gather", {}};
  rewrite.attributes.set("axis", static_cast<std::int64_t>(axis));
  rewrite.attributes.set("indices", std::move(indices));
  return rewrite;
}

/// By output index of a shuffle of `channels`, the input's.
Integers shuffle_sources(std::int64_t channels, std::int64_t groups) {
  Integers sources;
  for (std::int64_t j = 0; j < channels / groups; ++j) {
    for (std::int64_t i = 0; i < groups; ++i) sources.push_back(i * (channels / groups) + j);
  }
  return sources;
}

void take(IdFlow& flow, int axis, const Integers& sources) {
  for (const auto& layer : flow.layers(0)) {
    if (layer.axis != axis) {
      flow.emit(layer);
      continue;
    }
    std::vector<CellId> taken;
    for (const auto source : sources) taken.push_back((*layer.cells)[static_cast<std::size_t>(source)]);
    flow.keep_one_of(taken);
    flow.emit({axis, std::move(taken), layer.zero});
  }
}

Integers slice_sources(const Attributes& attributes) {
  Integers sources;
  for (auto i = attributes.integer("begin"); i < attributes.integer("end"); i += attributes.integer("step"))
    sources.push_back(i);
  return sources;
}

std::int64_t count_below(const Integers& ascending, std::int64_t limit) {
  return std::lower_bound(ascending.begin(), ascending.end(), limit) - ascending.begin();
}

/// Channel c of the smaller image lies in channel c * n + k (crd) or k * channels + c (dcr) of the deeper
/// one.
std::size_t deep_channel(std::size_t c, std::size_t k, std::size_t channels, std::size_t n, bool dcr) {
  return dcr ? k * channels + c : c * n + k;
}

struct PixelBlocks {
  std::size_t channels;  ///< of the wider image
  std::size_t n;         ///< pixels of a block
  bool dcr;

  PixelBlocks(const IdFlow& flow, const Shape& wide, const Shape& deep)
      : channels(extent_of(wide, 1)),
        n(extent_of(deep, 1) / extent_of(wide, 1)),
        dcr(flow.node().attributes.text("order") == "dcr") {}
};

void pin_pixels(IdFlow& flow) {
  for (const auto& layer : flow.layers(0)) {
    if (layer.axis >= 2)
      flow.pin(layer, fmt::format("node '{}' moves its blocks into channels", flow.node().name));
  }
}

}  // namespace

void permute(IdFlow& flow) {
  const auto& order = flow.node().attributes.integers("order");
  for (const auto& layer : flow.layers(0)) {
    const auto place = std::find(order.begin(), order.end(), layer.axis) - order.begin();
    flow.emit(layer.on(static_cast<int>(place)));
  }
}

void concat(IdFlow& flow) {
  for (int axis = 0; axis < static_cast<int>(flow.output_shape().size()); ++axis) {
    if (axis == axis_attribute(flow)) {
      join(flow, axis);
    } else {
      lay_side_by_side(flow, axis);
    }
  }
}

void reshape(IdFlow& flow) {
  const auto blocks = reshape_blocks(flow.full_input_shape(0), flow.full_output_shape());
  for (const auto& layer : flow.layers(0)) {
    const auto at = static_cast<std::size_t>(layer.axis);
    const auto& block =
        *std::find_if(blocks.begin(), blocks.end(), [at](const ReshapeBlock& b) { return at < b.in_end; });
    const auto flat = spread(layer, flow.input_shape(0), block);
    if (block.out_begin == block.out_end) {
      flow.pin(layer, fmt::format("node '{}' drops its axis", flow.node().name));
    } else {
      split(flow, flat, block, layer.zero);
    }
  }
}

Rewrite resize_reshape(const Remains& left) {
  const auto& in = left.before().input(0);
  const auto& out = left.output_before();
  Integers shape = out;
  for (const auto& block : reshape_blocks(in, out)) {
    const auto wide = std::count_if(out.begin() + static_cast<std::ptrdiff_t>(block.out_begin),
                                    out.begin() + static_cast<std::ptrdiff_t>(block.out_end),
                                    [](std::int64_t extent) { return extent > 1; });
    for (auto axis = block.out_begin; axis < block.out_end; ++axis) {
      if (out[axis] == 1) continue;
      // All of a block that is one axis now, also where rows went that carry no ids.
      shape[axis] = wide == 1 ? product(left.input(0), block.in_begin, block.in_end)
                              : static_cast<std::int64_t>(left.kept_of_output(static_cast<int>(axis)).size());
    }
  }
  Rewrite rewrite{"reshape", left.before().attributes};
  rewrite.attributes.set("shape", std::move(shape));
  return rewrite;
}

void slice(IdFlow& flow) { take(flow, axis_attribute(flow), slice_sources(flow.node().attributes)); }

Rewrite resize_slice(const Remains& left) {
  const auto& attributes = left.before().attributes;
  const auto axis = static_cast<int>(attributes.integer("axis"));
  const auto kept = left.kept(0, axis);
  if (static_cast<std::int64_t>(kept.size()) == left.before().input(0)[static_cast<std::size_t>(axis)])
    return {"slice", attributes};
  if (attributes.integer("step") != 1) return gather_of(left, axis, slice_sources(attributes));
  Rewrite rewrite{"slice", attributes};
  rewrite.attributes.set("begin", count_below(kept, attributes.integer("begin")));
  rewrite.attributes.set("end", count_below(kept, attributes.integer("end")));
  return rewrite;
}

void gather(IdFlow& flow) { take(flow, axis_attribute(flow), flow.node().attributes.integers("indices")); }

Rewrite resize_gather(const Remains& left) {
  const auto& attributes = left.before().attributes;
  return gather_of(left, static_cast<int>(attributes.integer("axis")), attributes.integers("indices"));
}

void pad(IdFlow& flow) {
  const auto& attributes = flow.node().attributes;
  const auto& padding = attributes.integers("padding");
  const auto& shape = flow.input_shape(0);
  const bool constant = attributes.text("mode") == "constant";
  const bool adds_zeros = !constant || attributes.number("value") == 0.0;
  for (int axis = 0; axis < static_cast<int>(shape.size()); ++axis) {
    const auto at = static_cast<std::size_t>(axis);
    const auto layers = layers_along(flow.layers(0), axis);
    if (padding[at] == 0 && padding[shape.size() + at] == 0) {
      for (const auto* layer : layers) flow.emit(layer->with_zero(layer->zero && adds_zeros));
      continue;
    }
    if (!constant) {
      for (const auto* layer : layers)
        flow.pin(*layer, fmt::format("node '{}' repeats its border", flow.node().name));
      continue;
    }
    pin_further_layers(flow, 0, axis);
    auto cells = flow.fresh(static_cast<std::size_t>(padding[at]));
    const auto inside = cells_along(flow, 0, axis);
    cells.insert(cells.end(), inside.begin(), inside.end());
    const auto behind = flow.fresh(static_cast<std::size_t>(padding[shape.size() + at]));
    cells.insert(cells.end(), behind.begin(), behind.end());
    const bool zero = adds_zeros && (layers.empty() || layers.front()->zero);
    flow.emit({axis, std::move(cells), zero});
  }
}

Rewrite resize_pad(const Remains& left) {
  Rewrite rewrite{"pad", left.before().attributes};
  auto padding = rewrite.attributes.integers("padding");
  const auto& shape = left.before().input(0);
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    if (padding[axis] == 0 && padding[shape.size() + axis] == 0) continue;
    const auto kept = left.kept_of_output(static_cast<int>(axis));
    const auto inside = count_below(kept, padding[axis] + shape[axis]);
    padding[axis] = count_below(kept, padding[axis]);
    padding[shape.size() + axis] = static_cast<std::int64_t>(kept.size()) - inside;
  }
  rewrite.attributes.set("padding", std::move(padding));
  return rewrite;
}

void expand(IdFlow& flow) {
  const auto& in = flow.input_shape(0);
  const auto& out = flow.output_shape();
  const int shift = static_cast<int>(out.size() - in.size());
  for (int axis = 0; axis < static_cast<int>(out.size()); ++axis) {
    const int own = axis - shift;
    const bool repeated =
        own < 0 || extent_of(flow.full_input_shape(0), own) != extent_of(flow.full_output_shape(), axis);
    if (own >= 0) {
      for (const auto* layer : layers_along(flow.layers(0), own)) {
        if (repeated) {
          flow.pin(*layer, fmt::format("node '{}' repeats it", flow.node().name));
        } else {
          flow.emit(layer->on(axis));
        }
      }
    }
    if (repeated) flow.emit({axis, flow.fresh(extent_of(out, axis)), false});
  }
}

Rewrite resize_expand(const Remains& left) {
  const auto& in = left.before().input(0);
  const auto& out = left.output_before();
  Rewrite rewrite{"expand", left.before().attributes};
  Integers shape = out;
  for (std::size_t axis = 0; axis < out.size(); ++axis) {
    const auto own = axis + in.size() - out.size();
    const bool repeated = axis + in.size() < out.size() || in[own] != out[axis];
    shape[axis] = repeated ? static_cast<std::int64_t>(left.kept_of_output(static_cast<int>(axis)).size())
                           : left.input(0)[own];
  }
  rewrite.attributes.set("shape", std::move(shape));
  return rewrite;
}

void depth_to_space(IdFlow& flow) {
  pin_pixels(flow);
  const PixelBlocks blocks(flow, flow.output_shape(), flow.input_shape(0));
  for (const auto& layer : flow.layers(0)) {
    if (layer.axis == 0) flow.emit(layer);
    if (layer.axis != 1) continue;
    std::vector<CellId> cells(blocks.channels);
    for (std::size_t c = 0; c < blocks.channels; ++c) {
      const auto channel = [&](std::size_t k) {
        return (*layer.cells)[deep_channel(c, k, blocks.channels, blocks.n, blocks.dcr)];
      };
      cells[c] = channel(0);
      for (std::size_t k = 1; k < blocks.n; ++k) flow.tie(cells[c], channel(k));
    }
    flow.emit({1, std::move(cells), layer.zero});
  }
}

void space_to_depth(IdFlow& flow) {
  pin_pixels(flow);
  const PixelBlocks blocks(flow, flow.input_shape(0), flow.output_shape());
  for (const auto& layer : flow.layers(0)) {
    if (layer.axis == 0) flow.emit(layer);
    if (layer.axis != 1) continue;
    std::vector<CellId> cells(blocks.channels * blocks.n);
    for (std::size_t c = 0; c < blocks.channels; ++c) {
      for (std::size_t k = 0; k < blocks.n; ++k)
        cells[deep_channel(c, k, blocks.channels, blocks.n, blocks.dcr)] = (*layer.cells)[c];
    }
    flow.emit({1, std::move(cells), layer.zero});
  }
}

void channel_shuffle(IdFlow& flow) {
  take(flow, 1, shuffle_sources(flow.input_shape(0)[1], flow.node().attributes.integer("groups")));
}

Rewrite resize_channel_shuffle(const Remains& left) {
  const auto groups = left.before().attributes.integer("groups");
  auto gathered = gather_of(left, 1, shuffle_sources(left.before().input(0)[1], groups));
  const auto channels = left.input(0)[1];
  if (channels % groups == 0 && gathered.attributes.integers("indices") == shuffle_sources(channels, groups))
    return {"channel_shuffle", left.before().attributes};
  return gathered;
}

}  // namespace compress::couple
