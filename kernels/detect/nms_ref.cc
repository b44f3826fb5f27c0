// Greedy non-maximum suppression.
#include "kernels/detect/nms.h"

#include <algorithm>

namespace pith::kernels {
namespace {

struct Box {
  float y1, x1, y2, x2;
  float area() const { return (y2 - y1) * (x2 - x1); }
};

Box box_at(const NmsArgs& a, size_t batch, uint32_t i) {
  const float* b = a.boxes + (batch * a.n + i) * 4;
  if (a.center_point_box) {
    const float w = b[2] / 2, h = b[3] / 2;
    return {b[1] - h, b[0] - w, b[1] + h, b[0] + w};
  }
  return {std::min(b[0], b[2]), std::min(b[1], b[3]), std::max(b[0], b[2]), std::max(b[1], b[3])};
}

bool overlaps(const Box& a, const Box& b, float threshold) {
  const float h = std::min(a.y2, b.y2) - std::max(a.y1, b.y1),
              w = std::min(a.x2, b.x2) - std::max(a.x1, b.x1);
  if (!(h > 0 && w > 0)) return false;
  const float both = h * w, all = a.area() + b.area() - both;
  return all > 0 && both / all > threshold;
}

// Kept boxes move to the front of `order`; their number.
size_t keep(const NmsArgs& a, size_t batch, const float* scores, uint32_t* order) {
  size_t candidates = 0, kept = 0;
  for (uint32_t i = 0; i < a.n; ++i)
    if (scores[i] > a.score_threshold) order[candidates++] = i;  // false for NaN
  std::sort(order, order + candidates, [scores](uint32_t i, uint32_t j) {
    return scores[i] != scores[j] ? scores[i] > scores[j] : i < j;
  });
  for (size_t c = 0; c < candidates && static_cast<int64_t>(kept) < a.max_output; ++c) {
    const Box box = box_at(a, batch, order[c]);
    bool free = true;
    for (size_t k = 0; free && k < kept; ++k)
      free = !overlaps(box, box_at(a, batch, order[k]), a.iou_threshold);
    if (free) order[kept++] = order[c];
  }
  return kept;
}

}  // namespace

size_t nms_ref(const NmsArgs& a, uint32_t* order, size_t room, int64_t* triples) {
  size_t total = 0;
  for (size_t batch = 0; batch < a.batches; ++batch)
    for (size_t c = 0; c < a.classes; ++c) {
      const size_t kept = keep(a, batch, a.scores + (batch * a.classes + c) * a.n, order);
      for (size_t k = 0; k < kept; ++k, ++total) {
        if (total >= room) continue;
        triples[total * 3] = static_cast<int64_t>(batch);
        triples[total * 3 + 1] = static_cast<int64_t>(c);
        triples[total * 3 + 2] = order[k];
      }
    }
  return total;
}

}  // namespace pith::kernels
