// What a run found, as values. The pipeline fills them in; they are written as report.json and as one HTML
// page.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "libcompress/graph/tensor.h"

namespace compress {

struct StageTime {
  std::string name;
  double seconds = 0;
};

/// One network on the way: "original", "pruned", "int8", then what was exported: "C", "tflite". What was not
/// measured stays empty.
struct NetworkFigures {
  std::string label;
  std::int64_t params = 0;
  std::int64_t macs = 0;  ///< multiply-accumulates of one inference
  std::optional<std::int64_t> flash_bytes{};
  std::optional<std::int64_t> peak_ram_bytes{};
  std::optional<double> accuracy{};  ///< 0 .. 1
  std::optional<std::int64_t> correct{};
  std::optional<std::int64_t> total{};
};

/// One layer before and after pruning. Shapes are of its output, [batch, channels, ...].
struct LayerChange {
  std::string name;
  std::string op;
  Shape shape_before;
  Shape shape_after;
  std::int64_t params_before = 0;
  std::int64_t params_after = 0;
  std::int64_t macs_before = 0;
  std::int64_t macs_after = 0;
};

/// One pruning group: how many of its indices were kept, and in `note` why it was left alone, if it was.
struct GroupChange {
  std::string name;
  std::int64_t size = 0;
  std::int64_t kept = 0;
  std::string note;
};

/// One epoch. Epochs count from 1 in each stage; accuracies are 0 .. 1.
struct TrainingPoint {
  std::string stage;
  std::int64_t epoch = 0;
  double loss = 0;
  std::optional<double> train_accuracy{};
  std::optional<double> validation_accuracy{};
  std::optional<double> learning_rate{};
};

/// How far the int8 output of a layer is from the float output over the calibration clips.
struct LayerError {
  std::string layer;
  std::optional<double> sqnr_db{};  ///< signal to quantization noise; empty where there is no noise
  double cosine = 1;
  double max_error = 0;              ///< largest absolute difference, in the units of the float output
  std::optional<double> alone_db{};  ///< the same of the network's output with only this layer in 8 bits
  std::int64_t bits = 8;             ///< of its integers
};

/// A node that was tried with activations of 16 bits.
struct NodeWidthRow {
  std::string node;
  double without_db = 0;  ///< of the network's output, with all other nodes in 16 bits
  std::int64_t bits = 8;  ///< that it got
};

/// counts[t][p]: clips of class t that the network took for class p. Square, one row per class name.
struct ConfusionMatrix {
  std::vector<std::string> class_names;
  std::vector<std::vector<std::int64_t>> counts;
};

enum class Verdict { passed, failed, skipped };

const char* name_of(Verdict verdict);

/// One proof that two forms of the network compute the same.
struct Check {
  std::string name;
  Verdict verdict = Verdict::passed;
  std::string detail;  ///< the figures behind the verdict, or why it was skipped
};

/// Where a tensor lies in the arena, and from which to which step (inclusive) it is alive.
struct ArenaTensor {
  std::string tensor;
  std::int64_t offset = 0;  ///< bytes
  std::int64_t bytes = 0;
  std::int64_t first = 0;
  std::int64_t last = 0;
};

/// A file that the run left, its path relative to the run folder.
struct ReportFile {
  std::string path;
  std::int64_t bytes = 0;
  std::string what;
};

struct RunReport {
  std::string name;
  std::string started;  ///< ISO 8601
  std::string recipe;   ///< the text of the resolved recipe
  std::uint64_t seed = 0;
  std::int64_t threads = 0;
  std::string machine;
  std::vector<StageTime> stages;
  std::vector<NetworkFigures> networks;  ///< in the order they came to be
  std::vector<LayerChange> layers;
  std::vector<GroupChange> groups;
  std::vector<TrainingPoint> training;
  std::vector<LayerError> quantization;
  std::vector<NodeWidthRow> widths{};  ///< where an SQNR of the output was wanted
  ConfusionMatrix confusion;
  std::vector<Check> checks;
  std::vector<ArenaTensor> memory_plan;
  std::vector<ReportFile> files;
  std::vector<std::string> notes;  ///< warnings worth keeping
};

/// The layout of report.json: the fields above under their own names, and `"format": 1`. A number that is
/// empty or not finite is null; text that is not UTF-8 has its wrong bytes replaced.
nlohmann::json to_json(const RunReport& report);

/// Error of kind input, naming the place ("report.json: /layers/3/name"), if something is missing or of a
/// wrong type. Keys that it does not know are left alone, so that a newer writer may add some.
RunReport report_from_json(const nlohmann::json& json);

/// report.json as text, and back. `where` opens the message of an error.
std::string json_text(const RunReport& report);
RunReport report_from_text(const std::string& text, const std::string& where = "report.json");

/// Writes report.json and report.html into `folder`, each whole or not at all.
void write_report(const RunReport& report, const std::filesystem::path& folder);

}  // namespace compress
