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

#include "libcompress/base/progress.h"
#include "libcompress/graph/graph.h"

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

  /// The result of step `name`: from state.json if it is done, else of `work`, which is then recorded.
  /// Results are JSON values and always read back from text, so that a resumed run sees what an uninterrupted
  /// one sees.
  nlohmann::json step(std::string_view name, const std::function<nlohmann::json()>& work);
  bool done(std::string_view name) const;
  const std::vector<FinishedStep>& steps() const { return steps_; }
  const std::string& started() const { return started_; }  ///< ISO 8601, UTC, when the run first began

  std::filesystem::path path(std::string_view relative) const { return folder_ / relative; }
  std::filesystem::path checkpoint(std::string_view name) const;  ///< checkpoints/NAME.safetensors

 private:
  void save() const;

  std::filesystem::path folder_;
  std::string recipe_hash_;
  std::string started_;
  std::vector<FinishedStep> steps_;
  int lock_ = -1;
};

}  // namespace compress
