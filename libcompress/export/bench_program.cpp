#include "libcompress/export/bench_program.h"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

#include "libcompress/export/c_text.h"

namespace compress {
namespace {

constexpr std::string_view kDefinition = "static void layer_";

bool in_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }

/// Behind the parenthesis that closes the one at `open`. The text is the C writer's: no strings or comments
/// inside a call.
std::size_t end_of_call(std::string_view text, std::size_t open) {
  int depth = 0;
  for (auto i = open; i < text.size(); ++i) {
    if (text[i] == '(') ++depth;
    if (text[i] == ')' && --depth == 0) return i + 1;
  }
  return text.size();
}

std::vector<std::string> layer_functions(std::string_view source) {
  std::vector<std::string> names;
  for (auto at = source.find(kDefinition); at != source.npos; at = source.find(kDefinition, at + 1)) {
    const auto begin = at + std::string_view("static void ").size();
    const std::string name(source.substr(begin, source.find('(', begin) - begin));
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
  return names;
}

/// A call of `name`, and neither its definition nor a longer name.
bool is_call(std::string_view text, std::size_t at, const std::string& name) {
  const auto end = at + name.size();
  if (at == 0 || in_word(text[at - 1]) || end >= text.size() || text[end] != '(') return false;
  return !text.substr(0, at).ends_with("static void ");
}

std::string with_clock(std::string_view text, const std::string& name, std::size_t number) {
  std::string result;
  std::size_t copied = 0;
  for (auto at = text.find(name); at != text.npos; at = text.find(name, at + 1)) {
    if (!is_call(text, at, name)) continue;
    const auto end = end_of_call(text, at + name.size());
    result += text.substr(copied, at - copied);
    result += fmt::format("BENCH_MEASURED({}, {})", number, text.substr(at, end - at));
    copied = end;
  }
  return result + std::string(text.substr(copied));
}

std::string memory_line(const std::string& name, const MemoryRegion& region) {
  return fmt::format("  {:<9} (rx)  : ORIGIN = {:#010x}, LENGTH = {}\n", name, region.origin, region.bytes);
}

std::string linker_script(const Board& board) {
  const bool apart = board.constants.origin != board.code.origin;
  return filled(template_text("bench/linker.ld"),
                {{"BOARD", board.name},
                 {"CODE_ORIGIN", fmt::format("{:#010x}", board.code.origin)},
                 {"CODE_BYTES", std::to_string(board.code.bytes)},
                 {"CONSTANT_REGION", apart ? memory_line("FLASH", board.constants) : ""},
                 {"CONSTANTS", apart ? "FLASH" : "CODE"},
                 {"VARIABLE_ORIGIN", fmt::format("{:#010x}", board.variables.origin)},
                 {"VARIABLE_BYTES", std::to_string(board.variables.bytes)}});
}

}  // namespace

MeasuredSource measured_source(std::string_view source) {
  MeasuredSource measured{"#include \"bench.h\"\n" + std::string(source), layer_functions(source)};
  for (std::size_t i = 0; i < measured.functions.size(); ++i)
    measured.text = with_clock(measured.text, measured.functions[i], i);
  return measured;
}

std::map<std::string, std::string> bench_files(const std::string& name, const Board& board,
                                               std::size_t layers) {
  return {{"bench.h", std::string(template_text("bench/bench.h"))},
          {"bench_startup.c", std::string(template_text("bench/startup.c"))},
          {"bench.ld", linker_script(board)},
          {"bench_program.c", filled(template_text("bench/program.c"),
                                     {{"NAME", name},
                                      {"UPPER", upper(name)},
                                      {"LAYERS", std::to_string(std::max<std::size_t>(layers, 1))}})}};
}

}  // namespace compress
