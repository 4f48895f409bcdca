#include "models/acdnet/acdnet.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <set>
#include <utility>

#include "models/acdnet/network.h"

namespace compress {
namespace {

using acdnet::Layout;

[[noreturn]] void refuse(const std::string& tensor, std::string found, std::string allowed) {
  throw Error(ErrorKind::input,
              {fmt::format("acdnet: tensor '{}'", tensor), std::move(found), std::move(allowed), ""});
}

Layout layout_of(const Options& options) {
  Layout layout;
  layout.classes = options.integer("classes");
  layout.input_length = options.integer("input_length");
  layout.sample_rate = options.integer("sample_rate");
  layout.dropout = options.number("dropout");
  layout.channels = acdnet::full_channels(layout.classes);
  if (!options.has("channels")) return layout;
  const auto& channels = options.integers("channels");
  if (channels.size() != layout.channels.size())
    throw Error(ErrorKind::recipe, {"model 'acdnet'", fmt::format("channels with {} counts", channels.size()),
                                    fmt::format("{}, one a convolution", layout.channels.size()), ""});
  std::copy(channels.begin(), channels.end(), layout.channels.begin());
  return layout;
}

void fill_normal(std::span<float> weights, double deviation, Random& random) {
  for (auto& weight : weights) weight = static_cast<float>(deviation * random.normal());
}

/// Elements that one output sums over.
double fan_in(const Shape& weight) { return static_cast<double>(element_count(weight) / weight[0]); }

/// Fills `tensor` by the kind of parameter its name says: He et al. 2015 (arXiv:1502.01852) for weights with
/// a fan.
void initialize(const std::string& name, Tensor& tensor, double fc_inputs, Random& random) {
  const auto values = tensor.as<float>();
  if (tensor.shape().size() > 1) {
    fill_normal(values, std::sqrt(2.0 / fan_in(tensor.shape())), random);
  } else if (name == "fc.bias") {
    const double bound = 1.0 / std::sqrt(fc_inputs);
    for (auto& value : values) value = static_cast<float>(random.uniform(-bound, bound));
  } else {
    const bool one = name.ends_with(".weight") || name.ends_with(".running_var");
    std::fill(values.begin(), values.end(), one ? 1.0F : 0.0F);
  }
}

/// The tensors of a checkpoint under this plugin's names, whichever names the file uses.
class NamedTensors {
 public:
  NamedTensors(const Checkpoint& checkpoint, const Layout& options)
      : tensors_(checkpoint.tensors), parallel_(!tensors_.empty()) {
    for (const auto& [name, tensor] : tensors_) parallel_ = parallel_ && name.starts_with("module.");
    if (tensors_.contains(file_name("conv1.weight"))) return;
    Layout layout = options;
    layout.channels[1] = shape("sfeb.3.weight", 4)[0];
    published_ = acdnet::published_names(layout);
  }

  /// The name in the file.
  std::string file_name(const std::string& name) const {
    const auto found = published_.find(name);
    return (parallel_ ? "module." : "") + (found == published_.end() ? name : found->second);
  }

  const Tensor& tensor(const std::string& name) const {
    const auto found = tensors_.find(file_name(name));
    if (found == tensors_.end())
      refuse(file_name(name), "missing",
             "a state dict of this network, as the authors' code or this plugin names it");
    return found->second;
  }

  const Shape& shape(const std::string& name, std::size_t rank) const {
    const auto& found = tensor(name).shape();
    if (found.size() != rank || element_count(found) == 0)
      refuse(file_name(name), "shape " + to_string(found), fmt::format("{} extents of 1 or more", rank));
    return found;
  }

  /// Refuses what the network has no use for. PyTorch's count of batches is no weight.
  void check_all_used(const Graph& graph) const {
    std::set<std::string> used;
    for (const auto id : graph.parameters()) used.insert(file_name(graph.value(id).name));
    for (const auto& [name, tensor] : tensors_) {
      if (!used.contains(name) && !name.ends_with(".num_batches_tracked"))
        refuse(name, "not of this network",
               fmt::format("{} tensors, up to '{}'", used.size(), file_name("fc.bias")));
    }
  }

