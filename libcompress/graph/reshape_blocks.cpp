#include "libcompress/graph/reshape_blocks.h"

namespace compress {

std::vector<ReshapeBlock> reshape_blocks(const Shape& in, const Shape& out) {
  std::vector<ReshapeBlock> blocks;
  std::size_t i = 0, j = 0;
  while (i < in.size() && j < out.size()) {
    ReshapeBlock block{i, i + 1, j, j + 1};
    std::int64_t left = in[i++], right = out[j++];
    while (left != right) {
      if (left < right) {
        left *= in[i++];
      } else {
        right *= out[j++];
      }
    }
    block.in_end = i;
    block.out_end = j;
    blocks.push_back(block);
  }
  if (blocks.empty()) blocks.push_back({0, 0, 0, 0});
  blocks.back().in_end = in.size();  // trailing axes of extent 1
  blocks.back().out_end = out.size();
  return blocks;
}

}  // namespace compress
