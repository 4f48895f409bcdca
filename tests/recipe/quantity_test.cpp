#include "libcompress/recipe/quantity.h"

#include <gtest/gtest.h>

#include "libcompress/base/random.h"

namespace compress {
namespace {

double bytes(const char* text) {
  const auto limit = parse_bytes_budget(text);
  return limit && limit->kind == BudgetLimit::Kind::absolute ? limit->amount : -1;
}

TEST(Quantity, sizes_have_decimal_and_binary_units) {
  EXPECT_EQ(bytes("96000"), 96000);
  EXPECT_EQ(bytes("96B"), 96);
  EXPECT_EQ(bytes("96KB"), 96000);
  EXPECT_EQ(bytes("1.1KB"), 1100);
  EXPECT_EQ(bytes("1.5MB"), 1500000);
  EXPECT_EQ(bytes("94KiB"), 96256);
  EXPECT_EQ(bytes("0.5MiB"), 524288);
}

TEST(Quantity, sizes_are_whole_and_strict) {
  for (const auto* text :
       {"",    "B",    "KB",   "1.5",  "1.5B", "0KB",     "-1KB",  "1 KB",          "1kb",  "1K",
        "1GB", "1e3B", "1.KB", ".5KB", "01KB", "1.2.3KB", "0x10B", "99999999999MB", "nanB", "infB"})
    EXPECT_FALSE(parse_bytes_budget(text)) << text;
}

TEST(Quantity, percentages_are_strict) {
  EXPECT_EQ(parse_percent("100%"), 100);
  EXPECT_EQ(parse_percent("2.78%"), 2.78);
  for (const auto* text : {"", "%", "0%", "-1%", "100.1%", "5", "5 %", " 5%", "1e1%", "05%", "5%%", "1e-9%"})
    EXPECT_FALSE(parse_percent(text)) << text;
}

TEST(Quantity, percentages_survive_being_written) {
  Random random(1);
  for (int i = 0; i < 2000; ++i) {
    const double percent = i % 2 ? random.uniform(1e-6, 1e-4) : random.uniform(1e-6, 100);
    ASSERT_EQ(parse_percent(percent_text(percent)), percent) << percent_text(percent);
  }
  EXPECT_EQ(percent_text(20), "20%");
  EXPECT_EQ(percent_text(0.1), "0.1%");
}

TEST(Quantity, a_budget_resolves_against_the_unpruned_network) {
  EXPECT_EQ((BudgetLimit{BudgetLimit::Kind::percent, 20}).resolved(1000), 200);
  EXPECT_EQ((BudgetLimit{BudgetLimit::Kind::percent, 0.01}).resolved(100), 1);
  EXPECT_EQ((BudgetLimit{BudgetLimit::Kind::absolute, 131000}).resolved(1000), 131000);
}

}  // namespace
}  // namespace compress
