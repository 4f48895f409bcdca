#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <optional>

#include "libcompress/export/process.h"
#include "tools/command/verb.h"

namespace compress::command {
namespace {

namespace fs = std::filesystem;

/// A program that some step uses.
struct Tool {
  std::vector<std::string> names;  ///< any one of them will do
  std::string what_for;
  std::string fix;
  bool required;
};

const std::vector<Tool>& tools() {
  static const std::vector<Tool> list = {
      {{"cc", "gcc", "clang", "clang-14"},
       "compile the exported C on this machine",
       "apt-get install gcc",
       true},
      {{"cmake"}, "build the exported folder as it is", "apt-get install cmake", false},
      {{"arm-none-eabi-gcc"},
       "compile the exported C for Cortex-M",
       "apt-get install gcc-arm-none-eabi libnewlib-arm-none-eabi",
       false},
      {{"qemu-system-arm"},
       "run the exported C on an emulated Cortex-M4",
       "apt-get install qemu-system-arm",
       false},
      {{"dot"}, "draw graphs (inspect --dot)", "apt-get install graphviz", false},
  };
  return list;
}

/// With sudo where it is needed.
std::string as_this_user(const std::string& command) { return geteuid() == 0 ? command : "sudo " + command; }

int examine(const Session& session) {
  nlohmann::json object = {{"tools", nlohmann::json::array()}};
  std::string text;
  bool well = true;
  for (const auto& tool : tools()) {
    std::optional<fs::path> found;
    for (const auto& name : tool.names) {
      if (!found) found = find_program(name);
    }
    well = well && (found || !tool.required);
    object["tools"].push_back({{"name", tool.names.front()},
                               {"found", found ? found->string() : ""},
                               {"what_for", tool.what_for},
                               {"required", tool.required},
                               {"fix", found ? "" : as_this_user(tool.fix)}});
    text += fmt::format(
        "{:<8} {:<18} {}\n",
        found           ? "ok"
        : tool.required ? "MISSING"
                        : "missing",
        tool.names.front(),
        found ? found->string() : fmt::format("to {}: {}", tool.what_for, as_this_user(tool.fix)));
  }
  const long cores = sysconf(_SC_NPROCESSORS_ONLN);
  object["cores"] = cores;
  object["ok"] = well;
  text += fmt::format("{:<8} {:<18} {}\n", "ok", "cores", cores);
  session.print(object, text);
  return well ? 0 : static_cast<int>(ErrorKind::input);
}

}  // namespace

Verb doctor_verb() {
  return {"doctor", "Say what is missing on this machine and how to get it", "libcompress doctor",
          [](CLI::App&) { return examine; }};
}

}  // namespace compress::command
