// A recipe: the YAML file that says what is done to a network, read into checked values.
//
// Every rule about the file (keys, types, ranges, defaults, help) is one row of the table in keys.cpp. The
// checker, the help, the JSON Schema and the writer all walk that table.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "libcompress/base/catalog.h"
#include "libcompress/base/error.h"
#include "libcompress/base/options.h"

namespace compress {

/// A plugin by name, with the options that its own table checks.
struct PluginChoice {
  std::string plugin;
  std::map<std::string, OptionValue> options{};

  bool operator==(const PluginChoice&) const = default;
};

/// A model plugin, fresh or from a checkpoint; or a file that holds the whole network, and no plugin.
struct ModelOptions {
  PluginChoice choice;
  std::optional<std::string> file{};        ///< .onnx or .safetensors, relative to Recipe::folder
  std::optional<std::string> checkpoint{};  ///< .safetensors or .pt, relative to Recipe::folder

  bool operator==(const ModelOptions&) const = default;
};

/// Hyper-parameters of one training run by SGD.
struct TrainOptions {
  std::int64_t epochs = 100;
  std::int64_t batch_size = 64;
  double learning_rate = 0.1;
  double momentum = 0.9;
  bool nesterov = true;
  double weight_decay = 5e-4;
  std::int64_t warmup_epochs = 0;  ///< epochs at a tenth of the learning rate; at most `epochs`
  std::string schedule = "step";   ///< "step" or "cosine"
  std::vector<double> milestones = {0.3, 0.6, 0.9};  ///< ascending fractions of the epochs; step schedule
  double gamma = 0.1;                                ///< factor on the learning rate at each milestone

  bool operator==(const TrainOptions&) const = default;
};

/// How a pruned network learns from the unpruned one beside the targets: Hinton, Vinyals, Dean, Distilling
/// the Knowledge in a Neural Network (2015).
struct DistillationOptions {
  double temperature = 4.0;  ///< that both networks' scores are divided by before the softmax
  double weight = 0.5;       ///< of the unpruned network's answers; the targets have the rest of 1

  bool operator==(const DistillationOptions&) const = default;
};

/// Training after each pruning step.
struct FineTuneOptions : TrainOptions {
  std::optional<DistillationOptions> distillation{};

  bool operator==(const FineTuneOptions&) const = default;
};

/// Training before the first pruning step that draws whole channels towards zero.
struct GroupLassoOptions : TrainOptions {
  double strength = 1e-3;  ///< factor of the penalty; train/group_lasso.h says what it multiplies

  bool operator==(const GroupLassoOptions&) const = default;
};

/// A limit on one resource: a percentage of what the unpruned network needs, or a count.
struct BudgetLimit {
  enum class Kind { percent, absolute };
  Kind kind = Kind::percent;
  double amount =
      100.0;  ///< percent in [0.000001, 100], or a whole count of parameters, bytes or multiply-accumulates

  /// The limit as a count, at least 1, rounded to the nearest whole one.
  std::int64_t resolved(std::int64_t unpruned) const;

  bool operator==(const BudgetLimit&) const = default;
};

/// At least one is set; all hold at once.
struct BudgetOptions {
  std::optional<BudgetLimit> params{};
  std::optional<BudgetLimit> flash{};     ///< bytes of the exported weights and biases
  std::optional<BudgetLimit> macs{};      ///< multiply-accumulates of one inference
  std::optional<BudgetLimit> peak_ram{};  ///< bytes of the largest working set of int8 activations

  bool operator==(const BudgetOptions&) const = default;
};

struct PruneOptions {
  PluginChoice criterion{"taylor"};
  PluginChoice strategy{"global"};
  BudgetOptions budget{};
  double tolerance_percent = 0.5;     ///< how far from the tightest limit the result may stay
  std::int64_t round_to = 1;          ///< kept widths are multiples of this
  std::int64_t min_channels = 1;      ///< no layer gets narrower
  std::vector<std::string> ratios{};  ///< "layer4*=50%": what these groups keep of their width
  std::vector<std::string> ignore{};  ///< glob patterns of nodes that keep their width
  std::vector<std::string>
      spatial{};              ///< nodes that may be pruned though their channels become height or width
  bool stop_at_gate = false;  ///< ends the schedule with the last network that passes the gate on validation
  std::optional<GroupLassoOptions> group_lasso{};
  std::optional<FineTuneOptions> fine_tune{};

  bool operator==(const PruneOptions&) const = default;
};

struct QuantizeOptions {
  std::string profile = "litert";  ///< whose kernels 8 bits are rounded like: "litert" or "tflite-micro"
  std::string observer = "mse";
  double percentile = 99.999;             ///< for the percentile observer
  std::vector<std::string> observers{};   ///< "conv1*=minmax": other observers for these nodes
  std::vector<std::string> per_tensor{};  ///< glob patterns of nodes whose weights share one scale
  std::vector<std::string> int16{};       ///< patterns of nodes whose activations have 16 bits
  std::optional<double> int16_sqnr{};     ///< dB at the output, from as many more of them as needed
  bool equalize = false;                  ///< cross-layer equalization: quant/equalize.h
  bool bias_correction = true;            ///< quant/weight_repair.h
  bool adaround = true;                   ///< adaptive rounding: quant/adaround.h
  /// Training of the network as 8 bits compute it, in place of the two repairs above.
  std::optional<FineTuneOptions> fine_tune{};
  std::optional<std::string> inputs{};  ///< .npy or .npz of examples, in place of the training part
  std::int64_t samples = 64;            ///< calibration views, from the training part

