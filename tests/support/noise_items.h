// Calibration items of seeded Gaussian noise for a model with one input; an item is the same whenever it is asked for.
#pragma once
#include <algorithm>

#include "converter/quantize/calibrate.h"
#include "tests/support/distributions.h"

namespace pith::testing {

inline quantize::ItemSource noise_items(int64_t items, uint64_t seed) {
  return {items, [seed](int64_t item, Session& session) -> Status {
            PITH_RETURN_IF_ERROR(session.prepare());
            const TensorView& x = session.input(0);
            const auto v = normals(static_cast<size_t>(x.count()), 0, 1, seed + static_cast<uint64_t>(item));
            std::copy(v.begin(), v.end(), x.as_mutable<float>());
            return Status::ok();
          }};
}

}  // namespace pith::testing
