#include "libcompress/report/svg.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace compress {
namespace {

constexpr double kTop = 14;             // pixels above the plot, for the topmost label
constexpr double kPlotHeight = 190;     // pixels
constexpr double kLabelHeight = 24;     // pixels below the plot
constexpr double kLabelledPart = 0.07;  // of the width; a narrower section has its label as a tool tip only
constexpr std::size_t kManyClasses = 20;

std::string percent(double part) { return fmt::format("{:.3f}%", 100 * std::clamp(part, 0.0, 1.0)); }
std::string pixels(double value) { return fmt::format("{:.2f}", value); }

void open_picture(Markup& out, const std::string& title, double height, const std::string& style = "chart") {
  out.open("svg", {{"class", style}, {"width", "100%"}, {"height", pixels(height)}, {"role", "img"}});
  out.leaf("title", {}, title);
}

/// The labels left of a plot are a picture of their own: the plot's width is then all plot.
void open_plot(Markup& out, double label_width, double height) {
  out.open("div", {{"class", "plot"}});
  out.open("svg", {{"class", "chart"},
                   {"width", pixels(label_width)},
                   {"height", pixels(height)},
                   {"aria-hidden", "true"}});
}

void axis_label(Markup& out, double width, double y, const std::string& label) {
  out.leaf("text",
           {{"x", pixels(width - 6)}, {"y", pixels(y + 4)}, {"text-anchor", "end"}, {"class", "quiet"}},
           label);
}

void grid_line(Markup& out, double y) {
  out.empty("line", {{"x1", "0"}, {"x2", "100%"}, {"y1", pixels(y)}, {"y2", pixels(y)}, {"class", "grid"}});
}

/// Where values lie on a plot of kPlotHeight pixels.
struct Scale {
  double low = 0;
  double high = 1;

