// The same local training as the demand plan's, written straight on LibTorch as a PyTorch user would: the yardstick of
// training_bench.
#pragma once

#include <cstdint>

namespace aisle {

// Seconds for `epochs` of SGD on `examples` made-up examples in batches of 64, one thread; the network of plans/demand.
double TrainDirectly(int64_t examples, int epochs);

}  // namespace aisle
