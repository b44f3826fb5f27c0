// Non-maximum suppression: per batch and class, boxes in falling order of score (equal scores: lower index first), each
// kept unless it overlaps a kept one by more than the threshold. Boxes without a number for a score are never kept.
#pragma once
#include <cstddef>
#include <cstdint>

namespace pith::kernels {

struct NmsArgs {
  const float* boxes;   // [batches, n, 4]: two opposite corners (y, x, y, x), or centre and size (x, y, w, h)
  const float* scores;  // [batches, classes, n]
  size_t batches, classes, n;  // n < 2^32
  int64_t max_output;          // per batch and class
  float iou_threshold;         // kept when intersection / union is at most this
  float score_threshold;       // only scores above it take part
  bool center_point_box;
};

// Writes at most `room` triples (batch, class, box) and returns how many were kept. order: n entries of scratch.
// triples may be null when room is 0: then this only counts.
size_t nms_ref(const NmsArgs& a, uint32_t* order, size_t room, int64_t* triples);

}  // namespace pith::kernels
