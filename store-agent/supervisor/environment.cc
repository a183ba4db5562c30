#include "store-agent/supervisor/environment.h"

#include <string_view>

#include "base/cover.h"

namespace aisle {

namespace {

// The kernels that OpenBLAS should use on this machine; empty to let it choose.
std::string_view OpenBlasCore() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512vl")) {
    return "SkylakeX";
  }
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return "Haswell";
#endif
  return "";
}

}  // namespace

std::vector<std::string> WorkerEnvironment() {
  std::vector<std::string> environment = {
      "LC_ALL=C",
      "OMP_NUM_THREADS=1",
      "OPENBLAS_NUM_THREADS=1",
      "OMP_WAIT_POLICY=passive",
      "MALLOC_ARENA_MAX=1",
      "MALLOC_MMAP_THRESHOLD_=268435456",
      "MALLOC_TRIM_THRESHOLD_=536870912",
      "MALLOC_TOP_PAD_=1048576",
      "PYTORCH_TENSOREXPR=0",
  };
  if (const std::string_view core = OpenBlasCore(); !core.empty()) {
    environment.push_back("OPENBLAS_CORETYPE=" + std::string(core));
  }
  if (!DieAt().empty()) environment.push_back("AISLE_DIE_AT=" + std::string(DieAt()));  // Tests kill workers as well.
  return environment;
}

}  // namespace aisle
