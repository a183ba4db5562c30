// TorchScript archives (.pt): looked through before anything in them is loaded, since loading runs code.
#pragma once

#include <string_view>

#include "base/status.h"

namespace aisle {

// PlanInvalid if the bytes are no archive of today's format, or hold what would run while loading (__setstate__),
// classes implemented in C++, or the old format. Reads records and runs nothing; only inside the sandbox all the same.
Status ScanArchive(std::string_view archive);

}  // namespace aisle
