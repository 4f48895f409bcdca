#include "tools/command/model_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "libcompress/pipeline/model_file.h"

namespace compress::command {
namespace {

[[noreturn]] void refuse(const std::string& flag, const std::string& found, const std::string& allowed) {
  throw Error(ErrorKind::usage, {flag, found, allowed, ""});
}

template <typename Number>
Number number_from(const std::string& text, const std::string& flag) {
  Number number{};
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc{} || end != text.data() + text.size())
    refuse(flag, fmt::format("'{}'", text), "a number");
  return number;
}

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> parts;
  std::string_view rest = text;
  while (true) {
    const auto comma = rest.find(',');
    parts.emplace_back(rest.substr(0, comma));
    if (comma == std::string_view::npos) return parts;
    rest = rest.substr(comma + 1);
  }
}

template <typename Number>
std::vector<Number> numbers_from(const std::string& text, const std::string& flag) {
  std::vector<Number> numbers;
  for (const auto& part : split(text)) numbers.push_back(number_from<Number>(part, flag));
  return numbers;
}

OptionValue value_from(const std::string& text, OptionType type, const std::string& flag) {
  switch (type) {
    case OptionType::boolean:
      if (text == "true" || text == "false") return text == "true";
      refuse(flag, fmt::format("'{}'", text), "true or false");
    case OptionType::integer:
      return number_from<std::int64_t>(text, flag);
    case OptionType::number:
      return number_from<double>(text, flag);
    case OptionType::integers:
      return numbers_from<std::int64_t>(text, flag);
    case OptionType::numbers:
      return numbers_from<double>(text, flag);
    case OptionType::strings:
      return split(text);
    case OptionType::string:
    case OptionType::path:
      return text;
  }
  return text;
}

void check_pattern(const std::string& flag, const std::string& pattern, const Graph& graph) {
  std::vector<std::string> names;
  for (const auto& node : graph.nodes()) {
    if (matches(pattern, node.name)) return;
    names.push_back(node.name);
  }
  const auto near = nearest_name(pattern, names);
  throw Error(ErrorKind::usage,
              {flag, fmt::format("'{}' matches no node", pattern), "names or patterns (*, ?) of nodes",
               near.empty() ? "see: libcompress inspect" : fmt::format("did you mean '{}'?", near)});
}

}  // namespace

std::map<std::string, OptionValue> read_options(const std::vector<std::string>& pairs,
                                                const OptionTable& table, const std::string& flag) {
  std::map<std::string, OptionValue> options;
  for (const auto& pair : pairs) {
    const auto equals = pair.find('=');
    if (equals == std::string::npos) refuse(flag, fmt::format("'{}'", pair), "key=value");
    const auto key = pair.substr(0, equals);
    const auto row =
        std::find_if(table.begin(), table.end(), [&](const auto& option) { return option.name == key; });
    const auto type =
        row == table.end() ? OptionType::string : row->type;  // an unknown name is told by the plugin's check
    options[key] = value_from(pair.substr(equals + 1), type, fmt::format("{} {}", flag, key));
  }
  return options;
}

void ModelArguments::declare(CLI::App& app) {
  app.add_option(
      "file,--checkpoint", file,
      "a network: ONNX, TensorFlow Lite or a model that this program saved; or a checkpoint (.pt)");
  app.add_option("--model", plugin, "model plugin: needed for checkpoints of others and for fresh networks");
  app.add_option("--model-option", options, "option of the model plugin, as in --model-option classes=50")
      ->allow_extra_args(false);
  app.add_option(
         "--shape", shapes,
         "shape of an input that the file leaves open, as in --shape input=1,3,224,224; -1 keeps the file's")
      ->allow_extra_args(false);
  app.add_option("--seed", seed, "seed of fresh weights");
}

std::map<std::string, Shape> ModelArguments::input_shapes() const {
  std::map<std::string, Shape> found;
  for (const auto& pair : shapes) {
    const auto equals = pair.rfind('=');
    if (equals == std::string::npos) refuse("--shape", fmt::format("'{}'", pair), "input=1,3,224,224");
    found[pair.substr(0, equals)] = numbers_from<std::int64_t>(pair.substr(equals + 1), "--shape " + pair);
  }
  return found;
}

void GroupArguments::declare(CLI::App& app) {
  app.add_option("--ignore", ignore, "pattern (*, ?) of nodes that keep their width; may be given again")
      ->allow_extra_args(false);
  app.add_option("--spatial", spatial,
                 "pattern of nodes that may be pruned though their channels become rows or columns")
      ->allow_extra_args(false);
}

std::vector<PruningGroup> GroupArguments::find(const LoadedModel& loaded) const {
  const Graph& graph = loaded.model.graph;
  for (const auto& pattern : ignore) check_pattern("--ignore", pattern, graph);
  for (const auto& pattern : spatial) check_pattern("--spatial", pattern, graph);
  GroupOptions options{ignore, spatial};
  if (loaded.family) {
    for (auto& pattern : loaded.family->spatial_nodes()) options.spatial.push_back(std::move(pattern));
  }
  return find_groups(graph, options);
}

LoadedModel ModelArguments::load(const Plugins& plugins) const {
  LoadedModel loaded;
  if (file.empty() && plugin.empty())
    throw Error(ErrorKind::usage,
                "no network: name a file, or a model plugin with --model (see: libcompress plugins)");
  if (!plugin.empty()) {
    const auto& table = plugins.models.entry(plugin).options;
    loaded.family = plugins.models.make(plugin, read_options(options, table, "--model-option"));
  }
  if (!file.empty()) {
    loaded.model = load_model(file, loaded.family.get(), input_shapes());
  } else {
    Random random(static_cast<std::uint64_t>(seed));
    loaded.model = loaded.family->fresh(random);
  }
  return loaded;
}

}  // namespace compress::command
