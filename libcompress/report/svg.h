// Charts as inline SVG. Positions along the width are percentages, so that text keeps its size on every
// screen; colors come from the page's style sheet. Every chart has a title, and its parts have one as a tool
// tip.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "libcompress/report/markup.h"

namespace compress {

/// A labelled bar. Lengths are parts of the full width, 0 .. 1; `ghost` is drawn behind, for what was before.
struct Bar {
  std::string label;
  std::string value;
  double length = 0;
  double ghost = 0;
};

/// One bar below the other; on wide pages in columns.
Markup bar_chart(const std::vector<Bar>& bars);

struct ChartPoint {
  double x = 0;
  double y = 0;
};

/// A named line in pieces that are not joined. `tone` is "a" or "b", a color of the style sheet.
struct Curve {
  std::string name;
  std::string tone;
  std::vector<std::vector<ChartPoint>> pieces;
};

/// A stretch of the x axis with a label of its own; `hint` is the tool tip, for a label that is cut off.
struct AxisSection {
  std::string label;
  double begin = 0;
  double end = 0;
  std::string hint{};
};

using NumberText = std::function<std::string(double)>;

/// Curves over sections that tile the x axis. Values that are not finite are left out.
Markup line_chart(const std::string& title, const std::vector<Curve>& curves,
                  const std::vector<AxisSection>& sections, const NumberText& y_text);

/// A square of counts, shaded by their part of the row; row and column i belong to names[i].
Markup heat_map(const std::string& title, const std::vector<std::string>& names,
                const std::vector<std::vector<std::int64_t>>& counts);

/// A box from column `first` to `last` (inclusive) and from `low` to `high` on the y axis.
struct MapBox {
  std::string label;
  std::int64_t first = 0;
  std::int64_t last = 0;
  double low = 0;
  double high = 0;
  bool strong = false;  ///< in the full color
};

/// Boxes over columns first_column .. last_column; y grows downward from 0 to `height`.
Markup box_map(const std::string& title, const std::vector<MapBox>& boxes, std::int64_t first_column,
               std::int64_t last_column, double height, const NumberText& y_text);

/// About `count` round numbers (1, 2 or 5 times a power of ten) that cover low .. high.
std::vector<double> round_ticks(double low, double high, int count);

}  // namespace compress
