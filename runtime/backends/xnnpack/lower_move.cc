// Transpose of elements of 1, 2, 4 or 8 bytes. Concat, slice, pad and copy are not here: they move whole
// rows, and our own loops of memcpy are as fast without a second operator object.
#include "runtime/backends/xnnpack/lowerings.h"

namespace pith {
namespace {

// Dims of one element vanish and dims that stay neighbours are merged: XNNPACK takes at most 6.
struct MergedPerm {
  size_t dims[kMaxRank] = {}, perm[kMaxRank] = {};
  size_t count = 0;
};

bool merge_perm(const Shape& x, const flatbuffers::Vector<uint32_t>* perm, MergedPerm* out) {
  size_t first[kMaxRank];  // output dims left after merging: first input dim and size
  size_t size[kMaxRank];
  int last = -2;
  for (int i = 0; i < x.rank(); ++i) {
    const auto d = static_cast<int>(perm->Get(static_cast<uint32_t>(i)));
    if (x[d] == 1) continue;
    int next = last + 1;  // the input dim that would continue the run, skipping dims of one element
    while (next >= 0 && next < x.rank() && x[next] == 1) ++next;
    if (out->count > 0 && d == next) {
      size[out->count - 1] *= dim(x, d);
    } else {
      first[out->count] = static_cast<size_t>(d);
      size[out->count++] = dim(x, d);
    }
    last = d;
  }
  for (size_t i = 0; i < out->count; ++i) {
    size_t rank = 0;
    for (size_t j = 0; j < out->count; ++j) rank += first[j] < first[i] ? 1 : 0;
    out->perm[i] = rank;
    out->dims[rank] = size[i];
  }
  return out->count <= XNN_MAX_TENSOR_DIMS;
}

template <auto kCreate, auto kReshape, auto kSetup>
Status lower_sized(const MergedPerm& m, Lowering& low, const char* name) {
  XnnState& s = low.state();
  PITH_RETURN_IF_ERROR(check_xnn(kCreate(0, s.op.put())));
  PITH_RETURN_IF_ERROR(check_xnn(kReshape(s.op.get(), m.count, m.dims, m.perm, low.threads())));
  return low.done(name, [](const NodeView& node, NodeState* state, void*, ThreadPool*) {
    return check_xnn(kSetup(static_cast<XnnState*>(state)->op.get(), node.in(0).data, node.out(0).data));
  });
}

}  // namespace

Status lower_transpose(const NodeView& node, Lowering& low) {
  MergedPerm m;
  if (!merge_perm(node.in(0).shape, node.opt<schema::TransposeOptions>().perm(), &m))
    return decline("too many dims");
  if (m.count < 2) return decline("nothing changes place");
  constexpr size_t kShortRow = 8;
  if (m.dims[m.perm[m.count - 1]] < kShortRow) return decline("short rows");
  switch (size_of(node.in(0).dtype)) {
    case 2:
      return lower_sized<xnn_create_transpose_nd_x16, xnn_reshape_transpose_nd_x16,
                         xnn_setup_transpose_nd_x16>(m, low, "xnn_transpose_x16");
    case 4:
      return lower_sized<xnn_create_transpose_nd_x32, xnn_reshape_transpose_nd_x32,
                         xnn_setup_transpose_nd_x32>(m, low, "xnn_transpose_x32");
    case 8:
      return lower_sized<xnn_create_transpose_nd_x64, xnn_reshape_transpose_nd_x64,
                         xnn_setup_transpose_nd_x64>(m, low, "xnn_transpose_x64");
    default:
      return decline("no kernel for this element size");
  }
}

}  // namespace pith
