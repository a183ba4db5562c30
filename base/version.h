// The release that this program is: project(VERSION) in CMakeLists.txt.
#pragma once

#include <string_view>

namespace aisle {

std::string_view Version();  // "0.1.0".

}  // namespace aisle
