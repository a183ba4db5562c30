// What a worker must be told before its libraries load: LibTorch, OpenBLAS and OpenMP read these once and never again.
#pragma once

#include <string>
#include <vector>

namespace aisle {

// The worker's whole environment, "NAME=value" each; nothing of the parent's is handed on.
//   OPENBLAS_CORETYPE: Debian 12's OpenBLAS takes newer processors for a 2004 one and runs at a fifth of its speed.
//   OMP_*, OPENBLAS_NUM_THREADS: one thread, which never spins while it waits.
//   MALLOC_*: memory is kept between steps, since giving it back and touching it again costs more than the arithmetic.
std::vector<std::string> WorkerEnvironment();

}  // namespace aisle
