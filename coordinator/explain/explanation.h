// What `aisle explain` says: why a round was slow or aborted, why a store was left out, in sentences.
#pragma once

#include <string>
#include <vector>

#include "base/ids.h"

namespace aisle {

// One cause. `cause` is a stable word for programs (advice.h lists them all); the rest is for people.
struct Finding {
  std::string cause;
  std::vector<StoreId> stores;  // Whom it is about, in order of their ids; empty if it is about no store.
  std::string sentence;         // What happened, to whom, with the numbers.
  std::string fix;              // What to do about it.
};

struct Explanation {
  std::string headline;           // How it stands, in one sentence.
  std::vector<Finding> findings;  // The weightiest first; empty: nothing is wrong.
};

}  // namespace aisle