 private:
  const StateDict& tensors_;
  bool parallel_;  ///< every name begins with "module.", as nn.DataParallel has it
  std::map<std::string, std::string> published_;  ///< names of the authors' code; empty if the file uses ours
};

Layout layout_of(const NamedTensors& tensors, Layout layout) {
  for (std::size_t i = 0; i < layout.channels.size(); ++i)
    layout.channels[i] = tensors.shape(fmt::format("conv{}.weight", i + 1), 4)[0];
  layout.classes = tensors.shape("fc.weight", 2)[0];
  return layout;
}

Tensor checked_weight(const NamedTensors& tensors, const Value& value) {
  const auto& tensor = tensors.tensor(value.name);
  if (tensor.shape() != value.shape)
    refuse(tensors.file_name(value.name), "shape " + to_string(tensor.shape()), to_string(value.shape));
  const bool is_float = tensor.dtype() == DType::float32 || tensor.dtype() == DType::float16 ||
                        tensor.dtype() == DType::float64;
  if (!is_float)
    refuse(tensors.file_name(value.name), std::string(name_of(tensor.dtype())),
           "float32, float16 or float64");
  return tensor.to_float32().clone();
}

class AcdNet final : public ModelSource {
 public:
  explicit AcdNet(const Options& options) : layout_(layout_of(options)) {}

  Model fresh(Random& random) const override {
    Model model = bare(layout_);
    const auto fc = model.graph.value(*model.graph.find_value("fc.weight")).shape;
    for (const auto id : model.graph.parameters()) {
      const auto& value = model.graph.value(id);
      Tensor weight(DType::float32, value.shape);
      initialize(value.name, weight, fan_in(fc), random);
      model.weights.emplace(value.name, std::move(weight));
    }
    return model;
  }

  Model from_checkpoint(const Checkpoint& checkpoint) const override {
    check_finite(checkpoint.tensors, "acdnet");
    const NamedTensors tensors(checkpoint, layout_);
    Model model = bare(layout_of(tensors, layout_));
    tensors.check_all_used(model.graph);
    for (const auto id : model.graph.parameters()) {
      const auto& value = model.graph.value(id);
      model.weights.emplace(value.name, checked_weight(tensors, value));
    }
    return model;
  }

  std::vector<std::string> spatial_nodes() const override { return {"conv2"}; }

  std::map<std::string, double> paper_figures(const Graph& graph) const override {
    return {{"FLOPs as the ACDNet paper counts them", static_cast<double>(acdnet::paper_flops(graph))}};
  }

 private:
  static Model bare(const Layout& layout) {
    Model model;
    model.name = "acdnet";
    model.graph = acdnet::network(layout);
    model.metadata["sample_rate"] = std::to_string(layout.sample_rate);
    return model;
  }

  Layout layout_;
};

OptionTable options() {
  const Layout defaults;
  return {
      {.name = "channels",
       .type = OptionType::integers,
       .help = "outputs of the twelve convolutions (the full network's, the last as many as classes)",
       .minimum = 1,
       .maximum = 65536},
      {.name = "classes",
       .type = OptionType::integer,
       .help = "number of classes",
       .fallback = OptionValue(defaults.classes),
       .minimum = 2,
       .maximum = 65536},
      {.name = "input_length",
       .type = OptionType::integer,
       .help = "samples of one input",
       .fallback = OptionValue(defaults.input_length),
       .minimum = 1000,
       .maximum = 10'000'000},
      {.name = "sample_rate",
       .type = OptionType::integer,
       .help = "samples a second; decides the window of the first pool (10 ms)",
       .fallback = OptionValue(defaults.sample_rate),
       .minimum = 1000,
       .maximum = 192'000},
      {.name = "dropout",
       .type = OptionType::number,
       .help = "share of activations that training zeroes before the last convolution",
       .fallback = OptionValue(defaults.dropout),
       .minimum = 0,
       .maximum = 0.95},
  };
}

}  // namespace

void register_acdnet(Catalog<ModelSource>& catalog) {
  catalog.add("acdnet", "ACDNet: raw sound to classes, 12 convolutions (arXiv:2103.03483)", options(),
              [](const Options& chosen) { return std::make_unique<AcdNet>(chosen); });
}

}  // namespace compress
