#include "tests/fuzz/fuzz.h"

#include <google/protobuf/stubs/logging.h>

namespace aisle::fuzz {
namespace {

std::vector<Target>& Registered() {
  static std::vector<Target> targets;
  return targets;
}

}  // namespace

const std::vector<Target>& Targets() { return Registered(); }

Registration::Registration(const Target& target) {
  google::protobuf::SetLogHandler(nullptr);  // Else each malformed string is a line.
  Registered().push_back(target);
}

}  // namespace aisle::fuzz
