#include "libcompress/quant/reference.h"

#include <fmt/format.h>

#include "libcompress/base/error.h"
#include "libcompress/quant/reference/run.h"

namespace compress {

struct ReferenceExecutor::Impl {
  QuantizedGraph graph;  // constants are shared with the caller's
  std::vector<reference::Prepared> prepared;

  reference::Run run(std::span<const std::int8_t> input, const Observe& observe) const {
    const auto expected = element_count(graph.value(graph.inputs[0]).shape);
    if (static_cast<std::int64_t>(input.size()) != expected) {
      throw Error(ErrorKind::usage,
                  {"int8 network '" + graph.name + "'", fmt::format("an input of {} elements", input.size()),
                   fmt::format("{}", expected), ""});
    }
    reference::Run run(graph, prepared);
    run.set_input(input);
    if (observe) observe(graph.inputs[0], run.tensor(graph.inputs[0]));
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
      run.execute(i);
      if (observe) observe(graph.nodes[i].output, run.tensor(graph.nodes[i].output));
    }
    return run;
  }
};

ReferenceExecutor::ReferenceExecutor(const QuantizedGraph& graph) {
  verify(graph);
  impl_ = std::make_unique<Impl>();
  impl_->graph = graph;
  for (const auto& node : graph.nodes) impl_->prepared.push_back(reference::prepare(graph, node));
}

ReferenceExecutor::ReferenceExecutor(ReferenceExecutor&&) noexcept = default;
ReferenceExecutor& ReferenceExecutor::operator=(ReferenceExecutor&&) noexcept = default;
ReferenceExecutor::~ReferenceExecutor() = default;

std::vector<std::int8_t> ReferenceExecutor::run(std::span<const std::int8_t> input) const {
  return impl_->run(input, {}).bytes(impl_->graph.outputs[0]);
}

std::vector<std::vector<std::int8_t>> ReferenceExecutor::run_all(std::span<const std::int8_t> input) const {
  const auto run = impl_->run(input, {});
  std::vector<std::vector<std::int8_t>> outputs;
  for (const auto id : impl_->graph.outputs) outputs.push_back(run.bytes(id));
  return outputs;
}

void ReferenceExecutor::run_observed(std::span<const std::int8_t> input, const Observe& observe) const {
  impl_->run(input, observe);
}

const QuantizedGraph& ReferenceExecutor::graph() const { return impl_->graph; }

}  // namespace compress
