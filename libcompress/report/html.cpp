#include "libcompress/report/html.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "libcompress/report/markup.h"
#include "libcompress/report/report.h"
#include "libcompress/report/svg.h"

namespace compress {
namespace {

// Numbers as a person reads them.

std::string grouped(std::int64_t value) {
  auto digits = std::to_string(value);
  const std::size_t first = digits.starts_with('-') ? 1 : 0;
  for (std::size_t at = digits.size(); at > first + 3;) digits.insert(at -= 3, 1, ',');
  return digits;
}

std::string bytes_text(double bytes) {
  if (bytes < 10240) return grouped(std::llround(bytes)) + " B";
  if (bytes < 1048576) return fmt::format("{:.1f} KiB", bytes / 1024);
  return fmt::format("{:.2f} MiB", bytes / 1048576);
}

std::string percent_text(double part) {
  if (!std::isfinite(part)) return "-";
  return fmt::format("{:.1f} %", 100 * part);
}

std::string short_number(double value) { return std::isfinite(value) ? fmt::format("{:.3g}", value) : "-"; }

std::string seconds_text(double seconds) {
  if (seconds < 120) return fmt::format("{:.1f} s", seconds);
  return fmt::format("{} min {:02} s", std::llround(seconds) / 60, std::llround(seconds) % 60);
}

/// "-97.22 %" from `before` to `after`; enough digits that a change never reads as none or all.
std::string change_text(double before, double after) {
  if (before <= 0) return "";
  return fmt::format("{:+.2f} %", 100 * (after - before) / before);
}

double part_of(double value, double whole) { return whole > 0 ? value / whole : 0; }

// Parts of a page.

using Table = std::vector<std::vector<std::string>>;

/// The first row is the head. Columns named in `words` hold text, the others numbers.
void table(Markup& out, const std::string& label, const Table& rows, const std::vector<std::size_t>& words) {
  const auto cell_class = [&](std::size_t column) {
    return std::find(words.begin(), words.end(), column) == words.end() ? "" : "word";
  };
  // A wide table scrolls in a box of its own, which the keyboard can reach.
  out.open("div", {{"class", "scroll"}, {"tabindex", "0"}, {"role", "region"}, {"aria-label", label}})
      .open("table");
  for (std::size_t r = 0; r < rows.size(); ++r) {
    if (r < 2) out.open(r == 0 ? "thead" : "tbody");
    out.open("tr");
    for (std::size_t c = 0; c < rows[r].size(); ++c)
      out.leaf(r == 0 ? "th" : "td", {{"class", cell_class(c)}}, rows[r][c]);
    out.close();
    if (r == 0) out.close();
  }
  if (rows.size() > 1) out.close();
  out.close().close();
}

void folded_table(Markup& out, const std::string& label, const Table& rows,
                  const std::vector<std::size_t>& words) {
  out.open("details").leaf("summary", {}, label);
  table(out, label, rows, words);
  out.close();
}

void open_section(Markup& out, const std::string& title, const std::string& note) {
  out.open("section").leaf("h2", {}, title);
  if (!note.empty()) out.leaf("p", {{"class", "note"}}, note);
}

void key(Markup& out, const std::vector<std::pair<std::string, std::string>>& tones) {
  out.open("p", {{"class", "legend"}});
  for (const auto& [tone, text] : tones) {
    out.open("span", {{"class", "key"}}).leaf("span", {{"class", "swatch " + tone}}).text(text).close();
  }
  out.close();
}

// The figures of the networks.

struct Metric {
  std::string name;
  std::function<std::optional<double>(const NetworkFigures&)> value;
  std::function<std::string(double)> text;
  bool is_part = false;  ///< a part of 1, not a size
};

template <typename T>
std::optional<double> as_double(const std::optional<T>& value) {
  return value ? std::optional(static_cast<double>(*value)) : std::nullopt;
}

std::vector<Metric> metrics() {
  const auto count = [](double value) { return grouped(std::llround(value)); };
  return {
      {"Parameters", [](const NetworkFigures& n) { return std::optional(static_cast<double>(n.params)); },
       count},
      {"Multiply-accumulates",
       [](const NetworkFigures& n) { return std::optional(static_cast<double>(n.macs)); }, count},
      {"Flash", [](const NetworkFigures& n) { return as_double(n.flash_bytes); }, bytes_text},
      {"Peak RAM", [](const NetworkFigures& n) { return as_double(n.peak_ram_bytes); }, bytes_text},
      {"Accuracy", [](const NetworkFigures& n) { return n.accuracy; }, percent_text, true},
  };
}

struct Measured {
  const NetworkFigures* network;
  double value;
};

std::vector<Measured> measured(const RunReport& report, const Metric& metric) {
  std::vector<Measured> found;
  for (const auto& network : report.networks)
    if (const auto value = metric.value(network); value && std::isfinite(*value))
      found.push_back({&network, *value});
  return found;
}

void tile(Markup& out, const std::string& name, const std::string& number, const std::string& change) {
  out.open("div", {{"class", "tile"}}).leaf("div", {{"class", "name"}}, name);
  out.leaf("div", {{"class", "number"}}, number);
  if (!change.empty()) out.leaf("div", {{"class", "change"}}, change);
  out.close();
}

std::string tile_change(const Metric& metric, const Measured& first, const Measured& last) {
  if (first.network == last.network) return last.network->label;
  if (metric.is_part)
    return fmt::format("{}, {:+.1f} points from {}", last.network->label, 100 * (last.value - first.value),
                       metric.text(first.value));
  return fmt::format("{}, {} from {}", last.network->label, change_text(first.value, last.value),
                     metric.text(first.value));
}

void tiles(Markup& out, const RunReport& report) {
  if (report.networks.empty()) return;
  out.open("div", {{"class", "tiles"}});
  for (const auto& metric : metrics()) {
    const auto values = measured(report, metric);
    if (values.empty()) continue;
    tile(out, metric.name, metric.text(values.back().value),
         tile_change(metric, values.front(), values.back()));
  }
  out.close();
}

Bar metric_bar(const Metric& metric, const Measured& each, double largest) {
  auto text = metric.text(each.value);
  if (metric.is_part && each.network->correct && each.network->total)
    text += fmt::format(" ({} of {})", grouped(*each.network->correct), grouped(*each.network->total));
  return {each.network->label, text, metric.is_part ? each.value : part_of(each.value, largest)};
}

void overview(Markup& out, const RunReport& report) {
  if (report.networks.empty()) return;
  open_section(out, "Size and accuracy", "Every network on the way, against the largest of its kind.");
  out.open("div", {{"class", "metrics"}});
  for (const auto& metric : metrics()) {
    const auto values = measured(report, metric);
    if (values.empty()) continue;
    double largest = 0;
    for (const auto& each : values) largest = std::max(largest, each.value);
    std::vector<Bar> bars;
    for (const auto& each : values) bars.push_back(metric_bar(metric, each, largest));
    out.open("div").leaf("h3", {}, metric.name).add(bar_chart(bars)).close();
  }
  out.close().close();
}

// What was proven.

std::string checks_summary(const RunReport& report) {
  const auto count = [&](Verdict verdict) {
    return std::count_if(report.checks.begin(), report.checks.end(),
                         [&](const Check& check) { return check.verdict == verdict; });
  };
  auto text = fmt::format("{} passed, {} failed", count(Verdict::passed), count(Verdict::failed));
  if (const auto skipped = count(Verdict::skipped)) text += fmt::format(", {} skipped", skipped);
  return text;
}

void checks(Markup& out, const RunReport& report) {
  if (report.checks.empty()) return;
  open_section(out, "Verification", checks_summary(report));
  out.open("ul", {{"class", "checks"}});
  for (const auto& check : report.checks) {
    const char* mark = check.verdict == Verdict::passed   ? "✓ "
                       : check.verdict == Verdict::failed ? "✗ "
                                                          : "– ";
    const std::string verdict = name_of(check.verdict);
    out.open("li").leaf("span", {{"class", "verdict " + verdict}}, mark + verdict);
    out.open("span").text(check.name);
    if (!check.detail.empty()) out.leaf("span", {{"class", "detail"}}, check.detail);
    out.close().close();
  }
  out.close().close();
}

// What was pruned.

std::int64_t channels(const Shape& shape) {
  return shape.size() > 1 ? shape[1] : shape.empty() ? 0 : shape[0];
}

Table layer_table(const RunReport& report) {
  Table rows{{"layer", "operator", "output before", "output after", "params before", "params after",
              "MACs before", "MACs after"}};
  for (const auto& layer : report.layers)
    rows.push_back({layer.name, layer.op, to_string(layer.shape_before), to_string(layer.shape_after),
                    grouped(layer.params_before), grouped(layer.params_after), grouped(layer.macs_before),
                    grouped(layer.macs_after)});
  return rows;
}

void layers(Markup& out, const RunReport& report) {
  if (report.layers.empty()) return;
  open_section(out, "Channels before and after", "Output channels of every layer that computes.");
  key(out, {{"a", "kept"}, {"ghost", "pruned"}});
  double largest = 0;
  for (const auto& layer : report.layers)
    largest = std::max(largest, static_cast<double>(channels(layer.shape_before)));
  std::vector<Bar> bars;
  for (const auto& layer : report.layers) {
    if (layer.macs_before == 0 && layer.params_before == 0) continue;
    const auto before = channels(layer.shape_before);
    const auto after = channels(layer.shape_after);
    bars.push_back({layer.name, fmt::format("{} of {}", grouped(after), grouped(before)),
                    part_of(static_cast<double>(after), largest),
                    part_of(static_cast<double>(before), largest)});
  }
  out.add(bar_chart(bars));
  folded_table(out, fmt::format("All {} layers", report.layers.size()), layer_table(report), {1, 2, 3});
  out.close();
}

void groups(Markup& out, const RunReport& report) {
  if (report.groups.empty()) return;
  open_section(out, "Pruning groups",
               "Axes that can only shrink together; one index of a group is one choice.");
  Table rows{{"group", "indices", "kept", "note"}};
  for (const auto& group : report.groups)
    rows.push_back({group.name, grouped(group.size), grouped(group.kept), group.note});
  folded_table(out, fmt::format("{} groups", report.groups.size()), rows, {3});
  out.close();
}

// How it learned.

using Reading = std::function<double(const TrainingPoint&)>;

/// Epochs lie side by side in the order they ran; a stage is one section and one piece of the curve.
std::vector<AxisSection> training_sections(const std::vector<TrainingPoint>& points) {
  std::vector<AxisSection> sections;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const bool same =
        i > 0 && points[i].stage == points[i - 1].stage && points[i].epoch > points[i - 1].epoch;
    if (!same) sections.push_back({points[i].stage, static_cast<double>(i), 0});
    sections.back().end = static_cast<double>(i + 1);
  }
  for (auto& section : sections) {
    const auto epochs = std::llround(section.end - section.begin);
    section.hint = fmt::format("{}, {} epoch{}", section.label, epochs, epochs == 1 ? "" : "s");
  }
  return sections;
}

Curve training_curve(const RunReport& report, const std::vector<AxisSection>& sections,
                     const std::string& name, const std::string& tone, const Reading& reading) {
  Curve curve{name, tone, {}};
  for (const auto& section : sections) {
    curve.pieces.emplace_back();
    for (auto x = section.begin; x < section.end; ++x)
      curve.pieces.back().push_back({x + 0.5, reading(report.training[static_cast<std::size_t>(x)])});
  }
  return curve;
}

bool is_empty(const Curve& curve) {
  return std::all_of(curve.pieces.begin(), curve.pieces.end(), [](const auto& piece) {
    return std::none_of(piece.begin(), piece.end(),
                        [](const ChartPoint& point) { return std::isfinite(point.y); });
  });
}

Table training_table(const RunReport& report) {
  const auto text = [](const std::optional<double>& value, auto&& format) {
    return value ? format(*value) : "";
  };
  Table rows{{"stage", "epoch", "loss", "training accuracy", "validation accuracy", "learning rate"}};
  for (const auto& point : report.training)
    rows.push_back({point.stage, std::to_string(point.epoch), short_number(point.loss),
                    text(point.train_accuracy, percent_text), text(point.validation_accuracy, percent_text),
                    text(point.learning_rate, short_number)});
  return rows;
}

void training(Markup& out, const RunReport& report) {
  if (report.training.empty()) return;
  const auto sections = training_sections(report.training);
  const auto curve = [&](const std::string& name, const std::string& tone, const Reading& reading) {
    return training_curve(report, sections, name, tone, reading);
  };
  open_section(out, "Training",
               fmt::format("{} epochs in {} stages.", report.training.size(), sections.size()));
  out.leaf("h3", {}, "Loss");
  out.add(line_chart("Loss by epoch", {curve("loss", "a", [](const TrainingPoint& p) { return p.loss; })},
                     sections, short_number));
  std::vector<Curve> accuracies{
      curve("validation", "a", [](const TrainingPoint& p) { return p.validation_accuracy.value_or(NAN); }),
      curve("training", "b", [](const TrainingPoint& p) { return p.train_accuracy.value_or(NAN); })};
  std::erase_if(accuracies, is_empty);
  if (!accuracies.empty()) {
    out.leaf("h3", {}, "Accuracy");
    out.add(line_chart("Accuracy by epoch", accuracies, sections,
                       [](double value) { return fmt::format("{:.3g} %", 100 * value); }));
  }
  folded_table(out, "Every epoch", training_table(report), {});
  out.close();
}

// What eight bits cost.

Table widths_table(const RunReport& report) {
  Table rows{{"node", "SQNR without", "bits"}};
  for (const auto& node : report.widths)
    rows.push_back({node.node, fmt::format("{:.1f} dB", node.without_db), std::to_string(node.bits)});
  return rows;
}

void quantization(Markup& out, const RunReport& report) {
  if (report.quantization.empty()) return;
  open_section(out, "Quantization error by layer",
               "Signal to quantization noise of the int8 outputs against the float outputs; more is better.");
  constexpr double kFullScaleDb = 60;
  std::vector<Bar> bars;
  Table rows{{"layer", "bits", "SQNR", "cosine", "largest error", "output's SQNR, this layer alone"}};
  for (const auto& layer : report.quantization) {
    const auto sqnr = layer.sqnr_db ? fmt::format("{:.1f} dB", *layer.sqnr_db) : std::string("no error");
    bars.push_back({layer.layer, sqnr, layer.sqnr_db ? std::max(0.0, *layer.sqnr_db / kFullScaleDb) : 1});
    const auto alone = layer.alone_db ? fmt::format("{:.1f} dB", *layer.alone_db) : std::string();
    rows.push_back({layer.layer, std::to_string(layer.bits), sqnr, fmt::format("{:.6f}", layer.cosine),
                    short_number(layer.max_error), alone});
  }
  out.add(bar_chart(bars));
  folded_table(out, "Cosine, largest error, and each layer alone in integers", rows, {});
  if (!report.widths.empty()) folded_table(out, "Activations of 16 bits", widths_table(report), {});
  out.close();
}

void confusion(Markup& out, const RunReport& report) {
  const auto& matrix = report.confusion;
  if (matrix.class_names.empty() || matrix.counts.size() != matrix.class_names.size()) return;
  open_section(out, "Confusion matrix",
               "Rows are the true classes, columns what the last network took them for.");
  out.add(heat_map("Confusion matrix", matrix.class_names, matrix.counts)).close();
}

// Where the activations lie.

std::int64_t arena_bytes(const std::vector<ArenaTensor>& plan) {
  std::int64_t end = 0;
  for (const auto& tensor : plan) end = std::max(end, tensor.offset + tensor.bytes);
  return end;
}

/// The step at which the tensors alive reach highest into the arena, the first of such steps.
std::int64_t fullest_step(const std::vector<ArenaTensor>& plan) {
  const auto top = std::max_element(plan.begin(), plan.end(), [](const ArenaTensor& a, const ArenaTensor& b) {
    return a.offset + a.bytes < b.offset + b.bytes;
  });
  return top->first;
}

void memory(Markup& out, const RunReport& report) {
  const auto& plan = report.memory_plan;
  const auto size = arena_bytes(plan);
  if (plan.empty() || size <= 0) return;
  const auto fullest = fullest_step(plan);
  open_section(
      out, "Memory plan",
      fmt::format("The arena of {} bytes over the steps of one inference; from top to bottom its addresses.",
                  grouped(size)));
  key(out,
      {{"a", fmt::format("alive at the fullest step ({})", fullest)}, {"ghost", "alive at other steps"}});
  // Round numbers on the axis are round in the unit that is shown.
  const double unit = size < 10240 ? 1 : 1024;
  const auto axis_text = [&](double value) {
    return fmt::format("{:.4g} {}", value, unit > 1 ? "KiB" : "B");
  };
  std::vector<MapBox> boxes;
  Table rows{{"tensor", "offset", "bytes", "first step", "last step"}};
  auto first = plan.front().first;
  auto last = plan.front().last;
  for (const auto& tensor : plan) {
    boxes.push_back({fmt::format("{}, {}", tensor.tensor, bytes_text(static_cast<double>(tensor.bytes))),
                     tensor.first, tensor.last, static_cast<double>(tensor.offset) / unit,
                     static_cast<double>(tensor.offset + tensor.bytes) / unit,
                     tensor.first <= fullest && fullest <= tensor.last});
    rows.push_back({tensor.tensor, grouped(tensor.offset), grouped(tensor.bytes),
                    std::to_string(tensor.first), std::to_string(tensor.last)});
    first = std::min(first, tensor.first);
    last = std::max(last, tensor.last);
  }
  out.add(box_map("Arena over time", boxes, first, last, static_cast<double>(size) / unit, axis_text));
  folded_table(out, fmt::format("All {} tensors", plan.size()), rows, {});
  out.close();
}

// The run itself.

void stages(Markup& out, const RunReport& report) {
  if (report.stages.empty()) return;
  double total = 0;
  double longest = 0;
  for (const auto& stage : report.stages) {
    total += stage.seconds;
    longest = std::max(longest, stage.seconds);
  }
  open_section(out, "Time", seconds_text(total) + " in all.");
  std::vector<Bar> bars;
  for (const auto& stage : report.stages)
    bars.push_back({stage.name, seconds_text(stage.seconds), part_of(stage.seconds, longest)});
  out.add(bar_chart(bars)).close();
}

void files(Markup& out, const RunReport& report) {
  if (report.files.empty()) return;
  open_section(out, "Files", "Beside this page in the run folder.");
  out.open("div", {{"class", "scroll"}, {"tabindex", "0"}, {"role", "region"}, {"aria-label", "Files"}});
  out.open("table").open("thead").open("tr");
  out.leaf("th", {}, "file").leaf("th", {}, "size").leaf("th", {{"class", "word"}}, "what it is");
  out.close().close().open("tbody");
  for (const auto& file : report.files) {
    out.open("tr").open("td").leaf("a", {{"href", relative_link(file.path)}}, file.path).close();
    out.leaf("td", {}, bytes_text(static_cast<double>(file.bytes)));
    out.leaf("td", {{"class", "word long"}}, file.what).close();
  }
  out.close().close().close().close();
}

void recipe(Markup& out, const RunReport& report) {
  if (report.recipe.empty()) return;
  open_section(out, "Recipe",
               "With every default written out; the same recipe, seed and machine give the same run.");
  out.leaf("pre", {{"tabindex", "0"}}, report.recipe).close();
}

void notes(Markup& out, const RunReport& report) {
  if (report.notes.empty()) return;
  open_section(out, "Notes", "");
  out.open("ul");
  for (const auto& note : report.notes) out.leaf("li", {}, note);
  out.close().close();
}

std::string title_of(const RunReport& report) {
  return report.name.empty() ? "Compression run" : report.name;
}

void head(Markup& out, const RunReport& report) {
  out.open("head").empty("meta", {{"charset", "utf-8"}});
  out.empty("meta", {{"name", "viewport"}, {"content", "width=device-width, initial-scale=1"}});
  out.leaf("title", {}, title_of(report) + " - libcompress report");
  out.open("style").verbatim(page_style).close().close();
}

void page_header(Markup& out, const RunReport& report) {
  out.open("header").leaf("h1", {}, title_of(report));
  auto line = report.started;
  if (!report.machine.empty()) line += (line.empty() ? "" : " on ") + report.machine;
  if (report.threads > 0)
    line += fmt::format(", {} thread{}", report.threads, report.threads == 1 ? "" : "s");
  line += fmt::format("{}seed {}", line.empty() ? "" : ", ", report.seed);
  out.leaf("p", {{"class", "quiet"}}, line);
  if (!report.checks.empty()) {
    const bool sound = std::none_of(report.checks.begin(), report.checks.end(),
                                    [](const Check& check) { return check.verdict == Verdict::failed; });
    out.leaf("p", {{"class", std::string("verdict ") + (sound ? "passed" : "failed")}},
             (sound ? "✓ Verification: " : "✗ Verification: ") + checks_summary(report));
  }
  out.close();
}

}  // namespace

std::string html_page(const RunReport& report) {
  Markup out;
  out.open("html", {{"lang", "en"}});
  head(out, report);
  out.open("body");
  page_header(out, report);
  out.open("main");
  tiles(out, report);
  for (const auto part : {notes, overview, checks, layers, groups, training, quantization, confusion, memory,
                          stages, files, recipe})
    part(out, report);
  out.leaf("footer", {}, "Made by libcompress. The same figures are in report.json.");
  out.close().close().close();
  return "<!DOCTYPE html>\n" + out.str();
}

}  // namespace compress
