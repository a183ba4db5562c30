// The secure sum's messages: what a store believes of headquarters and of its neighbours begins here.
#include "proto/convert/secure_sum.h"

#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/messages.h"

namespace aisle::fuzz::secure_sum {
namespace {

const absl::Time kAt = absl::FromUnixSeconds(1'800'000'000);
const std::string kKey(kPublicKeySize, 'k');

template <typename Message>
void TryInstruction(std::string_view input) {
  TryDoor<Message>(
      input, [](const Message& message) { return FromProto(message); },
      [](const auto& value) {
        Message message;
        ToProto(value, &message);
        return message;
      });
}

template <typename Message, typename Value>
std::string Written(const Value& value) {
  Message message;
  ToProto(value, &message);
  return Spelled(message);
}

Advert AdvertOf(std::string_view store) {
  return {.store = *StoreId::Parse(store),
          .certificate_pem = "-----BEGIN CERTIFICATE-----\n",
          .channel_key = kKey,
          .mask_key = kKey,
          .nonce = std::string(kNonceSize, 'n'),
          .terms = Sha256::Of("terms"),
          .signature = std::string(70, 's')};
}

RosterEntry EntryOf(std::string_view store, uint32_t position) {
  return {.position = position, .advert = AdvertOf(store), .proof = {Sha256::Of("left"), Sha256::Of("right")}};
}

std::string Said(const RoundId& round, SumMessage message) {
  return Spelled(ToProto(SumReport{.round = round, .attempt = 2, .message = std::move(message)}));
}

}  // namespace

void TryInput(std::string_view input) {
  TryDoor<v1::SumStepRequest>(
      input, [](const v1::SumStepRequest& message) { return FromProto(message); },
      [](const SumReport& report) { return ToProto(report); });
  TryInstruction<v1::AdvertiseInstruction>(input);
  TryInstruction<v1::ShareInstruction>(input);
  TryInstruction<v1::SharesInbox>(input);
  TryInstruction<v1::ConfirmInstruction>(input);
  TryInstruction<v1::UnmaskInstruction>(input);
}

std::vector<std::string> Seeds() {
  const RoundId round{.job = *JobId::Parse("demand"), .number = 7};
  const Digest digest = Sha256::Of("digest");
  const std::string sealed(120, 'c');
  const RosterHead roster{.terms = digest,
                          .size = 3,
                          .root = digest,
                          .certificate_pem = "-----BEGIN CERTIFICATE-----\n",
                          .signature = std::string(70, 's')};
  return {
      Said(round, AdvertOf("leeds-01")),
      Said(round,
           DealtShares{.shares = {{.to = 1, .sealed = sealed, .mask_commitment = digest, .seed_commitment = digest}},
                       .seed_digest = digest,
                       .signature = std::string(70, 's')}),
      Said(round, Confirmation{.survivors = digest, .signature = std::string(70, 's')}),
      Said(round,
           RevealedShares{.shares = {{.of = 1, .kind = ShareKind::kSeed, .share = std::string(kShareSize, 'x')},
                                     {.of = 2, .kind = ShareKind::kMaskKey, .share = std::string(kShareSize, 'x')}}}),
      Written<v1::AdvertiseInstruction>(AdvertiseInstruction{.round = round, .attempt = 1, .deadline = kAt}),
      Written<v1::ShareInstruction>(ShareInstruction{.round = round,
                                                     .attempt = 1,
                                                     .deadline = kAt,
                                                     .roster = roster,
                                                     .own = EntryOf("leeds-01", 0),
                                                     .neighbours = {EntryOf("york-01", 1), EntryOf("york-02", 2)}}),
      Written<v1::SharesInbox>(
          SharesInbox{.attempt = 1,
                      .shares = {{.from = 1, .sealed = sealed, .mask_commitment = digest, .seed_commitment = digest}}}),
      Written<v1::ConfirmInstruction>(
          ConfirmInstruction{.round = round,
                             .attempt = 1,
                             .deadline = kAt,
                             .statuses = {MemberStatus::kSurvived, MemberStatus::kDropped, MemberStatus::kAbsent}}),
      Written<v1::UnmaskInstruction>(UnmaskInstruction{.round = round,
                                                       .attempt = 1,
                                                       .deadline = kAt,
                                                       .survivors = digest,
                                                       .confirmations = {{.from = 1, .signature = "signature"}}})};
}

}  // namespace aisle::fuzz::secure_sum

AISLE_FUZZ_TARGET(secure_sum);
