#include "coordinator/enrolment/enrolment.h"

#include "base/clock.h"
#include "base/codec.h"
#include "base/cover.h"
#include "base/reason.h"

namespace aisle {
namespace {

constexpr uint8_t kFormatVersion = 1;

// Is `key` still what the store is known by? Only then may a repeated redemption have the same answer again: after a
// renewal or another enrolment it would bring an ended key back.
bool StillSpeaksFor(const std::optional<AcceptedKeys>& keys, const Digest& key) {
  return keys.has_value() && keys->current == key;
}

bool IsRepeat(const EnrolmentRecord& record, const std::optional<AcceptedKeys>& keys, const Digest& key,
              const EnrolmentPolicy& policy, absl::Time now) {
  return record.redeemed->key == key && now <= record.redeemed->at + policy.repeat_window && StillSpeaksFor(keys, key);
}

void PutTime(ByteWriter& bytes, absl::Time time) { bytes.I64(absl::ToUnixMillis(time)); }
absl::Time ReadTime(ByteReader& bytes) { return absl::FromUnixMillis(bytes.I64()); }

}  // namespace

IssuedCode IssueCode(const StoreId& store, const EnrolmentPolicy& policy, absl::Time now, RandomSource& random) {
  OneTimeCode code = OneTimeCode::Draw(random);
  EnrolmentRecord record{code.hash(), store, now + policy.code_lifetime, std::nullopt};
  return {std::move(code), std::move(record)};
}

StatusOr<Redeemed> Redeem(const std::optional<EnrolmentRecord>& record, const std::optional<AcceptedKeys>& keys,
                          const Digest& key, const EnrolmentPolicy& policy, absl::Time now) {
  if (!record.has_value()) {
    return WithReason(NotFound("no such one-time code was issued here"), Reason::kCodeInvalid);
  }
  if (record->redeemed.has_value()) {
    if (IsRepeat(*record, keys, key, policy, now)) {
      AISLE_COVER("enrolment.repeated_redemption");
      return Redeemed{*record, *keys, true};
    }
    return WithReason(
        FailedPrecondition("the one-time code of store '{}' was used at {}; each is good for one box. Issue "
                           "a new one, and revoke the store if nobody there used it",
                           record->store, FormatUtc(record->redeemed->at)),
        Reason::kCodeUsed);
  }
  if (now > record->expires_at) {
    return WithReason(FailedPrecondition("the one-time code of store '{}' expired at {}; issue a new one",
                                         record->store, FormatUtc(record->expires_at)),
                      Reason::kCodeExpired);
  }
  Redeemed result{*record, AcceptedKeys{.current = key, .next = std::nullopt}, false};
  result.record.redeemed = {.key = key, .at = now};
  return result;
}

std::string EncodeRecord(const EnrolmentRecord& record) {
  ByteWriter bytes;
  bytes.U8(kFormatVersion).Put(record.code_hash).String(record.store.str());
  PutTime(bytes, record.expires_at);
  bytes.U8(record.redeemed.has_value() ? 1 : 0);
  if (record.redeemed.has_value()) {
    bytes.Put(record.redeemed->key);
    PutTime(bytes, record.redeemed->at);
  }
  return bytes.Take();
}

StatusOr<EnrolmentRecord> DecodeRecord(std::string_view bytes) {
  ByteReader reader(bytes);
  const uint8_t version = reader.U8();
  EnrolmentRecord record;
  record.code_hash = reader.ReadDigest();
  const std::string_view store = reader.String(kNameLengthMax);
  record.expires_at = ReadTime(reader);
  const uint8_t redeemed = reader.U8();
  if (redeemed == 1) {
    record.redeemed.emplace();
    record.redeemed->key = reader.ReadDigest();
    record.redeemed->at = ReadTime(reader);
  }
  AISLE_RETURN_IF_ERROR(reader.Finish("an enrolment record"));
  if (version != kFormatVersion || redeemed > 1) return DataLoss("an enrolment record has format {}", version);
  const StatusOr<StoreId> id = StoreId::Parse(store);
  if (!id.ok()) return DataLoss("an enrolment record is malformed: {}", MessageOf(id.status()));
  record.store = *id;
  return record;
}

}  // namespace aisle
