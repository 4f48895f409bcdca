#include "libcompress/train/trainer.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <chrono>
#include <cmath>
#include <optional>
#include <utility>

#include "libcompress/base/error.h"
#include "libcompress/base/files.h"
#include "libcompress/runtime/executor.h"
#include "libcompress/train/background.h"
#include "libcompress/train/batches.h"
#include "libcompress/train/distillation.h"
#include "libcompress/train/evaluate.h"
#include "libcompress/train/group_lasso.h"
#include "libcompress/train/loss.h"
#include "libcompress/train/rounded.h"
#include "libcompress/train/schedule.h"
#include "libcompress/train/sgd.h"

namespace compress {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Keeps the numbers of dropout apart from those of the examples.
constexpr std::uint64_t kDropoutSalt = 0x2b992ddfa23249d6ULL;

void check_options(const TrainOptions& options) {
  const auto refuse = [](const char* key, double found, const char* allowed) {
    throw Error(ErrorKind::recipe,
                {fmt::format("train option '{}'", key), fmt::format("{}", found), allowed, ""});
  };
  if (options.epochs < 0) refuse("epochs", static_cast<double>(options.epochs), "0 or more");
  if (options.batch_size < 1) refuse("batch_size", static_cast<double>(options.batch_size), "1 or more");
  if (!(options.learning_rate > 0)) refuse("learning_rate", options.learning_rate, "more than 0");
  if (!(options.momentum >= 0 && options.momentum < 1)) refuse("momentum", options.momentum, "0 to below 1");
  if (!(options.weight_decay >= 0)) refuse("weight_decay", options.weight_decay, "0 or more");
}

/// The variance of one value is 0 / 0, so a norm cannot train on a batch of one.
void check_batch(const Graph& graph, const TrainingBatches& batches) {
  if (batches.smallest() > 1) return;
  for (const auto& node : graph.nodes()) {
    if (node.op == "batch_norm")
      throw Error(ErrorKind::recipe, {"train option 'batch_size'", "a batch of one example",
                                      fmt::format("2 or more, for the batch norm '{}'", node.name), ""});
  }
}

std::string hashes_of(const StateDict& tensors) {
  std::string text;
  for (const auto& [name, tensor] : tensors) text += "|" + name + "=" + content_hash(tensor.bytes());
  return text;
}

std::string text_of(const Distillation& distillation) {
  const auto& [teacher, options] = distillation;
  return fmt::format("|distillation {} {} {}", options.temperature, options.weight,
                     fingerprint(teacher.graph)) +
         hashes_of(teacher.weights);
}

std::string text_of(const Grids& grids) {
  std::string text = "|rounding";
  for (const auto& [id, grid] : grids)
    text += fmt::format(" {}: {} {}", index_of(id), grid.zero_point, fmt::join(grid.scales, ","));
  return text;
}

std::string text_of(const ChannelPenalty& penalty) {
  std::string text = fmt::format("|penalty {}", penalty.strength);
  for (const auto& group : penalty.groups) {
    if (group.prunable) text += fmt::format(" {} {}", group.name, group.size);
  }
  return text;
}

/// What a state file must agree with to be gone on from.
std::string job_hash(const Model& model, const DataSet& data, const TrainJob& job) {
  const auto& o = job.options;
  std::string text =
      fmt::format("{}|{}|{}|{} {} {} {} {} {} {} {} {} {}", fingerprint(model.graph), data.description(),
                  job.seed, o.epochs, o.batch_size, o.learning_rate, o.momentum, o.nesterov, o.weight_decay,
                  o.warmup_epochs, o.schedule, fmt::join(o.milestones, ","), o.gamma);
  text += hashes_of(model.weights) + hashes_of(job.masks);
  if (job.distillation) text += text_of(*job.distillation);
  if (job.penalty) text += text_of(*job.penalty);
  if (job.rounding) text += text_of(*job.rounding);
  return content_hash(text);
}

/// Passes on the wish to stop, but not the progress: that is counted in training steps.
class StopOnly final : public Reporter {
 public:
  explicit StopOnly(Reporter& reporter) : reporter_(reporter) {}
  bool stop_requested() override { return reporter_.stop_requested(); }

