#include "libcompress/report/html.h"

namespace compress {

// No character here may be < or &: the style sheet goes into the page as it is.
const char* const page_style = R"css(
:root {
  color-scheme: light dark;
  --page: #f4f4f1; --surface: #ffffff; --ink: #1b1b1a; --quiet: #5a5954; --line: #dddcd6; --track: #efeeea;
  --a: #2a6fc9; --ghost: #b4cdec; --b: #b9521a; --good: #0b6e1f; --bad: #b3261e; --on-heat: #ffffff;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #121211; --surface: #1c1c1b; --ink: #f2f1ec; --quiet: #b6b4ac; --line: #3a3935; --track: #2a2a28;
    --a: #4f95e6; --ghost: #2f4f78; --b: #ee8f57; --good: #58c470; --bad: #ff8a80; --on-heat: #0b1420;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--page); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
}
main, header { max-width: 1160px; margin: 0 auto; padding: 0 20px; }
header { padding-top: 28px; }
h1 { font-size: 26px; line-height: 1.25; margin: 0 0 4px; overflow-wrap: anywhere; }
h2 { font-size: 18px; margin: 0 0 4px; }
h3 { font-size: 14px; margin: 18px 0 6px; }
p { margin: 0 0 10px; overflow-wrap: anywhere; }
.quiet, .note { color: var(--quiet); }
section {
  background: var(--surface); border: 1px solid var(--line); border-radius: 10px; padding: 18px 20px; margin: 16px 0;
}
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(165px, 1fr)); gap: 12px; margin: 16px 0; }
.tile { background: var(--surface); border: 1px solid var(--line); border-radius: 10px; padding: 12px 16px; }
.tile .name { color: var(--quiet); font-size: 13px; }
.tile .number { font-size: 25px; font-weight: 650; line-height: 1.3; }
.tile .change { color: var(--quiet); font-size: 13px; }
.metrics { display: grid; grid-template-columns: repeat(auto-fit, minmax(250px, 1fr)); gap: 6px 32px; }
.metrics .bars { columns: auto; }
.bars { columns: 3 280px; column-gap: 32px; }
.bar { break-inside: avoid; }
.plot { display: grid; grid-template-columns: auto minmax(0, 1fr); }
svg { display: block; }
svg.chart text { font-size: 12px; fill: var(--ink); font-variant-numeric: tabular-nums; }
svg.chart text.quiet { fill: var(--quiet); }
svg.chart text.on-heat { fill: var(--on-heat); }
.track { fill: var(--track); }
.ghost { fill: var(--ghost); }
.fill.a, .dot.a, .heat { fill: var(--a); }
.dot.b { fill: var(--b); }
.line { stroke-width: 2px; stroke-linejoin: round; }
.line.a { stroke: var(--a); }
.line.b { stroke: var(--b); }
.grid { stroke: var(--line); stroke-width: 1px; }
.cell { fill: var(--track); stroke: var(--surface); stroke-width: 2px; }
.heat { stroke: var(--surface); stroke-width: 2px; }
.box { fill: var(--ghost); stroke: var(--surface); stroke-width: 2px; }
.box.strong { fill: var(--a); }
.legend { display: flex; flex-wrap: wrap; align-items: center; gap: 4px 6px; font-size: 13px; margin: 4px 0 8px; }
.legend .key { display: inline-flex; align-items: center; gap: 6px; margin-right: 14px; }
.swatch { display: inline-block; width: 12px; height: 12px; border-radius: 3px; background: var(--track); }
.swatch.a { background: var(--a); }
.swatch.b { background: var(--b); }
.swatch.ghost { background: var(--ghost); }
.checks { list-style: none; margin: 8px 0 0; padding: 0; }
.checks li { display: grid; grid-template-columns: 96px minmax(0, 1fr); gap: 12px; padding: 8px 0; border-top: 1px solid var(--line); }
.checks .detail { color: var(--quiet); display: block; overflow-wrap: anywhere; }
.verdict { font-weight: 650; }
.passed { color: var(--good); }
.failed { color: var(--bad); }
.skipped { color: var(--quiet); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: 13px; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: 4px 10px; border-bottom: 1px solid var(--line); white-space: nowrap; }
th { color: var(--quiet); font-weight: 600; }
th:first-child, td:first-child, .word { text-align: left; }
td.word.long { white-space: normal; min-width: 180px; }
summary { cursor: pointer; color: var(--quiet); margin-top: 12px; }
pre {
  overflow-x: auto; background: var(--track); border-radius: 8px; padding: 12px 14px; margin: 8px 0 0;
  font: 13px/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace;
}
a { color: var(--a); }
footer { padding: 8px 0 32px; color: var(--quiet); font-size: 13px; }
@media (max-width: 520px) {
  main, header { padding-left: 12px; padding-right: 12px; }
  section { padding: 14px; }
  .tiles { grid-template-columns: repeat(2, minmax(0, 1fr)); }
  .tile { padding: 10px 12px; }
  .tile .number { font-size: 20px; }
}
@media print { section, .tile { break-inside: avoid; } }
)css";

}  // namespace compress
