#include "store-agent/task/release_and_spool.h"

#include "base/log.h"
#include "privacy/release.h"

namespace aisle {
namespace {

constexpr std::string_view kNoisePurpose = "noise/update";

TaskEnd StorageFailed(const Status& status) {
  LogError("an update couldn't be released: {}", MessageOf(status));
  return Failed{FailureReason::kStorage, "the store's ledger or spool can't be written"};
}

}  // namespace

TaskEnd EndOfSpending(const Status& refused) {
  switch (refused.code()) {
    case StatusCode::kResourceExhausted:
      return Refused{RefusalReason::kPrivacyBudget, std::string(MessageOf(refused))};
    case StatusCode::kDataLoss:
      return Refused{RefusalReason::kLedgerHalted, std::string(MessageOf(refused))};
    case StatusCode::kInvalidArgument:
      return Refused{RefusalReason::kPlanInvalid, std::string(MessageOf(refused))};
    default:
      return StorageFailed(refused);
  }
}

std::variant<BlobName, TaskEnd> ReleaseAndSpool(SecretVector<int32_t> clean, const ReleaseTerms& terms,
                                                LedgerFile& ledger, const Spool& spool, RandomSource& random,
                                                absl::Time now) {
  const Status fits = CheckSensitivity(terms.debits.front().unit, clean.Reveal(), terms.quantizer);
  if (!fits.ok()) return TaskEnd(Failed{FailureReason::kPlanError, std::string(MessageOf(fits))});
  StatusOr<DebitReceipt> receipt = ledger.Spend(terms.debits, terms.caps, now);
  if (!receipt.ok()) return EndOfSpending(receipt.status());
  AesCtrStream noise(DrawKey(random), kNoisePurpose);
  const StatusOr<SecretVector<uint32_t>> noised =
      Release(*std::move(receipt), std::move(clean), terms.quantizer, noise);
  if (!noised.ok()) return TaskEnd(Failed{FailureReason::kPlanError, std::string(MessageOf(noised.status()))});
  const StatusOr<BlobName> update = spool.Write(terms.debits.front().round, noised->Reveal());
  if (!update.ok()) return StorageFailed(update.status());
  return *update;
}

std::variant<BlobName, TaskEnd> SpoolNoised(SecretVector<int32_t> noised, const RoundId& round,
                                            const Quantizer& quantizer, const Spool& spool) {
  const StatusOr<SecretVector<uint32_t>> wire = WireOf(std::move(noised), quantizer);
  if (!wire.ok()) return TaskEnd(Failed{FailureReason::kPlanError, std::string(MessageOf(wire.status()))});
  const StatusOr<BlobName> update = spool.Write(round, wire->Reveal());
  if (!update.ok()) return StorageFailed(update.status());
  return *update;
}

}  // namespace aisle
