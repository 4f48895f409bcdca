// Runs tests of ONNX's own backend suite: for each folder named on the command line, one line
//
//   NAME <tab> pass|skip|fail <tab> how, or why
//
// A folder holds model.onnx and test_data_set_*/{input,output}_*.pb. Inputs that hold no floats are bound as
// constants. The model is read in two ways, with every float input fed at run time and with all but the first
// bound, as the weights of a network are; whichever can be read must compute the outputs. A model in which
// everything has to be bound is folded.
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

struct Example {
  std::vector<std::byte> model;
  fs::path folder;
  std::vector<std::string> input_names;
  std::vector<Tensor> inputs;
  std::vector<Tensor> outputs;
};

struct Outcome {
  std::string status;
  std::string detail;
};

Tensor read_tensor(const fs::path& path) {
  const auto bytes = read_bytes(path);
  return onnx::decode(onnx::parse_tensor(bytes, path.string()), path.string());
}

std::vector<Tensor> read_tensors(const fs::path& folder, const std::string& kind) {
  std::vector<Tensor> tensors;
  for (std::size_t i = 0;; ++i) {
    const auto path = folder / fmt::format("{}_{}.pb", kind, i);
    if (!fs::exists(path)) return tensors;
    tensors.push_back(read_tensor(path));
  }
}

Example read_example(const fs::path& folder) {
  Example example;
  example.folder = folder;
  example.model = read_bytes(folder / "model.onnx");
  const auto record = onnx::parse_model(example.model, "model.onnx");
  for (const auto& input : record.graph.inputs) {
    if (!input.is_tensor)
      throw Error(ErrorKind::input, fmt::format("input '{}': a sequence, a map or an optional", input.name));
    example.input_names.emplace_back(input.name);
  }
  example.inputs = read_tensors(folder / "test_data_set_0", "input");
  example.outputs = read_tensors(folder / "test_data_set_0", "output");
  if (example.inputs.size() != example.input_names.size())
    throw Error(ErrorKind::input, "an input that is left out");
  return example;
}

std::string difference(const Tensor& found, const Tensor& expected) {
  if (found.shape() != expected.shape())
    return fmt::format("shape {} instead of {}", to_string(found.shape()), to_string(expected.shape()));
  const auto a = found.to_float32(), b = expected.to_float32();
  const auto x = std::as_const(a).as<float>(), y = std::as_const(b).as<float>();
  for (std::size_t i = 0; i < x.size(); ++i) {
    const bool both_nan = std::isnan(x[i]) && std::isnan(y[i]);
    const double limit = kAbsolute + kRelative * std::abs(static_cast<double>(y[i]));
    if (x[i] == y[i] || both_nan || std::abs(static_cast<double>(x[i]) - y[i]) <= limit) continue;
    return fmt::format("{} instead of {} at element {}", x[i], y[i], i);
  }
  return "";
}

std::string differences(const std::vector<Tensor>& found, const std::vector<Tensor>& expected) {
  if (found.size() != expected.size())
    return fmt::format("{} outputs instead of {}", found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    const auto what = difference(found[i], expected[i]);
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

/// Of one way to bind the inputs.
Outcome attempt(const Example& example, const OnnxOptions& options, const std::string& how) {
  Model model;
  std::vector<Tensor> outputs;
  try {
    if (options.constants.size() == example.inputs.size()) {
      onnx::Source source(onnx::parse_model(example.model, "model.onnx"), example.folder, options);
      outputs = onnx::Translation(source, 1).fold();
    } else {
      model = parse_onnx(example.model, "model.onnx", example.folder, options);
    }
  } catch (const Error& error) {
    return {"skip", error.what()};
  }
  try {
    if (outputs.empty()) outputs = run(model, example);
  } catch (const std::exception& error) {
    return {"fail", how + ": " + error.what()};
  }
  const auto what = differences(outputs, example.outputs);
  return what.empty() ? Outcome{"pass", how} : Outcome{"fail", how + ": " + what};
}

Outcome run_example(const fs::path& folder) {
  Example example;
  try {
    example = read_example(folder);
  } catch (const Error& error) {
    return {"skip", error.what()};
  }
  const auto floats =
      static_cast<std::size_t>(std::count_if(example.inputs.begin(), example.inputs.end(), is_float));
  const auto nothing_bound = example.inputs.size();
  std::vector<Outcome> outcomes;
  if (floats > 0) outcomes.push_back(attempt(example, bind(example, nothing_bound), "run"));
  if (floats > 1 && is_float(example.inputs[0]))
    outcomes.push_back(attempt(example, bind(example, 1), "run with constant weights"));
  const auto worst = [&](const std::string& status) {
    return std::find_if(outcomes.begin(), outcomes.end(),
                        [&](const auto& each) { return each.status == status; });
  };
  if (worst("fail") != outcomes.end()) return *worst("fail");
  if (worst("pass") != outcomes.end()) return *worst("pass");
  const auto folded = attempt(example, bind(example, 0), "folded");
  return folded.status == "skip" && !outcomes.empty() ? outcomes.back() : folded;
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
