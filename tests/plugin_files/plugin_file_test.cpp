#include "libcompress/pipeline/plugin_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "libcompress/base/files.h"
#include "libcompress/pipeline/plugin_tag.h"

namespace compress {
namespace {

using ::testing::HasSubstr;

constexpr const char* kRan = "LIBCOMPRESS_TEST_PLUGIN_RAN";

/// A file that is removed at the end of the test.
class Copy {
 public:
  explicit Copy(const std::string& content) {
    path_ = std::filesystem::temp_directory_path() / ("plugin-" + content_hash(content) + ".so");
    write_file(path_, content);
  }
  ~Copy() { std::filesystem::remove(path_); }
  Copy(const Copy&) = delete;
  Copy& operator=(const Copy&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// The plugin with its tag changed to another of the same length.
std::string with_tag(const std::string& from, const std::string& to) {
  auto content = read_text(BAD_MANNERS);
  const auto tag = content.find(LIBCOMPRESS_PLUGIN_TAG);
  EXPECT_NE(tag, std::string::npos);
  EXPECT_EQ(from.size(), to.size());
  content.replace(content.find(from, tag), from.size(), to);
  return content;
}

std::string error_of(const std::function<void()>& call, ErrorKind kind = ErrorKind::plugin) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "no error";
  return "";
}

std::string refusal_of(const std::string& content) {
  const Copy copy(content);
  Plugins plugins;
  const auto told = error_of([&] { load_plugin_file(copy.path(), plugins); });
  EXPECT_THAT(told, HasSubstr(copy.path().string()));
  EXPECT_TRUE(plugins.files.empty() && plugins.criteria.names().empty());
  return told;
}

/// input -> conv1 -> conv2
Model small_model() {
  Model model;
  auto& graph = model.graph;
  const auto input = graph.add_input("input", {1, 2, 4, 4});
  const auto first = graph.add_parameter("conv1.weight", {4, 2, 1, 1});
  const auto second = graph.add_parameter("conv2.weight", {3, 4, 1, 1});
  const auto hidden = graph.add_node("conv", "conv1", {input, first});
  graph.set_outputs({graph.add_node("conv", "conv2", {hidden, second})});
  for (const auto id : graph.parameters()) {
    const Value& value = graph.value(id);
    model.weights[value.name] = Tensor(DType::float32, value.shape);
  }
  return model;
}

class PluginFile : public ::testing::Test {
 protected:
  void SetUp() override { load_plugin_file(BAD_MANNERS, plugins_); }

  std::vector<Scores> score(const std::string& criterion) {
    return plugins_.criteria.make(criterion, {})->score_all(groups_, {model_, 0, nullptr});
  }

