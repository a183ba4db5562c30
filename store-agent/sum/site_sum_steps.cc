#include "store-agent/sum/site_sum_steps.h"

#include <algorithm>

#include "base/cover.h"
#include "base/identity/statement.h"
#include "base/log.h"
#include "base/overloaded.h"
#include "store-agent/sum/chain_trust.h"

namespace aisle {
namespace {

constexpr size_t kCertificatesKept = 2 * kNeighboursMax;  // Neighbours change with every cohort, and meet again.

TaskEnd StorageFailed(const Status& status) {
  LogError("a step of the secure sum can't be taken: {}", MessageOf(status));
  return Failed{FailureReason::kStorage, "the store's files don't allow a step of the secure sum"};
}

secagg::Credentials CredentialsOf(const KeyPair& key, std::string certificate_pem) {
  return {.certificate_pem = std::move(certificate_pem),
          .sign = [&key](std::string_view domain, std::string_view message) {
            return SignStatement(key, domain, message);
          }};
}

using Answered = StatusOr<secagg::Answer<SumMessage>>;

template <typename T>
Answered Widened(StatusOr<secagg::Answer<T>> answer) {
  AISLE_RETURN_IF_ERROR(answer.status());
  if (auto* refused = std::get_if<Refused>(&*answer)) return secagg::Answer<SumMessage>(std::move(*refused));
  return secagg::Answer<SumMessage>(SumMessage(std::get<T>(*std::move(answer))));
}

Answered Take(KeptCohort& kept, const agent::SumInstruction& instruction, const secagg::Trust& trust) {
  const secagg::Credentials credentials = CredentialsOf(kept.key, kept.member.advert().certificate_pem);
  return std::visit(
      Overloaded{[&](const ShareInstruction& share) { return Widened(kept.member.Share(share, credentials, trust)); },
                 [&](const ConfirmInstruction& confirm) { return Widened(kept.member.Confirm(confirm, credentials)); },
                 [&](const UnmaskInstruction& unmask) {
                   return Widened(StatusOr<secagg::Answer<RevealedShares>>(kept.member.Reveal(unmask, trust)));
                 },
                 [](const auto&) -> Answered { return Internal("no step of a cohort that was joined"); }},
      instruction);
}

}  // namespace

std::variant<SumMessage, TaskEnd> SiteSumSteps::Say(const agent::TakeSumStep& step) {
  if (std::holds_alternative<AdvertiseInstruction>(step.instruction)) return Advertise(step);
  auto cohort = CohortOf(step);
  if (auto* end = std::get_if<TaskEnd>(&cohort)) return std::move(*end);
  auto& kept = std::get<KeptCohort>(cohort);
  const StatusOr<secagg::Trust> trust = TrustNow();
  if (!trust.ok()) return StorageFailed(trust.status());
  Answered answer = Take(kept, step.instruction, *trust);
  if (!answer.ok()) return StorageFailed(answer.status());
  if (auto* refused = std::get_if<Refused>(&*answer)) return TaskEnd(std::move(*refused));
  const Status saved = Keep(std::move(kept));
  if (!saved.ok()) return StorageFailed(saved);
  return std::get<SumMessage>(*std::move(answer));
}

Status SiteSumSteps::Forget(const RoundId& round) {
  kept_.reset();
  return parts_.cohorts.Drop(round);
}

Status SiteSumSteps::ForgetAllBut(const std::optional<RoundId>& round) {
  kept_.reset();
  return parts_.cohorts.DropAllBut(round);
}

Status SiteSumSteps::Keep(KeptCohort cohort) {
  kept_.reset();  // Whatever comes of it, what was there before is no longer true.
  AISLE_RETURN_IF_ERROR(parts_.cohorts.Save(cohort));
  kept_.emplace(std::move(cohort));
  return OkStatus();
}

StatusOr<std::optional<KeptCohort>> SiteSumSteps::Load(const RoundId& round) {
  if (kept_ && kept_->member.terms().round == round) return std::exchange(kept_, std::nullopt);
  return parts_.cohorts.Load(round);
}

// Other roots forget what was proven under the old ones.
StatusOr<secagg::Trust> SiteSumSteps::TrustNow() {
  const TlsIdentity identity = parts_.identity();
  if (!known_ || known_->roots().pem() != identity.ca_pem) {
    AISLE_ASSIGN_OR_RETURN(TrustedRoots roots, TrustedRoots::FromPem(identity.ca_pem));
    known_.emplace(std::move(roots), kCertificatesKept);
  }
  return ChainTrust(*known_, identity.certificate.identity().chain, parts_.clock.Now());
}

std::variant<SumMessage, TaskEnd> SiteSumSteps::Advertise(const agent::TakeSumStep& step) {
  const StatusOr<std::optional<KeptCohort>> found = Load(step.terms.round);
  if (!found.ok()) return StorageFailed(found.status());
  if (*found && (*found)->update == step.update.digest) {
    const secagg::Member& member = (*found)->member;
    if (std::optional<Refused> refused = member.RefusesAttempt(step.terms.attempt)) {
      return TaskEnd(*std::move(refused));
    }
    if (member.terms().attempt == step.terms.attempt) return SumMessage(member.advert());
    AISLE_COVER("sum.joined_anew");
  }
  TlsIdentity identity = parts_.identity();
  const StatusOr<StoreId> self = StoreOf(identity.certificate.identity());
  if (!self.ok()) return StorageFailed(self.status());
  StatusOr<secagg::Member> member =
      secagg::Member::Join(step.terms, std::max(step.terms.cohort_min, parts_.policy.cohort_min), *self,
                           CredentialsOf(identity.key, identity.certificate.pem()), parts_.random);
  if (!member.ok()) return StorageFailed(member.status());
  Advert advert = member->advert();
  const Status saved =  // The earlier attempt's secrets are gone with it.
      Keep({.update = step.update.digest, .key = std::move(identity.key), .member = *std::move(member)});
  if (!saved.ok()) return StorageFailed(saved);
  return SumMessage(std::move(advert));
}

std::variant<KeptCohort, TaskEnd> SiteSumSteps::CohortOf(const agent::TakeSumStep& step) {
  StatusOr<std::optional<KeptCohort>> found = Load(step.terms.round);
  if (!found.ok()) return StorageFailed(found.status());
  if (!*found || (*found)->update != step.update.digest) {
    return TaskEnd(Refused{RefusalReason::kCohortReplayed,
                           fmt::format("this store has joined no cohort of round {}", step.terms.round)});
  }
  return **std::move(found);
}

std::variant<BlobName, TaskEnd> SiteSumSteps::Mask(const agent::TakeSumStep& step) {
  auto cohort = CohortOf(step);
  if (auto* end = std::get_if<TaskEnd>(&cohort)) return std::move(*end);
  auto& kept = std::get<KeptCohort>(cohort);
  std::optional<Refused> refused = kept.member.Take(*std::get<CollectInstruction>(step.instruction).inbox);
  if (refused) return TaskEnd(*std::move(refused));
  for (const StoreId& dealer : kept.member.WrongDealers()) {
    AISLE_COVER("sum.wrong_dealer");
    LogWarning("round {}: what store {} dealt to this one is wrong; enough others are right, so the sum goes on",
               step.terms.round, dealer);
  }
  const Status saved = Keep(std::move(kept));  // From here on the vector is this cohort's for ever.
  if (!saved.ok()) return StorageFailed(saved);
  const secagg::Member& member = kept_->member;
  if (step.update.size != step.terms.length * sizeof(uint32_t)) {
    return StorageFailed(DataLoss("a vector of {} bytes isn't {} coordinates", step.update.size, step.terms.length));
  }
  const StatusOr<BlobName> masked =
      parts_.spool.WriteMasked(step.terms.round, step.update,
                               [&member](uint64_t first, std::span<uint32_t> values) { member.Mask(first, values); });
  if (!masked.ok()) return StorageFailed(masked.status());
  return *masked;
}

}  // namespace aisle
