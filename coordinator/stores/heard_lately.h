// How many stores were heard of lately, without looking at each: ten thousand of them check in a hundred times a
// second, and each is told when to come back by how many there are.
#pragma once

#include <absl/time/time.h>

#include <cstdint>
#include <map>

namespace aisle {

// A value; not thread-safe.
class HeardLately {
 public:
  // A store last heard of at `before` is heard of again. A time never noted means the first time.
  void Note(absl::Time before, absl::Time now);
  void Forget(absl::Time last);
  // Stores last heard of at `since` or later, to the second: all of `since`'s own second count.
  size_t CountSince(absl::Time since) const;

 private:
  std::map<int64_t, size_t> stores_;  // By the second in which they were last heard of.
};

}  // namespace aisle
