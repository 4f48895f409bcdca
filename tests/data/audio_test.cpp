#include "libcompress/data/audio.h"

#include <gmock/gmock.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "libcompress/base/random.h"
#include "tests/data/sound_files.h"

namespace compress {
namespace {

using testing::bytes_of;
using testing::complaint;
using ::testing::HasSubstr;
using testing::Scratch;
using testing::tone;
using testing::write_bytes;
using testing::write_sound;

double rms(std::span<const float> samples) {
  double sum = 0;
  for (const float x : samples) sum += static_cast<double>(x) * x;
  return std::sqrt(sum / static_cast<double>(samples.size()));
}

double correlation(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += static_cast<double>(a[i]) * b[i];
  return sum / (rms(a) * rms(b) * static_cast<double>(a.size()));
}

TEST(Audio, reads_wav_flac_and_ogg) {
  const Scratch folder;
  const auto sound = tone(440, 16000, 8000);
  for (const char* name : {"a.wav", "a.float.wav", "a.flac", "a.ogg"}) {
    write_sound(folder / name, sound, 16000);
    const Audio audio = read_audio(folder / name);
    EXPECT_EQ(audio.sample_rate, 16000) << name;
    ASSERT_EQ(audio.samples.size(), sound.size()) << name;
    EXPECT_GT(correlation(audio.samples, sound), 0.99) << name;
  }
}

TEST(Audio, keeps_16_bit_samples_exactly) {
  const Scratch folder;
  write_sound(folder / "a.wav", tone(440, 16000, 1000), 16000);
  write_sound(folder / "a.flac", tone(440, 16000, 1000), 16000);
  EXPECT_EQ(to_int16(read_audio(folder / "a.wav").samples), to_int16(read_audio(folder / "a.flac").samples));
}

TEST(Audio, averages_channels) {
  const Scratch folder;
  const std::vector<float> stereo{0.5F, 0.25F, -0.5F, 0.0F};
  write_sound(folder / "a.float.wav", stereo, 16000, 2);
  EXPECT_THAT(read_audio(folder / "a.float.wav").samples, ::testing::ElementsAre(0.375F, -0.25F));
}

TEST(Audio, refuses_what_is_no_sound_file) {
  const std::string text = "filename,fold,target,category\n";
  EXPECT_THAT(complaint(ErrorKind::input, [&] { decode_audio(std::as_bytes(std::span(text)), "x.wav"); }),
              HasSubstr("x.wav: not a WAV, FLAC or Ogg file"));
  EXPECT_THAT(complaint(ErrorKind::input, [&] { decode_audio({}, "x.wav"); }), HasSubstr("an empty file"));
}

TEST(Audio, says_io_when_the_file_cannot_be_read) {
  EXPECT_THAT(complaint(ErrorKind::io, [] { read_audio("/nowhere/a.wav"); }), HasSubstr("/nowhere/a.wav"));
}

TEST(Audio, refuses_a_wav_without_samples) {
  const Scratch folder;
  write_sound(folder / "a.wav", {}, 16000);
  EXPECT_THAT(complaint(ErrorKind::input, [&] { read_audio(folder / "a.wav"); }),
              HasSubstr("holds no sound"));
}

TEST(Audio, refuses_a_wav_that_claims_four_gigabytes) {
  const Scratch folder;
  write_sound(folder / "a.wav", tone(440, 16000, 1000), 16000);
  auto bytes = bytes_of(folder / "a.wav");
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const auto data = text.find("data");
  ASSERT_NE(data, std::string_view::npos);
  std::memset(bytes.data() + data + 4, 0xff, 4);
  EXPECT_THAT(complaint(ErrorKind::input, [&] { decode_audio(bytes, "a.wav"); }),
              HasSubstr("promises 4294967295 bytes of sound and 2000 are there"));
}

TEST(Audio, refuses_every_cut_of_a_file_or_reads_it_whole) {
  const Scratch folder;
  const auto sound = tone(440, 16000, 20000);
  for (const char* name : {"a.wav", "a.flac", "a.ogg"}) {
    write_sound(folder / name, sound, 16000);
    const auto bytes = bytes_of(folder / name);
    for (std::size_t i = 0; i < 60; ++i) {
      const auto part = std::span(bytes).first(bytes.size() * i / 60);
      EXPECT_THAT(complaint(ErrorKind::input, [&] { decode_audio(part, name); }), HasSubstr(name))
          << part.size();
    }
  }
}

TEST(Audio, notices_a_flipped_byte_in_an_ogg_file) {
  const Scratch folder;
  write_sound(folder / "a.ogg", tone(440, 16000, 8000), 16000);
  auto bytes = bytes_of(folder / "a.ogg");
  bytes[bytes.size() / 2] ^= std::byte{0x10};
  EXPECT_THAT(complaint(ErrorKind::input, [&] { decode_audio(bytes, "a.ogg"); }), HasSubstr("wrong CRC"));
}

TEST(Audio, never_crashes_on_flipped_bytes) {
  const Scratch folder;
  Random random(7);
  for (const char* name : {"a.wav", "a.flac", "a.ogg"}) {
    write_sound(folder / name, tone(440, 16000, 3000), 16000);
    const auto whole = bytes_of(folder / name);
    for (int round = 0; round < 200; ++round) {
      auto bytes = whole;
      for (int flips = 0; flips < 3; ++flips)
        bytes[static_cast<std::size_t>(random.below(static_cast<std::int64_t>(bytes.size())))] ^=
            static_cast<std::byte>(1 << random.below(8));
      try {
        const Audio audio = decode_audio(bytes, name);
        EXPECT_LE(audio.samples.size(), 600U * 768000U);
      } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::input) << error.what();
      }
    }
  }
}

