// The L2 norm that clipping and quantising agree on.
#pragma once

#include <span>

namespace aisle {

// Summed in double, block by block: the relative error is under 2^-36 up to 2^28 values. NaN or infinity exactly if one
// of the values is (2^28 squares of the largest float stay far inside double's range).
double L2Norm(std::span<const float> values);

}  // namespace aisle
