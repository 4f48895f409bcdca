#include "libcompress/export/bench.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <sstream>

#include <fmt/format.h>

#include "libcompress/base/error.h"
#include "libcompress/base/files.h"
#include "libcompress/export/bench_program.h"
#include "libcompress/export/c_network.h"
#include "libcompress/export/c_text.h"
#include "libcompress/export/call_graph.h"
#include "libcompress/export/process.h"
#include "libcompress/export/verify.h"

namespace compress {
namespace {

using Arguments = std::vector<std::string>;

void append(Arguments& to, const Arguments& more) { to.insert(to.end(), more.begin(), more.end()); }

std::string program(const std::string& name, const std::string& package) {
  if (const auto found = find_program(name)) return found->string();
  throw Error(ErrorKind::plugin, {"bench", name + " is not in PATH", "",
                                  "apt-get install " + package + " (see libcompress doctor)"});
}

struct Tools {
  std::string compiler = program("arm-none-eabi-gcc", "gcc-arm-none-eabi libnewlib-arm-none-eabi");
  std::string size = program("arm-none-eabi-size", "binutils-arm-none-eabi");
  std::string emulator = program("qemu-system-arm", "qemu-system-arm");
};

const Board& board_of(const Target& target) {
  if (const auto* board = find_board(target.board)) return *board;
  throw Error(ErrorKind::usage, {fmt::format("target '{}'", target.name), "no board of QEMU to measure it on",
                                 "a Cortex-M", "choose another --target"});
}

/// "calibration 10000000 250000": what the program prints, as sums by word and first number.
class Printed {
 public:
  explicit Printed(const std::string& text) {
    std::istringstream lines(text);
    std::string word;
    for (std::int64_t first = 0, second = 0; lines >> word >> first >> second;)
      figures_.push_back({word, first, second});
  }

  struct Figure {
    std::string word;
    std::int64_t first, second;
  };

  const std::vector<Figure>& figures() const { return figures_; }

  const Figure& only(std::string_view word) const {
    const auto found =
        std::find_if(figures_.begin(), figures_.end(), [&](const Figure& f) { return f.word == word; });
    if (found == figures_.end())
      throw Error(ErrorKind::io, {"measured program", fmt::format("it printed no line '{}'", word), "", ""});
    return *found;
  }

 private:
  std::vector<Figure> figures_;
};

/// One layer's sums in one run.
struct Ticks {
  std::int64_t calls = 0, ticks = 0;
};

struct Run {
  std::int64_t ticks = 0;
  std::map<std::size_t, Ticks> layers{};
};

std::vector<Run> runs_in(const Printed& printed) {
  std::vector<Run> runs;
  for (const auto& [word, first, second] : printed.figures()) {
    if (word == "run") runs.push_back({second});
    if (word == "right" && second == 0)
      throw Error(ErrorKind::accuracy,
                  {"measured program", fmt::format("output {} differs from the reference", first),
                   "the same bytes", ""});
    if (word == "calls") runs.back().layers[static_cast<std::size_t>(first)].calls = second;
    if (word == "layer") runs.back().layers[static_cast<std::size_t>(first)].ticks = second;
  }
  return runs;
}

std::size_t longest(const std::vector<Run>& runs) {
  const auto less = [](const Run& a, const Run& b) { return a.ticks < b.ticks; };
  return static_cast<std::size_t>(std::max_element(runs.begin(), runs.end(), less) - runs.begin());
}

/// From ticks to instructions, with what measuring itself takes out.
class Clock {
 public:
  explicit Clock(const Printed& printed) {
    const auto& loop = printed.only("calibration");
    per_tick_ = static_cast<double>(loop.first) / static_cast<double>(loop.second);
    const auto& empty = printed.only("empty");
    per_call_ = static_cast<double>(empty.second) / static_cast<double>(empty.first);
  }

  std::int64_t instructions(std::int64_t ticks) const {
    return std::llround(static_cast<double>(ticks) * per_tick_);
  }
  std::int64_t instructions(const Ticks& layer) const {
    const double own = static_cast<double>(layer.ticks) - static_cast<double>(layer.calls) * per_call_;
    return std::max<std::int64_t>(0, std::llround(own * per_tick_));
  }

 private:
  double per_tick_ = 0, per_call_ = 0;
};

/// Builds and runs, all in a folder that is gone afterwards.
class Workbench {
 public:
  Workbench(const ExportRequest& request, const ExportResult& result, const Target& target, int limit_seconds)
      : name_(c_identifier(request.name)), target_(target), board_(board_of(target)), limit_(limit_seconds) {
    const auto main_source = name_ + ".c";
    measured_ = measured_source(result.files.at(main_source));
    folder_.write(result.files);
    folder_.write({{"measured.c", measured_.text}});
    folder_.write(bench_files(name_, board_, measured_.functions.size()));
    for (const auto& [file, text] : result.files)
      if (file != main_source && belongs_to_network(file)) sources_.push_back(file);
    compile();
  }

  const std::vector<std::string>& functions() const { return measured_.functions; }

