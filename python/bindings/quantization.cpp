#include <algorithm>
#include <memory>
#include <optional>

#include "libcompress/base/files.h"
#include "libcompress/data/arrays.h"
#include "libcompress/pipeline/calibration.h"
#include "libcompress/quant/compare.h"
#include "libcompress/quant/quantized_file.h"
#include "libcompress/quant/reference.h"
#include "libcompress/quant/sensitivity.h"
#include "libcompress/recipe/recipe.h"
#include "python/bindings/bindings.h"
#include "python/bindings/casters.h"
#include "python/bindings/plugins.h"

namespace py = pybind11;

namespace compress::python {
namespace {

/// A quantized graph, ready to run.
class Quantized {
 public:
  explicit Quantized(const QuantizedGraph& graph) : executor_(graph) {}

  const QuantizedGraph& graph() const { return executor_.graph(); }
  const QValue& input() const { return graph().value(graph().inputs.front()); }
  const QValue& output() const { return graph().value(graph().outputs.front()); }

  /// [count, ...] float32 to [count, elements of the first output].
  Tensor run(const Tensor& inputs) const {
    const auto size = static_cast<std::size_t>(element_count(input().shape));
    const auto values = inputs.as<float>();
    const auto count = inputs.shape().empty() ? 0 : inputs.shape().front();
    if (values.size() != size * static_cast<std::size_t>(count))
      throw Error(ErrorKind::usage, {"inputs of the int8 network", "shape " + to_string(inputs.shape()),
                                     "examples of " + std::to_string(size) + " numbers", ""});
    const auto width = static_cast<std::size_t>(element_count(output().shape));
    Tensor outputs(DType::float32, {count, static_cast<std::int64_t>(width)});
    for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
      const auto bytes = executor_.run(quantize_input(graph(), values.subspan(i * size, size)));
      const auto real = dequantize_output(graph(), bytes);
      std::copy(real.begin(), real.end(),
                outputs.as<float>().begin() + static_cast<std::ptrdiff_t>(i * width));
    }
    return outputs;
  }

 private:
  ReferenceExecutor executor_;
};

std::span<const float> examples_for(const Model& model, const Tensor& inputs) {
  const auto allowed = model.graph.value(model.graph.inputs().front()).shape;
  const auto& shape = inputs.shape();
  if (shape.empty() || shape.front() == 0)
    throw Error(ErrorKind::input, {"calibration inputs", "no inputs", "one example or more", ""});
  if (shape.size() != allowed.size() || !std::equal(shape.begin() + 1, shape.end(), allowed.begin() + 1))
    throw Error(ErrorKind::usage, {"calibration inputs", "shape " + to_string(shape),
                                   to_string(allowed) + " with any batch", ""});
  return inputs.as<float>();
}

/// Lets Ctrl-C end long work.
class Interrupts final : public Reporter {
 public:
  bool stop_requested() override {
    if (raised_) return true;
    const py::gil_scoped_acquire python;
    if (PyErr_CheckSignals() != 0) raised_.emplace();  // takes the exception of the handler
    return raised_.has_value();
  }

  /// Throws what the handler raised, KeyboardInterrupt as a rule.
  void raise_again() const {
    if (raised_) throw py::error_already_set(*raised_);
  }

 private:
  std::optional<py::error_already_set> raised_;
};

/// Examples with their targets, [count, classes].
using LabelledArrays = std::pair<py::array, py::array>;

LabelledArray labelled(const LabelledArrays& arrays) {
  return {tensor_of(arrays.first), tensor_of(arrays.second)};
}

/// What fine-tuning looks at.
struct Training {
  std::optional<LabelledArrays> train, validation;
  std::uint64_t seed = 1;

