// A store's part in the secure sum: the real protocol with real certificates. Between any two steps it lives only in
// its encoded record, as a store's does between a crash and a restart.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/fleet.h"
#include "base/identity/certificate.h"
#include "base/identity/key_pair.h"
#include "base/random.h"
#include "base/secret.h"
#include "base/status.h"
#include "privacy/secagg/member.h"

namespace aisle::test {

class SumPart {
 public:
  SumPart(StoreId store, Certificate certificate, std::shared_ptr<const KeyPair> key, std::string roots);

  // What the store says to an instruction of the sum (Advertise, Share, Confirm, Unmask); an error is its refusal.
  // `terms` are its own; the attempt is headquarters'.
  StatusOr<SumReport> Answer(const Instruction& instruction, CohortTerms terms, absl::Time now);
  // Pins the inbox and masks a vector of little-endian coordinates.
  StatusOr<std::string> Mask(const SharesInbox& inbox, std::string_view vector);

 private:
  StatusOr<SumMessage> Say(const AdvertiseInstruction& instruction, CohortTerms terms, absl::Time now);
  StatusOr<SumMessage> Say(const ShareInstruction& instruction, const CohortTerms& terms, absl::Time now);
  StatusOr<SumMessage> Say(const ConfirmInstruction& instruction, const CohortTerms& terms, absl::Time now);
  StatusOr<SumMessage> Say(const UnmaskInstruction& instruction, const CohortTerms& terms, absl::Time now);
  secagg::Credentials OwnCredentials() const;
  secagg::Trust TrustAt(absl::Time now) const;

  StoreId store_;
  Certificate certificate_;
  std::shared_ptr<const KeyPair> key_;
  std::string roots_;
  SecureRandom random_;
  std::optional<SecretBytes> record_;
};

}  // namespace aisle::test
