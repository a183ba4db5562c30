#include "proto/convert/secure_sum.h"

#include "base/overloaded.h"
#include "proto/convert/fleet.h"

namespace aisle {
namespace {

constexpr size_t kSignatureSizeMax = 80;  // ECDSA on P-256, DER, is at most 72 bytes.
constexpr size_t kCertificateSizeMax = 16 << 10;
constexpr int kProofLengthMax = 15;  // Of a tree of kCohortSizeMax leaves.

std::string BytesOf(const Digest& digest) { return std::string(digest.view()); }

StatusOr<std::string> Exactly(std::string_view field, const std::string& bytes, size_t size) {
  if (bytes.size() != size) return InvalidArgument("{} has {} bytes, not {}", field, bytes.size(), size);
  return bytes;
}

StatusOr<std::string> AtMost(std::string_view field, const std::string& bytes, size_t size_max) {
  if (bytes.size() > size_max)
    return InvalidArgument("{} has {} bytes; the limit is {}", field, bytes.size(), size_max);
  return bytes;
}

StatusOr<std::string> SignatureFrom(const std::string& bytes) { return AtMost("signature", bytes, kSignatureSizeMax); }

StatusOr<uint32_t> PositionFrom(uint32_t position) {
  if (position >= kCohortSizeMax) return InvalidArgument("position {} is over {}", position, kCohortSizeMax - 1);
  return position;
}

StatusOr<uint32_t> AttemptFrom(uint32_t attempt) {
  if (attempt < 1 || attempt > kCohortAttemptsMax) {
    return InvalidArgument("attempt {} is not in [1, {}]", attempt, kCohortAttemptsMax);
  }
  return attempt;
}

// Ascending positions, each once, at most kNeighboursMax of them.
template <typename Items, typename PositionOf>
Status CheckPositions(std::string_view field, const Items& items, PositionOf position_of) {
  if (items.size() > static_cast<int>(kNeighboursMax)) {
    return InvalidArgument("{} has {} entries; the limit is {}", field, items.size(), kNeighboursMax);
  }
  for (int i = 1; i < items.size(); ++i) {
    if (position_of(items[i - 1]) >= position_of(items[i])) {
      return InvalidArgument("{} is not in the order of positions", field);
    }
  }
  return OkStatus();
}

StatusOr<Advert> AdvertFrom(const v1::Advert& message) {
  Advert advert;
  AISLE_ASSIGN_OR_RETURN(advert.store, StoreId::Parse(message.store()));
  AISLE_ASSIGN_OR_RETURN(advert.certificate_pem,
                         AtMost("advert.certificate_pem", message.certificate_pem(), kCertificateSizeMax));
  AISLE_ASSIGN_OR_RETURN(advert.channel_key, Exactly("advert.channel_key", message.channel_key(), kPublicKeySize));
  AISLE_ASSIGN_OR_RETURN(advert.mask_key, Exactly("advert.mask_key", message.mask_key(), kPublicKeySize));
  AISLE_ASSIGN_OR_RETURN(advert.nonce, Exactly("advert.nonce", message.nonce(), kNonceSize));
  AISLE_ASSIGN_OR_RETURN(advert.terms, DigestFromProto("advert.terms_sha256", message.terms_sha256()));
  AISLE_ASSIGN_OR_RETURN(advert.signature, SignatureFrom(message.signature()));
  return advert;
}

void Write(const Advert& advert, v1::Advert* out) {
  out->set_store(advert.store.str());
  out->set_certificate_pem(advert.certificate_pem);
  out->set_channel_key(advert.channel_key);
  out->set_mask_key(advert.mask_key);
  out->set_nonce(advert.nonce);
  out->set_terms_sha256(BytesOf(advert.terms));
  out->set_signature(advert.signature);
}

StatusOr<RosterHead> HeadFrom(const v1::RosterHead& message) {
  RosterHead head{.size = message.size()};
  if (head.size > kCohortSizeMax)
    return InvalidArgument("roster.size is {}; the limit is {}", head.size, kCohortSizeMax);
  AISLE_ASSIGN_OR_RETURN(head.terms, DigestFromProto("roster.terms_sha256", message.terms_sha256()));
  AISLE_ASSIGN_OR_RETURN(head.root, DigestFromProto("roster.root_sha256", message.root_sha256()));
  AISLE_ASSIGN_OR_RETURN(head.certificate_pem,
                         AtMost("roster.certificate_pem", message.certificate_pem(), kCertificateSizeMax));
  AISLE_ASSIGN_OR_RETURN(head.signature, SignatureFrom(message.signature()));
  return head;
}

void Write(const RosterHead& head, v1::RosterHead* out) {
  out->set_terms_sha256(BytesOf(head.terms));
  out->set_size(head.size);
  out->set_root_sha256(BytesOf(head.root));
  out->set_certificate_pem(head.certificate_pem);
  out->set_signature(head.signature);
}

StatusOr<RosterEntry> EntryFrom(const v1::RosterEntry& message) {
  RosterEntry entry;
  AISLE_ASSIGN_OR_RETURN(entry.position, PositionFrom(message.position()));
  AISLE_ASSIGN_OR_RETURN(entry.advert, AdvertFrom(message.advert()));
  if (message.proof_sha256_size() > kProofLengthMax) {
    return InvalidArgument("a proof has {} digests; the limit is {}", message.proof_sha256_size(), kProofLengthMax);
  }
  for (const std::string& bytes : message.proof_sha256()) {
    AISLE_ASSIGN_OR_RETURN(const Digest digest, DigestFromProto("proof_sha256", bytes));
    entry.proof.push_back(digest);
  }
  return entry;
}

void Write(const RosterEntry& entry, v1::RosterEntry* out) {
  out->set_position(entry.position);
  Write(entry.advert, out->mutable_advert());
  for (const Digest& digest : entry.proof) out->add_proof_sha256(BytesOf(digest));
}

StatusOr<DealtShares> DealtFrom(const v1::DealtShares& message) {
  DealtShares dealt;
  AISLE_RETURN_IF_ERROR(CheckPositions("dealt.shares", message.shares(), [](const auto& share) { return share.to(); }));
  for (const v1::SealedShares& sealed : message.shares()) {
    SealedShares& shares = dealt.shares.emplace_back();
    AISLE_ASSIGN_OR_RETURN(shares.to, PositionFrom(sealed.to()));
    AISLE_ASSIGN_OR_RETURN(shares.sealed, AtMost("sealed", sealed.sealed(), kSealedSizeMax));
    AISLE_ASSIGN_OR_RETURN(shares.mask_commitment, DigestFromProto("mask_commitment", sealed.mask_commitment_sha256()));
    AISLE_ASSIGN_OR_RETURN(shares.seed_commitment, DigestFromProto("seed_commitment", sealed.seed_commitment_sha256()));
  }
  AISLE_ASSIGN_OR_RETURN(dealt.seed_digest, DigestFromProto("dealt.seed_sha256", message.seed_sha256()));
  AISLE_ASSIGN_OR_RETURN(dealt.signature, SignatureFrom(message.signature()));
  return dealt;
}

void Write(const DealtShares& dealt, v1::DealtShares* out) {
  for (const SealedShares& shares : dealt.shares) {
    v1::SealedShares* sealed = out->add_shares();
    sealed->set_to(shares.to);
    sealed->set_sealed(shares.sealed);
    sealed->set_mask_commitment_sha256(BytesOf(shares.mask_commitment));
    sealed->set_seed_commitment_sha256(BytesOf(shares.seed_commitment));
  }
  out->set_seed_sha256(BytesOf(dealt.seed_digest));
  out->set_signature(dealt.signature);
}

StatusOr<Confirmation> ConfirmationFrom(const v1::Confirmation& message) {
  Confirmation confirmation;
  AISLE_ASSIGN_OR_RETURN(confirmation.survivors, DigestFromProto("survivors_sha256", message.survivors_sha256()));
  AISLE_ASSIGN_OR_RETURN(confirmation.signature, SignatureFrom(message.signature()));
  return confirmation;
}

void Write(const Confirmation& confirmation, v1::Confirmation* out) {
  out->set_survivors_sha256(BytesOf(confirmation.survivors));
  out->set_signature(confirmation.signature);
}

StatusOr<RevealedShares> RevealedFrom(const v1::RevealedShares& message) {
  RevealedShares revealed;
  AISLE_RETURN_IF_ERROR(
      CheckPositions("revealed.shares", message.shares(), [](const auto& share) { return share.of(); }));
  for (const v1::RevealedShare& shown : message.shares()) {
    RevealedShare& share = revealed.shares.emplace_back();
    AISLE_ASSIGN_OR_RETURN(share.of, PositionFrom(shown.of()));
    if (shown.kind() != v1::SHARE_KIND_SEED && shown.kind() != v1::SHARE_KIND_MASK_KEY) {
      return InvalidArgument("share kind {} is not known", static_cast<int>(shown.kind()));
    }
    share.kind = static_cast<ShareKind>(shown.kind());
    AISLE_ASSIGN_OR_RETURN(share.share, Exactly("share", shown.share(), kShareSize));
  }
  return revealed;
}

void Write(const RevealedShares& revealed, v1::RevealedShares* out) {
  for (const RevealedShare& share : revealed.shares) {
    v1::RevealedShare* shown = out->add_shares();
    shown->set_of(share.of);
    shown->set_kind(static_cast<v1::ShareKind>(share.kind));
    shown->set_share(share.share);
  }
}

// Round, attempt and deadline of an instruction.
template <typename Instruction, typename Message>
StatusOr<Instruction> HeaderFrom(const Message& message) {
  Instruction instruction;
  AISLE_ASSIGN_OR_RETURN(instruction.round, FromProto(message.round()));
  AISLE_ASSIGN_OR_RETURN(instruction.attempt, AttemptFrom(message.attempt()));
  AISLE_ASSIGN_OR_RETURN(instruction.deadline, TimeFromProto("deadline_unix_ms", message.deadline_unix_ms()));
  return instruction;
}

template <typename Instruction, typename Message>
void WriteHeader(const Instruction& instruction, Message* out) {
  ToProto(instruction.round, out->mutable_round());
  out->set_attempt(instruction.attempt);
  out->set_deadline_unix_ms(absl::ToUnixMillis(instruction.deadline));
}

StatusOr<SumMessage> SumMessageFrom(const v1::SumStepRequest& message) {
  switch (message.message_case()) {
    case v1::SumStepRequest::kAdvert:
      return AdvertFrom(message.advert());
    case v1::SumStepRequest::kDealt:
      return DealtFrom(message.dealt());
    case v1::SumStepRequest::kConfirmation:
      return ConfirmationFrom(message.confirmation());
    case v1::SumStepRequest::kRevealed:
      return RevealedFrom(message.revealed());
    default:
      return InvalidArgument("the step holds no message that is known here");
  }
}

}  // namespace

StatusOr<SumReport> FromProto(const v1::SumStepRequest& message) {
  AISLE_ASSIGN_OR_RETURN(RoundId round, FromProto(message.round()));
  AISLE_ASSIGN_OR_RETURN(const uint32_t attempt, AttemptFrom(message.attempt()));
  AISLE_ASSIGN_OR_RETURN(SumMessage said, SumMessageFrom(message));
  return SumReport{.round = std::move(round), .attempt = attempt, .message = std::move(said)};
}

v1::SumStepRequest ToProto(const SumReport& report) {
  v1::SumStepRequest message;
  ToProto(report.round, message.mutable_round());
  message.set_attempt(report.attempt);
  std::visit(Overloaded{[&](const Advert& advert) { Write(advert, message.mutable_advert()); },
                        [&](const DealtShares& dealt) { Write(dealt, message.mutable_dealt()); },
                        [&](const Confirmation& confirmation) { Write(confirmation, message.mutable_confirmation()); },
                        [&](const RevealedShares& revealed) { Write(revealed, message.mutable_revealed()); }},
             report.message);
  return message;
}

StatusOr<AdvertiseInstruction> FromProto(const v1::AdvertiseInstruction& message) {
  return HeaderFrom<AdvertiseInstruction>(message);
}

void ToProto(const AdvertiseInstruction& instruction, v1::AdvertiseInstruction* message) {
  WriteHeader(instruction, message);
}

StatusOr<ShareInstruction> FromProto(const v1::ShareInstruction& message) {
  AISLE_ASSIGN_OR_RETURN(ShareInstruction instruction, HeaderFrom<ShareInstruction>(message));
  AISLE_ASSIGN_OR_RETURN(instruction.roster, HeadFrom(message.roster()));
  AISLE_ASSIGN_OR_RETURN(instruction.own, EntryFrom(message.own()));
  AISLE_RETURN_IF_ERROR(
      CheckPositions("neighbours", message.neighbours(), [](const auto& entry) { return entry.position(); }));
  for (const v1::RosterEntry& neighbour : message.neighbours()) {
    AISLE_ASSIGN_OR_RETURN(RosterEntry entry, EntryFrom(neighbour));
    instruction.neighbours.push_back(std::move(entry));
  }
  return instruction;
}

void ToProto(const ShareInstruction& instruction, v1::ShareInstruction* message) {
  WriteHeader(instruction, message);
  Write(instruction.roster, message->mutable_roster());
  Write(instruction.own, message->mutable_own());
  for (const RosterEntry& neighbour : instruction.neighbours) Write(neighbour, message->add_neighbours());
}

StatusOr<SharesInbox> FromProto(const v1::SharesInbox& message) {
  SharesInbox inbox;
  AISLE_ASSIGN_OR_RETURN(inbox.attempt, AttemptFrom(message.attempt()));
  AISLE_RETURN_IF_ERROR(
      CheckPositions("inbox.shares", message.shares(), [](const auto& share) { return share.from(); }));
  for (const v1::ReceivedShares& received : message.shares()) {
    ReceivedShares& shares = inbox.shares.emplace_back();
    AISLE_ASSIGN_OR_RETURN(shares.from, PositionFrom(received.from()));
    AISLE_ASSIGN_OR_RETURN(shares.sealed, AtMost("sealed", received.sealed(), kSealedSizeMax));
    AISLE_ASSIGN_OR_RETURN(shares.mask_commitment,
                           DigestFromProto("mask_commitment", received.mask_commitment_sha256()));
    AISLE_ASSIGN_OR_RETURN(shares.seed_commitment,
                           DigestFromProto("seed_commitment", received.seed_commitment_sha256()));
  }
  return inbox;
}

void ToProto(const SharesInbox& inbox, v1::SharesInbox* message) {
  message->set_attempt(inbox.attempt);
  for (const ReceivedShares& shares : inbox.shares) {
    v1::ReceivedShares* received = message->add_shares();
    received->set_from(shares.from);
    received->set_sealed(shares.sealed);
    received->set_mask_commitment_sha256(BytesOf(shares.mask_commitment));
    received->set_seed_commitment_sha256(BytesOf(shares.seed_commitment));
  }
}

StatusOr<ConfirmInstruction> FromProto(const v1::ConfirmInstruction& message) {
  AISLE_ASSIGN_OR_RETURN(ConfirmInstruction instruction, HeaderFrom<ConfirmInstruction>(message));
  if (message.statuses().size() > kCohortSizeMax) {
    return InvalidArgument("{} statuses were sent; the limit is {}", message.statuses().size(), kCohortSizeMax);
  }
  for (const char status : message.statuses()) {
    if (status < 0 || status > static_cast<char>(MemberStatus::kSurvived)) {
      return InvalidArgument("member status {} is not known", static_cast<int>(status));
    }
    instruction.statuses.push_back(static_cast<MemberStatus>(status));
  }
  return instruction;
}

void ToProto(const ConfirmInstruction& instruction, v1::ConfirmInstruction* message) {
  WriteHeader(instruction, message);
  std::string statuses;
  for (const MemberStatus status : instruction.statuses) statuses.push_back(static_cast<char>(status));
  message->set_statuses(std::move(statuses));
}

StatusOr<UnmaskInstruction> FromProto(const v1::UnmaskInstruction& message) {
  AISLE_ASSIGN_OR_RETURN(UnmaskInstruction instruction, HeaderFrom<UnmaskInstruction>(message));
  AISLE_ASSIGN_OR_RETURN(instruction.survivors, DigestFromProto("survivors_sha256", message.survivors_sha256()));
  AISLE_RETURN_IF_ERROR(CheckPositions("confirmations", message.confirmations(),
                                       [](const auto& confirmation) { return confirmation.from(); }));
  for (const v1::NeighbourConfirmation& confirmed : message.confirmations()) {
    NeighbourConfirmation& confirmation = instruction.confirmations.emplace_back();
    AISLE_ASSIGN_OR_RETURN(confirmation.from, PositionFrom(confirmed.from()));
    AISLE_ASSIGN_OR_RETURN(confirmation.signature, SignatureFrom(confirmed.signature()));
  }
  return instruction;
}

void ToProto(const UnmaskInstruction& instruction, v1::UnmaskInstruction* message) {
  WriteHeader(instruction, message);
  message->set_survivors_sha256(BytesOf(instruction.survivors));
  for (const NeighbourConfirmation& confirmation : instruction.confirmations) {
    v1::NeighbourConfirmation* confirmed = message->add_confirmations();
    confirmed->set_from(confirmation.from);
    confirmed->set_signature(confirmation.signature);
  }
}

}  // namespace aisle