  Printed run(bool with_layers) {
    const std::string elf = with_layers ? "layers.elf" : "whole.elf";
    auto objects = objects_of(sources_);
    append(objects, {with_layers ? "measured.o" : name_ + ".o", "bench_startup.o", "bench_program.o",
                     name_ + "_vectors.o"});
    link(objects, {"-Tbench.ld", "-o", elf});
    const auto done = run_program({tools_.emulator, "-M", board_.name, "-icount", "shift=0", "-nographic",
                                   "-semihosting-config", "enable=on,target=native", "-kernel", elf},
                                  folder_.path(), limit_);
    if (done.exit_code != 0 || done.timed_out)
      throw Error(ErrorKind::io, {"measured program",
                                  done.timed_out ? fmt::format("no end after {} s", limit_.count())
                                                 : "it failed:\n" + done.output,
                                  "", ""});
    return Printed(done.output);
  }

  /// The network alone, from its entry, with what it calls in libraries.
  FirmwareSize size() {
    auto objects = objects_of(sources_);
    objects.push_back(name_ + ".o");
    link(objects, {"-Wl,--entry=" + name_ + "_run", "-o", "alone.elf"});
    return size_of_sections(tools_.size, {"alone.elf"}, folder_.path());
  }

  CallGraph::Depth stack_bound() const {
    CallGraph graph;
    auto sources = sources_;
    sources.push_back(name_ + ".c");
    for (const auto& source : sources) graph.add(read_text(folder_.path() / with_ending(source, ".ci")));
    return graph.depth_of(name_ + "_run");
  }

  std::string compiler() const {
    const auto text = run_program({tools_.compiler, "--version"}, folder_.path()).output;
    return text.substr(0, text.find('\n'));
  }

 private:
  static std::string with_ending(const std::string& source, const std::string& ending) {
    return source.substr(0, source.rfind('.')) + ending;
  }

  static Arguments objects_of(const Arguments& sources) {
    Arguments objects;
    for (const auto& source : sources) objects.push_back(with_ending(source, ".o"));
    return objects;
  }

  /// Sources of the network itself, without tests and what a caller may leave out.
  bool belongs_to_network(const std::string& file) const {
    if (!file.ends_with(".c") || file.find('/') != file.npos) return false;
    return std::none_of(kApart.begin(), kApart.end(),
                        [&](const char* suffix) { return file == name_ + suffix; });
  }

  void must_work(const Arguments& arguments) const {
    const auto done = run_program(arguments, folder_.path(), std::chrono::seconds(300));
    if (done.exit_code == 0 && !done.timed_out) return;
    const auto what = done.output.find(" overflowed by ") != done.output.npos
                          ? fmt::format("it does not fit the memory of {}", board_.name)
                          : "the compiler refused it";
    throw Error(ErrorKind::plugin,
                {fmt::format("exported C for {}", target_.name), what + ":\n" + done.output, "", ""});
  }

  void compile() const {
    Arguments arguments = {tools_.compiler, "-c", "-fcallgraph-info=su"};
    append(arguments, target_.flags);
    append(arguments, strict_c_flags());
    append(arguments, sources_);
    append(arguments,
           {name_ + ".c", "measured.c", "bench_startup.c", "bench_program.c", name_ + "_vectors.c"});
    must_work(arguments);
  }

  void link(const Arguments& objects, const Arguments& more) const {
    Arguments arguments = {tools_.compiler, "-nostartfiles", "-Wl,--gc-sections"};
    append(arguments, target_.flags);
    append(arguments, objects);
    append(arguments, more);
    must_work(arguments);
  }

  static constexpr std::array kApart = {"_test.c", "_test_host.c", "_vectors.c", "_static.c", "_classes.c"};

  std::string name_;
  const Target& target_;
  const Board& board_;
  std::chrono::seconds limit_;
  Tools tools_{};
  TemporaryFolder folder_{};
  MeasuredSource measured_{};
  Arguments sources_{};
};

/// The layers of the run, with the nodes' names where the C writer's function tells the node.
std::vector<LayerBench> layers_of(const Run& run, const Clock& clock, const CNetwork& network,
                                  const std::vector<std::string>& functions) {
  std::vector<LayerBench> result;
  for (const auto& [index, ticks] : run.layers) {
    LayerBench layer{functions[index], "", 0, ticks.calls, clock.instructions(ticks)};
    for (const auto& each : network.layers) {
      if (each.function != functions[index]) continue;
      layer.name = each.node->name;
      layer.title = each.title.substr(each.title.find(": ") + 2);
      layer.macs = each.macs;
    }
    result.push_back(std::move(layer));
  }
  return result;
}

}  // namespace

BenchResult bench(const ExportRequest& request, const ExportResult& result, const Target& target,
                  int limit_seconds) {
  Workbench workbench(request, result, target, limit_seconds);
  BenchResult bench{target.name, target.board, workbench.compiler()};
  const auto whole = workbench.run(false);
  const auto runs = runs_in(whole);
  const auto most = longest(runs);
  bench.inputs = static_cast<std::int64_t>(runs.size());
  bench.instructions = Clock(whole).instructions(runs[most].ticks);
  bench.stack_bytes = whole.only("stack").second;

  const auto by_layer = workbench.run(true);
  bench.layers =
      layers_of(runs_in(by_layer).at(most), Clock(by_layer), lowered(request), workbench.functions());

  const auto size = workbench.size();
  bench.code_bytes = size.code_bytes;
  bench.const_bytes = size.constant_bytes;
  const auto depth = workbench.stack_bound();
  bench.stack_bound_bytes = depth.bounded ? depth.bytes : -1;
  bench.stack_not_bounded = depth.unknown;
  bench.macs = macs_of(request.graph);
  bench.arena_bytes = result.arena_bytes;
  return bench;
}

}  // namespace compress
