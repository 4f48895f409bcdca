// Environmental sound collections laid out like ESC-50 (K. J. Piczak, ACM MM 2015): audio/ and meta/*.csv
// with folds.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "libcompress/base/error.h"
#include "libcompress/base/files.h"
#include "libcompress/base/random.h"
#include "libcompress/data/audio.h"
#include "libcompress/data/cache.h"
#include "libcompress/data/clips.h"
#include "libcompress/data/parallel.h"
#include "plugins/datasets/csv.h"
#include "plugins/datasets/datasets.h"

namespace compress {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kAudioFileLimitBytes = std::uint64_t{1} << 29;
constexpr std::int64_t kLargestTarget = 99999;

struct Recording {
  std::string filename;
  std::int64_t fold = 0;
  std::int64_t target = 0;
  std::string category;
  std::string source;  ///< clips cut from one recording share it
};

using Folds = std::set<std::int64_t>;

/// Which folds a part is made of.
struct Split {
  Folds train, validation, test;
  double validation_fraction = 0;  ///< of the clips of the train folds, when there are no validation folds
  std::uint64_t seed = 0;
};

[[noreturn]] void refuse(std::string where, std::string found, std::string allowed, std::string remedy) {
  throw Error(ErrorKind::input, {std::move(where), std::move(found), std::move(allowed), std::move(remedy)});
}

// ---------------------------------------------------------------------------------------------- the table of
// clips

fs::path table_path(const fs::path& folder, const std::string& name) {
  std::error_code fault;
  if (!fs::is_directory(folder / "meta", fault))
    refuse(fmt::format("data set '{}'", folder.string()), "no folder 'meta' there",
           "a folder laid out like ESC-50: audio/ and meta/*.csv", "set 'path' to such a folder");
  if (!name.empty()) return confined(folder / "meta", name);
  std::vector<fs::path> tables;
  for (const auto& entry : fs::directory_iterator(folder / "meta", fault))
    if (entry.path().extension() == ".csv") tables.push_back(entry.path());
  if (tables.size() != 1)
    refuse(fmt::format("data set '{}'", folder.string()), fmt::format("{} tables in 'meta'", tables.size()),
           "one .csv file", "name the table with 'meta'");
  return tables.front();
}

std::int64_t whole_number(const std::string& text, std::int64_t highest, std::string_view where,
                          std::string_view column) {
  std::int64_t value = -1;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (fault != std::errc() || end != text.data() + text.size() || value < 0 || value > highest)
    refuse(std::string(where), fmt::format("'{}' in column '{}'", text, column),
           fmt::format("a whole number of 0 to {}", highest), "");
  return value;
}

/// "100032" of "1-100032-A-0.ogg", for tables without src_file.
std::string source_in(const std::string& filename) {
  const auto first = filename.find('-');
  const auto second = first == std::string::npos ? first : filename.find('-', first + 1);
  return second == std::string::npos ? filename : filename.substr(first + 1, second - first - 1);
}

std::vector<Recording> read_table(const fs::path& path, std::string_view text) {
  const CsvTable table = parse_csv(text, path.string());
  const auto required = [&](std::string_view name) {
    const std::size_t column = table.column(name);
    if (column == table.columns.size())
      refuse(path.string(),
             fmt::format("no column '{}' (there are: {})", name, fmt::join(table.columns, ", ")),
             "the columns filename, fold, target, category", "");
    return column;
  };
  const std::size_t filename = required("filename");
  const std::size_t fold = required("fold");
  const std::size_t target = required("target");
  const std::size_t category = required("category");
  const std::size_t source = table.column("src_file");
  std::vector<Recording> recordings;
  std::set<std::string> seen;
  for (const auto& [cells, line] : table.rows) {
    const auto where = fmt::format("{}:{}", path.string(), line);
    if (!seen.insert(cells[filename]).second)
      refuse(where, fmt::format("'{}' a second time", cells[filename]), "one line a clip",
             "take one of the lines out: a clip in two folds would be trained on and tested on");
    recordings.push_back({.filename = cells[filename],
                          .fold = whole_number(cells[fold], kLargestTarget, where, "fold"),
                          .target = whole_number(cells[target], kLargestTarget, where, "target"),
                          .category = cells[category],
                          .source = source < cells.size() ? cells[source] : source_in(cells[filename])});
  }
  if (recordings.empty()) refuse(path.string(), "no clips", "one line a clip", "");
  return recordings;
}

std::map<std::int64_t, std::string> categories(const std::vector<Recording>& recordings,
                                               const fs::path& table) {
  std::map<std::int64_t, std::string> names;
  for (const auto& each : recordings) {
    const auto& name = names.emplace(each.target, each.category).first->second;
    if (name != each.category)
      refuse(table.string(), fmt::format("target {} is both '{}' and '{}'", each.target, name, each.category),
             "one category a target", "");
  }
  return names;
}

// --------------------------------------------------------------------------------------------------- folds
// to parts

Folds to_set(const std::vector<std::int64_t>& folds) { return {folds.begin(), folds.end()}; }

void check_known(const Folds& asked, const Folds& known, std::string_view option, const fs::path& table) {
  for (const auto fold : asked)
    if (!known.contains(fold))
      refuse(table.string(), fmt::format("no clip of fold {}, which '{}' asks for", fold, option),
             fmt::format("folds {}", fmt::join(known, ", ")), "");
}

void check_apart(const Folds& a, const Folds& b, std::string_view option_a, std::string_view option_b) {
  for (const auto fold : a)
    if (b.contains(fold))
      refuse("data set 'esc'", fmt::format("fold {} in both '{}' and '{}'", fold, option_a, option_b),
             "folds that do not overlap", "");
}

Split make_split(const Options& options, const std::vector<Recording>& recordings, const fs::path& table) {
  Folds known;
  for (const auto& each : recordings) known.insert(each.fold);
  Split split{.train = to_set(options.integers("train_folds")),
              .validation = to_set(options.integers("validation_folds")),
              .test = to_set(options.integers("test_folds")),
              .validation_fraction = options.number("validation_fraction"),
              .seed = static_cast<std::uint64_t>(options.integer("split_seed"))};
  check_known(split.train, known, "train_folds", table);
  check_known(split.validation, known, "validation_folds", table);
  check_known(split.test, known, "test_folds", table);
  if (split.test.empty()) split.test.insert(*known.rbegin());
  check_apart(split.train, split.test, "train_folds", "test_folds");
  check_apart(split.validation, split.test, "validation_folds", "test_folds");
  check_apart(split.train, split.validation, "train_folds", "validation_folds");
  if (split.train.empty())
    for (const auto fold : known)
      if (!split.test.contains(fold) && !split.validation.contains(fold)) split.train.insert(fold);
  return split;
}

/// The recordings, by source, that are held out of the train folds: class by class, sources in an order drawn
/// from the seed, for as long as that brings the class nearer to its fraction. Whole sources, because two
/// clips of one recording sound alike; the last source of a class stays in training.
std::set<std::string> held_out_sources(const std::vector<Recording>& recordings, const Split& split) {
  std::map<std::int64_t, std::map<std::string, std::int64_t>> clips;  // class -> source -> how many
  for (const auto& each : recordings)
    if (split.train.contains(each.fold)) ++clips[each.target][each.source];
  std::set<std::string> held_out;
  std::set<std::string> kept;  // a source with clips of several classes goes where its first class has put it
  for (const auto& [target, sources] : clips) {
    std::vector<std::string> names;
    double total = 0;
    double taken = 0;
    for (const auto& [name, count] : sources) {
      total += static_cast<double>(count);
      if (held_out.contains(name)) taken += static_cast<double>(count);
      if (!held_out.contains(name) && !kept.contains(name)) names.push_back(name);
    }
    std::vector<std::size_t> order(names.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    Random::stream(split.seed, static_cast<std::uint64_t>(target)).shuffle(order);
    const double wanted = split.validation_fraction * total;
    for (std::size_t i = 0; i < order.size(); ++i) {
      const auto& name = names[order[i]];
      const auto count = static_cast<double>(sources.at(name));
      const bool nearer = taken + count / 2 <= wanted && taken + count < total;
      if (nearer) taken += count;
      (nearer ? held_out : kept).insert(name);
    }
  }
  return held_out;
}

using Parts = std::array<std::vector<const Recording*>, 3>;

Parts divide(const std::vector<Recording>& recordings, const Split& split) {
  const auto held_out =
      split.validation.empty() ? held_out_sources(recordings, split) : std::set<std::string>();
  const auto part_of = [&](const Recording& each) -> std::optional<Part> {
    if (split.test.contains(each.fold)) return Part::test;
    if (split.validation.contains(each.fold)) return Part::validation;
    if (!split.train.contains(each.fold)) return std::nullopt;
    return held_out.contains(each.source) ? Part::validation : Part::train;
  };
  Parts parts;
  for (const auto& each : recordings)
    if (const auto part = part_of(each)) parts[static_cast<std::size_t>(*part)].push_back(&each);
  return parts;
}

// ------------------------------------------------------------------------------------------------------ the
// data set

/// Clips by part with the files they come from.
struct Collection {
  std::vector<std::string> class_names;
  std::int64_t target_count = 0;
  std::array<std::vector<ClipInfo>, 3> clips;
  std::array<std::vector<fs::path>, 3> files;
  std::string description;
};

/// Label of each target: itself in a network of `classes` outputs, its rank for `classes` = 0.
std::map<std::int64_t, std::int64_t> label_targets(const std::map<std::int64_t, std::string>& names,
                                                   std::int64_t classes, const fs::path& table) {
  std::map<std::int64_t, std::int64_t> labels;
  for (const auto& [target, name] : names) {
    if (classes > 0 && target >= classes)
      refuse(table.string(), fmt::format("target {} ('{}')", target, name),
             fmt::format("0 to {}, as 'classes' is {}", classes - 1, classes), "");
    labels.emplace(target, classes > 0 ? target : static_cast<std::int64_t>(labels.size()));
  }
  return labels;
}

/// Names the classes in order of their labels; labels without a clip are called by their number.
std::vector<std::string> name_labels(const std::map<std::int64_t, std::string>& names,
                                     const std::map<std::int64_t, std::int64_t>& labels, std::int64_t count) {
  std::vector<std::string> all;
  for (std::int64_t i = 0; i < count; ++i) all.push_back(fmt::format("class {}", i));
  for (const auto& [target, label] : labels) all[static_cast<std::size_t>(label)] = names.at(target);
  return all;
}

fs::path audio_file(const fs::path& folder, const std::string& filename, const fs::path& table) {
  auto path = confined(folder / "audio", filename);
  std::error_code fault;
  if (!fs::is_regular_file(path, fault))
    refuse(path.string(), "no such file", "",
           fmt::format("put the recording there, or take its line out of {}", table.string()));
  return path;
}

Collection collect(const Options& options) {
  const fs::path folder = options.string("path");
  const fs::path table = table_path(folder, options.has("meta") ? options.string("meta") : "");
  const std::string text = read_text(table);
  const auto recordings = read_table(table, text);
  const auto names = categories(recordings, table);
  const auto labels = label_targets(names, options.integer("classes"), table);
  const Split split = make_split(options, recordings, table);
  Collection all;
  all.target_count =
      options.integer("classes") > 0 ? options.integer("classes") : static_cast<std::int64_t>(names.size());
  all.class_names = name_labels(names, labels, all.target_count);
  std::string sizes;
  const Parts parts = divide(recordings, split);
  for (std::size_t part = 0; part < parts.size(); ++part)
    for (const Recording* each : parts[part]) {
      all.clips[part].push_back({each->filename, labels.at(each->target)});
      all.files[part].push_back(audio_file(folder, each->filename, table));
      sizes += fmt::format("{} {}\n", each->filename, fs::file_size(all.files[part].back()));
    }
  all.description = fmt::format(
      "esc table={} files={} train_folds={} validation_folds={} validation_fraction={} split_seed={} "
      "test_folds={} classes={} trim={} {}",
      content_hash(text), content_hash(sizes), fmt::join(split.train, ","), fmt::join(split.validation, ","),
      split.validation_fraction, split.seed, fmt::join(split.test, ","), all.target_count,
      options.boolean("trim"), to_string(clip_settings(options)));
  return all;
}

AudioCache make_cache(const Options& options) {
  const std::string folder = options.has("cache") ? options.string("cache") : "";
  if (folder == "none") return AudioCache();
  return AudioCache(folder.empty() ? AudioCache::default_folder() : fs::path(folder));
}

class Esc final : public ClipDataSet {
 public:
  explicit Esc(const Options& options) : Esc(options, collect(options)) {}

  std::string description() const override { return description_; }

 protected:
  Sounds load(Part part) const override {
    const auto& files = files_[static_cast<std::size_t>(part)];
    Sounds sounds(files.size());
    for_each_in_parallel(files.size(), [&](std::size_t i) { sounds[i] = prepared(files[i]); });
    return sounds;
  }

 private:
  Esc(const Options& options, Collection all)
      : ClipDataSet(clip_settings(options),
                    {std::move(all.class_names), all.target_count, std::move(all.clips)}),
        files_(std::move(all.files)),
        description_(std::move(all.description)),
        trim_(options.boolean("trim")),
        cache_(make_cache(options)) {}

  std::vector<std::int16_t> prepared(const fs::path& path) const {
    const auto bytes = read_bytes(path, kAudioFileLimitBytes);
    const auto key = AudioCache::key(
        bytes, fmt::format("mono 16 bit, soxr HQ to {} Hz, trim={}", settings().sample_rate, trim_));
    if (auto cached = cache_.find(key)) return *std::move(cached);
    const Audio audio = decode_audio(bytes, path.string());
    auto sound = to_int16(resample(audio.samples, audio.sample_rate, settings().sample_rate));
    if (trim_) {
      const Samples kept = trimmed(sound);
      sound = std::vector<std::int16_t>(kept.begin(), kept.end());
    }
    cache_.store(key, sound);
    return sound;
  }

  std::array<std::vector<fs::path>, 3> files_;
  std::string description_;
  bool trim_;
  AudioCache cache_;
};

OptionTable esc_options() {
  OptionTable table{
      {.name = "path",
       .type = OptionType::path,
       .help = "folder with audio/ and meta/*.csv",
       .required = true},
      {.name = "meta", .type = OptionType::string, .help = "table of clips in meta/, if there are several"},
      {.name = "test_folds",
       .type = OptionType::integers,
       .help = "folds that are looked at once, at the end; default: the last",
       .fallback = std::vector<std::int64_t>{}},
      {.name = "train_folds",
       .type = OptionType::integers,
       .help = "folds to train on; default: all others",
       .fallback = std::vector<std::int64_t>{}},
      {.name = "validation_folds",
       .type = OptionType::integers,
       .help = "folds that pick the best epoch; default: a part of the train folds",
       .fallback = std::vector<std::int64_t>{}},
      {.name = "validation_fraction",
       .type = OptionType::number,
       .help = "part of the train folds' clips held out for validation, by source recording and class",
       .fallback = 0.1,
       .minimum = 0,
       .maximum = 0.9},
      {.name = "split_seed",
       .type = OptionType::integer,
       .help = "draws the clips held out for validation",
       .fallback = std::int64_t{1},
       .minimum = 0},
      {.name = "classes",
       .type = OptionType::integer,
       .help = "outputs of the network; targets stay as they are (50 for ESC-50's numbers); 0 numbers the "
               "classes "
               "that are there from 0",
       .fallback = std::int64_t{0},
       .minimum = 0,
       .maximum = static_cast<double>(kLargestTarget + 1)},
      {.name = "trim",
       .type = OptionType::boolean,
       .help = "take the samples that are exactly zero off both ends",
       .fallback = true},
      {.name = "cache",
       .type = OptionType::path,
       .help = "folder for decoded sounds, or 'none'; default: libcompress/audio in the user's cache folder"},
  };
  const auto shared = clip_options({});
  table.insert(table.end(), shared.begin(), shared.end());
  return table;
}

}  // namespace

void register_esc(Catalog<DataSet>& catalog) {
  catalog.add("esc", "recordings in a folder laid out like ESC-50: audio/ and meta/*.csv with folds",
              esc_options(), [](const Options& options) { return std::make_unique<Esc>(options); });
}

}  // namespace compress
