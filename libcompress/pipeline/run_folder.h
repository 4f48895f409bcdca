// The folder of a run: what is where in it, which steps are done, and that only one process works in it.
//
//   recipe.yaml          the resolved recipe
//   state.json           finished steps with their figures; a step counts only when it is in here
//   metrics.jsonl        one JSON object an epoch
//   plan-STEP.json       pruning plans
//   checkpoints/         models between the steps (safetensors with their graph)
//   c/                   the exported code
//   report.json, report.html
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "libcompress/base/write_queue.h"

namespace compress {

/// A step that finished.
struct FinishedStep {
  std::string name;
  double seconds = 0;
  nlohmann::json result;
};

class RunFolder {
 public:
  /// Opens or creates `folder` for the resolved recipe `recipe_yaml` and locks it against other processes.
  /// Error of kind io if it cannot be written or is locked, of kind usage if it holds a run of another
  /// recipe.
  RunFolder(std::filesystem::path folder, const std::string& recipe_yaml);
  ~RunFolder();
  RunFolder(const RunFolder&) = delete;
  RunFolder& operator=(const RunFolder&) = delete;

  /// The resolved recipe of an earlier run in `folder`; Error of kind io or input if there is none.
  static std::string recipe_of(const std::filesystem::path& folder);
  /// The finished steps of `folder`, without locking it.
  static std::vector<FinishedStep> steps_of(const std::filesystem::path& folder);

  /// The result of step `name`: from state.json if it is done, else of `work`, which is then recorded: behind
  /// everything that was given to later() before.
  /// Results are JSON values and always read back from text, so that a resumed run sees what an uninterrupted
  /// one sees.
  nlohmann::json step(std::string_view name, const std::function<nlohmann::json()>& work);
  bool done(std::string_view name) const;
  const std::vector<FinishedStep>& steps() const { return steps_; }

  /// Writes what a step leaves while the next one computes, in the order given. An Error of `write` is thrown
  /// by a later call, and nothing behind it is written, state.json included.
  void later(WriteQueue::Job write);
  /// Waits until all of it is on the disk.
  void settle();

  const std::string& started() const { return started_; }  ///< ISO 8601, UTC, when the run first began

  std::filesystem::path path(std::string_view relative) const { return folder_ / relative; }
  std::filesystem::path checkpoint(std::string_view name) const;  ///< checkpoints/NAME.safetensors

 private:
  void record(FinishedStep step);
  std::string state_text() const;

  std::filesystem::path folder_;
  std::string recipe_hash_;
  std::string started_;
  std::vector<FinishedStep> steps_;
  std::vector<std::string> lines_;  ///< a JSON object of each of them
  int lock_ = -1;
  WriteQueue queue_;
};

}  // namespace compress
