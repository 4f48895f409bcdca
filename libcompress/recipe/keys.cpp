#include "libcompress/recipe/keys.h"

#include <algorithm>
#include <type_traits>
#include <utility>

#include <fmt/format.h>

#include "libcompress/recipe/quantity.h"

namespace compress {
namespace {

// --- values of the structs as values of the table, and back ---

template <typename Member>
KeyValue to_value(const Member& member) {
  return OptionValue(member);
}
KeyValue to_value(const std::string& member) { return member.empty() ? KeyValue{} : OptionValue(member); }
KeyValue to_value(const std::optional<std::string>& member) {
  return member ? KeyValue(*member) : KeyValue{};
}
KeyValue to_value(const std::optional<double>& member) { return member ? KeyValue(*member) : KeyValue{}; }
KeyValue to_value(const std::optional<BudgetLimit>& member) {
  return member ? KeyValue(to_string(*member)) : KeyValue{};
}

template <typename Member>
void assign(Member& member, const OptionValue& value) {
  if constexpr (std::is_same_v<Member, std::optional<std::string>>)
    member = std::get<std::string>(value);
  else if constexpr (std::is_same_v<Member, std::optional<double>>)
    member = std::get<double>(value);
  else if constexpr (std::is_same_v<Member, std::optional<BudgetLimit>>)
    member = parse_bytes_budget(std::get<std::string>(value));
  else
    member = std::get<Member>(value);
}

template <typename Member>
constexpr OptionType type_of() {
  if constexpr (std::is_same_v<Member, bool>)
    return OptionType::boolean;
  else if constexpr (std::is_same_v<Member, std::int64_t>)
    return OptionType::integer;
  else if constexpr (std::is_same_v<Member, double> || std::is_same_v<Member, std::optional<double>>)
    return OptionType::number;
  else if constexpr (std::is_same_v<Member, std::vector<double>>)
    return OptionType::numbers;
  else if constexpr (std::is_same_v<Member, std::vector<std::string>>)
    return OptionType::strings;
  else
    return OptionType::string;
}

// --- rows ---

/// One key that is the member `member` of the section that `at` finds in a recipe (const or not).
template <typename At, typename Section, typename Member>
Key row(At at, Member Section::* member, std::string name, std::string help) {
  Key key;
  key.spec.name = std::move(name);
  key.spec.type = type_of<Member>();
  key.spec.help = std::move(help);
  key.get = [at, member](const Recipe& recipe) { return to_value(at(recipe).*member); };
  key.set = [at, member](Recipe& recipe, const OptionValue& value) { assign(at(recipe).*member, value); };
  return key;
}

Key within(Key key, double minimum, std::optional<double> maximum = {}) {
  key.spec.minimum = minimum;
  key.spec.maximum = maximum;
  return key;
}

Key one_of(Key key, std::vector<std::string> choices) {
  key.spec.choices = std::move(choices);
  return key;
}

Key required(Key key) {
  key.spec.required = true;
  return key;
}

Key of_form(Key key, KeyForm form) {
  key.form = form;
  return key;
}

Key a_path(Key key) {
  key.spec.type = OptionType::path;
  return key;
}

Key section(std::string name, std::string help, std::vector<Key> keys) {
  Key key;
  key.form = KeyForm::section;
  key.spec.name = std::move(name);
  key.spec.help = std::move(help);
  key.keys = std::move(keys);
  return key;
}

/// A section whose struct is a std::optional that `slot` finds in a recipe.
template <typename Slot, typename Fresh>
Key optional_section(Slot slot, Fresh fresh, Key key) {
  key.present = [slot](const Recipe& recipe) { return slot(recipe).has_value(); };
  key.create = [slot, fresh](Recipe& recipe) { slot(recipe).emplace(fresh); };
  return key;
}

/// The rows `plugin` and `options` of a section whose PluginChoice `at` finds.
template <typename At>
std::vector<Key> plugin_rows(At at, const std::string& kind) {
  auto name = of_form(row(at, &PluginChoice::plugin, "plugin", "name of the " + kind + " plugin"),
                      KeyForm::plugin_name);
  name.plugin_kind = kind;
  Key options;
  options.spec.name = "options";
  options.spec.help = "options of that plugin, as `libcompress plugins` lists them";
  options.form = KeyForm::plugin_options;
  return {name, options};
}

template <typename At>
Key plugin_section(At at, const std::string& kind, Key key) {
  auto rows = plugin_rows(at, kind);
  key.keys.insert(key.keys.begin(), rows.begin(), rows.end());
  key.plugin = [at](Recipe& recipe) { return &at(recipe); };
  return key;
}

// --- sections ---

template <typename At>
std::optional<Key::Broken> broken_train_rule(At at, const Recipe& recipe) {
  const TrainOptions& train = at(recipe);
  const auto& steps = train.milestones;
  if (std::adjacent_find(steps.begin(), steps.end(), std::greater_equal<>()) != steps.end())
    return Key::Broken{"milestones",
                       {"", to_string(OptionValue(steps)), "fractions of the epochs that ascend", ""}};
  if (train.warmup_epochs > train.epochs)
    return Key::Broken{"warmup_epochs",
                       {"", fmt::format("{} warm-up epochs", train.warmup_epochs),
                        fmt::format("at most the {} epochs of the training", train.epochs), ""}};
  if (train.nesterov && train.momentum == 0)
    return Key::Broken{
        "momentum", {"", "Nesterov momentum of 0", "a momentum above 0", "raise it, or set nesterov: false"}};
  return std::nullopt;
}

template <typename At>
Key train_section(At at, std::string name, std::string help) {
  using T = TrainOptions;
  auto key = section(
      std::move(name), std::move(help),
      {
          within(row(at, &T::epochs, "epochs", "passes over the training part"), 1, 100000),
          within(row(at, &T::batch_size, "batch_size", "clips in one step"), 1, 65536),
          within(row(at, &T::learning_rate, "learning_rate", "step size of SGD at the start"), 1e-9, 100),
          within(row(at, &T::momentum, "momentum", "momentum of SGD"), 0, 0.9999),
          row(at, &T::nesterov, "nesterov", "Nesterov's form of the momentum"),
          within(row(at, &T::weight_decay, "weight_decay", "L2 penalty on the weights"), 0, 1),
          within(row(at, &T::warmup_epochs, "warmup_epochs", "first epochs, at a tenth of the learning rate"),
                 0, 100000),
          one_of(row(at, &T::schedule, "schedule", "how the learning rate falls"), {"step", "cosine"}),
          within(row(at, &T::milestones, "milestones",
                     "fractions of the epochs where the step schedule falls, ascending"),
                 0, 1),
          within(row(at, &T::gamma, "gamma", "factor on the learning rate at each milestone"), 1e-6, 1),
      });
  key.rule = [at](const Recipe& recipe) { return broken_train_rule(at, recipe); };
  return key;
}

/// `at` finds FineTuneOptions in a recipe.
template <typename At>
Key distillation_section(At at) {
  const auto distillation = [at](auto& recipe) -> auto& { return *at(recipe).distillation; };
  using D = DistillationOptions;
  return optional_section(
      [at](auto& recipe) -> auto& { return at(recipe).distillation; }, D{},
      section("distillation", "learning from the unpruned network beside the targets; left out: none",
              {
                  within(row(distillation, &D::temperature, "temperature",
                             "divides the scores of both networks, so that small ones count too"),
                         0.01, 1000),
                  within(row(distillation, &D::weight, "weight",
                             "of the unpruned network's answers; the targets have the rest of 1"),
                         0, 1),
              }));
}

Key fine_tune_section() {
  const auto fine_tune = [](auto& recipe) -> auto& { return *recipe.prune->fine_tune; };
  auto key = train_section(fine_tune, "fine_tune", "training after pruning; left out: none");
  key.keys.push_back(distillation_section(fine_tune));
  return optional_section([](auto& recipe) -> auto& { return recipe.prune->fine_tune; }, FineTuneOptions{},
                          std::move(key));
}

/// Training in 8 bits starts where the float network ended: short and slow.
FineTuneOptions eight_bit_training() {
  FineTuneOptions options;
  options.epochs = 10;
  options.learning_rate = 0.001;
  options.schedule = "cosine";
  return options;
}

Key eight_bit_fine_tune_section() {
  const auto fine_tune = [](auto& recipe) -> auto& { return *recipe.quantize->fine_tune; };
  auto key = train_section(fine_tune, "fine_tune",
                           "training of the network as 8 bits compute it, in place of adaround and "
                           "bias_correction; left out: none");
  key.keys.push_back(distillation_section(fine_tune));
  auto& distillation = key.keys.back();
  distillation.spec.help = "learning from the float network beside the targets; left out: none";
  return optional_section([](auto& recipe) -> auto& { return recipe.quantize->fine_tune; },
                          eight_bit_training(), std::move(key));
}

Key group_lasso_section() {
  const auto lasso = [](auto& recipe) -> auto& { return *recipe.prune->group_lasso; };
  auto key = train_section(
      lasso, "group_lasso",
      "training before pruning that draws all weights of a channel towards zero together; left out: none");
  key.keys.insert(key.keys.begin(),
                  within(row(lasso, &GroupLassoOptions::strength, "strength",
                             "factor of the penalty: how far a step at rate 1 moves a typical weight"),
                         0, 1000));
  return optional_section([](auto& recipe) -> auto& { return recipe.prune->group_lasso; },
                          GroupLassoOptions{}, std::move(key));
}

/// What stands beside a file that holds the whole network says nothing.
std::optional<Key::Broken> broken_model_rule(const Recipe& recipe) {
  const ModelOptions& model = recipe.model;
  if (!model.file) return std::nullopt;
  if (model.checkpoint)
    return Key::Broken{"checkpoint",
                       {"", "a checkpoint beside a file", "one of them", "the file has the weights"}};
  if (!model.choice.options.empty())
    return Key::Broken{"options", {"", "options beside a file", "options of a plugin", "remove them"}};
  return std::nullopt;
}

Key model_section() {
  const auto model = [](auto& recipe) -> auto& { return recipe.model; };
  const auto choice = [](auto& recipe) -> auto& { return recipe.model.choice; };
  auto key = section(
      "model", "the network: a plugin or a file",
      {a_path(row(model, &ModelOptions::file, "file",
                  "the whole network: .onnx, .tflite or a .safetensors of this program, relative to "
                  "the recipe's folder")),
       a_path(row(model, &ModelOptions::checkpoint, "checkpoint",
                  "weights of the plugin's network to start from: .safetensors or .pt, relative to the "
                  "recipe's folder"))});
  key = plugin_section(choice, "model", required(std::move(key)));
  key.keys.front().get = [](const Recipe& recipe) {  // absent, not empty, where there is a file
    const auto& plugin = recipe.model.choice.plugin;
    return plugin.empty() ? KeyValue{} : KeyValue{plugin};
  };
  key.exactly_one_of = {"plugin", "file"};
  key.rule = broken_model_rule;
  return key;
}

Key data_section() {
  const auto data = [](auto& recipe) -> auto& { return recipe.data; };
  auto key =
      plugin_section(data, "data set", required(section("data", "what it is trained and tested on", {})));
  key.keys.front().spec.required = true;
  return key;
}

Key budget_section() {
  const auto budget = [](auto& recipe) -> auto& { return recipe.prune->budget; };
  using B = BudgetOptions;
  auto key = section(
      "budget",
      "what the pruned network may cost, in percent of the unpruned one or as a count; all hold at once",
      {
          of_form(row(budget, &B::params, "params", "parameters"), KeyForm::count_budget),
          of_form(row(budget, &B::flash, "flash", "bytes of the int8 weights and biases in flash"),
                  KeyForm::bytes_budget),
          of_form(row(budget, &B::macs, "macs", "multiply-accumulates of one inference"),
                  KeyForm::count_budget),
          of_form(row(budget, &B::peak_ram, "peak_ram", "bytes of int8 activations that live at once"),
                  KeyForm::bytes_budget),
      });
  key.needs_a_key = true;
  return required(std::move(key));
}

std::optional<Key::Broken> broken_prune_rule(const Recipe& recipe) {
  for (const auto& ratio : recipe.prune->ratios) {
    if (!parse_ratio(ratio))
      return Key::Broken{
          "ratios",
          {"", fmt::format("'{}'", ratio), "a name pattern and a percentage, as in \"conv2=50%\"", ""}};
  }
  return std::nullopt;
}

Key prune_section() {
  const auto prune = [](auto& recipe) -> auto& { return *recipe.prune; };
  const auto criterion = [](auto& recipe) -> auto& { return recipe.prune->criterion; };
  const auto strategy = [](auto& recipe) -> auto& { return recipe.prune->strategy; };
  const auto slot = [](auto& recipe) -> auto& { return recipe.prune; };
  using P = PruneOptions;
  auto key = section(
      "prune", "removal of channels; left out: none",
      {
          plugin_section(criterion, "criterion", section("criterion", "how much each channel matters", {})),
          plugin_section(strategy, "strategy", section("strategy", "when and how far to prune", {})),
          budget_section(),
          of_form(row(prune, &P::tolerance_percent, "tolerance",
                      "how far from the tightest limit of the budget the result may stay"),
                  KeyForm::percent),
          within(row(prune, &P::round_to, "round_to", "kept widths are multiples of this many channels"), 1,
                 1024),
          within(row(prune, &P::min_channels, "min_channels", "no layer gets narrower, in channels"), 1,
                 65536),
          row(prune, &P::ratios, "ratios",
              "what groups keep of their width, whatever the strategy says of them: \"conv2=50%\", "
              "\"block*=80%\"; "
              "of patterns that match the same group the last counts"),
          row(prune, &P::ignore, "ignore", "patterns (*, ?) of the names of nodes that are never pruned"),
          row(prune, &P::spatial, "spatial",
              "patterns of nodes that may be pruned though their channels become height or width"),
          row(prune, &P::stop_at_gate, "stop_at_gate",
              "end the schedule with the last network that passes the gate on the validation part"),
          group_lasso_section(),
          fine_tune_section(),
      });
  key.rule = broken_prune_rule;
  return optional_section(slot, P{}, std::move(key));
}

Key train_key() {
  return optional_section([](auto& recipe) -> auto& { return recipe.train; }, TrainOptions{},
                          train_section([](auto& recipe) -> auto& { return *recipe.train; }, "train",
                                        "training of the unpruned network; left out: none"));
}

std::optional<Key::Broken> broken_quantize_rule(const Recipe& recipe) {
  for (const auto& text : recipe.quantize->observers) {
    if (!parse_observer(text))
      return Key::Broken{
          "observers",
          {"", fmt::format("'{}'", text), "a name pattern and an observer, as in \"conv1*=minmax\"", ""}};
  }
  return std::nullopt;
}

Key quantize_section() {
  const auto quantize = [](auto& recipe) -> auto& { return *recipe.quantize; };
  using Q = QuantizeOptions;
  auto observer = of_form(
      row(quantize, &Q::observer, "observer",
          "how the range of an activation is found: minmax, moving_average, percentile, mse, entropy"),
      KeyForm::plugin_name);
  observer.plugin_kind = "observer";
  auto key = section(
      "quantize", "calibration to 8 bits; left out: none",
      {
          one_of(row(quantize, &Q::profile, "profile", "whose kernels the 8-bit network is rounded like"),
                 {"litert", "tflite-micro"}),
          std::move(observer),
          within(row(quantize, &Q::percentile, "percentile",
                     "percent of the values inside the range; observer percentile"),
                 90, 100),
          row(quantize, &Q::observers, "observers",
              "other observers for the results of nodes: \"conv1*=minmax\"; of patterns that match the same "
              "node the last counts"),
          row(quantize, &Q::per_tensor, "per_tensor",
              "patterns (*, ?) of nodes whose weights share one scale; others have one an output channel"),
          row(quantize, &Q::int16, "int16",
              "patterns (*, ?) of nodes that read and make activations of 16 bits; for layers that lose too "
              "much"),
          within(
              row(quantize, &Q::int16_sqnr, "int16_sqnr",
                  "signal to noise of the output beside float32, dB, that as many further nodes get 16 bits "
                  "for as it needs"),
              0, 200),
          row(quantize, &Q::equalize, "equalize",
              "bring channels of consecutive layers to like ranges, in float32, before calibration"),
          row(quantize, &Q::bias_correction, "bias_correction",
              "add to each bias what 8 bits took from the mean of its channel"),
          row(quantize, &Q::adaround, "adaround",
              "round weights up or down so that the output of their layer changes least"),
          eight_bit_fine_tune_section(),
          a_path(row(quantize, &Q::inputs, "inputs",
                     "calibration inputs in place of the training part: an .npy or .npz file of examples, "
                     "relative to the recipe's folder")),
          within(row(quantize, &Q::samples, "samples", "calibration inputs, from the training part"), 1,
                 1000000),
      });
  key.rule = broken_quantize_rule;
  return optional_section([](auto& recipe) -> auto& { return recipe.quantize; }, Q{}, std::move(key));
}

/// Each exporter has a folder and steps of its own.
std::optional<Key::Broken> broken_export_rule(const Recipe& recipe) {
  std::vector<std::string> all = recipe.exporting->also;
  all.push_back(recipe.exporting->choice.plugin);
  std::sort(all.begin(), all.end());
  const auto twice = std::adjacent_find(all.begin(), all.end());
  if (twice == all.end()) return std::nullopt;
  return Key::Broken{"also", {"", fmt::format("'{}' twice", *twice), "each exporter once", ""}};
}

Key export_section() {
  const auto exporting = [](auto& recipe) -> auto& { return *recipe.exporting; };
  const auto choice = [](auto& recipe) -> auto& { return recipe.exporting->choice; };
  using E = ExportOptions;
  auto also = of_form(
      row(exporting, &E::also, "also", "further exporter plugins, with the defaults of their options"),
      KeyForm::plugin_name);
  also.plugin_kind = "exporter";
  auto key = plugin_section(
      choice, "exporter",
      section(
          "export", "code or files for the target; left out: none",
          {std::move(also),
           of_form(
               row(exporting, &E::name, "name", "prefix of the generated names; left out: the recipe's name"),
               KeyForm::identifier),
           row(exporting, &E::target, "target",
               "the machine: a name that `bench --targets` lists, or a .yaml file whose memory must do")}));
  key.rule = broken_export_rule;
  return optional_section([](auto& recipe) -> auto& { return recipe.exporting; }, E{}, std::move(key));
}

Key verify_section() {
  const auto verify = [](auto& recipe) -> auto& { return recipe.verify; };
  using V = VerifyOptions;
  return section(
      "verify", "proof that every form of the network computes the same",
      {
          within(
              row(verify, &V::vectors, "vectors", "recorded inputs and outputs in the exported test program"),
              1, 1000),
          within(row(verify, &V::clips, "clips",
                     "test clips on which what was exported and the int8 reference are compared; 0: all"),
                 0, 1e9),
          one_of(row(verify, &V::microcontroller, "microcontroller",
                     "run on an emulated Cortex-M4: when QEMU is there, always, never"),
                 {"auto", "required", "off"}),
      });
}

Key gate_section() {
  const auto gate = [](auto& recipe) -> auto& { return *recipe.gate; };
  auto key = section(
      "gate", "accuracy the last network must keep, in 8 bits or pruned; left out: none",
      {
          within(row(gate, &GateOptions::max_drop, "max_drop",
                     "accuracy points between the float unpruned and the last network"),
                 0, 100),
          within(row(gate, &GateOptions::min_accuracy, "min_accuracy", "percent of the test part"), 0, 100),
      });
  key.needs_a_key = true;
  return optional_section([](auto& recipe) -> auto& { return recipe.gate; }, GateOptions{}, std::move(key));
}

/// What is behind the 8-bit boundary needs an 8-bit network, a gate a network to judge.
std::optional<Key::Broken> broken_recipe_rule(const Recipe& recipe) {
  if (recipe.exporting && !recipe.quantize)
    return Key::Broken{"export", {"", "an export without the section quantize", "both", "add: quantize: {}"}};
  if (recipe.gate && !recipe.quantize && !recipe.prune)
    return Key::Broken{"gate",
                       {"", "a gate without the section quantize or prune", "a network that the gate judges",
                        "add: quantize: {}"}};
  if (recipe.prune && recipe.prune->stop_at_gate && !recipe.gate)
    return Key::Broken{"prune",
                       {"", "stop_at_gate without the section gate", "both", "add: gate: {max_drop: 2}"}};
  return std::nullopt;
}

Key make_recipe_keys() {
  const auto top = [](auto& recipe) -> auto& { return recipe; };
  auto key = section(
      "", "a recipe",
      {
          within(required(row(top, &Recipe::version, "version", "version of this language")), 1, 1),
          of_form(row(top, &Recipe::name, "name", "name of the run; left out: the file's name"),
                  KeyForm::name),
          within(row(top, &Recipe::seed, "seed", "of every random number; same seed, same result"), 0),
          within(row(top, &Recipe::threads, "threads", "processor threads; 0: as many as there are cores"), 0,
                 1024),
          row(top, &Recipe::plugins, "plugins",
              "shared objects that add plugins, relative to the recipe's folder; their code is run"),
          model_section(),
          data_section(),
          train_key(),
          prune_section(),
          quantize_section(),
          export_section(),
          verify_section(),
          gate_section(),
      });
  key.rule = broken_recipe_rule;
  return key;
}

void make_sections(const Key& key, Recipe& recipe) {
  if (key.create) key.create(recipe);
  for (const auto& child : key.keys) make_sections(child, recipe);
}

void visit_below(const Key& parent, const std::string& path, const VisitKey& visit) {
  for (const auto& key : parent.keys) {
    const auto full = path.empty() ? key.spec.name : path + "." + key.spec.name;
    visit(key, full);
    visit_below(key, full, visit);
  }
}

}  // namespace

const Key& recipe_keys() {
  static const Key keys = make_recipe_keys();
  return keys;
}

Recipe complete_recipe() {
  Recipe recipe;
  make_sections(recipe_keys(), recipe);
  return recipe;
}

KeyValue default_of(const Key& key, const Recipe& fresh) {
  return key.get && !key.spec.required ? key.get(fresh) : KeyValue{};
}

std::string allowed_by(const Key& key) {
  switch (key.form) {
    case KeyForm::section: {
      std::vector<std::string> names;
      for (const auto& child : key.keys) names.push_back(child.spec.name);
      return fmt::format("a map of {}", fmt::join(names, ", "));
    }
    case KeyForm::plugin_options:
      return "a map of the plugin's options";
    case KeyForm::name:
      return "letters, digits, '_' and '-', first a letter or '_', at most 64";
    case KeyForm::identifier:
      return "a C identifier of at most 64 characters that is no keyword";
    case KeyForm::percent:
      return "a percentage above 0% up to 100%, such as 1%";
    case KeyForm::count_budget:
      return "a percentage such as 20%, or a whole number of at least 1";
    case KeyForm::bytes_budget:
      return "a percentage such as 20%, or bytes such as 96000, 96KB (1000 bytes) or 94KiB (1024 bytes)";
    case KeyForm::plain:
    case KeyForm::plugin_name:
      break;
  }
  return allowed_by(key.spec);
}

void for_each_key(const VisitKey& visit) { visit_below(recipe_keys(), "", visit); }

}  // namespace compress
