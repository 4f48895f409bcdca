#include "libcompress/pipeline/run_folder.h"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "libcompress/base/error.h"
#include "libcompress/base/files.h"

namespace compress {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

constexpr std::string_view kFormat = "libcompress run 1";

std::string line_of(const FinishedStep& step) {
  return json{{"name", step.name}, {"seconds", step.seconds}, {"result", step.result}}.dump();
}

std::vector<FinishedStep> steps_of_state(const json& state) {
  std::vector<FinishedStep> steps;
  for (const auto& step : state.at("steps"))
    steps.push_back({step.at("name"), step.at("seconds"), step.at("result")});
  return steps;
}

json read_state(const fs::path& folder) {
  const auto file = folder / "state.json";
  try {
    const json state = json::parse(read_text(file));
    state.at("recipe").get<std::string>();
    state.at("started").get<std::string>();
    steps_of_state(state);  // complete and of the right types
    if (state.at("format") != kFormat)
      throw Error(ErrorKind::input,
                  {file.string(), "format " + state.at("format").dump(), std::string(kFormat), ""});
    return state;
  } catch (const json::exception& error) {
    throw Error(ErrorKind::input, {file.string(), std::string("damaged: ") + error.what(), "",
                                   "remove the run folder and run again"});
  }
}

/// What a killed process had not renamed yet.
void remove_temporaries(const fs::path& folder) {
  std::vector<fs::path> left;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    const auto name = entry.path().filename().string();
    if (entry.is_regular_file() && name.starts_with(".") && name.ends_with(".tmp"))
      left.push_back(entry.path());
  }
  std::error_code ignored;
  for (const auto& path : left) fs::remove(path, ignored);
}

int lock_folder(const fs::path& folder) {
  const auto file = folder / ".lock";
  const int descriptor = ::open(file.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0644);
  if (descriptor < 0)
    throw Error(ErrorKind::io, {folder.string(), std::strerror(errno), "a folder that can be written", ""});
  if (::flock(descriptor, LOCK_EX | LOCK_NB) == 0) return descriptor;
  ::close(descriptor);
  throw Error(ErrorKind::io, {folder.string(), "another process works in this run folder", "one at a time",
                              "wait for it, or give another folder with --out"});
}

}  // namespace

RunFolder::RunFolder(fs::path folder, const std::string& recipe_yaml)
    : folder_(std::move(folder)), recipe_hash_(content_hash(recipe_yaml)) {
  std::error_code failure;
  fs::create_directories(folder_, failure);
  if (failure)
    throw Error(ErrorKind::io, {folder_.string(), failure.message(), "a folder that can be written", ""});
  lock_ = lock_folder(folder_);
  remove_temporaries(folder_);
  try {
    if (fs::exists(folder_ / "state.json")) {
      const json state = read_state(folder_);
      if (state.at("recipe") != recipe_hash_)
        throw Error(ErrorKind::usage,
                    {folder_.string(), "a run of another recipe", "a new folder, or the same recipe",
                     "give another --out, or remove the folder"});
      started_ = state.at("started");
      for (auto& step : steps_of_state(state)) record(std::move(step));
      return;
    }
    started_ =
        fmt::format("{:%Y-%m-%dT%H:%M:%SZ}",
                    fmt::gmtime(std::chrono::system_clock::to_time_t(std::chrono::system_clock::now())));
    write_file(folder_ / "recipe.yaml", recipe_yaml);
    write_file(folder_ / "state.json", state_text());
  } catch (...) {
    ::close(lock_);
    throw;
  }
}

RunFolder::~RunFolder() {
  try {
    queue_.settle();                 // before another process may come in
  } catch (const std::exception&) {  // what was not written is not recorded either
  }
  if (lock_ >= 0) ::close(lock_);
}

std::string RunFolder::recipe_of(const fs::path& folder) {
  if (!fs::exists(folder / "state.json"))
    throw Error(ErrorKind::input, {folder.string(), "no run", "the folder of an earlier 'run'",
                                   "start one with: libcompress run RECIPE --out " + folder.string()});
  return read_text(folder / "recipe.yaml");
}

std::vector<FinishedStep> RunFolder::steps_of(const fs::path& folder) {
  return steps_of_state(read_state(folder));
}

json RunFolder::step(std::string_view name, const std::function<json()>& work) {
  for (const auto& step : steps_) {
    if (step.name == name) return step.result;
  }
  const auto start = std::chrono::steady_clock::now();
  const json result = json::parse(work().dump());
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  record({std::string(name), seconds, result});
  later([file = folder_ / "state.json", text = state_text()] { write_file(file, text); });
  return result;
}

bool RunFolder::done(std::string_view name) const {
  return std::any_of(steps_.begin(), steps_.end(), [&](const auto& step) { return step.name == name; });
}

void RunFolder::later(WriteQueue::Job write) { queue_.add(std::move(write)); }

void RunFolder::settle() { queue_.settle(); }

fs::path RunFolder::checkpoint(std::string_view name) const {
  return folder_ / "checkpoints" / (std::string(name) + ".safetensors");
}

void RunFolder::record(FinishedStep step) {
  lines_.push_back(line_of(step));
  steps_.push_back(std::move(step));
}

/// A line a step. They are kept as text: a hundredth step must not make JSON of all before it again.
std::string RunFolder::state_text() const {
  return fmt::format("{{\"format\": {}, \"recipe\": {}, \"started\": {}, \"steps\": [\n{}\n]}}\n",
                     json(kFormat).dump(), json(recipe_hash_).dump(), json(started_).dump(),
                     fmt::join(lines_, ",\n"));
}

}  // namespace compress
