// Customers' gradients by vmap(grad(loss)): written out for each lane, for programs whose weights are used in any way
// that has batching rules. Pays where a gradient is small beside the work of finding it, as with convolutions.
#pragma once

#include <memory>

#include "store-agent/worker/customers/lanes.h"
#include "store-agent/worker/customers/unit_gradients.h"

namespace aisle {

// `lanes` must be made with Rows::kNo. A customer of many examples goes to `loop`, which is as fast for it.
std::unique_ptr<UnitGradients> MakeVmapGradients(std::unique_ptr<Lanes> lanes, std::unique_ptr<UnitGradients> loop);

}  // namespace aisle