  double y(double value) const { return kTop + kPlotHeight * (1 - part(value)); }
  double part(double value) const { return std::clamp((value - low) / (high - low), 0.0, 1.0); }
};

std::vector<double> finite_values(const std::vector<Curve>& curves) {
  std::vector<double> values;
  for (const auto& curve : curves)
    for (const auto& piece : curve.pieces)
      for (const auto& point : piece)
        if (std::isfinite(point.y)) values.push_back(point.y);
  return values;
}

/// A line through the points, drawn in a square of 1000 x 1000 that the picture stretches; the stroke is not.
void draw_line(Markup& out, const std::vector<ChartPoint>& points, const std::string& tone,
               const Scale& scale) {
  std::string coordinates;
  for (const auto& point : points)
    coordinates += fmt::format("{:.1f},{:.1f} ", 1000 * point.x, 1000 * (1 - scale.part(point.y)));
  out.empty("polyline", {{"points", coordinates},
                         {"class", "line " + tone},
                         {"vector-effect", "non-scaling-stroke"},
                         {"fill", "none"}});
}

void draw_curve(Markup& out, const Curve& curve, const Scale& scale, double span, const NumberText& y_text) {
  std::vector<std::vector<ChartPoint>> lines;
  for (const auto& piece : curve.pieces) {
    lines.emplace_back();
    for (const auto& point : piece)
      if (std::isfinite(point.y)) lines.back().push_back({point.x / span, point.y});
  }
  out.open("svg", {{"x", "0"},
                   {"y", pixels(kTop)},
                   {"width", "100%"},
                   {"height", pixels(kPlotHeight)},
                   {"viewBox", "0 0 1000 1000"},
                   {"preserveAspectRatio", "none"},
                   {"overflow", "visible"}});
  for (const auto& line : lines)
    if (line.size() > 1) draw_line(out, line, curve.tone, scale);
  out.close();
  for (const auto& line : lines) {
    for (const auto& point : line) {
      out.open("circle", {{"cx", percent(point.x)},
                          {"cy", pixels(scale.y(point.y))},
                          {"r", line.size() > 40 ? "1.5" : "3"},
                          {"class", "dot " + curve.tone}});
      out.leaf("title", {}, curve.name + ": " + y_text(point.y)).close();
    }
  }
}

void draw_sections(Markup& out, const std::vector<AxisSection>& sections, double span) {
  const auto bottom = kTop + kPlotHeight;
  for (const auto& section : sections) {
    const auto x = percent(section.begin / span);
    if (section.begin > 0)
      out.empty(
          "line",
          {{"x1", x}, {"x2", x}, {"y1", "0"}, {"y2", pixels(bottom + kLabelHeight)}, {"class", "grid"}});
    // A picture of its own clips a label that is wider than its section.
    out.open("svg", {{"x", x},
                     {"y", pixels(bottom)},
                     {"width", percent((section.end - section.begin) / span)},
                     {"height", pixels(kLabelHeight)}});
    if (section.end - section.begin >= kLabelledPart * span)
      out.leaf("text", {{"x", section.begin > 0 ? "5" : "0"}, {"y", "17"}, {"class", "quiet"}},
               section.label);
    out.leaf("title", {}, section.hint.empty() ? section.label : section.hint).close();
  }
}

void legend(Markup& out, const std::vector<Curve>& curves) {
  out.open("p", {{"class", "legend"}});
  for (const auto& curve : curves) {
    out.open("span", {{"class", "key"}});
    out.leaf("span", {{"class", "swatch " + curve.tone}}).text(curve.name).close();
  }
  out.close();
}

void heat_row_labels(Markup& out, const std::vector<std::string>& names, double row_height) {
  for (std::size_t i = 0; i < names.size(); ++i)
    out.leaf("text", {{"x", "0"}, {"y", pixels(row_height * (static_cast<double>(i) + 1.5) + 4)}},
             fmt::format("{} {}", i, names[i]));
}

void heat_cell(Markup& out, const std::string& hint, std::int64_t count, double part, double x, double y,
               double width, double height, bool with_text) {
  out.open("svg",
           {{"x", percent(x)}, {"y", pixels(y)}, {"width", percent(width)}, {"height", pixels(height)}});
  out.leaf("title", {}, hint);
  out.empty("rect", {{"width", "100%"}, {"height", "100%"}, {"class", "cell"}});
  if (count > 0)
    out.empty("rect", {{"width", "100%"},
                       {"height", "100%"},
                       {"class", "heat"},
                       {"fill-opacity", fmt::format("{:.2f}", 0.12 + 0.88 * part)}});
  if (with_text && count > 0)
    out.leaf("text",
             {{"x", "50%"},
              {"y", pixels(height / 2 + 4)},
              {"text-anchor", "middle"},
              {"class", part > 0.5 ? "on-heat" : ""}},
             std::to_string(count));
  out.close();
}

void draw_box(Markup& out, const MapBox& box, double left, double right, double height) {
  const auto top = kTop + kPlotHeight * box.low / height;
  const auto tall = std::max(1.0, kPlotHeight * (box.high - box.low) / height);
  out.open(
      "svg",
      {{"x", percent(left)}, {"y", pixels(top)}, {"width", percent(right - left)}, {"height", pixels(tall)}});
  out.leaf("title", {}, box.label);
  out.empty("rect", {{"width", "100%"}, {"height", "100%"}, {"class", box.strong ? "box strong" : "box"}});
  if (tall >= 15)
    out.leaf(
        "text",
        {{"x", "5"}, {"y", pixels(std::min(tall / 2, 20.0) + 4)}, {"class", box.strong ? "on-heat" : ""}},
        box.label);
  out.close();
}

}  // namespace

std::vector<double> round_ticks(double low, double high, int count) {
  const double range = std::max(high - low, 1e-12);
  const double power = std::pow(10, std::floor(std::log10(range / count)));
  double step = 10 * power;
  for (const double factor : {5.0, 2.0, 1.0})
    if (factor * power >= range / count) step = factor * power;
  std::vector<double> ticks;
  const auto last = static_cast<std::int64_t>(std::ceil(high / step - 1e-9));
  for (auto i = static_cast<std::int64_t>(std::floor(low / step + 1e-9)); i <= last; ++i)
    ticks.push_back(static_cast<double>(i) * step);
  return ticks;
}

Markup bar_chart(const std::vector<Bar>& bars) {
  Markup out;
  out.open("div", {{"class", "bars"}});
  for (const auto& bar : bars) {
    out.open("div", {{"class", "bar"}});
    open_picture(out, bar.label + ": " + bar.value, 36);
    // The label is clipped before it can run into the value.
    out.open("svg", {{"width", "62%"}, {"height", "20"}});
    out.leaf("text", {{"x", "0"}, {"y", "14"}}, bar.label).close();
    out.leaf("text", {{"x", "100%"}, {"y", "14"}, {"text-anchor", "end"}, {"class", "quiet"}}, bar.value);
    out.empty("rect", {{"y", "21"}, {"width", "100%"}, {"height", "9"}, {"rx", "2"}, {"class", "track"}});
    if (bar.ghost > 0)
      out.empty(
          "rect",
          {{"y", "21"}, {"width", percent(bar.ghost)}, {"height", "9"}, {"rx", "2"}, {"class", "ghost"}});
    if (bar.length > 0)
      out.empty(
          "rect",
          {{"y", "21"}, {"width", percent(bar.length)}, {"height", "9"}, {"rx", "2"}, {"class", "fill a"}});
    out.close().close();
  }
  return out.close();
}

