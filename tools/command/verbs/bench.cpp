#include <fmt/format.h>

#include <filesystem>

#include "libcompress/export/bench.h"
#include "libcompress/export/c_text.h"
#include "libcompress/export/c_writer.h"
#include "libcompress/quant/quantized_file.h"
#include "tools/command/verb.h"

namespace compress::command {
namespace {

using nlohmann::json;

struct Arguments {
  std::string model;
  std::string target;
  std::string profile = "litert";
  std::string instructions;  ///< empty: the target's
  std::string memory = "whole";
  std::int64_t inputs = 2;
  bool list_targets = false;
};

json target_json(const Target& target) {
  json object = {{"name", target.name},
                 {"core", target.core},
                 {"instructions", name_of(target.instructions)},
                 {"flags", target.flags},
                 {"board", target.board}};
  if (target.flash_bytes) object["flash_bytes"] = *target.flash_bytes;
  if (target.ram_bytes) object["ram_bytes"] = *target.ram_bytes;
  if (target.clock_mhz) object["clock_mhz"] = *target.clock_mhz;
  return object;
}

int list_targets(const Session& session) {
  json object = json::array();
  std::vector<std::vector<std::string>> rows = {{"target", "instructions", "flags", "board of QEMU"}};
  for (const auto& target : known_targets()) {
    object.push_back(target_json(target));
    rows.push_back({target.name, std::string(name_of(target.instructions)),
                    fmt::format("{}", fmt::join(target.flags, " ")), target.board});
  }
  session.print(object, table_text(rows));
  return 0;
}

/// A run folder stands for the 8-bit network in it.
std::filesystem::path network_file(const std::string& model) {
  const std::filesystem::path path = model;
  return std::filesystem::is_directory(path) ? path / "quantized.safetensors" : path;
}

double per_mac(std::int64_t instructions, std::int64_t macs) {
  return macs > 0 ? static_cast<double>(instructions) / static_cast<double>(macs) : 0;
}

json bench_json(const BenchResult& result) {
  json layers = json::array();
  for (const auto& layer : result.layers)
    layers.push_back({{"name", layer.name},
                      {"operation", layer.title},
                      {"macs", layer.macs},
                      {"calls", layer.calls},
                      {"instructions", layer.instructions}});
  return {{"target", result.target},
          {"board", result.board},
          {"compiler", result.compiler},
          {"inputs", result.inputs},
          {"instructions", result.instructions},
          {"instructions_per_mac", result.instructions_per_mac()},
          {"macs", result.macs},
          {"arena_bytes", result.arena_bytes},
          {"stack_bytes", result.stack_bytes},
          {"stack_bound_bytes", result.stack_bound_bytes < 0 ? json() : json(result.stack_bound_bytes)},
          {"stack_not_bounded", result.stack_not_bounded},
          {"code_bytes", result.code_bytes},
          {"const_bytes", result.const_bytes},
          {"layers", layers}};
}

std::string stack_text(const BenchResult& result) {
  if (result.stack_bound_bytes < 0) return "no bound";
  std::string text = fmt::format("at most {}", grouped(result.stack_bound_bytes));
  if (!result.stack_not_bounded.empty())
    text += fmt::format(" and what {} take{}", fmt::join(result.stack_not_bounded, ", "),
                        result.stack_not_bounded.size() == 1 ? "s" : "");
  return text;
}

std::string bench_text(const BenchResult& result) {
  std::vector<std::vector<std::string>> rows = {{"layer", "operation", "MACs", "instructions", "per MAC"}};
  for (const auto& layer : result.layers)
    rows.push_back({layer.name, layer.title, grouped(layer.macs), grouped(layer.instructions),
                    layer.macs > 0 ? fmt::format("{:.2f}", per_mac(layer.instructions, layer.macs)) : ""});
  rows.push_back({"all", "", grouped(result.macs), grouped(result.instructions),
                  fmt::format("{:.2f}", result.instructions_per_mac())});
  return table_text(rows) + fmt::format(
                                "\n{}, {} in QEMU, {}; {} inputs equal the reference\n"
                                "arena {} bytes, stack {} bytes ({}), code {} bytes, constants {} bytes\n",
                                result.target, result.board, result.compiler, result.inputs,
                                grouped(result.arena_bytes), grouped(result.stack_bytes), stack_text(result),
                                grouped(result.code_bytes), grouped(result.const_bytes));
}

/// What the target has, or less where the user asks for it.
InstructionSet instructions(const Arguments& arguments, const Target& target) {
  for (int set = 0; set <= static_cast<int>(target.instructions); ++set)
    if (name_of(static_cast<InstructionSet>(set)) == arguments.instructions)
      return static_cast<InstructionSet>(set);
  if (arguments.instructions.empty()) return target.instructions;
  throw Error(
      ErrorKind::usage,
      {"--instructions", arguments.instructions,
       fmt::format("at most {}, which is what {} has", name_of(target.instructions), target.name), ""});
}

CMemory memory(const Arguments& arguments) {
  if (arguments.memory == "stream") return CMemory::stream;
  return arguments.memory == "auto" ? CMemory::least : CMemory::whole;
}

int bench_network(const Session& session, const Arguments& arguments) {
  if (arguments.list_targets) return list_targets(session);
  if (arguments.model.empty() || arguments.target.empty())
    throw Error(ErrorKind::usage, {"bench", arguments.model.empty() ? "no network" : "no --target",
                                   "an 8-bit network and --target", "bench --targets lists the targets"});
  const auto target = load_target(arguments.target);
  const auto graph = load_quantized(network_file(arguments.model), arguments.profile);
  const ExportRequest request{
      graph, "network", random_vectors(graph, arguments.inputs), {}, instructions(arguments, target)};
  const auto result = bench(request, write_c(request, memory(arguments)), target);
  session.print(bench_json(result), bench_text(result));
  return 0;
}

}  // namespace

Verb bench_verb() {
  return {"bench",
          "Count the instructions, the memory and the flash of an 8-bit network's C code on a Cortex-M",
          "libcompress bench network_int8.tflite --target cortex-m4", [](CLI::App& app) {
            auto arguments = std::make_shared<Arguments>();
            app.add_option("network", arguments->model,
                           "an int8 .tflite file, a quantized.safetensors, or the folder of a run");
            app.add_option("--target", arguments->target, "a target's name or .yaml file");
            app.add_flag("--targets", arguments->list_targets, "list the known targets instead");
            app.add_option("--profile", arguments->profile, "how an int8 .tflite file rounds")
                ->check(CLI::IsMember({"litert", "tflite-micro"}));
            app.add_option("--instructions", arguments->instructions, "kernels that use no more than this")
                ->check(CLI::IsMember({"c", "dsp", "mve"}));
            app.add_option("--memory", arguments->memory, "whole tensors, rows, or whichever needs less")
                ->check(CLI::IsMember({"whole", "stream", "auto"}));
            app.add_option("--inputs", arguments->inputs, "random inputs to run")->check(CLI::Range(1, 100));
            return [=](const Session& session) { return bench_network(session, *arguments); };
          }};
}

}  // namespace compress::command
