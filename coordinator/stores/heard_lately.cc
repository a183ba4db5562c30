#include "coordinator/stores/heard_lately.h"

namespace aisle {

void HeardLately::Note(absl::Time before, absl::Time now) {
  Forget(before);
  ++stores_[absl::ToUnixSeconds(now)];
}

void HeardLately::Forget(absl::Time last) {
  const auto found = stores_.find(absl::ToUnixSeconds(last));
  if (found != stores_.end() && --found->second == 0) stores_.erase(found);
}

size_t HeardLately::CountSince(absl::Time since) const {
  size_t count = 0;
  for (auto at = stores_.lower_bound(absl::ToUnixSeconds(since)); at != stores_.end(); ++at) count += at->second;
  return count;
}

}  // namespace aisle
