#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <numeric>
#include <set>

#include "plugins/datasets/datasets.h"
#include "tests/data/sound_files.h"

namespace compress {
namespace {

namespace fs = std::filesystem;
using testing::complaint;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::Scratch;
using Given = std::map<std::string, OptionValue>;
using Integers = std::vector<std::int64_t>;

constexpr std::int64_t kRate = 8000;
constexpr std::int64_t kLength = 2000;

std::unique_ptr<DataSet> make_esc(const fs::path& folder, Given given = {}) {
  Catalog<DataSet> catalog("data set");
  register_esc(catalog);
  given.emplace("path", folder.string());
  given.emplace("cache", std::string("none"));
  return catalog.make("esc", given);
}

/// As make_esc, for the short clips of small_folder().
std::unique_ptr<DataSet> make_small(const fs::path& folder, Given given = {}) {
  given.emplace("sample_rate", kRate);
  given.emplace("input_length", kLength);
  given.emplace("crops", std::int64_t{4});
  return make_esc(folder, std::move(given));
}

void write_text(const fs::path& path, const std::string& text) {
  fs::create_directories(path.parent_path());
  std::ofstream(path) << text;
}

/// Three classes (targets 2, 5, 7) in three folds with four clips each, two from each recording.
void small_folder(const fs::path& folder) {
  std::string table = "filename,fold,target,category,src_file\n";
  const std::array<std::pair<int, const char*>, 3> classes{{{2, "low"}, {5, "middle"}, {7, "high"}}};
  const std::array<const char*, 4> endings{"wav", "flac", "ogg", "wav"};
  for (int fold = 1; fold <= 3; ++fold)
    for (const auto& [target, category] : classes)
      for (int take = 0; take < 4; ++take) {
        const int source = fold * 1000 + target * 10 + take / 2;
        const auto name = fmt::format("{}-{}-{}-{}.{}", fold, source, take, target, endings[take]);
        const int rate = take == 3 ? 16000 : kRate;
        testing::write_sound(folder / "audio" / name,
                             testing::tone(200 * target + take, rate, static_cast<std::size_t>(rate) / 2),
                             rate);
        table += fmt::format("{},{},{},{},{}\n", name, fold, target, category, source);
      }
  write_text(folder / "meta" / "table.csv", table);
}

std::set<std::string> names(const DataSet& data, Part part) {
  std::set<std::string> all;
  for (std::int64_t i = 0; i < data.size(part); ++i) all.insert(data.clip_name(part, i));
  return all;
}

std::set<std::string> sources(const DataSet& data, Part part) {
  std::set<std::string> all;
  for (const auto& name : names(data, part)) all.insert(name.substr(0, name.find('-', name.find('-') + 1)));
  return all;
}

bool disjoint(const std::set<std::string>& a, const std::set<std::string>& b) {
  return std::none_of(a.begin(), a.end(), [&](const auto& each) { return b.contains(each); });
}

class Esc : public ::testing::Test {
 protected:
  Esc() { small_folder(folder_.path()); }
  std::string message(Given given = {}) const {
    return complaint(ErrorKind::input, [&] { make_small(folder_.path(), given); });
  }
  std::string message_of_table(const std::string& text) const {
    write_text(folder_ / "meta" / "table.csv", text);
    return message();
  }
  Scratch folder_;
};

TEST_F(Esc, tests_on_the_last_fold_unless_told_otherwise) {
  const auto data = make_small(folder_.path(), {{"validation_fraction", 0.0}});
  EXPECT_EQ(data->size(Part::test), 12);
  EXPECT_EQ(data->size(Part::train), 24);
  EXPECT_EQ(data->size(Part::validation), 0);
  for (const auto& name : names(*data, Part::test)) EXPECT_EQ(name.front(), '3');
  const auto other =
      make_small(folder_.path(), {{"test_folds", Integers{1, 2}}, {"validation_fraction", 0.0}});
  EXPECT_EQ(other->size(Part::test), 24);
  for (const auto& name : names(*other, Part::train)) EXPECT_EQ(name.front(), '3');
}

TEST_F(Esc, numbers_the_classes_that_are_there_from_0) {
  const auto data = make_small(folder_.path());
  EXPECT_THAT(data->class_names(), ElementsAre("low", "middle", "high"));
  EXPECT_EQ(data->target_count(), 3);
}

TEST_F(Esc, keeps_targets_for_a_network_with_more_outputs) {
  const auto data = make_small(folder_.path(), {{"classes", std::int64_t{10}}});
  EXPECT_EQ(data->target_count(), 10);
  EXPECT_EQ(data->class_names()[5], "middle");
  EXPECT_EQ(data->class_names()[6], "class 6");
  std::vector<float> views(4 * kLength);
  for (std::int64_t i = 0; i < data->size(Part::test); ++i)
    EXPECT_TRUE((std::set<std::int64_t>{2, 5, 7}.contains(data->evaluation_views(Part::test, i, views))));
  EXPECT_THAT(message({{"classes", std::int64_t{7}}}), HasSubstr("target 7 ('high')"));
}

TEST_F(Esc, holds_whole_recordings_out_for_validation) {
  const auto data = make_small(folder_.path(), {{"validation_fraction", 0.3}});
  EXPECT_EQ(data->size(Part::validation), 6);  // one of the four recordings of each class: two clips
  EXPECT_EQ(data->size(Part::train), 18);
  EXPECT_TRUE(disjoint(sources(*data, Part::train), sources(*data, Part::validation)));
  EXPECT_TRUE(disjoint(names(*data, Part::test), names(*data, Part::validation)));
  const auto again = make_small(folder_.path(), {{"validation_fraction", 0.3}});
  EXPECT_EQ(names(*data, Part::validation), names(*again, Part::validation));
  std::set<std::set<std::string>> choices;
  for (std::int64_t seed = 0; seed < 8; ++seed)
    choices.insert(names(*make_small(folder_.path(), {{"validation_fraction", 0.3}, {"split_seed", seed}}),
                         Part::validation));
  EXPECT_GT(choices.size(), 3U);
}

TEST_F(Esc, takes_validation_folds_out_of_training) {
  const auto data =
      make_small(folder_.path(), {{"validation_folds", Integers{1}}, {"test_folds", Integers{3}}});
  EXPECT_EQ(data->size(Part::validation), 12);
  EXPECT_EQ(data->size(Part::train), 12);
  for (const auto& name : names(*data, Part::train)) EXPECT_EQ(name.front(), '2');
}

TEST_F(Esc, refuses_folds_that_overlap_or_are_not_there) {
  EXPECT_THAT(message({{"test_folds", Integers{4}}}),
              HasSubstr("no clip of fold 4, which 'test_folds' asks for; "
                        "allowed: folds 1, 2, 3"));
  EXPECT_THAT(message({{"test_folds", Integers{2}}, {"train_folds", Integers{1, 2}}}),
              HasSubstr("fold 2 in both 'train_folds' and 'test_folds'"));
  EXPECT_THAT(message({{"test_folds", Integers{2}}, {"validation_folds", Integers{2}}}), HasSubstr("fold 2"));
}

TEST_F(Esc, converts_every_format_and_rate_to_the_same_views) {
  const auto data = make_small(folder_.path());
  std::vector<float> views(4 * kLength);
  for (std::int64_t i = 0; i < data->size(Part::test); ++i) {
    data->evaluation_views(Part::test, i, views);
    const auto second = std::span(views).subspan(kLength, kLength);  // wholly inside the clip
    const float peak = *std::max_element(second.begin(), second.end());
    EXPECT_NEAR(peak, 0.5, 0.05) << data->clip_name(Part::test, i);
  }
}

TEST_F(Esc, training_examples_depend_on_index_and_generator_alone) {
  const auto data = make_small(folder_.path());
  const auto example = [&](const DataSet& set, std::int64_t index, std::uint64_t seed) {
    std::vector<float> both(kLength + 3);
    Random random(seed);
    set.training_example(index, random, std::span(both).first(kLength), std::span(both).subspan(kLength));
    return both;
  };
  EXPECT_EQ(example(*data, 3, 1), example(*make_small(folder_.path()), 3, 1));
  EXPECT_NE(example(*data, 3, 1), example(*data, 3, 2));
  EXPECT_NE(example(*data, 3, 1), example(*data, 4, 1));
}

TEST_F(Esc, mixes_two_classes_or_leaves_one) {
  std::vector<float> input(kLength);
  std::vector<float> target(3);
  for (const bool mix : {true, false}) {
    const auto data = make_small(folder_.path(), {{"mix", mix}});
    Random random(1);
    for (std::int64_t i = 0; i < data->size(Part::train); ++i) {
      data->training_example(i, random, input, target);
      EXPECT_NEAR(std::accumulate(target.begin(), target.end(), 0.0), 1, 1e-6);
      EXPECT_EQ(std::count(target.begin(), target.end(), 0.0F), mix ? 1 : 2);
      EXPECT_TRUE(std::all_of(input.begin(), input.end(), [](float x) { return std::isfinite(x); }));
    }
  }
}

TEST_F(Esc, gives_the_same_from_the_cache_as_without) {
  std::vector<float> plain(4 * kLength);
  std::vector<float> fresh(4 * kLength);
  std::vector<float> cached(4 * kLength);
  const Given with{{"cache", (folder_ / "cache").string()}};
  make_small(folder_.path())->evaluation_views(Part::test, 3, plain);
  make_small(folder_.path(), with)->evaluation_views(Part::test, 3, fresh);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_ / "cache"), {}), 12);
  make_small(folder_.path(), with)->evaluation_views(Part::test, 3, cached);
  EXPECT_EQ(plain, fresh);
  EXPECT_EQ(plain, cached);
  for (const auto& entry : fs::directory_iterator(folder_ / "cache")) write_text(entry.path(), "damaged");
  make_small(folder_.path(), with)->evaluation_views(Part::test, 3, cached);
  EXPECT_EQ(plain, cached);
}

