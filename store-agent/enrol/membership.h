// What makes a box one store of one chain, on its disk. Keys are made on the box and never leave it.
//
//   FOLDER/identity.pem      key, certificate, roots (0600): replaced whole by each renewal. Its presence means:
//   enrolled FOLDER/headquarters.toml coordinator, plan keys, and which invitation was used up FOLDER/pending.pem the
//   key of an enrolment or renewal whose answer hasn't come (0600)
#pragma once

#include <absl/time/time.h>

#include <functional>
#include <string>
#include <vector>

#include "base/identity/signing.h"
#include "base/identity/tls_identity.h"
#include "base/ids.h"
#include "store-agent/enrol/enrolment_file.h"
#include "store-agent/transfer/fleet_link.h"

namespace aisle {

struct Membership {
  StoreId store;
  std::string coordinator;  // "host:port".
  TlsIdentity identity;
  std::vector<VerifyKey> plan_keys;  // Plans signed by any of them may run.
};

using EnrolCall = std::function<StatusOr<EnrolAnswer>(const Invitation&, const std::string& csr_pem)>;

// Takes up the membership in `folder`; joins by the invitation at `invitation_path` if there is none, or if what is
// there has expired and the invitation is another than the one used before. One that has expired and has no successor
// is taken up as it is: RenewMembership may still mend it. Nothing is kept of an attempt that failed but the key, so
// that a lost answer can be asked for again.
//   FailedPrecondition  neither enrolled nor invited: says what to do
//   otherwise           as `call`, or what is wrong with its answer
StatusOr<Membership> TakeUpMembership(const std::string& folder, const std::string& invitation_path,
                                      const EnrolCall& call, absl::Time now);

// A fresh certificate over a fresh key, kept durably before it is returned; for one that has ended as a late renewal.
// Until headquarters sees the new key in use the old one works too, so an answer that gets lost costs nothing.
StatusOr<Membership> RenewMembership(const std::string& folder, const Membership& present, FleetLink& link,
                                     absl::Time now);

}  // namespace aisle
