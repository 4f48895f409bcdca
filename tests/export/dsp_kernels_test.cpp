// The kernels for the DSP extension: with the processor's instructions in QEMU, and with C in their place
// here.
#include <gtest/gtest.h>

#include <cmath>

#include "tests/export/kernels.h"

namespace compress {
namespace {

using testing_graphs::Builder;
using testing_graphs::every_operation;
using testing_graphs::expect_equal_here;
using testing_graphs::many_windows;
using testing_graphs::measured;
using testing_graphs::random_graph;
using testing_graphs::tools_are_there;

TEST(DspKernels, give_the_bytes_of_the_reference_without_the_instructions) {
  for (const auto* profile : {"litert", "tflite-micro"})
    expect_equal_here(InstructionSet::dsp, every_operation(11, profile), 30);
  expect_equal_here(InstructionSet::dsp, many_windows(), 30);
}

TEST(DspKernels, give_the_bytes_of_the_reference_on_random_graphs) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    SCOPED_TRACE(seed);
    expect_equal_here(InstructionSet::dsp, random_graph(seed), 5, {.flags = {"-O0"}});
  }
}

TEST(DspKernels, give_the_bytes_of_the_reference_row_by_row) {
  expect_equal_here(InstructionSet::dsp, many_windows(), 10, {}, CMemory::stream);
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    SCOPED_TRACE(seed);
    expect_equal_here(InstructionSet::dsp, random_graph(seed), 5,
                      {.flags = {"-O1", "-fsanitize=address,undefined"}}, CMemory::least);
  }
}

TEST(DspKernels, give_no_warning_and_no_undefined_behavior_with_any_compiler) {
  for (const auto* compiler : {"gcc", "clang", "clang-14"}) {
    if (!find_program(std::string(compiler))) continue;
    expect_equal_here(InstructionSet::dsp, many_windows(), 5,
                      {compiler, {"-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"}});
  }
}

TEST(DspKernels, give_the_bytes_of_the_reference_on_every_core_that_has_them) {
  if (!tools_are_there()) GTEST_SKIP() << "no cross compiler or emulator";
  for (const auto* target : {"cortex-m4", "cortex-m7", "cortex-m33", "cortex-m55"}) {
    SCOPED_TRACE(target);
    EXPECT_NO_THROW(measured(many_windows(), target, InstructionSet::dsp));
    EXPECT_NO_THROW(measured(every_operation(11), target, InstructionSet::dsp));
  }
}

/// Whether the C code of a network has a text.
bool has(const QuantizedGraph& graph, const std::string& text) {
  const auto files = write_c({graph, "dsp_net", {}, {}, InstructionSet::dsp}).files;
  return (files.at("dsp_net.c") + files.at("dsp_net_kernels.c")).find(text) != std::string::npos;
}

QuantizedGraph one_conv(std::int32_t groups) {
  Builder net(5, {1, 6, 6, 4});
  return net.done({net.conv(net.input(), 4, {{3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}}, groups)});
}

template <typename T>
std::span<T> constant_of(QuantizedGraph& graph, std::size_t input) {
  return graph.values[index_of(graph.nodes[0].inputs[input])].constant.as<T>();
}

/// Gives a channel of the only node weights of the scale by which its sums become outputs by `factor`.
void scale_channel(QuantizedGraph& graph, std::size_t channel, float factor) {
  const auto& node = graph.nodes[0];
  const auto at = [&](QValueId id) -> QValue& { return graph.values[index_of(id)]; };
  auto &input = at(node.inputs[0]), &weight = at(node.inputs[1]), &bias = at(node.inputs[2]);
  auto& requantization = std::get<QConv>(graph.nodes[0].op).requantization;
  weight.channel_scales[channel] = factor * at(node.output).scale / input.scale;
  bias.channel_scales[channel] = weight.channel_scales[channel] * input.scale;
  requantization[channel] = to_requantization(weight_factor(input, weight, channel, at(node.output)));
}

TEST(DspKernels, take_the_short_scale_only_where_sums_are_proven_small) {
  auto graph = one_conv(2);
  EXPECT_TRUE(has(graph, "(1 && shift < 0)"));
  constant_of<std::int32_t>(graph, 2)[3] = (1 << 30) + 5;
  EXPECT_FALSE(has(graph, "(1 && shift < 0)"));
  expect_equal_here(InstructionSet::dsp, graph, 10);
}

TEST(DspKernels, pack_two_channels_where_their_sum_is_proven_to_fit_32_bits) {
  auto graph = one_conv(1);
  EXPECT_TRUE(has(graph, "net_packed_conv("));
  constant_of<std::int32_t>(graph, 2)[3] = 1 << 23;
  scale_channel(graph, 3, 6e-6f);  // about 50, and not always the same
  EXPECT_FALSE(has(graph, "net_packed_conv("));
  expect_equal_here(InstructionSet::dsp, graph, 10);
}

/// Such channels are dead: their scale is tiny, their bias huge.
TEST(DspKernels, pack_channels_that_never_change) {
  auto graph = one_conv(1);
  scale_channel(graph, 2, 1e-7f);
  for (const std::int32_t level : {-20, 0, 33}) {
    constant_of<std::int32_t>(graph, 2)[2] = level * 10'000'000;
    EXPECT_TRUE(has(graph, "net_packed_conv("));
    expect_equal_here(InstructionSet::dsp, graph, 10);
  }
}

TEST(DspKernels, do_not_pack_two_weights_that_a_halfword_does_not_hold) {
  auto graph = one_conv(1);
  constant_of<std::int8_t>(graph, 1)[0] = -1;
  constant_of<std::int8_t>(graph, 1)[36] = -128;  // the same tap of the next channel
  EXPECT_FALSE(has(graph, "net_packed_conv("));
  constant_of<std::int8_t>(graph, 1)[0] = 0;
  EXPECT_TRUE(has(graph, "net_packed_conv("));
  expect_equal_here(InstructionSet::dsp, graph, 10);
}

TEST(DspKernels, shift_to_the_left_before_the_product) {
  for (const std::int32_t groups : {1, 2, 4}) {
    auto graph = one_conv(groups);
    for (int channel = 0; channel < 4; ++channel)  // shifts of -1 to 2
      scale_channel(graph, static_cast<std::size_t>(channel), std::ldexp(0.6f, channel - 1));
    EXPECT_EQ(has(graph, "net_packed_conv("), groups == 1);
    expect_equal_here(InstructionSet::dsp, graph, 10);
    if (!tools_are_there()) continue;
    EXPECT_NO_THROW(measured(graph, "cortex-m4", InstructionSet::dsp));
  }
}

TEST(DspKernels, run_where_the_extension_is_missing) {
  if (!tools_are_there()) GTEST_SKIP() << "no cross compiler or emulator";
  EXPECT_NO_THROW(measured(many_windows(), "cortex-m3", InstructionSet::dsp));
}

TEST(DspKernels, take_fewer_instructions_than_portable_ones) {
  if (!tools_are_there()) GTEST_SKIP() << "no cross compiler or emulator";
  Builder net(5, {1, 12, 12, 16});
  const Window window{{3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}};
  const auto graph = net.done({net.conv(net.conv(net.input(), 16, window), 16, window, 16)});
  const auto dsp = measured(graph, "cortex-m4", InstructionSet::dsp);
  const auto portable = measured(graph, "cortex-m4", InstructionSet::c);
  for (std::size_t i = 0; i < dsp.layers.size(); ++i)
    EXPECT_LT(dsp.layers[i].instructions, portable.layers[i].instructions) << dsp.layers[i].title;
}

}  // namespace
}  // namespace compress
