#include "libcompress/data/cache.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include "libcompress/data/audio.h"
#include "tests/data/sound_files.h"

namespace compress {
namespace {

using testing::Scratch;

const std::vector<std::int16_t> kSound{1, -2, 32767, -32768, 0};

std::string key_of(std::string_view text) {
  return AudioCache::key(std::as_bytes(std::span(text)), "rate=20000");
}

TEST(AudioCache, finds_what_was_stored) {
  const Scratch folder;
  const AudioCache cache(folder / "deep/er");
  EXPECT_EQ(cache.find(key_of("a")), std::nullopt);
  cache.store(key_of("a"), kSound);
  EXPECT_EQ(cache.find(key_of("a")), kSound);
  EXPECT_EQ(cache.find(key_of("b")), std::nullopt);
  cache.store(key_of("b"), {});
  EXPECT_EQ(cache.find(key_of("b")), std::vector<std::int16_t>());
}

TEST(AudioCache, key_depends_on_content_and_parameters) {
  const std::string text = "sound";
  const auto bytes = std::as_bytes(std::span(text));
  EXPECT_NE(key_of("a"), key_of("b"));
  EXPECT_NE(AudioCache::key(bytes, "rate=20000"), AudioCache::key(bytes, "rate=16000"));
  EXPECT_EQ(AudioCache::key(bytes, "rate=20000"), AudioCache::key(bytes, "rate=20000"));
}

TEST(AudioCache, takes_a_damaged_entry_for_absent) {
  const Scratch folder;
  const AudioCache cache(folder.path());
  const auto key = key_of("a");
  cache.store(key, kSound);
  const auto whole = testing::bytes_of(cache.entry_path(key));
  for (std::size_t i = 0; i < whole.size(); ++i) {
    auto damaged = whole;
    damaged[i] ^= std::byte{1};
    testing::write_bytes(cache.entry_path(key), damaged);
    EXPECT_EQ(cache.find(key), std::nullopt) << "byte " << i;
    testing::write_bytes(cache.entry_path(key), std::span(whole).first(i));
    EXPECT_EQ(cache.find(key), std::nullopt) << "cut at " << i;
  }
  cache.store(key, kSound);
  EXPECT_EQ(cache.find(key), kSound);
}

TEST(AudioCache, refuses_an_entry_under_another_name) {
  const Scratch folder;
  const AudioCache cache(folder.path());
  cache.store(key_of("a"), kSound);
  std::filesystem::rename(cache.entry_path(key_of("a")), cache.entry_path(key_of("b")));
  EXPECT_EQ(cache.find(key_of("b")), std::nullopt);
}

TEST(AudioCache, does_without_a_folder_that_cannot_be_written) {
  const Scratch folder;
  testing::write_bytes(folder / "file", {});
  const AudioCache cache(folder / "file");  // a file where the folder should be
  EXPECT_NO_THROW(cache.store(key_of("a"), kSound));
  EXPECT_EQ(cache.find(key_of("a")), std::nullopt);
  const AudioCache none;
  EXPECT_NO_THROW(none.store(key_of("a"), kSound));
  EXPECT_EQ(none.find(key_of("a")), std::nullopt);
}

TEST(AudioCache, default_folder_follows_the_environment) {
  const char* before = std::getenv("XDG_CACHE_HOME");
  const std::string kept = before == nullptr ? "" : before;
  setenv("XDG_CACHE_HOME", "/somewhere", 1);
  EXPECT_EQ(AudioCache::default_folder(), "/somewhere/libcompress/audio");
  if (before == nullptr)
    unsetenv("XDG_CACHE_HOME");
  else
    setenv("XDG_CACHE_HOME", kept.c_str(), 1);
}

}  // namespace
}  // namespace compress
