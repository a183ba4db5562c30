// What one population has spent, in both tiers and by time.
//
// A debit is charged as the sampled Gaussian mechanism, neighbouring inputs differing by one unit added or removed:
//
//   floor       everybody else colludes, and sees this store's vector:  z
//   aggregate   others see one sum with the noise of n >= sum_stores stores:  z * sqrt(n)
//
// Where a customer may be in k stores (Presence::kStoresMax), each of them may release something of that customer. The
// floor then composes k such mechanisms. So does the aggregate, with z * sqrt(n / k): split the sum's noise into k
// equal parts, one for each of the customer's vectors, and the sum is post-processing of k separate releases. (Without
// sampling that is the same as one release of sensitivity k.) Fewer than k stores in a sum give no more than the floor.
#pragma once

#include <absl/time/time.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "privacy/accounting/rdp.h"
#include "privacy/ledger_entry.h"

namespace aisle {

enum class Tier : uint8_t { kFloor = 0, kAggregate = 1 };
inline constexpr size_t kTierCount = 2;
std::string_view ToString(Tier tier);  // "floor", "aggregate"

// The sampled Gaussian mechanism, `times` times.
struct Charge {
  double sampling_rate = 1;
  double noise_multiplier = 1;
  double times = 1;
};
// Of a valid debit of any unit but none.
Charge ChargeOf(const Debit& debit, Tier tier);
RdpCurve CurveOf(const Charge& charge);

// Not thread-safe.
class LedgerAccount {
 public:
  // A valid debit; times must not run backwards.
  void Book(const Debit& debit, absl::Time at);

  uint64_t releases() const { return releases_; }  // With a bound.
  uint64_t unbounded_releases() const { return unbounded_releases_; }
  // Of the first bounded debit; null before it.
  const RdpCurve* first(Tier tier) const;

  // The bounded debits booked later than `since`: their charges composed, and when the oldest was booked.
  RdpCurve SpentSince(Tier tier, absl::Time since) const;
  std::optional<absl::Time> OldestSince(absl::Time since) const;

 private:
  using Mechanism = std::pair<double, double>;  // Sampling rate, noise multiplier.
  struct Booked {
    absl::Time at;
    size_t curve = 0;  // Into Side::curves.
    double times = 0;
  };
  struct Side {
    std::map<Mechanism, size_t> known;
    std::vector<RdpCurve> curves;  // Of each mechanism, once.
    std::vector<Booked> booked;    // By time.
    std::optional<RdpCurve> first;
  };
  size_t FirstAfter(absl::Time since) const;
  Side sides_[kTierCount];
  uint64_t releases_ = 0;
  uint64_t unbounded_releases_ = 0;
};

}  // namespace aisle
