#include "coordinator/enrolment/accepted_keys.h"

#include "base/cover.h"
#include "base/reason.h"

namespace aisle {
namespace {

constexpr uint8_t kNoNext = 0;
constexpr uint8_t kHasNext = 1;

}  // namespace

StatusOr<AcceptedKeys> Admit(const AcceptedKeys& keys, const Digest& key) {
  if (key == keys.current) return keys;
  if (keys.next.has_value() && key == *keys.next) return AcceptedKeys{.current = key, .next = std::nullopt};
  AISLE_COVER("enrolment.duplicate_identity");
  return WithReason(Unauthenticated("key {} was replaced by a renewal or a new enrolment and is no longer accepted: if "
                                    "this box never had another one, two boxes share its identity",
                                    key.ShortHex()),
                    Reason::kDuplicateIdentity);
}

StatusOr<AcceptedKeys> Renewed(const AcceptedKeys& keys, const Digest& presented, const Digest& requested) {
  AISLE_ASSIGN_OR_RETURN(AcceptedKeys admitted, Admit(keys, presented));
  if (requested == admitted.current) {
    return InvalidArgument("a renewal brings a new key, but key {} is the present one", requested.ShortHex());
  }
  admitted.next = requested;
  return admitted;
}

void Encode(const AcceptedKeys& keys, ByteWriter& bytes) {
  bytes.Put(keys.current).U8(keys.next.has_value() ? kHasNext : kNoNext);
  if (keys.next.has_value()) bytes.Put(*keys.next);
}

AcceptedKeys DecodeAcceptedKeys(ByteReader& bytes) {
  AcceptedKeys keys;
  keys.current = bytes.ReadDigest();
  if (bytes.U8() != kNoNext) keys.next = bytes.ReadDigest();
  return keys;
}

}  // namespace aisle
