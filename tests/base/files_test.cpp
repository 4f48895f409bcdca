#include "libcompress/base/files.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libcompress/base/error.h"

namespace compress {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class Files : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "libcompress-files-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override {
    ::chmod(folder_.c_str(), 0755);
    fs::remove_all(folder_);
  }

  std::vector<std::string> names() const {
    std::vector<std::string> all;
    for (const auto& entry : fs::directory_iterator(folder_)) all.push_back(entry.path().filename().string());
    return all;
  }

  fs::path folder_;
};

/// The error that `work` throws, as "kind: text", or "none".
std::string error_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    return std::string(name_of(error.kind())) + ": " + error.what();
  }
  return "none";
}

/// Runs `work` in a child process (limits and user ids set there do not outlive it) and gives its error.
std::string error_in_child(const std::function<void()>& work) {
  int ends[2];
  if (::pipe(ends) != 0) return "no pipe";
  const pid_t child = ::fork();
  if (child == 0) {
    const auto text = error_of(work);
    const bool written = ::write(ends[1], text.data(), text.size()) == static_cast<ssize_t>(text.size());
    ::_exit(written ? 0 : 1);
  }
  ::close(ends[1]);
  std::string text;
  char bytes[256];
  for (ssize_t got = 0; (got = ::read(ends[0], bytes, sizeof bytes)) > 0;)
    text.append(bytes, static_cast<std::size_t>(got));
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  return status == 0 ? text : text + " (the child died)";
}

TEST_F(Files, are_written_whole_and_read_back) {
  const auto path = folder_ / "deep" / "er" / "file.txt";
  write_file(path, std::string_view("one\0two", 7));
  EXPECT_EQ(read_text(path), std::string("one\0two", 7));
  EXPECT_EQ(read_bytes(path).size(), 7U);
  write_file(path, "three");
  EXPECT_EQ(read_text(path), "three");
}

TEST_F(Files, leave_no_temporary_behind) {
  write_file(folder_ / "file", "text");
  EXPECT_THAT(names(), testing::ElementsAre("file"));
}

TEST_F(Files, that_are_empty_can_be_written_and_read) {
  write_file(folder_ / "file", "");
  EXPECT_EQ(read_text(folder_ / "file"), "");
}

// A limit on the size of a file stops write() part way, as a full disk does.
TEST_F(Files, that_do_not_fit_leave_the_earlier_file_whole) {
  write_file(folder_ / "file", "earlier");
  const auto error = error_in_child([&] {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{100, 100};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    write_file(folder_ / "file", std::string(1000, 'x'));
  });
  EXPECT_THAT(error, HasSubstr("io: "));
  EXPECT_THAT(error, HasSubstr((folder_ / "file").string()));
  EXPECT_THAT(error, HasSubstr("File too large"));
  EXPECT_EQ(read_text(folder_ / "file"), "earlier");
  EXPECT_THAT(names(), testing::ElementsAre("file"));
}

TEST_F(Files, without_permission_give_the_reason_and_a_remedy) {
  write_file(folder_ / "file", "earlier");
  ::chmod(folder_.c_str(), 0555);
  const auto error = error_in_child([&] {
    if (::geteuid() == 0 && ::seteuid(65534) != 0) throw std::runtime_error("cannot give up root");
    write_file(folder_ / "file", "later");
  });
  EXPECT_THAT(error, HasSubstr("io: "));
  EXPECT_THAT(error, HasSubstr("Permission denied"));
  EXPECT_THAT(error, HasSubstr("a place you may write to"));
  EXPECT_EQ(read_text(folder_ / "file"), "earlier");
}

TEST_F(Files, on_a_full_device_cannot_be_appended_to) {
  if (!fs::exists("/dev/full")) GTEST_SKIP() << "no /dev/full here";
  const auto error = error_of([] { append_line("/dev/full", "line"); });
  EXPECT_THAT(error, HasSubstr("No space left on device"));
  EXPECT_THAT(error, HasSubstr("free some space"));
}

TEST_F(Files, do_not_replace_a_folder) {
  fs::create_directory(folder_ / "name");
  EXPECT_THAT(error_of([&] { write_file(folder_ / "name", "x"); }), HasSubstr("io: "));
  EXPECT_THAT(names(), testing::ElementsAre("name"));
}

TEST_F(Files, below_a_file_cannot_be_made) {
  write_file(folder_ / "file", "x");
  EXPECT_THAT(error_of([&] { write_file(folder_ / "file" / "below", "x"); }), HasSubstr("Not a directory"));
}

TEST_F(Files, that_are_missing_or_folders_cannot_be_read) {
  EXPECT_THAT(error_of([&] { read_text(folder_ / "none"); }), HasSubstr("No such file"));
  EXPECT_THAT(error_of([&] { read_text(folder_); }), HasSubstr("Is a directory"));
}

TEST_F(Files, larger_than_the_limit_are_an_error_of_the_input) {
  write_file(folder_ / "file", std::string(100, 'x'));
  EXPECT_EQ(read_text(folder_ / "file", 100).size(), 100U);
  EXPECT_THAT(error_of([&] { read_text(folder_ / "file", 99); }), HasSubstr("input: "));
  // A device without an end says nothing about its size beforehand.
  EXPECT_THAT(error_of([] { read_bytes("/dev/zero", 1 << 20); }), HasSubstr("too large"));
}

TEST_F(Files, grow_by_whole_lines) {
  append_line(folder_ / "log" / "metrics.jsonl", "{\"epoch\": 1}");
  append_line(folder_ / "log" / "metrics.jsonl", "{\"epoch\": 2}");
  EXPECT_EQ(read_text(folder_ / "log" / "metrics.jsonl"), "{\"epoch\": 1}\n{\"epoch\": 2}\n");
}

// Reference values of xxHash 0.8 (`xxhsum -H2`).
TEST_F(Files, hash_to_known_values) {
  EXPECT_EQ(content_hash(""), "99aa06d3014798d86001c324468d497f");
  EXPECT_EQ(content_hash("a"), "a96faf705af16834e6c632b61e964e1f");
  EXPECT_NE(content_hash("ab"), content_hash("ba"));
}

TEST_F(Files, stay_inside_their_folder) {
  EXPECT_EQ(confined(folder_, "a/b.wav"), folder_ / "a/b.wav");
  EXPECT_EQ(confined(folder_, "./a"), folder_ / "./a");
  for (const auto* path : {"", "/etc/passwd", "..", "a/../../b", "a/.."})
    EXPECT_THAT(error_of([&] { confined(folder_, path); }), HasSubstr("input: ")) << path;
}

TEST_F(Files, do_not_leave_their_folder_through_a_link) {
  fs::create_directory_symlink("/etc", folder_ / "out");
  fs::create_directory(folder_ / "real");
  fs::create_directory_symlink(folder_ / "real", folder_ / "in");
  EXPECT_THAT(error_of([&] { confined(folder_, "out/passwd"); }), HasSubstr("a link that leads out"));
  EXPECT_EQ(confined(folder_, "in/file"), folder_ / "in/file");
}

}  // namespace
}  // namespace compress
