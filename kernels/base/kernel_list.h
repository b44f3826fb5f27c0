// The rows of a family's *_list.inc as an array, and the choice among them.
//   using Kernels = KernelList<FooKernel>;     FooKernel has a field `uint32_t needs`, the Cpu bits of its row
#pragma once
#include <cstddef>
#include <cstdint>

#include "kernels/base/cpu.h"

namespace pith::kernels {

// Best first; the last row needs nothing, so that there is always one to choose.
template <class Kernel>
struct KernelList {
  const Kernel* data;
  size_t count;
};

template <class Kernel>
const Kernel& best_of(const KernelList<Kernel>& all, Cpu cpu) {
  size_t i = 0;
  while (!cpu.has(all.data[i].needs)) ++i;
  return all.data[i];
}

}  // namespace pith::kernels