  std::optional<ArrayDataSet> data() const {
    if (!train) return std::nullopt;
    return ArrayDataSet(labelled(*train), validation ? std::optional(labelled(*validation)) : std::nullopt);
  }
};

Quantization quantization_of(const Model& model, const Tensor& inputs, const QuantizeOptions& options,
                             const std::optional<ArrayDataSet>& data, std::uint64_t seed,
                             Reporter& reporter) {
  const auto values = examples_for(model, inputs);
  ArraySource source({values.begin(), values.end()},
                     element_count(inputs.shape()) / std::max<std::int64_t>(1, inputs.shape().front()));
  auto made = quantize_as(options, model, source, known_plugins(), reporter);
  if (!options.fine_tune) return made;
  TrainJob job;
  job.seed = seed;
  job.activity = "fine-tune int8";
  job.reporter = &reporter;
  return fine_tuned(made, options, *data, job);
}

/// The network, the float one that it stands for, and how nodes with 16 bits were found.
using Made = std::tuple<std::unique_ptr<Quantized>, Model, std::optional<WidthSearch>>;

Made quantize_model(const Model& model, const py::array& array, const QuantizeOptions& options,
                    const Training& training) {
  const Tensor inputs = tensor_of(array);
  const auto data = training.data();
  Interrupts reporter;
  Quantization made;
  try {
    const py::gil_scoped_release others_may_run;
    made = quantization_of(model, inputs, options, data, training.seed, reporter);
  } catch (const Error&) {
    reporter.raise_again();
    throw;
  }
  return {std::make_unique<Quantized>(made.graph), std::move(made.folded), std::move(made.search)};
}

std::vector<std::filesystem::path> export_to(const Quantized& quantized, const std::filesystem::path& folder,
                                             const std::string& exporter, const std::string& name,
                                             std::int64_t vectors) {
  const auto plugin = known_plugins().exporters.make(exporter, {});
  const auto result = export_network(*plugin, quantized.graph(), {name, vectors});
  std::vector<std::filesystem::path> paths;
  for (const auto& [file, content] : result.files) {
    paths.push_back(folder / file);
    write_file(paths.back(), content);
  }
  return paths;
}

void bind_difference(py::module_& module) {
  py::class_<LayerDifference>(module, "LayerDifference", "One value of the float and of the int8 network.")
      .def_readonly("value", &LayerDifference::value)
      .def_readonly("sqnr_db", &LayerDifference::sqnr_db)
      .def_readonly("cosine", &LayerDifference::cosine)
      .def_readonly("max_abs_error", &LayerDifference::max_abs_error)
      .def_readonly("step", &LayerDifference::step)
      .def_readonly("bits", &LayerDifference::bits, "of its integers, 8 or 16");
  py::class_<NetworkDifference>(module, "NetworkDifference", "Layer by layer, in order of execution.")
      .def_readonly("layers", &NetworkDifference::layers)
      .def_readonly("first_parting", &NetworkDifference::first_parting,
                    "position of the first layer whose error is a tenth of its signal, or None")
      .def_readonly("inputs", &NetworkDifference::inputs)
      .def_readonly("same_class", &NetworkDifference::same_class)
      .def("to_text", py::overload_cast<const NetworkDifference&>(&to_text))
      .def("__str__", py::overload_cast<const NetworkDifference&>(&to_text));

  module.def(
      "compare",
      [](const Model& model, const Quantized& quantized, const py::array& array) {
        const Tensor inputs = tensor_of(array);
        const py::gil_scoped_release others_may_run;
        return compare(model, quantized.graph(), examples_for(model, inputs), inputs.shape().front());
      },
      py::arg("model"), py::arg("quantized"), py::arg("inputs"));
}

void bind_sensitivity(py::module_& module) {
  py::class_<LayerSensitivity>(module, "LayerSensitivity", "The network in float32 but for one layer.")
      .def_readonly("value", &LayerSensitivity::value)
      .def_readonly("sqnr_db", &LayerSensitivity::sqnr_db, "of the network's first output")
      .def_readonly("same_class", &LayerSensitivity::same_class)
      .def("__repr__", [](const LayerSensitivity& self) {
        return "<LayerSensitivity " + self.value + ": " + std::to_string(self.sqnr_db) + " dB>";
      });
  module.def(
      "sensitivity",
      [](const Model& folded, const Quantized& quantized, const py::array& array) {
        const Tensor inputs = tensor_of(array);
        const py::gil_scoped_release others_may_run;
        return sensitivity(folded, quantized.graph(), examples_for(folded, inputs), inputs.shape().front());
      },
      py::arg("folded"), py::arg("quantized"), py::arg("inputs"));
}

void bind_widths(py::module_& module) {
  py::class_<NodeWidth>(module, "NodeWidth", "A node that was tried with activations of 16 bits.")
      .def_readonly("node", &NodeWidth::node)
      .def_readonly("without_db", &NodeWidth::without_db,
                    "SQNR of the output with all of them in 16 bits but this one")
      .def_readonly("wide", &NodeWidth::wide);
  py::class_<WidthSearch>(module, "WidthSearch", "How the nodes with activations of 16 bits were found.")
      .def_readonly("wanted_db", &WidthSearch::wanted_db)
      .def_readonly("narrow_db", &WidthSearch::narrow_db, "with the nodes alone that were named")
      .def_readonly("widest_db", &WidthSearch::widest_db, "with all that may have 16 bits")
      .def_readonly("reached_db", &WidthSearch::reached_db)
      .def_readonly("nodes", &WidthSearch::nodes)
      .def("to_text", py::overload_cast<WidthSearch>(&to_text))
      .def("__str__", py::overload_cast<WidthSearch>(&to_text));
}

void bind_options(py::module_& module) {
  using Q = QuantizeOptions;
  py::class_<Q>(module, "QuantizeOptions", "The section `quantize` of a recipe.")
      .def(py::init<>())
      .def_static("with_fine_tune", &quantize_with_fine_tune, py::arg("fine_tune"))
      .def_readwrite("profile", &Q::profile)
      .def_readwrite("observer", &Q::observer)
      .def_readwrite("percentile", &Q::percentile)
      .def_readwrite("observers", &Q::observers)
      .def_readwrite("per_tensor", &Q::per_tensor)
      .def_readwrite("int16", &Q::int16)
      .def_readwrite("int16_sqnr", &Q::int16_sqnr)
      .def_readwrite("equalize", &Q::equalize)
      .def_readwrite("bias_correction", &Q::bias_correction)
      .def_readwrite("adaround", &Q::adaround);
  py::class_<Training>(module, "Training", "What `quantize` fine-tunes on.")
      .def(py::init<>())
      .def_readwrite("train", &Training::train, "examples and targets [count, classes], or None")
      .def_readwrite("validation", &Training::validation)
      .def_readwrite("seed", &Training::seed);
}

}  // namespace

