// A headquarters that lies to a store in the secure sum: any instruction, at any step. A refusal changes nothing, and
// what the store has once said it says again.
#include "privacy/secagg/member.h"

#include "base/check.h"
#include "proto/convert/secure_sum.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/messages.h"
#include "tests/secagg/mac_chain.h"
#include "tests/secagg/played_cohort.h"

namespace aisle::fuzz::member {
namespace {

using secagg::Answer;
using secagg::Member;
using secagg::PlayedCohort;

constexpr uint32_t kStore = 1;  // Its position.
const secagg::Play kPlay{.size = 4};

struct Scene {
  std::string member;   // As it was kept before the step.
  std::string message;  // What an honest headquarters would send.
};

template <typename Message, typename Instruction>
std::string Sent(const Instruction& instruction) {
  Message message;
  ToProto(instruction, &message);
  return Spelled(message);
}

std::string Kept(const Member& member) { return std::string(member.Encode().Reveal()); }

// One for each step.
const std::vector<Scene>& Scenes() {
  static const std::vector<Scene> scenes = [] {
    PlayedCohort played(kPlay);
    std::vector<Scene> all;
    all.push_back({Kept(played.member(kStore)), Sent<v1::ShareInstruction>(played.ShareFor(kStore))});
    played.Deal();
    all.push_back({Kept(played.member(kStore)), Sent<v1::SharesInbox>(played.InboxFor(kStore))});
    played.Collect();
    all.push_back({Kept(played.member(kStore)), Sent<v1::ConfirmInstruction>(played.ConfirmFor(kStore))});
    played.Confirm();
    all.push_back({Kept(played.member(kStore)), Sent<v1::UnmaskInstruction>(played.UnmaskFor(kStore))});
    return all;
  }();
  return scenes;
}

template <typename T>
bool HasRefused(const Answer<T>& answer) {
  return std::holds_alternative<Refused>(answer);
}

template <typename T>
StatusOr<T> Understood(std::string_view bytes) {
  T message;
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return InvalidArgument("no message");
  return message;
}

// Each says whether the store refused; nothing if the instruction didn't pass the door.
using Step = std::optional<bool> (*)(Member&, std::string_view);

std::optional<bool> Share(Member& member, std::string_view bytes) {
  const auto message = Understood<v1::ShareInstruction>(bytes);
  const auto instruction = message.ok() ? FromProto(*message) : message.status();
  if (!instruction.ok()) return std::nullopt;
  return HasRefused(*member.Share(*instruction, secagg::CredentialsOf(member.self()), secagg::TrustInAll()));
}
std::optional<bool> Take(Member& member, std::string_view bytes) {
  const auto message = Understood<v1::SharesInbox>(bytes);
  const auto inbox = message.ok() ? FromProto(*message) : message.status();
  if (!inbox.ok()) return std::nullopt;
  const bool refused = member.Take(*inbox).has_value();
  if (refused) return true;
  std::vector<uint32_t> vector(kPlay.length);
  member.Mask(0, vector);
  return false;
}
std::optional<bool> Confirm(Member& member, std::string_view bytes) {
  const auto message = Understood<v1::ConfirmInstruction>(bytes);
  const auto instruction = message.ok() ? FromProto(*message) : message.status();
  if (!instruction.ok()) return std::nullopt;
  return HasRefused(*member.Confirm(*instruction, secagg::CredentialsOf(member.self())));
}
std::optional<bool> Reveal(Member& member, std::string_view bytes) {
  const auto message = Understood<v1::UnmaskInstruction>(bytes);
  const auto instruction = message.ok() ? FromProto(*message) : message.status();
  if (!instruction.ok()) return std::nullopt;
  return HasRefused(member.Reveal(*instruction, secagg::TrustInAll()));
}

void Try(const Scene& scene, Step step, std::string_view bytes) {
  Member member = Member::Decode(scene.member).value();
  const std::optional<bool> refused = step(member, bytes);
  if (!refused) return;
  const std::string after = Kept(member);
  if (*refused) AISLE_CHECK(after == scene.member);
  StatusOr<Member> restarted = Member::Decode(after);
  AISLE_CHECK(restarted.ok(), "{}", MessageOf(restarted.status()));
  AISLE_CHECK(step(*restarted, bytes) == refused && Kept(*restarted) == after);
}

}  // namespace

// The first byte says at which step.
void TryInput(std::string_view input) {
  static constexpr std::array<Step, 4> kSteps = {Share, Take, Confirm, Reveal};
  if (input.empty()) return;
  const size_t step = static_cast<unsigned char>(input[0]) % kSteps.size();
  Try(Scenes()[step], kSteps[step], input.substr(1));
}

std::vector<std::string> Seeds() {
  std::vector<std::string> seeds;
  for (const Scene& scene : Scenes()) seeds.push_back(static_cast<char>(seeds.size()) + scene.message);
  return seeds;
}

}  // namespace aisle::fuzz::member

AISLE_FUZZ_TARGET(member);
