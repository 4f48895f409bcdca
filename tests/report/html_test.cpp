#include "libcompress/report/html.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "libcompress/report/markup.h"
#include "libcompress/report/svg.h"
#include "tests/report/sample.h"

namespace compress {
namespace {

using testing::ElementsAre;

/// A small reader of XML without namespaces, comments or CDATA: says where the text is not well-formed.
class WellFormed {
 public:
  explicit WellFormed(std::string_view text) : text_(text) {}

  std::string complaint() {
    skip("<!DOCTYPE html>");
    while (at_ < text_.size() && problem_.empty()) text_[at_] == '<' ? tag() : character();
    if (problem_.empty() && !open_.empty()) problem_ = "not closed: " + open_.back();
    return problem_.empty() ? "" : problem_ + " at: " + std::string(text_.substr(at_, 80));
  }

  /// Attribute values by name, as read.
  const std::vector<std::pair<std::string, std::string>>& attributes() const { return attributes_; }

 private:
  bool skip(std::string_view expected) {
    if (text_.substr(at_, expected.size()) != expected) return false;
    at_ += expected.size();
    return true;
  }

  std::string name() {
    const auto start = at_;
    while (at_ < text_.size() && (std::isalnum(static_cast<unsigned char>(text_[at_])) || text_[at_] == '-'))
      ++at_;
    if (start == at_) problem_ = "a name is missing";
    return std::string(text_.substr(start, at_ - start));
  }

