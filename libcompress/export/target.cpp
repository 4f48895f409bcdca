#include "libcompress/export/target.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "libcompress/base/files.h"
#include "libcompress/recipe/document.h"
#include "libcompress/recipe/quantity.h"
#include "libcompress/recipe/recipe.h"

namespace compress {
namespace {

constexpr std::array<std::string_view, 3> kSetNames = {"c", "dsp", "mve"};

Target core(const std::string& name, InstructionSet instructions, const std::string& board) {
  Target target{name, name, instructions};
  target.flags = {"-mcpu=" + name, "-mthumb", "-O2", "-ffunction-sections", "-fdata-sections"};
  target.board = board;
  return target;
}

Target vector_core(const std::string& name, const std::string& board) {
  auto target = core(name, InstructionSet::mve, board);
  target.flags.emplace_back("-mfloat-abi=hard");  // vectors live in the registers of floats
  return target;
}

Target host() {
  Target target{"host", "host"};
  target.flags = {"-O3"};
  return target;
}

const Target* find_target(std::string_view name) {
  const auto targets = known_targets();
  const auto found =
      std::find_if(targets.begin(), targets.end(), [&](const Target& each) { return each.name == name; });
  return found == targets.end() ? nullptr : &*found;
}

std::vector<std::string> target_names() {
  std::vector<std::string> names;
  for (const auto& target : known_targets()) names.push_back(target.name);
  return names;
}

std::string listed(const std::vector<std::string>& words) {
  return fmt::format("{}", fmt::join(words, ", "));
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& known) {
  const auto near = nearest_name(word, known);
  return near.empty() ? "" : fmt::format("did you mean '{}'?", near);
}

[[noreturn]] void refuse(const YamlNode& node, const std::string& found, const std::string& allowed,
                         const std::string& remedy = "") {
  throw Error(ErrorKind::recipe, {node.where, found, allowed, remedy});
}

/// One file: the keys are read in the order in which one builds on the other.
class Reader {
 public:
  Reader(const YamlNode& root, const std::string& file) : root_(root), file_(file) {}

  Target read() {
    refuse_unknown_keys();
    Target target = base();
    target.name = file_.substr(file_.rfind('/') + 1);
    if (const auto* node = root_.find("name")) target.name = text(*node);
    if (const auto* node = root_.find("flash")) target.flash_bytes = bytes(*node);
    if (const auto* node = root_.find("ram")) target.ram_bytes = bytes(*node);
    if (const auto* node = root_.find("clock")) target.clock_mhz = clock(*node);
    if (const auto* node = root_.find("instructions")) target.instructions = instructions(*node, target);
    if (const auto* node = root_.find("board")) target.board = board(*node, target);
    if (const auto* node = root_.find("flags"))
      for (auto& flag : flags(*node)) target.flags.push_back(std::move(flag));
    return target;
  }

 private:
  static const std::vector<std::string>& keys() {
    static const std::vector<std::string> kKeys = {"name",  "core",         "flash", "ram",
                                                   "clock", "instructions", "flags", "board"};
    return kKeys;
  }

  void refuse_unknown_keys() const {
    for (const auto& [key, value] : root_.entries)
      if (std::find(keys().begin(), keys().end(), key.text) == keys().end())
        refuse(key, fmt::format("unknown key {}", described(key)), listed(keys()),
               did_you_mean(key.text, keys()));
  }

  Target base() const {
    const auto* node = root_.find("core");
    if (!node) refuse(root_, "no key 'core'", listed(target_names()), "say what the processor is");
    const auto name = text(*node);
    if (const auto* known = find_target(name)) return *known;
    refuse(*node, described(*node), listed(target_names()), did_you_mean(name, target_names()));
  }

  static OptionValue value(const YamlNode& node) {
    std::vector<Complaint> complaints;
    auto read = option_value(node, complaints);
    if (!read) throw Error(ErrorKind::recipe, complaints.front());
    return *std::move(read);
  }

