// A data set of labelled clips: what every collection of sounds has in common, once its sounds are in memory.
#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "libcompress/base/options.h"
#include "libcompress/data/augment.h"
#include "libcompress/data/dataset.h"

namespace compress {

/// How clips become the inputs of a network.
struct ClipSettings {
  std::int64_t sample_rate = 20000;   ///< Hz
  std::int64_t input_length = 30225;  ///< samples of a crop
  std::int64_t crops = 10;            ///< equally spaced views of a clip in evaluation
  double padding = 0.5;               ///< zeros on each side of a clip, as a part of input_length
  bool mix = true;                    ///< between-class mixing in training
  double stretch = 1.25;              ///< training clips are stretched by stretch^U(-1, 1); 1 is none
  double gain_db = 6;                 ///< training examples are amplified by U(-gain_db, gain_db)
};

/// The options that set ClipSettings, with `defaults` as fallbacks.
OptionTable clip_options(const ClipSettings& defaults);
ClipSettings clip_settings(const Options& options);

/// "sample_rate=20000 input_length=30225 ...", for DataSet::description().
std::string to_string(const ClipSettings& settings);

struct ClipInfo {
  std::string name;
  std::int64_t label = 0;
};

/// The training examples and evaluation views of arXiv:2103.03483, section 4, made from
/// 16-bit clips: two clips of different classes, each stretched, padded and cropped at random; mixed at equal
/// loudness U(0, 1) : rest, their labels with them; a random gain at the end. Shape [1, 1, input_length].
class ClipDataSet : public DataSet {
 public:
  Shape input_shape() const final { return {1, 1, settings_.input_length}; }
  const std::vector<std::string>& class_names() const final { return class_names_; }
  std::int64_t target_count() const final { return target_count_; }
  std::int64_t size(Part part) const final;
  void training_example(std::int64_t index, Random& random, std::span<float> input,
                        std::span<float> target) const final;
  std::int64_t view_count() const final { return settings_.crops; }
  std::int64_t evaluation_views(Part part, std::int64_t index, std::span<float> views) const final;
  std::string clip_name(Part part, std::int64_t index) const final;

  std::int64_t label(Part part, std::int64_t index) const;

 protected:
  using Sounds = std::vector<std::vector<std::int16_t>>;

  /// What a data set consists of, before any sound is loaded.
  struct Content {
    std::vector<std::string> class_names;
    std::int64_t target_count = 0;
    std::array<std::vector<ClipInfo>, 3> clips;  ///< by Part
  };

  ClipDataSet(const ClipSettings& settings, Content content);

  const ClipSettings& settings() const { return settings_; }

  /// The sounds of the part in order of its clips. Called once a part, at first use.
  virtual Sounds load(Part part) const = 0;

 private:
  const std::vector<ClipInfo>& clips(Part part) const;
  const Sounds& sounds(Part part) const;
  std::size_t partner_of(std::size_t first, Random& random) const;
  void random_crop(Samples sound, Random& random, std::span<float> out) const;

  ClipSettings settings_;
  std::int64_t padding_;  ///< samples
  std::vector<std::string> class_names_;
  std::int64_t target_count_;
  std::array<std::vector<ClipInfo>, 3> clips_;
  LoudnessMeter meter_;
  mutable std::mutex guard_;
  mutable std::array<std::optional<Sounds>, 3> sounds_;
};

}  // namespace compress