  Plugins plugins_;
  Model model_ = small_model();
  std::vector<PruningGroup> groups_ = find_groups(model_.graph);
};

TEST(PluginTag, is_read_from_the_file_without_running_it) {
  unsetenv(kRan);
  EXPECT_EQ(read_plugin_tag(BAD_MANNERS), LIBCOMPRESS_PLUGIN_TAG);
  EXPECT_EQ(getenv(kRan), nullptr);
}

TEST(PluginTag, of_another_build_is_refused_with_the_reason_before_any_code_runs) {
  unsetenv(kRan);
  const std::string version = LIBCOMPRESS_VERSION, torch = LIBCOMPRESS_LIBTORCH_VERSION;
  const auto other = [](std::string text) {
    text.back() = text.back() == '9' ? '8' : '9';
    return text;
  };
  EXPECT_THAT(refusal_of(with_tag("format: 1", "format: 7")),
              HasSubstr("built for plugin format: 7; allowed: plugin format: 1; build it against this "
                        "library, with its compiler"));
  EXPECT_THAT(refusal_of(with_tag("libcompress: " + version, "libcompress: " + other(version))),
              HasSubstr("built for libcompress: " + other(version)));
  const std::string headers = LIBCOMPRESS_HEADERS;
  EXPECT_THAT(refusal_of(with_tag(headers, other(headers))), HasSubstr(", headers " + other(headers)));
  EXPECT_THAT(refusal_of(with_tag("LibTorch: " + torch, "LibTorch: " + other(torch))),
              HasSubstr("built for LibTorch: " + other(torch)));
  EXPECT_THAT(refusal_of(with_tag("cxx11=1", "cxx11=0")), HasSubstr("built for compiler ABI: "));
  EXPECT_EQ(getenv(kRan), nullptr);
}

TEST(PluginTag, shows_no_control_characters) {
  EXPECT_THAT(refusal_of(with_tag("format: 1", "for\x1b[2J:1")), HasSubstr("built for plugin for?[2J:1"));
}

TEST(PluginTag, is_missed_in_files_that_are_no_plugins) {
  EXPECT_THAT(refusal_of("not a plugin, and much too short for the header of a shared object, or is it?"),
              HasSubstr("no ELF file"));
  EXPECT_THAT(refusal_of(""), HasSubstr("damaged, or no ELF file"));
  auto without = read_text(BAD_MANNERS);
  const std::string section = LIBCOMPRESS_TAG_SECTION;
  without.replace(without.rfind(section), section.size(), std::string(section.size(), 'x'));
  EXPECT_THAT(refusal_of(without), HasSubstr("a shared object that is no plugin"));
  Plugins plugins;
  EXPECT_THAT(error_of([&] { load_plugin_file("/no/such/plugin.so", plugins); }, ErrorKind::io),
              HasSubstr("/no/such/plugin.so"));
  error_of([&] { load_plugin_file("/", plugins); });
}

TEST(PluginTag, survives_damaged_files) {
  const auto whole = read_text(BAD_MANNERS);
  for (std::size_t size = 0; size < whole.size(); size += 1 + size / 3) refusal_of(whole.substr(0, size));
  Random random(5);
  for (int i = 0; i < 100; ++i) {  // the header says where the table of sections is, which is at the end
    auto damaged = whole;
    const auto place =
        i % 2 == 0 ? random.below(64) : static_cast<std::int64_t>(whole.size()) - 1 - random.below(2048);
    damaged[static_cast<std::size_t>(place)] = static_cast<char>(random.below(256));
    const Copy copy(damaged);
    try {
      read_plugin_tag(copy.path());
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::plugin) << error.what();
    }
  }
}

TEST_F(PluginFile, adds_what_it_offers_with_its_origin) {
  const auto file = std::filesystem::canonical(BAD_MANNERS).string();
  EXPECT_EQ(plugins_.files, std::vector{file});
  EXPECT_EQ(plugins_.origin("criterion", "good"), file);
  EXPECT_EQ(plugins_.origin("strategy", "good"), "built in");
  EXPECT_STREQ(getenv(kRan), "yes");
  EXPECT_EQ(score("good").front(), Scores(4, 1.0));
}

TEST_F(PluginFile, given_twice_is_loaded_once) {
  load_plugin_file(BAD_MANNERS, plugins_);
  EXPECT_EQ(plugins_.files.size(), 1u);
}

TEST_F(PluginFile, adds_nothing_if_one_of_its_names_is_taken) {
  Plugins other;
  other.strategies.add("empties", "another", {}, {});
  EXPECT_THAT(error_of([&] { load_plugin_file(BAD_MANNERS, other); }),
              HasSubstr("it adds the strategy 'empties', which there is: built in"));
  EXPECT_TRUE(other.criteria.names().empty());
}

TEST_F(PluginFile, is_named_in_what_it_throws) {
  const std::string file = std::filesystem::canonical(BAD_MANNERS).string();
  const auto of = [&](const std::string& name) { return "criterion '" + name + "' of " + file + ": "; };
  EXPECT_EQ(error_of([&] { score("throws"); }), of("throws") + "an exception: no idea");
  EXPECT_THAT(error_of([&] { score("throws_a_number"); }), HasSubstr(of("throws_a_number")));
  EXPECT_EQ(error_of([&] { score("complains"); }, ErrorKind::input), of("complains") + "this network is odd");
  EXPECT_EQ(error_of([&] { score("throws_early"); }), of("throws_early") + "an exception: too early");
  EXPECT_THAT(error_of([&] { score("makes_nothing"); }), HasSubstr("its factory made nothing"));
}

TEST_F(PluginFile, is_named_whatever_its_kind) {
  const auto observer = plugins_.observers.make("blind", {})->fresh();
  const std::vector<float> values{1.0F};
  EXPECT_THAT(error_of([&] { observer->observe(values); }), HasSubstr("observer 'blind' of "));
  EXPECT_THAT(error_of([&] { observer->range(); }), HasSubstr("nothing seen"));
  const QuantizedGraph graph;
  const auto exporter = plugins_.exporters.make("refuses", {});
  EXPECT_THAT(error_of([&] { exporter->run({graph, "net", {}, {}}); }), HasSubstr("exporter 'refuses' of "));
  Random random(1);
  const auto source = plugins_.models.make("forgets", {});
  EXPECT_THAT(error_of([&] { source->fresh(random); }), HasSubstr("model 'forgets' of "));
  EXPECT_TRUE(source->spatial_nodes().empty());
}

TEST_F(PluginFile, is_named_where_what_it_returns_does_not_fit) {
  EXPECT_THAT(error_of([&] { score("counts_wrong"); }),
              HasSubstr("group 'conv1': 3 scores; allowed: 4, one an index"));
  EXPECT_THAT(error_of([&] { score("divides_by_zero"); }),
              HasSubstr("the score nan; allowed: finite numbers"));
  const auto scores = score("good");
  const auto plan = [&](const std::string& strategy) {
    const Budget budget{{{Resource::params, 15}}, 0.1};
    plugins_.strategies.make(strategy, {})->plan({model_, groups_, scores, budget, {}});
  };
  EXPECT_THAT(error_of([&] { plan("empties"); }), HasSubstr("strategy 'empties' of "));
  EXPECT_THAT(error_of([&] { plan("hoards"); }),
              HasSubstr("a plan that leaves 20 params; allowed: at most 15"));
}

}  // namespace
}  // namespace compress
