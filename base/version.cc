#include "base/version.h"

namespace aisle {

std::string_view Version() { return AISLE_VERSION; }

}  // namespace aisle