Markup line_chart(const std::string& title, const std::vector<Curve>& curves,
                  const std::vector<AxisSection>& sections, const NumberText& y_text) {
  Markup out;
  const auto values = finite_values(curves);
  if (values.empty() || sections.empty()) return out;
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  const auto ticks = round_ticks(*low, *high > *low ? *high : *low + 1, 4);
  const Scale scale{ticks.front(), ticks.back()};
  const auto span = sections.back().end;
  const auto height = kTop + kPlotHeight + kLabelHeight;
  constexpr double kAxisWidth = 48;

  if (curves.size() > 1) legend(out, curves);
  open_plot(out, kAxisWidth, height);
  for (const double tick : ticks) axis_label(out, kAxisWidth, scale.y(tick), y_text(tick));
  out.close();
  open_picture(out, title, height);
  for (const double tick : ticks) grid_line(out, scale.y(tick));
  draw_sections(out, sections, span);
  for (const auto& curve : curves) draw_curve(out, curve, scale, span, y_text);
  return out.close().close();
}

Markup heat_map(const std::string& title, const std::vector<std::string>& names,
                const std::vector<std::vector<std::int64_t>>& counts) {
  Markup out;
  const auto size = static_cast<double>(names.size());
  const bool many = names.size() > kManyClasses;
  const double row_height = many ? 15 : 26;
  constexpr double kNameWidth = 128;

  open_plot(out, kNameWidth, row_height * (size + 1));
  heat_row_labels(out, names, row_height);
  out.close();
  open_picture(out, title, row_height * (size + 1));
  for (std::size_t p = 0; p < names.size(); p += many ? 5 : 1)
    out.leaf("text",
             {{"x", percent((static_cast<double>(p) + 0.5) / size)},
              {"y", pixels(row_height - 5)},
              {"text-anchor", "middle"},
              {"class", "quiet"}},
             std::to_string(p));
  for (std::size_t t = 0; t < names.size(); ++t) {
    const auto sum =
        std::max<std::int64_t>(1, std::accumulate(counts[t].begin(), counts[t].end(), std::int64_t{0}));
    for (std::size_t p = 0; p < names.size(); ++p) {
      const auto hint = fmt::format("{}: {} of {} taken for {}", names[t], counts[t][p], sum, names[p]);
      heat_cell(out, hint, counts[t][p], static_cast<double>(counts[t][p]) / static_cast<double>(sum),
                static_cast<double>(p) / size, row_height * static_cast<double>(t + 1), 1 / size, row_height,
                !many);
    }
  }
  return out.close().close();
}

Markup box_map(const std::string& title, const std::vector<MapBox>& boxes, std::int64_t first_column,
               std::int64_t last_column, double height, const NumberText& y_text) {
  Markup out;
  if (boxes.empty() || !(height > 0)) return out;
  const auto columns = static_cast<double>(last_column - first_column + 1);
  const auto total = kTop + kPlotHeight + kLabelHeight;
  const auto y_of = [&](double value) { return kTop + kPlotHeight * value / height; };
  constexpr double kAxisWidth = 68;

  auto ticks = round_ticks(0, height, 4);
  std::erase_if(ticks, [&](double tick) { return tick > 0.93 * height; });  // they would touch the last label
  ticks.push_back(height);
  open_plot(out, kAxisWidth, total);
  for (const double tick : ticks) axis_label(out, kAxisWidth, y_of(tick), y_text(tick));
  out.close();
  open_picture(out, title, total);
  for (const double tick : ticks) grid_line(out, y_of(tick));
  for (const auto& box : boxes)
    draw_box(out, box, static_cast<double>(box.first - first_column) / columns,
             static_cast<double>(box.last + 1 - first_column) / columns, height);
  const auto label_y = pixels(total - 7);
  out.leaf("text", {{"x", "0"}, {"y", label_y}, {"class", "quiet"}}, fmt::format("step {}", first_column));
  out.leaf("text", {{"x", "100%"}, {"y", label_y}, {"text-anchor", "end"}, {"class", "quiet"}},
           fmt::format("step {}", last_column));
  return out.close().close();
}

}  // namespace compress
