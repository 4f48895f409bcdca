// The network as the C writer sees it: one layer function a node, constants by name, kernels by name.
// lowered() makes it from the quantized graph; the emitters below turn it into files, one concern each.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "libcompress/export/exporter.h"
#include "libcompress/export/storage.h"

namespace compress {

/// An array in NAME_weights.c: of int8, of int32 or of int64.
struct CConstant {
  std::string name;
  std::string comment;
  std::vector<std::int8_t> bytes;
  std::vector<std::int32_t> words;
  std::vector<std::int64_t> longs{};

  std::int64_t byte_count() const {
    return static_cast<std::int64_t>(bytes.size() + 4 * words.size() + 8 * longs.size());
  }
};

/// How a node is computed in C.
struct CLayer {
  const QNode* node = nullptr;
  std::string title;   ///< "3 conv2: convolution 1x5, stride 1x2", harmless in a comment
  std::string shapes;  ///< "[1, 1, 15109, 4] -> [1, 1, 7553, 32]"
  std::int64_t macs = 0;
  std::string function;    ///< "layer_03_conv2"; empty where no byte moves
  std::string parameters;  ///< of the function
  std::string body;        ///< its statements, indented
};

struct StreamPlan;

struct CNetwork {
  const ExportRequest& request;
  std::string name;  ///< a C identifier: prefix of functions and files
  Storage storage;
  std::vector<CLayer> layers;
  std::vector<CConstant> constants;
  std::set<std::string>
      kernels;  ///< parts of templates/kernels that the layers call, without what these need
  const StreamPlan* stream =
      nullptr;  ///< of a network whose front runs row by row; the request has its graph

  const QuantizedGraph& graph() const { return request.graph; }
  std::int64_t input_bytes() const { return bytes_of(graph(), graph().inputs[0]); }
  /// What the size macro of the arena says: C has no arrays of no bytes.
  std::int64_t arena_macro() const { return storage.arena_bytes > 0 ? storage.arena_bytes : 1; }
  std::int64_t constant_bytes() const;
};

/// Error of kind input naming the node that is too large or has no form in C.
CNetwork lowered(const ExportRequest& request);

/// The network of `plan`: layers of the front make one row. `request` is for plan.graph.
CNetwork lowered(const ExportRequest& request, const StreamPlan& plan);

/// Which of its functions a node gets.
enum class CForm {
  whole,  ///< of whole tensors
  rows,   ///< one row of output from the rows under its window
  take,   ///< of a pool: takes rows of input
};

/// The layer of node `position` of network.graph(), and its constants and kernels. `sized` is the same graph
/// with the shapes that the function sees.
CLayer lowered_layer(CNetwork& network, const QuantizedGraph& sized, std::size_t position, CForm form);

/// Error of kind input if there is more than C code can index.
void check_sizes(const CNetwork& network);

// Parts of NAME.c, for both forms.
std::string layer_function(const CLayer& layer);
std::string layer_call(const CNetwork& network, const CLayer& layer);
std::string final_copies(const CNetwork& network);
std::string address(std::string_view base, std::int64_t offset);

/// What NAME.h says of push() and result(), and the file NAME.c, of a network that streams.
std::string stream_declarations(const CNetwork& network);
std::string stream_source(const CNetwork& network);

using Files = std::map<std::string, std::string>;

void add_sources(const CNetwork& network, Files& files);    ///< NAME.h, NAME.c, NAME_static.c, NAME_classes.c
void add_constants(const CNetwork& network, Files& files);  ///< NAME_weights.h, NAME_weights.c
void add_kernels(const CNetwork& network, Files& files);    ///< NAME_kernels.h, NAME_kernels.c
void add_tests(const CNetwork& network,
               Files& files);  ///< NAME_test.c, NAME_test_host.c, NAME_vectors.h and .c
void add_build_files(const CNetwork& network, Files& files);  ///< CMakeLists.txt, README.md, cortex-m4/

}  // namespace compress