TEST_F(Esc, describes_its_data_for_cache_keys) {
  const auto before = make_small(folder_.path())->description();
  EXPECT_EQ(before, make_small(folder_.path())->description());
  EXPECT_NE(before, make_small(folder_.path(), {{"crops", std::int64_t{5}}})->description());
  EXPECT_NE(before, make_small(folder_.path(), {{"test_folds", Integers{1}}})->description());
  std::ofstream(folder_ / "meta" / "table.csv", std::ios::app) << "\n";
  EXPECT_NE(before, make_small(folder_.path())->description());
}

TEST_F(Esc, names_the_audio_file_that_is_missing) {
  fs::remove(folder_ / "audio" / "2-2020-0-2.wav");
  EXPECT_THAT(message(), ::testing::AllOf(HasSubstr("2-2020-0-2.wav"), HasSubstr("no such file"),
                                          HasSubstr("table.csv")));
}

TEST_F(Esc, does_not_need_the_audio_of_folds_it_leaves_out) {
  fs::remove(folder_ / "audio" / "2-2020-0-2.wav");
  EXPECT_NO_THROW(make_small(folder_.path(), {{"train_folds", Integers{1}}, {"test_folds", Integers{3}}}));
}

TEST_F(Esc, names_the_audio_file_that_is_damaged) {
  fs::resize_file(folder_ / "audio" / "3-3020-0-2.wav", 500);
  const auto data = make_small(folder_.path());
  std::vector<float> views(4 * kLength);
  for (int again = 0; again < 2; ++again)
    EXPECT_THAT(complaint(ErrorKind::input, [&] { data->evaluation_views(Part::test, 0, views); }),
                HasSubstr("3-3020-0-2.wav: cut off"));
}

