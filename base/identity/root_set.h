// The roots of a chain over the years. A root is made long before it issues anything, so that every store has heard of
// it by then; and it counts long after another issues in its place, so that nothing it issued is refused.
//
//   made -- announced, kRootOverlap --> issues -- until a successor issues --> honoured, kRootOverlap --> retired
//
// What stage a root is in follows from when each was made (its certificate says) and the time: there is no state to
// keep, and none that a crash could leave half changed. The chain's first root issues at once.
#pragma once

#include <absl/time/time.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/identity/authority.h"
#include "base/identity/chain_folder.h"
#include "base/random.h"
#include "base/status.h"

namespace aisle {

// Stores hear of roots when they renew, so it is more than any certificate's life; invitations made before a change of
// roots are good for that long, too.
inline constexpr absl::Duration kRootOverlap = absl::Hours(24 * 14);

enum class RootStage { kAnnounced, kIssuing, kHonoured, kRetired };
std::string_view NameOf(RootStage stage);  // "announced", "issuing", "honoured", "retired".

struct Root {
  uint32_t generation = 1;  // Of the chain's roots, from 1.
  std::string certificate_path;
  std::string key_path;
  std::string pem;
  absl::Time made;
  absl::Time not_after;
};

// Immutable.
class RootSet {
 public:
  // NotFound without ca.pem; InvalidArgument names a file that holds no root.
  static StatusOr<RootSet> Load(const ChainPaths& paths);

  const std::vector<Root>& roots() const { return roots_; }  // By generation; never empty.
  absl::Time IssuesFrom(size_t index) const;
  absl::Time RetiredFrom(size_t index) const;  // InfiniteFuture without a successor.
  RootStage StageAt(size_t index, absl::Time now) const;
  const Root& IssuingAt(absl::Time now) const;
  // All but the retired ones, in PEM: what everybody is to trust.
  std::string TrustedAt(absl::Time now) const;
  // Every root but one is retired, and that one issues: a change of roots may begin.
  bool IsSettledAt(absl::Time now) const;

 private:
  explicit RootSet(std::vector<Root> roots) : roots_(std::move(roots)) {}
  std::vector<Root> roots_;
};

StatusOr<CertificateAuthority> LoadAuthority(const Root& root);

// Makes the chain's next root and announces it (WriteTrustedRoots). FailedPrecondition while an earlier change is under
// way, with its end; NotFound or PermissionDenied where the issuing root's key isn't at hand.
StatusOr<Root> AddRoot(const ChainPaths& paths, absl::Time now, RandomSource& random);

// Puts what is to be trusted now where administrators' programs look for it (ChainPaths::roots). Writes only a change.
Status WriteTrustedRoots(const ChainPaths& paths, const RootSet& roots, absl::Time now);

}  // namespace aisle
