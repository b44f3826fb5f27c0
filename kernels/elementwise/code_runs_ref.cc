// Runs one code at a time, the walk over runs, and the choice of a kernel.
#include "kernels/elementwise/code_runs.h"

#include "kernels/base/requant.h"

namespace pith::kernels {

#define KERNEL(name, needs) void code_run_##name(const CodeArithmetic& c, const CodeRun& run);
#include "kernels/elementwise/code_runs_list.inc"
#undef KERNEL

void code_run_ref(const CodeArithmetic& c, const CodeRun& r) {
  CodeArithmetic one = c;
  one.shape = Broadcast{};
  one.shape.dims[0] = r.n;
  one.shape.stride[0][0] = r.a_step, one.shape.stride[1][0] = r.b_step;
  one.a = r.a, one.b = r.b, one.y = r.y;
  code_arithmetic_ref(one, {0, r.n});
}

CodeRunKernels code_run_kernels() {
  static constexpr CodeRunKernel kAll[] = {
#define KERNEL(name, needs) {"code_run_" #name, code_run_##name, needs},
#include "kernels/elementwise/code_runs_list.inc"
#undef KERNEL
  };
  return {kAll, sizeof kAll / sizeof *kAll};
}

const CodeRunKernel& select_code_run(Cpu cpu) { return best_of(code_run_kernels(), cpu); }

void code_arithmetic(const CodeArithmetic& c, const CodeRunKernel& kernel, Range elements) {
  const size_t* steps[2] = {&c.shape.stride[0][c.shape.rank - 1], &c.shape.stride[1][c.shape.rank - 1]};
  const float scale = requant_scale(c.a_grid.scale, c.b_grid.scale, c.y_grid.scale);
  each_run(c.shape, elements.begin, elements.end, [&](size_t at, const size_t* from, size_t n) {
    kernel.fn(c, {static_cast<const uint8_t*>(c.a) + from[0], static_cast<const uint8_t*>(c.b) + from[1],
                  *steps[0], *steps[1], static_cast<uint8_t*>(c.y) + at, n, scale});
  });
}

}  // namespace pith::kernels
