// The verbs of the command line, one file each in verbs/.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "libcompress/pipeline/plugins.h"
#include "tools/command/terminal.h"

namespace compress::command {

/// What every verb gets.
struct Session {
  Plugins& plugins;  ///< grows by the files that a recipe names
  Terminal& terminal;
  bool json = false;  ///< one JSON object on standard output instead of text

  /// Prints `object` if --json was given, else `text`.
  void print(const nlohmann::json& object, const std::string& text) const;
};

/// A verb declares its options on `app` and returns what runs once they are parsed. The result is the exit
/// code.
struct Verb {
  std::string name;
  std::string summary;
  std::string example;
  std::function<std::function<int(const Session&)>(CLI::App& app)> declare;
};

Verb check_verb();
Verb plan_verb();
Verb diff_verb();
Verb run_verb();
Verb resume_verb();
Verb inspect_verb();
Verb groups_verb();
Verb prune_verb();
Verb convert_verb();
Verb evaluate_verb();
Verb quantize_verb();
Verb export_verb();
Verb bench_verb();
Verb report_verb();
Verb plugins_verb();
Verb doctor_verb();

/// Writes `text` to standard output. Error of kind io if that fails.
void print_result(const std::string& text);

/// Text in columns: the first row is the header; numbers are right-aligned.
std::string table_text(const std::vector<std::vector<std::string>>& rows);

/// "131,474".
std::string grouped(std::int64_t number);

}  // namespace compress::command