 private:
  Reporter& reporter_;
};

class Trainer {
 public:
  Trainer(const Model& model, const DataSet& data, const TrainJob& job)
      : model_(model),
        data_(data),
        job_(job),
        reporter_(job.reporter != nullptr ? *job.reporter : silent_reporter()),
        batches_(data, job.options.batch_size, job.seed),
        network_(model, WeightUse::copied),
        scores_(find_class_scores(model.graph)),
        sgd_(network_, job.options, job.masks) {
    if (!job.rounding) check_batch(model.graph, batches_);
    if (job.distillation) teacher_.emplace(job.distillation->teacher, job.distillation->options);
    if (job.penalty) lasso_.emplace(network_, job.penalty->groups, job.penalty->strength);
    state_.job = job_hash(model, data, job);
    state_.threads = threads_in_use();
    if (!job.state_file.empty() && std::filesystem::exists(job.state_file)) resume();
  }

  TrainResult run() {
    const auto total = job_.options.epochs * batches_.count();
    const auto done = state_.epoch * batches_.count() + state_.step;
    Background<Batch> batches(done, total, 2, [this](std::int64_t i) {
      return batches_.make(i / batches_.count(), i % batches_.count());
    });
    started_ = saved_ = Clock::now();
    if (state_.step == batches_.count()) end_step();  // it was stopped while validating
    while (const auto batch = batches.next()) {
      step(*batch);
      end_step();
      if (reporter_.stop_requested() && state_.epoch < job_.options.epochs) stop();
    }
    return result();
  }

 private:
  void step(const Batch& batch) {
    const auto number = state_.epoch * batches_.count() + state_.step;
    const auto seed = Random::stream(job_.seed ^ kDropoutSalt, static_cast<std::uint64_t>(number)).bits();
    Grids grids;
    if (job_.rounding) grids = grids_now(network_, *job_.rounding);
    const auto pass = job_.rounding ? pass_on(grids) : Pass{Mode::train, seed};
    const auto loss = loss_of(network_, scores_, batch, pass, teacher_ ? &*teacher_ : nullptr);
    const auto mean = loss.mean.item<double>();
    if (!std::isfinite(mean)) diverged(fmt::format("the loss is {} in step {}", mean, state_.step + 1));
    loss.mean.backward();
    if (lasso_) lasso_->add_gradients();
    sgd_.step(learning_rate_at(job_.options, state_.epoch));
    state_.step += 1;
    state_.loss_sum += mean * static_cast<double>(batch.count);
    state_.correct += loss.correct;
    state_.examples += batch.count;
    reporter_.progress(job_.activity, number + 1, job_.options.epochs * batches_.count(),
                       fmt::format("epoch {}/{}, loss {:.3f}", state_.epoch + 1, job_.options.epochs,
                                   state_.loss_sum / static_cast<double>(state_.examples)));
  }

  void end_step() {
    if (state_.step == batches_.count()) finish_epoch();
    save_if_due(state_.epoch == job_.options.epochs);
  }

  void finish_epoch() {
    EpochMetrics metrics;
    metrics.epoch = state_.epoch + 1;
    metrics.learning_rate = learning_rate_at(job_.options, state_.epoch);
    metrics.train_loss = state_.loss_sum / static_cast<double>(state_.examples);
    metrics.train_accuracy = static_cast<double>(state_.correct) / static_cast<double>(state_.examples);
    if (lasso_) metrics.penalty = lasso_->penalty();
    auto weights = network_.state();
    if (data_.size(Part::validation) > 0) validate(weights, metrics);
    metrics.best = is_best(metrics);
    metrics.seconds = state_.seconds + seconds_since(started_);
    if (metrics.best) state_.best_weights = std::move(weights);
    state_.history.push_back(metrics);
    state_.epoch += 1;
    state_.step = state_.correct = state_.examples = 0;
    state_.loss_sum = state_.seconds = 0;
    started_ = Clock::now();
    if (job_.on_epoch) job_.on_epoch(metrics);
  }

  void validate(const StateDict& weights, EpochMetrics& metrics) {
    const Model now{model_.name, model_.graph, weights, {}};
    const auto found = evaluate_finite(now);
    metrics.validation_loss = found.loss;
    metrics.validation_accuracy = found.accuracy();
  }