  static std::string text(const YamlNode& node) {
    const auto read = value(node);
    const auto* text = std::get_if<std::string>(&read);
    if (!text || text->empty()) refuse(node, described(node), "text");
    return *text;
  }

  static std::int64_t bytes(const YamlNode& node) {
    const auto limit = parse_bytes_budget(node.text);
    if (node.kind != YamlNode::Kind::scalar || !limit || limit->kind != BudgetLimit::Kind::absolute)
      refuse(node, described(node), "bytes such as 96000, 96KB or 94KiB");
    return limit->resolved(0);
  }

  static double clock(const YamlNode& node) {
    OptionSpec spec{"clock", OptionType::number, "MHz"};
    spec.minimum = 0.001;
    spec.maximum = 100'000;
    const auto read = check_option(spec, value(node), node.where);
    return std::get<double>(read);
  }

  static InstructionSet instructions(const YamlNode& node, const Target& target) {
    std::vector<std::string> allowed(kSetNames.begin(),
                                     kSetNames.begin() + static_cast<int>(target.instructions) + 1);
    const auto found = std::find(allowed.begin(), allowed.end(), text(node));
    if (found == allowed.end())
      refuse(node, described(node), listed(allowed), fmt::format("that is what a {} has", target.core));
    return static_cast<InstructionSet>(found - allowed.begin());
  }

  static std::string board(const YamlNode& node, const Target& target) {
    std::vector<std::string> allowed;
    for (const auto& each : known_boards())
      if (std::find(each.cores.begin(), each.cores.end(), target.core) != each.cores.end())
        allowed.push_back(each.name);
    const auto name = text(node);
    if (std::find(allowed.begin(), allowed.end(), name) != allowed.end()) return name;
    if (allowed.empty()) refuse(node, described(node), "no board: the code runs on this computer");
    refuse(node, described(node), listed(allowed), did_you_mean(name, allowed));
  }

  static std::vector<std::string> flags(const YamlNode& node) {
    if (node.kind != YamlNode::Kind::sequence) refuse(node, described(node), "a list of compiler flags");
    std::vector<std::string> result;
    for (const auto& item : node.items) {
      result.push_back(text(item));
      if (!result.back().starts_with('-'))
        refuse(item, described(item), "a flag that begins with '-'", "one list item a flag");
    }
    return result;
  }

  const YamlNode& root_;
  const std::string& file_;
};

}  // namespace

std::string_view name_of(InstructionSet set) { return kSetNames[static_cast<std::size_t>(set)]; }

std::span<const Target> known_targets() {
  static const std::vector<Target> kTargets = {
      core("cortex-m0", InstructionSet::c, "mps2-an385"),
      core("cortex-m3", InstructionSet::c, "mps2-an385"),
      core("cortex-m4", InstructionSet::dsp, "mps2-an386"),
      core("cortex-m7", InstructionSet::dsp, "mps2-an500"),
      core("cortex-m33", InstructionSet::dsp, "mps2-an505"),
      vector_core("cortex-m55", "mps3-an547"),
      host(),
  };
  return kTargets;
}

Target load_target(const std::string& name_or_path) {
  if (const auto* known = find_target(name_or_path)) return *known;
  if (is_target_file(name_or_path))
    return parse_target(read_text(name_or_path, largest_recipe_bytes), name_or_path);
  throw Error(ErrorKind::usage, {fmt::format("target '{}'", name_or_path), "no such target",
                                 listed(target_names()) + ", or a .yaml file that describes one",
                                 did_you_mean(name_or_path, target_names())});
}

Target parse_target(std::string_view text, const std::string& file) {
  const auto document = read_yaml(text, file);
  if (!document.complaints.empty()) throw Error(ErrorKind::recipe, document.complaints.front());
  return Reader(document.root, file).read();
}

}  // namespace compress
