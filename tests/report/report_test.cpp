#include "libcompress/report/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "libcompress/base/error.h"
#include "libcompress/base/files.h"
#include "tests/report/sample.h"

namespace compress {
namespace {

using testing::HasSubstr;

std::string complaint_about(const nlohmann::json& json) {
  try {
    report_from_json(json);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input);
    return error.what();
  }
  return "no complaint";
}

TEST(Report, comes_back_from_json_as_it_was) {
  const auto report = sample_report();
  const auto text = json_text(report);
  const auto back = report_from_text(text);
  EXPECT_EQ(json_text(back), text);
  EXPECT_EQ(back.seed, report.seed);
  EXPECT_EQ(back.networks[2].flash_bytes, report.networks[2].flash_bytes);
  EXPECT_EQ(back.quantization.back().sqnr_db, std::nullopt);
  EXPECT_EQ(back.layers[3].shape_after, report.layers[3].shape_after);
  EXPECT_EQ(back.checks[3].verdict, Verdict::failed);
}

TEST(Report, empty_one_comes_back_too) {
  EXPECT_EQ(json_text(report_from_text(json_text(RunReport{}))), json_text(RunReport{}));
}

TEST(Report, writes_numbers_that_are_not_finite_as_null) {
  RunReport report;
  report.training = {{"train", 1, NAN, INFINITY, {}, {}}};
  const auto json = nlohmann::json::parse(json_text(report));
  EXPECT_TRUE(json["training"][0]["loss"].is_null());
  EXPECT_TRUE(json["training"][0]["train_accuracy"].is_null());
  EXPECT_TRUE(std::isnan(report_from_json(json).training[0].loss));
}

TEST(Report, replaces_bytes_that_are_not_utf8) {
  RunReport report;
  report.name = "a\xFF\xC0z";
  EXPECT_THAT(report_from_text(json_text(report)).name, HasSubstr("\xEF\xBF\xBD"));
}

TEST(Report, names_the_place_of_a_wrong_value) {
  auto json = to_json(sample_report());
  json["layers"][3]["name"] = 7;
  EXPECT_THAT(complaint_about(json), HasSubstr("report.json: /layers/3/name"));
  EXPECT_THAT(complaint_about(json), HasSubstr("a string"));
}

TEST(Report, names_a_missing_key) {
  auto json = to_json(sample_report());
  json["networks"][1].erase("macs");
  EXPECT_THAT(complaint_about(json), HasSubstr("/networks/1"));
  EXPECT_THAT(complaint_about(json), HasSubstr("\"macs\""));
}

TEST(Report, refuses_a_verdict_a_format_and_a_matrix_it_does_not_know) {
  auto json = to_json(sample_report());
  json["checks"][0]["verdict"] = "maybe";
  EXPECT_THAT(complaint_about(json), HasSubstr("/checks/0/verdict"));
  json = to_json(sample_report());
  json["format"] = 2;
  EXPECT_THAT(complaint_about(json), HasSubstr("/format"));
  json = to_json(sample_report());
  json["confusion"]["counts"][4] = {1, 2};
  EXPECT_THAT(complaint_about(json), HasSubstr("/confusion/counts"));
  EXPECT_THAT(complaint_about(nlohmann::json::array()), HasSubstr("an object"));
}

TEST(Report, leaves_keys_alone_that_it_does_not_know) {
  auto json = to_json(sample_report());
  json["from_the_future"] = 1;
  EXPECT_EQ(complaint_about(json), "no complaint");
}

TEST(Report, refuses_text_that_is_not_json) {
  EXPECT_THROW(report_from_text("{\"format\": 1,"), Error);
  EXPECT_THROW(report_from_text(""), Error);
}

TEST(Report, is_written_as_two_files) {
  const auto folder = std::filesystem::path(testing::TempDir()) / "report_test_run";
  write_report(sample_report(), folder);
  EXPECT_EQ(read_text(folder / "report.json"), json_text(sample_report()));
  EXPECT_THAT(read_text(folder / "report.html"), HasSubstr("</html>"));
}

}  // namespace
}  // namespace compress