  void character() {
    static const std::vector<std::string_view> entities = {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"};
    const auto byte = static_cast<unsigned char>(text_[at_]);
    if (byte == '&') {
      for (const auto entity : entities)
        if (skip(entity)) return;
      problem_ = "a bare &";
    } else if (byte == '>' || (byte < 0x20 && byte != '\n' && byte != '\t' && byte != '\r')) {
      problem_ = "a bare > or control character";
    }
    ++at_;
  }

  void attribute() {
    const auto key = name();
    if (!skip("=\"")) problem_ = "an attribute without a quoted value";
    const auto start = at_;
    while (problem_.empty() && at_ < text_.size() && text_[at_] != '"')
      text_[at_] == '<' ? void(problem_ = "< in an attribute") : character();
    attributes_.emplace_back(key, std::string(text_.substr(start, at_ - start)));
    if (!skip("\"")) problem_ = "an attribute that does not end";
  }

  void tag() {
    if (skip("</")) {
      const auto closed = name();
      if (open_.empty() || open_.back() != closed) problem_ = "closes what is not open: " + closed;
      if (!open_.empty()) open_.pop_back();
      if (!skip(">")) problem_ = "a tag that does not end";
      return;
    }
    skip("<");
    const auto element = name();
    while (problem_.empty() && skip(" ")) attribute();
    if (skip("/>")) return;
    if (!skip(">")) problem_ = "a tag that does not end";
    open_.push_back(element);
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::vector<std::string> open_;
  std::string problem_;
  std::vector<std::pair<std::string, std::string>> attributes_;
};

/// Without gmock's HasSubstr, which would print the whole page.
bool contains(const std::string& page, std::string_view part) { return page.find(part) != std::string::npos; }

const std::string kHostile =
    "</title><script>alert('1')</script><img src=\"//evil.example/x\" onload='x'>&\x01\xFF";

/// The sample with every text replaced by a hostile one.
RunReport hostile_report() {
  auto report = sample_report();
  report.name = report.started = report.recipe = report.machine = kHostile;
  for (auto& each : report.stages) each.name = kHostile;
  for (auto& each : report.networks) each.label = kHostile;
  for (auto& each : report.layers) each.name = each.op = kHostile;
  for (auto& each : report.groups) each.name = each.note = kHostile;
  for (auto& each : report.training) each.stage = kHostile;
  for (auto& each : report.quantization) each.layer = kHostile;
  for (auto& each : report.confusion.class_names) each = kHostile;
  for (auto& each : report.checks) each.name = each.detail = kHostile;
  for (auto& each : report.memory_plan) each.tensor = kHostile;
  for (auto& each : report.files) each.path = each.what = kHostile;
  for (auto& each : report.notes) each = kHostile;
  return report;
}

TEST(Page, is_well_formed) { EXPECT_EQ(WellFormed(html_page(sample_report())).complaint(), ""); }

TEST(Page, of_an_empty_report_is_well_formed_and_leaves_the_parts_out) {
  const auto page = html_page(RunReport{});
  EXPECT_EQ(WellFormed(page).complaint(), "");
  EXPECT_FALSE(contains(page, "<section>"));
}

TEST(Page, escapes_hostile_names_everywhere) {
  const auto page = html_page(hostile_report());
  WellFormed reader(page);
  EXPECT_EQ(reader.complaint(), "");
  EXPECT_FALSE(contains(page, "<script"));
  EXPECT_FALSE(contains(page, "<img"));
  for (const auto& [name, value] : reader.attributes()) EXPECT_FALSE(name.starts_with("on")) << name;
}

TEST(Page, refers_to_nothing_outside_its_folder) {
  for (const auto& report : {sample_report(), hostile_report()}) {
    const auto page = html_page(report);
    WellFormed reader(page);
    ASSERT_EQ(reader.complaint(), "");
    for (const auto& [name, value] : reader.attributes()) {
      EXPECT_NE(name, "src");
      EXPECT_NE(name, "style");
      EXPECT_TRUE(name != "href" || value.starts_with("./")) << value;
    }
    EXPECT_FALSE(contains(page, "url("));
    EXPECT_FALSE(contains(page, "@import"));
  }
}

TEST(Page, tells_the_figures_and_verdicts) {
  const auto page = html_page(sample_report());
  for (const auto* text : {"4,735,378", "131,474", "-97.22 %", "388 of 400", "2 passed, 1 failed, 1 skipped",
                           "every byte equal", "clock tick", "fine-tune 2, 20 epochs", "42.3 dB"})
    EXPECT_TRUE(contains(page, text)) << text;
}

TEST(Page, gives_every_picture_a_title_or_hides_it_from_readers) {
  const auto page = html_page(sample_report());
  const std::regex picture(R"re(<svg class="chart"[^>]*>(<title>)?)re");
  for (auto it = std::sregex_iterator(page.begin(), page.end(), picture); it != std::sregex_iterator(); ++it)
    EXPECT_TRUE((*it)[1].matched || it->str().find("aria-hidden") != std::string::npos) << it->str();
}

TEST(Page, survives_numbers_that_are_not_finite_and_sizes_of_zero) {
  auto report = sample_report();
  report.training = {{"train", 1, NAN, {}, {}, {}}, {"train", 2, INFINITY, {}, NAN, {}}};
  report.networks = {{"zero", 0, 0, 0, 0, NAN, 0, 0}};
  report.memory_plan = {{"nothing", 0, 0, 0, 0}};
  report.stages = {{"none", 0}};
  const auto page = html_page(report);
  EXPECT_EQ(WellFormed(page).complaint(), "");
  EXPECT_FALSE(contains(page, "nan"));
  EXPECT_FALSE(contains(page, "inf%"));
}

TEST(Page, fits_fifty_classes) {
  auto report = sample_report();
  report.confusion.class_names.assign(50, "class");
  report.confusion.counts.assign(50, std::vector<std::int64_t>(50, 1));
  EXPECT_EQ(WellFormed(html_page(report)).complaint(), "");
}

TEST(Markup, escapes_what_html_reads_as_its_own) {
  EXPECT_EQ(escape("a<b>&\"'"), "a&lt;b&gt;&amp;&quot;&#39;");
  EXPECT_EQ(escape("tab\tline\n"), "tab\tline\n");
}

TEST(Markup, replaces_control_characters_and_wrong_utf8) {
  const std::string bad = "\xEF\xBF\xBD";
  EXPECT_EQ(escape(std::string("a\0b", 3)), "a" + bad + "b");
  EXPECT_EQ(escape("\xC3\xA9 \xE2\x9C\x93 \xF0\x9F\x90\x95"), "\xC3\xA9 \xE2\x9C\x93 \xF0\x9F\x90\x95");
  EXPECT_EQ(escape("\xC0\xAF"), bad + bad);            // an overlong slash
  EXPECT_EQ(escape("\xED\xA0\x80"), bad + bad + bad);  // a surrogate
  EXPECT_EQ(escape("\xE2\x9C"), bad + bad);            // cut off
}

TEST(Markup, links_stay_below_the_folder) {
  EXPECT_EQ(relative_link("c/model.c"), "./c/model.c");
  EXPECT_EQ(relative_link("/etc/passwd"), "./etc/passwd");
  EXPECT_EQ(relative_link("../../x"), "./__/__/x");
  EXPECT_EQ(relative_link("javascript:alert(1)"), "./javascript%3Aalert%281%29");
  EXPECT_EQ(relative_link("//host/x"), "./host/x");
}

TEST(Ticks, are_round_and_cover_the_values) {
  EXPECT_THAT(round_ticks(0.13, 0.94, 4),
              ElementsAre(testing::DoubleNear(0, 1e-9), testing::DoubleNear(0.5, 1e-9),
                          testing::DoubleNear(1, 1e-9)));
  EXPECT_THAT(round_ticks(0, 4, 4), ElementsAre(0, 1, 2, 3, 4));
}

}  // namespace
}  // namespace compress
