#include "privacy/ledger_entry.h"

#include <cmath>

namespace aisle {
namespace {

constexpr uint8_t kDebitKind = 1;  // Other kinds of entry may come; a reader that doesn't know one refuses the file.

Status CheckNoise(const Debit& debit) {
  const double z = debit.noise_multiplier;
  if (debit.unit == PrivacyUnit::kNone) {
    if (z == 0 && debit.delta >= 0 && debit.delta < 1) return OkStatus();
    if (z == 0) return InvalidArgument("a debit's delta is {}; it must be at least 0 and under 1", debit.delta);
    return InvalidArgument("a debit of the unit none has a noise multiplier of {}; it must be 0", z);
  }
  if (!(z >= 0.001 && z <= 256)) {
    return InvalidArgument("a debit's noise multiplier is {}; it must be from 0.001 to 256", z);
  }
  if (!(debit.delta > 0 && debit.delta < 1)) {
    return InvalidArgument("a debit's delta is {}; it must be over 0 and under 1", debit.delta);
  }
  return OkStatus();
}

Status CheckSampling(const Debit& debit) {
  const double q = debit.sampling_rate;
  if (!(q > 0 && q <= 1)) return InvalidArgument("a debit's sampling rate is {}; it must be over 0 and at most 1", q);
  // HQ chooses who takes part and a store's absence shows, so there is no secret sampling to amplify by.
  if (debit.unit != PrivacyUnit::kCustomer && q != 1) {
    return InvalidArgument("a debit of the unit {} has a sampling rate of {}; it must be 1", ToString(debit.unit), q);
  }
  return OkStatus();
}

Status CheckStores(const Debit& debit) {
  if (debit.sum_stores < 1 || debit.sum_stores > kSumStoresMax) {
    return InvalidArgument("a debit's sum is over {} stores; it must be over 1 to {}", debit.sum_stores, kSumStoresMax);
  }
  const uint32_t most = debit.presence == Presence::kStoresMax ? kPresentStoresMax : 1;
  if (debit.stores_max < 1 || debit.stores_max > most) {
    return InvalidArgument("a debit of the presence {} is for {} stores; it must be for 1 to {}",
                           ToString(debit.presence), debit.stores_max, most);
  }
  return OkStatus();
}

StatusOr<PrivacyUnit> UnitOf(uint8_t number) {
  if (number < 1 || number > 3) return DataLoss("a ledger entry has the privacy unit {}", number);
  return static_cast<PrivacyUnit>(number);
}

StatusOr<Presence> PresenceOf(uint8_t number) {
  if (number < 1 || number > 3) return DataLoss("a ledger entry has the presence {}", number);
  return static_cast<Presence>(number);
}

}  // namespace

std::string_view ToString(Presence presence) {
  switch (presence) {
    case Presence::kHomeStore:
      return "home_store";
    case Presence::kStoresMax:
      return "stores_max";
    default:
      return "this_store";
  }
}

Status Validate(const Debit& debit) {
  if (debit.population.empty()) return InvalidArgument("a debit names no population");
  if (debit.round.job.empty()) return InvalidArgument("a debit names no job");
  AISLE_RETURN_IF_ERROR(CheckNoise(debit));
  AISLE_RETURN_IF_ERROR(CheckSampling(debit));
  AISLE_RETURN_IF_ERROR(CheckStores(debit));
  if (debit.releases == 0) return InvalidArgument("a debit of 0 releases; there must be at least one");
  return OkStatus();
}

std::string EncodeEntry(const LedgerEntry& entry) {
  const Debit& debit = entry.debit;
  ByteWriter writer;
  writer.U8(kDebitKind).U64(entry.number).I64(absl::ToUnixMicros(entry.at));
  writer.String(debit.population.str()).String(debit.round.job.str()).U32(debit.round.number).Put(debit.plan);
  writer.U8(static_cast<uint8_t>(debit.unit)).F64(debit.noise_multiplier).F64(debit.sampling_rate);
  writer.U32(debit.releases).F64(debit.delta).U32(debit.sum_stores);
  writer.U8(static_cast<uint8_t>(debit.presence)).U32(debit.stores_max);
  return writer.Take();
}

StatusOr<LedgerEntry> DecodeEntry(std::string_view body) {
  ByteReader reader(body);
  if (const uint8_t kind = reader.U8(); kind != kDebitKind) {
    return DataLoss("a ledger entry is of kind {}, which this version doesn't know", kind);
  }
  LedgerEntry entry;
  entry.number = reader.U64();
  entry.at = absl::FromUnixMicros(reader.I64());
  const std::string_view population = reader.String(kNameLengthMax);
  const std::string_view job = reader.String(kNameLengthMax);
  entry.debit.round.number = reader.U32();
  entry.debit.plan = reader.ReadDigest();
  const uint8_t unit = reader.U8();
  entry.debit.noise_multiplier = reader.F64();
  entry.debit.sampling_rate = reader.F64();
  entry.debit.releases = reader.U32();
  entry.debit.delta = reader.F64();
  entry.debit.sum_stores = reader.U32();
  const uint8_t presence = reader.U8();
  entry.debit.stores_max = reader.U32();
  AISLE_RETURN_IF_ERROR(reader.Finish("a ledger entry"));
  AISLE_ASSIGN_OR_RETURN(entry.debit.population, Population::Parse(population));
  AISLE_ASSIGN_OR_RETURN(entry.debit.round.job, JobId::Parse(job));
  AISLE_ASSIGN_OR_RETURN(entry.debit.unit, UnitOf(unit));
  AISLE_ASSIGN_OR_RETURN(entry.debit.presence, PresenceOf(presence));
  AISLE_RETURN_IF_ERROR(Validate(entry.debit));
  return entry;
}

}  // namespace aisle