  /// Stopped here, the epoch's steps are kept and only its validation is done again.
  Evaluation evaluate_finite(const Model& now) {
    check_finite_weights(now);
    Evaluation found;
    StopOnly reporter(reporter_);
    try {
      const EvaluateOptions options{.reporter = &reporter};
      found = job_.rounding ? evaluate_rounded(now, *job_.rounding, data_, Part::validation, options)
                            : evaluate(now, data_, Part::validation, options);
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::interrupted) stop();
      throw;
    }
    if (!std::isfinite(found.loss)) diverged("the validation loss is not a number");
    return found;
  }

  void check_finite_weights(const Model& now) const {
    try {
      verify(now);
    } catch (const Error& error) {
      diverged(error.what());
    }
  }

  bool is_best(const EpochMetrics& metrics) const {
    // Nothing to choose by, or nothing that knows of the penalty: the last epoch is the result.
    if (!metrics.validation_loss || job_.penalty) return true;
    for (const auto& earlier : state_.history) {
      if (*earlier.validation_loss <= *metrics.validation_loss) return false;
    }
    return true;
  }

  [[noreturn]] void diverged(const std::string& found) const {
    throw Error(ErrorKind::accuracy,
                {fmt::format("{}, epoch {}", job_.activity, state_.epoch + 1), "training diverged: " + found,
                 "a finite loss",
                 fmt::format("lower learning_rate (it is {}) or raise warmup_epochs (it is {})",
                             job_.options.learning_rate, job_.options.warmup_epochs)});
  }

  void save_if_due(bool at_the_end) {
    if (job_.state_file.empty()) return;
    const bool due = seconds_since(saved_) >= job_.save_every_seconds;
    if (at_the_end ? job_.save_at_end : due) save();
  }

  void save() {
    TrainState state = state_;
    state.weights = network_.state();
    state.momentum = sgd_.momentum();
    if (state.step > 0) state.seconds += seconds_since(started_);
    save_train_state(job_.state_file, state);
    saved_ = Clock::now();
  }

  [[noreturn]] void stop() {
    auto where = fmt::format("{} stopped after epoch {}, step {}", job_.activity, state_.epoch, state_.step);
    if (!job_.state_file.empty()) {
      save();
      where += fmt::format("; the state is in {}", job_.state_file.string());
    }
    throw Error(ErrorKind::interrupted, where);
  }

  void resume() {
    auto state = load_train_state(job_.state_file);
    if (state.job != state_.job)
      throw Error(ErrorKind::input, {job_.state_file.string(), "the state of another training",
                                     "the same network, weights, data, options and seed",
                                     "delete the file to train from the beginning"});
    if (state.threads != state_.threads)
      reporter_.message(
          Severity::warning,
          fmt::format("{}: stopped at {} threads and resumed at {}; the last digits will differ from an "
                      "uninterrupted run",
                      job_.activity, state.threads, state_.threads));
    network_.load(state.weights);
    if (job_.options.momentum != 0) sgd_.load_momentum(state.momentum);
    state.threads = state_.threads;
    state_ = std::move(state);
    state_.weights.clear();
    state_.momentum.clear();
  }

  TrainResult result() {
    TrainResult result{model_, 0, state_.history};
    for (const auto& metrics : state_.history) {
      if (metrics.best) result.best_epoch = metrics.epoch;
    }
    if (result.best_epoch > 0) result.model.weights = std::move(state_.best_weights);
    check_finite_weights(result.model);
    return result;
  }

  const Model& model_;
  const DataSet& data_;
  const TrainJob& job_;
  Reporter& reporter_;
  TrainingBatches batches_;
  Network network_;
  ClassScores scores_;
  Sgd sgd_;
  std::optional<Teacher> teacher_;
  std::optional<GroupLasso> lasso_;
  TrainState state_;  ///< without weights and momentum, which live in network_ and sgd_
  Clock::time_point started_;
  Clock::time_point saved_;
};

}  // namespace

TrainResult train(const Model& model, const DataSet& data, const TrainJob& job) {
  check_options(job.options);
  check_fit(model.graph, data);
  if (job.distillation) check_fit(job.distillation->teacher.graph, data);
  if (job.options.epochs == 0) return {model, 0, {}};
  return Trainer(model, data, job).run();
}

}  // namespace compress
