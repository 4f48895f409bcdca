// The command `libcompress`. Results go to standard output, everything else to standard error.

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <cstdio>
#include <exception>
#include <new>

#include "libcompress/base/error.h"
#include "libcompress/pipeline/plugin_file.h"
#include "libcompress/runtime/executor.h"
#include "plugins/built_in.h"
#include "tools/command/verb.h"

namespace compress::command {
namespace {

constexpr int kInternalError = 70;  // EX_SOFTWARE: a bug of ours, not one of the documented exits

std::vector<Verb> all_verbs() {
  return {inspect_verb(), groups_verb(),   prune_verb(),   convert_verb(), check_verb(),    plan_verb(),
          diff_verb(),    run_verb(),      resume_verb(),  report_verb(),  quantize_verb(), export_verb(),
          bench_verb(),   evaluate_verb(), plugins_verb(), doctor_verb()};
}

constexpr std::string_view kExitCodes =
    "Exit codes: 0 done, 2 usage, 3 recipe, 4 input, 5 does not fit the budget, 6 accuracy gate failed, 7 "
    "I/O, 8 plugin, "
    "130 interrupted.";

void tell(const Error& error, const Session& session) {
  session.terminal.finish_line();
  if (session.json) {
    const nlohmann::json object = {{"error", {{"kind", name_of(error.kind())}, {"message", error.what()}}}};
    fmt::print("{}\n", object.dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
  }
  fmt::print(stderr, "libcompress: {}\n", error.what());
}

int tell_missing_verb(const std::vector<std::string>& words) {
  std::vector<std::string> verbs;
  for (const auto& verb : all_verbs()) verbs.push_back(verb.name);
  const std::string word = words.empty() ? "" : words.front();
  const auto near = nearest_name(word, verbs);
  fmt::print(stderr, "libcompress: {}; allowed: {}; {}\n",
             words.empty() ? "no verb" : fmt::format("no verb '{}'", word), fmt::join(verbs, ", "),
             near.empty() ? "see: libcompress --help" : fmt::format("did you mean '{}'?", near));
  return static_cast<int>(ErrorKind::usage);
}

int run(int argc, char** argv) {
  CLI::App app{
      "Prunes, fine-tunes, quantizes and exports convolutional networks to C, with proof at every step."};
  app.name("libcompress");
  app.footer(std::string(kExitCodes));
  app.require_subcommand(0, 1);  // none is told below, with the word that was no verb
  app.allow_extras();
  app.set_version_flag("--version", "libcompress " COMPRESS_VERSION);
  bool json = false;
  bool quiet = false;
  std::vector<std::string> plugin_files;
  std::function<int(const Session&)> chosen;
  for (const auto& verb : all_verbs()) {
    auto* sub = app.add_subcommand(verb.name, verb.summary);
    sub->allow_extras(false);  // verbs inherit it: a mistyped option would be taken for nothing
    sub->footer("Example:\n  " + verb.example);
    sub->add_flag("--json", json, "print one JSON object");
    sub->add_flag("--quiet", quiet, "no progress and no messages but warnings");
    sub->add_option("--plugin", plugin_files, "load plugins from this shared object; its code is run")
        ->allow_extra_args(false);
    auto action = verb.declare(*sub);
    sub->callback([&chosen, action] { chosen = action; });
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : static_cast<int>(ErrorKind::usage);
  }
  if (!chosen || !app.remaining().empty()) return tell_missing_verb(app.remaining());
  catch_interrupts();
  keep_freed_memory();
  Plugins plugins = built_in_plugins();
  Terminal terminal(quiet);
  const Session session{plugins, terminal, json};
  try {
    for (const auto& file : plugin_files) load_plugin_file(file, plugins);
    return chosen(session);
  } catch (const Error& error) {
    tell(error, session);
    return error.exit_code();
  }
}

}  // namespace
}  // namespace compress::command

int main(int argc, char** argv) {
  try {
    return compress::command::run(argc, argv);
  } catch (const std::bad_alloc&) {
    fmt::print(stderr, "libcompress: not enough memory; use a smaller network, batch or number of samples\n");
    return static_cast<int>(compress::ErrorKind::input);
  } catch (const compress::Error& error) {
    fmt::print(stderr, "libcompress: {}\n", error.what());
    return error.exit_code();
  } catch (const std::exception& error) {
    fmt::print(stderr, "libcompress: internal error, please report it: {}\n", error.what());
    return compress::command::kInternalError;
  }
}
