#include "libcompress/graph/op_table.h"

#include <gmock/gmock.h>

#include "libcompress/base/files.h"

namespace compress {
namespace {

using ::testing::HasSubstr;

TEST(OpTable, signatures_mark_optional_and_repeated_operands) {
  EXPECT_EQ(signature_of(find_op("conv", "")), "conv(input, weight, bias?)");
  EXPECT_EQ(signature_of(find_op("concat", "")), "concat(inputs...)");
}

TEST(OpTable, every_operator_belongs_to_one_family) {
  std::size_t count = 0;
  for (const auto& family : op_families()) count += family.ops.size();
  EXPECT_EQ(count, all_ops().size());
  for (std::size_t i = 1; i < count; ++i) EXPECT_LT(all_ops()[i - 1].name, all_ops()[i].name);
}

TEST(OpTable, every_operator_and_attribute_says_what_it_is) {
  for (const auto& op : all_ops()) {
    EXPECT_FALSE(op.summary.empty()) << op.name;
    EXPECT_FALSE(op.operands.empty()) << op.name;
    for (const auto& attribute : op.attributes)
      EXPECT_FALSE(attribute.help.empty()) << op.name << " " << attribute.name;
  }
}

TEST(OpTable, the_page_gives_defaults_and_escapes_bars) {
  const auto page = op_table_markdown();
  EXPECT_THAT(page, HasSubstr("| `leaky_relu(input)` | `slope = 0.01`: "));
  EXPECT_THAT(page, HasSubstr("| `slice(input)` | `axis`: "));
  EXPECT_THAT(page, HasSubstr("x / (1 + \\|x\\|)"));
}

TEST(OpTable, the_documentation_shows_the_table_as_it_is) {
  const std::filesystem::path source = COMPRESS_SOURCE_DIR;
  EXPECT_EQ(read_text(source / "docs" / "operators.md"), op_table_markdown())
      << "libcompress plugins --ops --markdown > docs/operators.md";
}

}  // namespace
}  // namespace compress
