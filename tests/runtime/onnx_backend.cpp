// Runs tests of ONNX's own backend suite: for each folder named on the command line, one line
//
//   NAME <tab> pass|skip|fail <tab> how, or why
//
// A folder holds model.onnx and test_data_set_*/{input,output}_*.pb. Inputs that hold no floats are bound as
// constants. The model is read in two ways, with every float input fed at run time and with all but the first
// bound, as the weights of a network are; whichever can be read must compute the outputs. A model in which
// everything has to be bound is folded, and one that only moves integers runs with the same numbers as
// floats.
#include <ATen/core/Tensor.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include "libcompress/base/error.h"
#include "libcompress/base/files.h"
#include "libcompress/import/onnx.h"
#include "libcompress/import/onnx/translation.h"
#include "libcompress/runtime/network.h"

namespace compress {
namespace {

namespace fs = std::filesystem;

constexpr double kRelative = 1e-3, kAbsolute = 1e-7;  // ONNX's own defaults
constexpr double kBfloat16 = 1.0 / 128;  // its last bit, which the suite cuts: here all stays float32

struct Example {
  std::vector<std::byte> model;
  fs::path folder;
  std::vector<std::string> input_names;
  std::vector<Tensor> inputs;
  std::vector<Tensor> outputs;
  std::vector<double> tolerances;  ///< relative, of the outputs
};

struct Outcome {
  std::string status;
  std::string detail;
};

/// The suite stores bfloat16 as the integers of its bits; only the model says what they are.
Tensor read_tensor(const fs::path& path, onnx::ElementType declared) {
  const auto bytes = read_bytes(path);
  auto record = onnx::parse_tensor(bytes, path.string());
  if (declared == onnx::ElementType::bfloat16) record.type = declared;
  return onnx::decode(record, path.filename().string());
}

std::vector<Tensor> read_tensors(const fs::path& folder, const std::string& kind,
                                 const std::vector<onnx::ValueRecord>& declared) {
  std::vector<Tensor> tensors;
  for (std::size_t i = 0;; ++i) {
    const auto path = folder / fmt::format("{}_{}.pb", kind, i);
    if (!fs::exists(path)) return tensors;
    if (i >= declared.size()) throw Error(ErrorKind::input, "more files than the model has values");
    tensors.push_back(read_tensor(path, declared[i].type));
  }
}

Example read_example(const fs::path& folder) {
  Example example;
  example.folder = folder;
  example.model = read_bytes(folder / "model.onnx");
  const auto record = onnx::parse_model(example.model, "model.onnx");
  for (const auto& values : {record.graph.inputs, record.graph.outputs}) {
    for (const auto& each : values) {
      if (!each.is_tensor) throw Error(ErrorKind::input, "a sequence, a map or an optional");
    }
  }
  for (const auto& output : record.graph.outputs)
    example.tolerances.push_back(output.type == onnx::ElementType::bfloat16 ? kBfloat16 : kRelative);
  for (const auto& input : record.graph.inputs) example.input_names.emplace_back(input.name);
  example.inputs = read_tensors(folder / "test_data_set_0", "input", record.graph.inputs);
  example.outputs = read_tensors(folder / "test_data_set_0", "output", record.graph.outputs);
  if (example.inputs.size() != example.input_names.size())
    throw Error(ErrorKind::input, "an input that is left out");
  return example;
}

std::string difference(const Tensor& found, const Tensor& expected, double tolerance) {
  if (found.shape() != expected.shape())
    return fmt::format("shape {} instead of {}", to_string(found.shape()), to_string(expected.shape()));
  const auto a = found.to_float32(), b = expected.to_float32();
  const auto x = std::as_const(a).as<float>(), y = std::as_const(b).as<float>();
  for (std::size_t i = 0; i < x.size(); ++i) {
    const bool both_nan = std::isnan(x[i]) && std::isnan(y[i]);
    const double limit = kAbsolute + tolerance * std::abs(static_cast<double>(y[i]));
    if (x[i] == y[i] || both_nan || std::abs(static_cast<double>(x[i]) - y[i]) <= limit) continue;
    return fmt::format("{} instead of {} at element {}", x[i], y[i], i);
  }
  return "";
}

std::string differences(const std::vector<Tensor>& found, const Example& example) {
  if (found.size() != example.outputs.size())
    return fmt::format("{} outputs instead of {}", found.size(), example.outputs.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    const auto what = difference(found[i], example.outputs[i], example.tolerances.at(i));
    if (!what.empty()) return fmt::format("output {}: {}", i, what);
  }
  return "";
}

std::vector<Tensor> run(const Model& model, const Example& example) {
  const Network network(model, WeightUse::shared);
  std::vector<at::Tensor> inputs;
  for (const auto id : model.graph.inputs()) {
    const auto& name = model.graph.value(id).name;
    const auto at = std::find(example.input_names.begin(), example.input_names.end(), name);
    inputs.push_back(
        as_torch(example.inputs[static_cast<std::size_t>(at - example.input_names.begin())].to_float32()));
  }
  std::vector<Tensor> outputs;
  for (const auto& output : network.compute(inputs, model.graph.outputs(), {}))
    outputs.push_back(from_torch(output));
  return outputs;
}

bool is_float(const Tensor& tensor) { return tensor.dtype() == DType::float32; }

/// Binds what cannot be fed, and every input from `first_bound` on.
OnnxOptions bind(const Example& example, std::size_t first_bound) {
  OnnxOptions options;
  for (std::size_t i = 0; i < example.inputs.size(); ++i) {
    if (i >= first_bound || !is_float(example.inputs[i]))
      options.constants.emplace(example.input_names[i], example.inputs[i]);
  }
  return options;
}

/// What `compute` makes of what was read must be the outputs; the example is skipped if `read` throws.
template <typename Read, typename Compute>
Outcome attempt(const Example& example, const std::string& how, const Read& read, const Compute& compute) {
  std::vector<Tensor> outputs;
  try {
    const auto it = read();
    try {
      outputs = compute(it);
    } catch (const std::exception& error) {
      return {"fail", how + ": " + error.what()};
    }
  } catch (const Error& error) {
    return {"skip", error.what()};
  }
  const auto what = differences(outputs, example);
  return what.empty() ? Outcome{"pass", how} : Outcome{"fail", how + ": " + what};
}

Outcome attempt_run(const Example& example, std::size_t first_bound, const std::string& how) {
  return attempt(
      example, how,
      [&] { return parse_onnx(example.model, "model.onnx", example.folder, bind(example, first_bound)); },
      [&](const Model& model) { return run(model, example); });
}

Outcome attempt_fold(const Example& example) {
  return attempt(
      example, "folded",
      [&] {
        const auto options = bind(example, 0);
        onnx::Source source(onnx::parse_model(example.model, "model.onnx"), example.folder, options);
        return onnx::Translation(source, 1).fold();
      },
      [](const std::vector<Tensor>& outputs) { return outputs; });
}

/// Input 0 holds integers and is fed as floats; the others are bound.
Outcome attempt_as_floats(const Example& example) {
  return attempt(
      example, "run as floats",
      [&] {
        auto options = bind(example, 0);
        options.constants.erase(example.input_names[0]);
        auto record = onnx::parse_model(example.model, "model.onnx");
        record.graph.inputs[0].type = onnx::ElementType::float32;
        onnx::Source source(std::move(record), example.folder, options);
        auto translated = onnx::Translation(source, 1).run(false);
        if (!translated.failures.empty()) throw Error(ErrorKind::input, translated.failures.front());
        Model model;
        model.graph = std::move(translated.graph);
        model.weights = std::move(translated.weights);
        return model;
      },
      [&](const Model& model) { return run(model, example); });
}

Outcome run_example(const fs::path& folder) {
  Example example;
  try {
    example = read_example(folder);
  } catch (const Error& error) {
    return {"skip", error.what()};
  }
  const auto floats = std::count_if(example.inputs.begin(), example.inputs.end(), is_float);
  std::vector<Outcome> outcomes;
  if (floats > 0) outcomes.push_back(attempt_run(example, example.inputs.size(), "run"));
  if (floats > 1 && is_float(example.inputs[0]))
    outcomes.push_back(attempt_run(example, 1, "run with constant weights"));
  const auto first = [&](const std::string& status) {
    return std::find_if(outcomes.begin(), outcomes.end(),
                        [&](const auto& each) { return each.status == status; });
  };
  const auto is_decided = [&] { return first("fail") != outcomes.end() || first("pass") != outcomes.end(); };
  if (!is_decided()) outcomes.push_back(attempt_fold(example));
  if (!is_decided() && !example.inputs.empty() && !is_float(example.inputs[0]))
    outcomes.push_back(attempt_as_floats(example));
  for (const auto* status : {"fail", "pass"}) {
    if (first(status) != outcomes.end()) return *first(status);
  }
  return outcomes[std::min<std::size_t>(1, outcomes.size() - 1)];
}

}  // namespace
}  // namespace compress

int main(int count, char** arguments) {
  for (int i = 1; i < count; ++i) {
    const std::filesystem::path folder = arguments[i];
    auto outcome = compress::run_example(folder);
    std::replace(outcome.detail.begin(), outcome.detail.end(), '\n', ' ');
    std::cout << folder.filename().string() << '\t' << outcome.status << '\t' << outcome.detail << '\n';
  }
}