TEST(Audio, refuses_what_is_beyond_the_limits) {
  const Scratch folder;
  write_sound(folder / "a.wav", tone(440, 16000, 32000), 16000);
  EXPECT_THAT(complaint(ErrorKind::input, [&] { read_audio(folder / "a.wav", {.seconds = 1}); }),
              HasSubstr("2 s of sound; allowed: at most 1 s"));
  EXPECT_THAT(complaint(ErrorKind::input, [&] { read_audio(folder / "a.wav", {.lowest_rate = 20000}); }),
              HasSubstr("a sample rate of 16000 Hz"));
  write_sound(folder / "b.wav", tone(440, 16000, 400), 16000, 4);
  EXPECT_THAT(complaint(ErrorKind::input, [&] { read_audio(folder / "b.wav", {.channels = 2}); }),
              HasSubstr("4 channels"));
}

TEST(Audio, refuses_samples_that_are_not_numbers) {
  const Scratch folder;
  const std::vector<float> samples{0.0F, std::numeric_limits<float>::quiet_NaN(), 0.5F};
  write_sound(folder / "a.float.wav", samples, 16000);
  EXPECT_THAT(complaint(ErrorKind::input, [&] { read_audio(folder / "a.float.wav"); }),
              HasSubstr("not finite"));
}

TEST(Resample, keeps_pitch_and_level_and_scales_the_length) {
  const auto sound = tone(1000, 44100, 44100);
  const auto converted = resample(sound, 44100, 20000);
  ASSERT_EQ(converted.size(), 20000U);
  const auto expected = tone(1000, 20000, 20000);
  const auto middle = [](const std::vector<float>& all) { return std::span(all).subspan(1000, 18000); };
  EXPECT_GT(correlation(middle(converted), middle(expected)), 0.999999);
  EXPECT_NEAR(rms(middle(converted)), rms(middle(expected)), 1e-4);
}

TEST(Resample, takes_out_what_the_new_rate_cannot_hold) {
  const auto converted = resample(tone(15000, 44100, 44100), 44100, 20000);
  EXPECT_LT(rms(std::span(converted).subspan(1000, 18000)), 1e-4);
}

TEST(Resample, leaves_equal_rates_alone) {
  const auto sound = tone(1000, 8000, 100);
  EXPECT_EQ(resample(sound, 8000, 8000), sound);
}

TEST(ToInt16, rounds_and_clips) {
  const std::vector<float> samples{0.0F, 1.0F, -1.0F, 3.0F, -3.0F, 1.4F / 32768, 1.6F / 32768};
  EXPECT_THAT(to_int16(samples), ::testing::ElementsAre(0, 32767, -32768, 32767, -32768, 1, 2));
}

}  // namespace
}  // namespace compress