void bind_quantization(py::module_& module) {
  bind_options(module);
  bind_widths(module);
  py::class_<Quantized>(module, "Quantized", "An int8 network and its reference executor.")
      .def_property_readonly("name", [](const Quantized& self) { return self.graph().name; })
      .def_property_readonly("profile", [](const Quantized& self) { return self.graph().profile; })
      .def_property_readonly("macs", [](const Quantized& self) { return macs_of(self.graph()); })
      .def_property_readonly("constant_bytes",
                             [](const Quantized& self) { return constant_bytes_of(self.graph()); })
      .def("to_text", [](const Quantized& self) { return to_text(self.graph()); })
      .def("save", [](const Quantized& self,
                      const std::filesystem::path& path) { save_quantized(path, self.graph()); })
      .def("export", &export_to, py::arg("folder"), py::arg("exporter"), py::arg("name"), py::arg("vectors"),
           py::call_guard<py::gil_scoped_release>(), "Paths of the files that the exporter plugin made.")
      .def("run", [](const Quantized& self, const py::array& array) {
        const Tensor inputs = tensor_of(array);
        Tensor outputs;
        {
          const py::gil_scoped_release others_may_run;
          outputs = self.run(inputs);
        }
        return array_of(outputs);
      });
  module.def("quantize", &quantize_model, py::arg("model"), py::arg("inputs"), py::arg("options"),
             py::arg("training"),
             "The int8 network, the float one that it stands for, and the search for nodes with 16 bits.");
  module.def(
      "load_quantized",
      [](const std::filesystem::path& path, const std::string& profile) {
        return std::make_unique<Quantized>(load_quantized(path, profile));
      },
      py::arg("path"), py::arg("profile"), py::call_guard<py::gil_scoped_release>());
  bind_difference(module);
  bind_sensitivity(module);
}

}  // namespace compress::python
