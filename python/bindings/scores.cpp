#include "libcompress/strategy/criterion.h"
#include "python/bindings/bindings.h"
#include "python/bindings/casters.h"
#include "python/bindings/plugins.h"

namespace py = pybind11;

namespace compress::python {
namespace {

using OptionValues = std::map<std::string, OptionValue>;

/// Gradients that a Python iterable yields, one dict of arrays a batch. Those of activations it yields from a
/// method `tapped`, which takes a list of (node, operand, axis): one list of arrays a batch.
class IterableGradients final : public GradientSource {
 public:
  explicit IterableGradients(py::iterable batches) : batches_(std::move(batches)) {}

  void for_each_batch(const std::function<void(const StateDict& gradients)>& use) override {
    for (const auto& batch : batches_) use(tensors_of(batch.cast<py::dict>()));
  }

  void for_each_tapped_batch(std::span<const Tap> taps,
                             const std::function<void(std::span<const Tensor> changes)>& use) override {
    if (!py::hasattr(batches_, "tapped")) return GradientSource::for_each_tapped_batch(taps, use);
    py::list places;
    for (const auto& tap : taps)
      places.append(py::make_tuple(static_cast<std::int32_t>(tap.node), tap.operand, tap.axis));
    for (const auto& batch : batches_.attr("tapped")(places)) {
      std::vector<Tensor> changes;
      for (const auto& array : batch) changes.push_back(tensor_of(array.cast<py::array>()));
      use(changes);
    }
  }

 private:
  py::iterable batches_;
};

std::vector<Scores> score_groups(const Model& model, const std::vector<PruningGroup>& groups,
                                 const std::string& criterion, const OptionValues& options,
                                 std::uint64_t seed, const std::optional<py::iterable>& gradients) {
  const auto made = known_plugins().criteria.make(criterion, options);
  if (gradients) {
    IterableGradients source(*gradients);
    return made->score_all(groups, {model, seed, &source});
  }
  const py::gil_scoped_release others_may_run;
  return made->score_all(groups, {model, seed, nullptr});
}

}  // namespace

void bind_scores(py::module_& module) {
  module.def("score_groups", &score_groups, py::arg("model"), py::arg("groups"), py::arg("criterion"),
             py::arg("options") = OptionValues(), py::arg("seed") = 0, py::arg("gradients") = py::none(),
             "One list of scores a group; `gradients` yields a dict of arrays by parameter for each batch.");
  module.def(
      "needs_gradients",
      [](const std::string& criterion, const OptionValues& options) {
        return known_plugins().criteria.make(criterion, options)->needs_gradients();
      },
      py::arg("criterion"), py::arg("options") = OptionValues());
}

}  // namespace compress::python
