#include "libcompress/report/report.h"

#include <fmt/format.h>

#include <cmath>
#include <concepts>
#include <nlohmann/json.hpp>
#include <type_traits>

#include "libcompress/base/error.h"
#include "libcompress/base/files.h"
#include "libcompress/report/html.h"

namespace compress {
namespace {

using Json = nlohmann::json;

template <typename T, typename Plain>
concept Either = std::same_as<std::remove_const_t<T>, Plain>;

// One table of fields per struct serves writing and reading.

template <Either<StageTime> T>
void fields(T& value, auto&& field) {
  field("name", value.name);
  field("seconds", value.seconds);
}

template <Either<NetworkFigures> T>
void fields(T& value, auto&& field) {
  field("label", value.label);
  field("params", value.params);
  field("macs", value.macs);
  field("flash_bytes", value.flash_bytes);
  field("peak_ram_bytes", value.peak_ram_bytes);
  field("accuracy", value.accuracy);
  field("correct", value.correct);
  field("total", value.total);
}

template <Either<LayerChange> T>
void fields(T& value, auto&& field) {
  field("name", value.name);
  field("op", value.op);
  field("shape_before", value.shape_before);
  field("shape_after", value.shape_after);
  field("params_before", value.params_before);
  field("params_after", value.params_after);
  field("macs_before", value.macs_before);
  field("macs_after", value.macs_after);
}

template <Either<GroupChange> T>
void fields(T& value, auto&& field) {
  field("name", value.name);
  field("size", value.size);
  field("kept", value.kept);
  field("note", value.note);
}

template <Either<TrainingPoint> T>
void fields(T& value, auto&& field) {
  field("stage", value.stage);
  field("epoch", value.epoch);
  field("loss", value.loss);
  field("train_accuracy", value.train_accuracy);
  field("validation_accuracy", value.validation_accuracy);
  field("learning_rate", value.learning_rate);
}

template <Either<LayerError> T>
void fields(T& value, auto&& field) {
  field("layer", value.layer);
  field("sqnr_db", value.sqnr_db);
  field("cosine", value.cosine);
  field("max_error", value.max_error);
  field("alone_db", value.alone_db);
  field("bits", value.bits);
}

template <Either<NodeWidthRow> T>
void fields(T& value, auto&& field) {
  field("node", value.node);
  field("without_db", value.without_db);
  field("bits", value.bits);
}

template <Either<ConfusionMatrix> T>
void fields(T& value, auto&& field) {
  field("class_names", value.class_names);
  field("counts", value.counts);
}

template <Either<Check> T>
void fields(T& value, auto&& field) {
  field("name", value.name);
  field("verdict", value.verdict);
  field("detail", value.detail);
}

template <Either<ArenaTensor> T>
void fields(T& value, auto&& field) {
  field("tensor", value.tensor);
  field("offset", value.offset);
  field("bytes", value.bytes);
  field("first", value.first);
  field("last", value.last);
}

template <Either<ReportFile> T>
void fields(T& value, auto&& field) {
  field("path", value.path);
  field("bytes", value.bytes);
  field("what", value.what);
}

template <Either<RunReport> T>
void fields(T& value, auto&& field) {
  field("name", value.name);
  field("started", value.started);
  field("recipe", value.recipe);
  field("seed", value.seed);
  field("threads", value.threads);
  field("machine", value.machine);
  field("stages", value.stages);
  field("networks", value.networks);
  field("layers", value.layers);
  field("groups", value.groups);
  field("training", value.training);
  field("quantization", value.quantization);
  field("widths", value.widths);
  field("confusion", value.confusion);
  field("checks", value.checks);
  field("memory_plan", value.memory_plan);
  field("files", value.files);
  field("notes", value.notes);
}

constexpr int kFormat = 1;

// Writing. nlohmann writes a number that is not finite as null, which is what the layout promises.

Json write(const std::string& value) { return value; }
Json write(double value) { return value; }
Json write(Verdict value) { return name_of(value); }
template <std::integral T>
Json write(T value) {
  return value;
}
template <typename T>
Json write(const std::optional<T>& value) {
  return value ? Json(*value) : Json();
}
template <typename T>
Json write(const std::vector<T>& values);

template <typename T>
  requires std::is_class_v<T>
Json write(const T& value) {
  Json object = Json::object();
  fields(value, [&](const char* name, const auto& member) { object[name] = write(member); });
  return object;
}

template <typename T>
Json write(const std::vector<T>& values) {
  Json array = Json::array();
  for (const auto& value : values) array.push_back(write(value));
  return array;
}

// Reading. `place` is the JSON pointer of what is read, for messages.

[[noreturn]] void refuse(const std::string& place, const std::string& found, const std::string& allowed) {
  throw Error(ErrorKind::input, {place, found, allowed, ""});
}

void read(const Json& json, const std::string& place, std::string& value) {
  if (!json.is_string()) refuse(place, json.type_name(), "a string");
  value = json.get<std::string>();
}

void read(const Json& json, const std::string& place, double& value) {
  if (json.is_null())
    value = std::nan("");
  else if (json.is_number())
    value = json.get<double>();
  else
    refuse(place, json.type_name(), "a number or null");
}

void read(const Json& json, const std::string& place, std::int64_t& value) {
  if (!json.is_number_integer() || (json.is_number_unsigned() && json.get<std::uint64_t>() > INT64_MAX))
    refuse(place, json.dump(), "an integer of 64 bits");
  value = json.get<std::int64_t>();
}

void read(const Json& json, const std::string& place, std::uint64_t& value) {
  if (!json.is_number_unsigned()) refuse(place, json.dump(), "an integer from 0 to 2^64 - 1");
  value = json.get<std::uint64_t>();
}

void read(const Json& json, const std::string& place, Verdict& value) {
  for (const auto each : {Verdict::passed, Verdict::failed, Verdict::skipped}) {
    if (json.is_string() && json.get<std::string>() == name_of(each)) {
      value = each;
      return;
    }
  }
  refuse(place, json.dump(), "\"passed\", \"failed\" or \"skipped\"");
}

template <typename T>
void read(const Json& json, const std::string& place, std::vector<T>& values);

template <typename T>
void read(const Json& json, const std::string& place, std::optional<T>& value) {
  value.reset();
  if (!json.is_null()) read(json, place, value.emplace());
}

template <typename T>
  requires std::is_class_v<T>
void read(const Json& json, const std::string& place, T& value) {
  if (!json.is_object()) refuse(place, json.type_name(), "an object");
  fields(value, [&](const char* name, auto& member) {
    const auto found = json.find(name);
    if (found == json.end()) refuse(place, fmt::format("no \"{}\"", name), "");
    read(*found, place + "/" + name, member);
  });
}

template <typename T>
void read(const Json& json, const std::string& place, std::vector<T>& values) {
  if (!json.is_array()) refuse(place, json.type_name(), "an array");
  values.resize(json.size());
  for (std::size_t i = 0; i < json.size(); ++i) read(json[i], fmt::format("{}/{}", place, i), values[i]);
}

RunReport read_report(const Json& json, const std::string& where) {
  const auto place = where + ": ";
  if (!json.is_object()) refuse(place + "/", json.type_name(), "an object");
  const auto format = json.find("format");
  if (format == json.end() || *format != kFormat)
    refuse(place + "/format", format == json.end() ? "nothing" : format->dump(), std::to_string(kFormat));
  RunReport report;
  read(json, place, report);
  for (const auto& row : report.confusion.counts) {
    if (row.size() != report.confusion.class_names.size() ||
        report.confusion.counts.size() != report.confusion.class_names.size())
      refuse(place + "/confusion/counts", "not square", "as many rows and columns as class names");
  }
  return report;
}

}  // namespace

const char* name_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::passed:
      return "passed";
    case Verdict::failed:
      return "failed";
    case Verdict::skipped:
      return "skipped";
  }
  return "";
}

Json to_json(const RunReport& report) {
  auto json = write(report);
  json["format"] = kFormat;
  return json;
}

RunReport report_from_json(const Json& json) { return read_report(json, "report.json"); }

std::string json_text(const RunReport& report) {
  return to_json(report).dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

RunReport report_from_text(const std::string& text, const std::string& where) {
  try {
    return read_report(Json::parse(text), where);
  } catch (const Json::parse_error& error) {
    throw Error(ErrorKind::input, {where, error.what(), "JSON", ""});
  }
}

void write_report(const RunReport& report, const std::filesystem::path& folder) {
  write_file(folder / "report.json", json_text(report));
  write_file(folder / "report.html", html_page(report));
}

}  // namespace compress
