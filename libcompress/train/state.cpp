#include "libcompress/train/state.h"

#include <nlohmann/json.hpp>

#include "libcompress/base/error.h"
#include "libcompress/import/safetensors.h"

namespace compress {
namespace {

using Json = nlohmann::json;

constexpr const char* kKey = "train_state";

Json to_json(const EpochMetrics& m) {
  Json json = {{"epoch", m.epoch},           {"learning_rate", m.learning_rate},
               {"train_loss", m.train_loss}, {"train_accuracy", m.train_accuracy},
               {"seconds", m.seconds},       {"best", m.best}};
  if (m.penalty) json["penalty"] = *m.penalty;
  if (m.validation_loss) json["validation_loss"] = *m.validation_loss;
  if (m.validation_accuracy) json["validation_accuracy"] = *m.validation_accuracy;
  return json;
}

std::optional<double> optional_number(const Json& json, const char* key) {
  return json.contains(key) ? std::optional(json.at(key).get<double>()) : std::nullopt;
}

EpochMetrics metrics_from(const Json& json) {
  EpochMetrics m;
  json.at("epoch").get_to(m.epoch);
  json.at("learning_rate").get_to(m.learning_rate);
  json.at("train_loss").get_to(m.train_loss);
  json.at("train_accuracy").get_to(m.train_accuracy);
  json.at("seconds").get_to(m.seconds);
  json.at("best").get_to(m.best);
  m.penalty = optional_number(json, "penalty");
  m.validation_loss = optional_number(json, "validation_loss");
  m.validation_accuracy = optional_number(json, "validation_accuracy");
  return m;
}

void add_with_prefix(StateDict& all, const std::string& prefix, const StateDict& part) {
  for (const auto& [name, tensor] : part) all[prefix + name] = tensor;
}

StateDict with_prefix(const StateDict& all, const std::string& prefix) {
  StateDict part;
  for (const auto& [name, tensor] : all) {
    if (name.starts_with(prefix)) part[name.substr(prefix.size())] = tensor;
  }
  return part;
}

}  // namespace

std::string to_json_line(const EpochMetrics& metrics) { return to_json(metrics).dump(); }

void save_train_state(const std::filesystem::path& path, const TrainState& state) {
  StateDict tensors;
  add_with_prefix(tensors, "weights/", state.weights);
  add_with_prefix(tensors, "momentum/", state.momentum);
  add_with_prefix(tensors, "best/", state.best_weights);
  Json json = {{"job", state.job},           {"threads", state.threads},   {"epoch", state.epoch},
               {"step", state.step},         {"loss_sum", state.loss_sum}, {"correct", state.correct},
               {"examples", state.examples}, {"seconds", state.seconds},   {"history", Json::array()}};
  for (const auto& metrics : state.history) json["history"].push_back(to_json(metrics));
  write_safetensors(path, tensors, {{kKey, json.dump()}});
}

TrainState load_train_state(const std::filesystem::path& path) {
  const auto file = read_safetensors(path);
  const auto text = file.metadata.find(kKey);
  const auto refuse = [&](const std::string& found) {
    throw Error(ErrorKind::input, {path.string(), found, "the state of a training that was stopped",
                                   "delete the file to train from the beginning"});
  };
  if (text == file.metadata.end()) refuse("no training state");
  TrainState state;
  try {
    const auto json = Json::parse(text->second);
    json.at("job").get_to(state.job);
    json.at("threads").get_to(state.threads);
    json.at("epoch").get_to(state.epoch);
    json.at("step").get_to(state.step);
    json.at("loss_sum").get_to(state.loss_sum);
    json.at("correct").get_to(state.correct);
    json.at("examples").get_to(state.examples);
    json.at("seconds").get_to(state.seconds);
    for (const auto& metrics : json.at("history")) state.history.push_back(metrics_from(metrics));
  } catch (const Json::exception& broken) {
    refuse(std::string("a damaged training state (") + broken.what() + ")");
  }
  state.weights = with_prefix(file.tensors, "weights/");
  state.momentum = with_prefix(file.tensors, "momentum/");
  state.best_weights = with_prefix(file.tensors, "best/");
  return state;
}

}  // namespace compress