TEST_F(Esc, refuses_names_that_leave_the_audio_folder) {
  EXPECT_THAT(message_of_table("filename,fold,target,category\n../meta/table.csv,1,0,a\n"),
              HasSubstr("'..'"));
  EXPECT_THAT(message_of_table("filename,fold,target,category\n/etc/passwd,1,0,a\n"), HasSubstr("absolute"));
}

TEST_F(Esc, tells_what_is_wrong_with_the_table) {
  EXPECT_THAT(message_of_table("filename,fold,category\na.wav,1,x\n"), HasSubstr("no column 'target'"));
  EXPECT_THAT(message_of_table("filename,fold,target,category\n"), HasSubstr("no clips"));
  EXPECT_THAT(message_of_table("filename,fold,target,category\na.wav,one,0,x\n"),
              HasSubstr("table.csv:2: 'one' in column 'fold'"));
  EXPECT_THAT(message_of_table("filename,fold,target,category\na.wav,1,-1,x\n"),
              HasSubstr("'-1' in column 'target'"));
  EXPECT_THAT(message_of_table("filename,fold,target,category\na.wav,1\n"),
              HasSubstr("table.csv:2: 2 cells"));
  EXPECT_THAT(message_of_table("filename,fold,target,category\na.wav,1,0,x\na.wav,2,0,x\n"),
              HasSubstr("table.csv:3: 'a.wav' a second time"));
  EXPECT_THAT(message_of_table("filename,fold,target,category\na.wav,1,0,x\nb.wav,1,0,y\n"),
              HasSubstr("target 0 is both 'x' and 'y'"));
}