  bool operator==(const QuantizeOptions&) const = default;
};

struct ExportOptions {
  PluginChoice choice{"c"};
  std::vector<std::string> also{};  ///< further exporters, with the defaults of their options
  std::string name;                 ///< C identifier that opens every generated name
  /// What the files are for: the name of a known target or a .yaml file, relative to Recipe::folder
  std::optional<std::string> target{};

  bool operator==(const ExportOptions&) const = default;
};

struct VerifyOptions {
  std::int64_t vectors = 8;  ///< recorded test vectors in the export
  std::int64_t clips = 0;    ///< test clips that compiled C and int8 reference are compared on; 0: all
  std::string microcontroller = "auto";  ///< QEMU: "auto" (when it is there), "required", "off"

  bool operator==(const VerifyOptions&) const = default;
};

/// The accuracy that the last network must keep: the int8 one, or the pruned one where nothing is quantized.
/// Missed: Error of kind accuracy.
struct GateOptions {
  std::optional<double> max_drop{};      ///< points between the float unpruned and the last network
  std::optional<double> min_accuracy{};  ///< percent of the test part

  bool operator==(const GateOptions&) const = default;
};

struct Recipe {
  std::int64_t version = 1;
  std::string name;
  std::int64_t seed = 1;
  std::int64_t threads = 0;            ///< 0: as many as there are cores
  std::vector<std::string> plugins{};  ///< shared objects that add plugins, relative to `folder`
  ModelOptions model;
  PluginChoice data;
  std::optional<TrainOptions> train{};
  std::optional<PruneOptions> prune{};
  std::optional<QuantizeOptions> quantize{};
  std::optional<ExportOptions> exporting{};  ///< the section `export`
  VerifyOptions verify{};
  std::optional<GateOptions> gate{};

  std::filesystem::path folder{};  ///< of the file; what relative paths are relative to. Not a key

  bool operator==(const Recipe&) const = default;
};

/// Option tables of the known plugins: kind -> name -> table; kinds are the nouns of the catalogs ("model",
/// "data set", "criterion", "strategy", "observer", "exporter"). A kind that is here is checked as strictly
/// as the other keys, and its options are filled in; one that is not is left to whoever makes the plugin.
using PluginTables = std::map<std::string, std::map<std::string, OptionTable>>;

template <typename Kind>
void add_tables(PluginTables& tables, const Catalog<Kind>& catalog) {
  auto& of_kind = tables[catalog.noun()];
  for (const auto& name : catalog.names()) of_kind[name] = catalog.entry(name).options;
}

/// What reading a recipe may be given beside its text.
struct RecipeContext {
  const PluginTables* plugins = nullptr;     ///< borrowed; nullptr: the pipeline checks plugins later
  std::span<const std::string> overrides{};  ///< "prune.budget.params=20%", applied in order before checking
};

/// The text of a recipe file, of at most 1 MiB. Error of kind io if it cannot be read, of kind recipe if it
/// is larger.
std::string read_recipe_text(const std::filesystem::path& path);

/// The files that the recipe's key `plugins` names, resolved: what they add has to be known before the rest
/// can be checked. Empty where the key or the whole text is not well formed; parse_recipe() says why.
std::vector<std::filesystem::path> plugin_files_of(std::string_view text, const std::filesystem::path& file,
                                                   std::span<const std::string> overrides = {});

/// Reads and checks. The first complaint, in the order of the file, is thrown as Error of kind recipe with
/// "file:line:column: found; allowed: ...; remedy". A file that cannot be read is Error of kind io.
Recipe load_recipe(const std::filesystem::path& path, const RecipeContext& context = {});
Recipe parse_recipe(std::string_view text, const std::filesystem::path& file,
                    const RecipeContext& context = {});

/// Every complaint, in the order of the file; empty if the recipe is good. Text that is no YAML gives one.
std::vector<Complaint> check_recipe(std::string_view text, const std::filesystem::path& file,
                                    const RecipeContext& context = {});

/// The section `quantize` with only the key `fine_tune`, whose value is written as in YAML ("{epochs: 5}")
/// and checked like a recipe's.
QuantizeOptions quantize_with_fine_tune(const std::string& fine_tune);

/// `recipe` with one key set ("prune.budget.params=20%"), checked like the file. The value is written as in
/// YAML.
Recipe apply_override(const Recipe& recipe, const std::string& assignment,
                      const PluginTables* plugins = nullptr);

/// The recipe with every default written out. Parses back to an equal value (with the same plugins, in
/// `folder`).
std::string to_yaml(const Recipe& recipe);

/// `path` as it stands in the recipe, made usable: relative to the recipe's folder unless absolute.
std::filesystem::path resolved(const Recipe& recipe, const std::string& path);

/// Whether `export.target` is a file and not a name.
bool is_target_file(std::string_view target);

/// A recipe that means the same in any folder: its files and every plugin option of type path made absolute.
Recipe with_absolute_paths(Recipe recipe, const PluginTables& plugins);

/// Every key with its type, range, default and meaning, for `--help`.
std::string recipe_help();

/// A JSON Schema (draft 2020-12) of the recipe, for editors.
std::string recipe_schema();

}  // namespace compress
