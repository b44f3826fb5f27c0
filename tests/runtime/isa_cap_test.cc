// PITH_ISA caps what kernels may use and refuses what it does not know.
#include "runtime/base/isa_cap.h"

#include <doctest/doctest.h>

#include <string>

namespace pith {

TEST_CASE("without a cap a session may use all the processor has") {
  for (const char* text : {static_cast<const char*>(nullptr), "", "auto"}) {
    const Result<Cpu> cpu = capped_cpu(text);
    REQUIRE(cpu.is_ok());
    CHECK(cpu.value().bits == detect_cpu().bits);
    CHECK_FALSE(cpu.value().capped);
  }
}

TEST_CASE("scalar leaves nothing, the best level leaves everything") {
  const Result<Cpu> scalar = capped_cpu("scalar");
  REQUIRE(scalar.is_ok());
  CHECK(scalar.value().bits == Cpu::none);
  CHECK(scalar.value().capped);
  const Cpu all = detect_cpu();
  const Result<Cpu> best = capped_cpu(name_of(best_isa(all)));
  REQUIRE(best.is_ok());
  CHECK(best.value().bits == all.bits);
}

#if defined(__x86_64__)
TEST_CASE("a cap allows its level and those before it") {
  const Cpu all{Cpu::avx2 | Cpu::avxvnni | Cpu::avx512vnni | Cpu::gfni | Cpu::vbmi, false};
  CHECK(cap_cpu(all, Isa::avx2).bits == Cpu::avx2);
  CHECK(cap_cpu(all, Isa::avxvnni).bits == (Cpu::avx2 | Cpu::avxvnni));
  CHECK(cap_cpu(all, Isa::avx512vnni).bits == all.bits);
  CHECK_FALSE(capped_cpu("neon").is_ok());
}
#endif

TEST_CASE("an unknown level is refused with the known ones") {
  const Result<Cpu> r = capped_cpu("avx3");
  REQUIRE_FALSE(r.is_ok());
  CHECK(r.status().code() == Code::bad_argument);
  CHECK(r.status().message().find("'avx3'") != std::string::npos);
  CHECK(r.status().message().find(isa_names()) != std::string::npos);
}

}  // namespace pith