TEST_F(Esc, tells_what_is_wrong_with_the_folder) {
  EXPECT_THAT(complaint(ErrorKind::input, [] { make_small("/nowhere"); }), HasSubstr("no folder 'meta'"));
  write_text(folder_ / "meta" / "other.csv", "x\n");
  EXPECT_THAT(message(), HasSubstr("2 tables in 'meta'"));
  EXPECT_NO_THROW(make_small(folder_.path(), {{"meta", std::string("table.csv")}}));
}

TEST_F(Esc, refuses_to_mix_a_single_class) {
  EXPECT_THAT(
      [&] {
        std::string table = "filename,fold,target,category\n";
        for (int fold = 1; fold <= 3; ++fold) table += fmt::format("{0}-{0}020-0-2.wav,{0},2,low\n", fold);
        return message_of_table(table);
      }(),
      HasSubstr("training clips of a single class"));
}

class Esc10 : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!fs::exists(folder_ / "meta")) GTEST_SKIP() << "the ESC-10 recordings are not here";
  }
  fs::path folder_ = fs::path(COMPRESS_SOURCE_DIR) / ".." / "shared" / "data" / "esc10";
};

TEST_F(Esc10, has_400_clips_of_ten_classes_in_five_folds_of_80) {
  for (std::int64_t fold = 1; fold <= 5; ++fold) {
    const auto data = make_esc(folder_, {{"test_folds", Integers{fold}}});
    EXPECT_EQ(data->size(Part::test), 80);
    EXPECT_EQ(data->size(Part::train) + data->size(Part::validation), 320);
    EXPECT_NEAR(static_cast<double>(data->size(Part::validation)), 32, 6);
    EXPECT_EQ(data->class_names().size(), 10U);
    EXPECT_TRUE(disjoint(sources(*data, Part::train), sources(*data, Part::validation)));
    EXPECT_TRUE(disjoint(names(*data, Part::test), names(*data, Part::train)));
    EXPECT_TRUE(disjoint(names(*data, Part::test), names(*data, Part::validation)));
  }
}

TEST_F(Esc10, reads_a_whole_fold) {
  const auto data = make_esc(folder_, {{"test_folds", Integers{4}}, {"classes", std::int64_t{50}}});
  ASSERT_EQ(data->input_shape(), (Shape{1, 1, 30225}));
  std::vector<float> views(10 * 30225);
  std::map<std::int64_t, int> clips;
  for (std::int64_t i = 0; i < data->size(Part::test); ++i) {
    ++clips[data->evaluation_views(Part::test, i, views)];
    EXPECT_TRUE(std::any_of(views.begin(), views.end(), [](float x) { return x != 0; }));
    EXPECT_EQ(views.front(), 0);  // the padding
  }
  EXPECT_EQ(clips.size(), 10U);
  for (const auto& [target, count] : clips) EXPECT_EQ(count, 8) << target;
}

}  // namespace
}  // namespace compress
