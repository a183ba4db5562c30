#include "tests/coordinator-driver/sum_part.h"

#include <cstring>
#include <utility>
#include <vector>

#include "base/identity/statement.h"

namespace aisle::test {
namespace {

Status Refusal(const Refused& refused) {
  return PermissionDenied("the store refuses: {}: {}", NameOf(refused.reason), refused.detail);
}

template <typename T>
StatusOr<SumMessage> Taken(StatusOr<secagg::Answer<T>> answer) {
  if (!answer.ok()) return answer.status();
  if (const auto* refused = std::get_if<Refused>(&*answer)) return Refusal(*refused);
  return SumMessage(std::get<T>(*std::move(answer)));
}

}  // namespace

SumPart::SumPart(StoreId store, Certificate certificate, std::shared_ptr<const KeyPair> key, std::string roots)
    : store_(std::move(store)), certificate_(std::move(certificate)), key_(std::move(key)), roots_(std::move(roots)) {}

secagg::Credentials SumPart::OwnCredentials() const {
  return {.certificate_pem = certificate_.pem(),
          .sign = [key = key_](std::string_view domain, std::string_view message) {
            return SignStatement(*key, domain, message);
          }};
}

secagg::Trust SumPart::TrustAt(absl::Time now) const {
  const auto trusted = [roots = roots_, now](const std::string& pem) -> StatusOr<Certificate> {
    AISLE_ASSIGN_OR_RETURN(Certificate certificate, Certificate::FromPem(pem));
    AISLE_RETURN_IF_ERROR(certificate.CheckIssuedBy(roots, now));
    return certificate;
  };
  return {.verify_store = [trusted](const std::string& pem, const StoreId& store, std::string_view domain,
                                    std::string_view message, std::string_view signature) -> Status {
            AISLE_ASSIGN_OR_RETURN(const Certificate certificate, trusted(pem));
            AISLE_ASSIGN_OR_RETURN(const StoreId named, StoreOf(certificate.identity()));
            if (named != store) return Unauthenticated("{}'s certificate, not {}'s", named, store);
            return VerifyStatement(certificate, domain, message, signature);
          },
          .verify_headquarters = [trusted](const std::string& pem, std::string_view domain, std::string_view message,
                                           std::string_view signature) -> Status {
            AISLE_ASSIGN_OR_RETURN(const Certificate certificate, trusted(pem));
            AISLE_RETURN_IF_ERROR(RequireRole(certificate.identity(), Role::kCoordinator));
            return VerifyStatement(certificate, domain, message, signature);
          },
          .key_of = [](const std::string& pem) -> StatusOr<Digest> {
            AISLE_ASSIGN_OR_RETURN(const Certificate certificate, Certificate::FromPem(pem));
            return certificate.key_digest();
          }};
}

StatusOr<SumMessage> SumPart::Say(const AdvertiseInstruction& instruction, CohortTerms terms, absl::Time) {
  if (record_) {
    AISLE_ASSIGN_OR_RETURN(const secagg::Member member, secagg::Member::Decode(record_->Reveal()));
    if (member.terms().round == instruction.round) {
      if (member.terms().attempt == instruction.attempt) return SumMessage(member.advert());
      if (const auto refused = member.RefusesAttempt(instruction.attempt)) return Refusal(*refused);
    }
  }
  terms.attempt = instruction.attempt;
  const uint32_t cohort_min = terms.cohort_min;
  AISLE_ASSIGN_OR_RETURN(const secagg::Member member,
                         secagg::Member::Join(std::move(terms), cohort_min, store_, OwnCredentials(), random_));
  record_ = member.Encode();
  return SumMessage(member.advert());
}

StatusOr<SumMessage> SumPart::Say(const ShareInstruction& instruction, const CohortTerms&, absl::Time now) {
  AISLE_ASSIGN_OR_RETURN(secagg::Member member, secagg::Member::Decode(record_->Reveal()));
  StatusOr<SumMessage> said = Taken(member.Share(instruction, OwnCredentials(), TrustAt(now)));
  record_ = member.Encode();
  return said;
}

StatusOr<SumMessage> SumPart::Say(const ConfirmInstruction& instruction, const CohortTerms&, absl::Time) {
  AISLE_ASSIGN_OR_RETURN(secagg::Member member, secagg::Member::Decode(record_->Reveal()));
  StatusOr<SumMessage> said = Taken(member.Confirm(instruction, OwnCredentials()));
  record_ = member.Encode();
  return said;
}

StatusOr<SumMessage> SumPart::Say(const UnmaskInstruction& instruction, const CohortTerms&, absl::Time now) {
  AISLE_ASSIGN_OR_RETURN(secagg::Member member, secagg::Member::Decode(record_->Reveal()));
  StatusOr<SumMessage> said = Taken<RevealedShares>(member.Reveal(instruction, TrustAt(now)));
  record_ = member.Encode();
  return said;
}

StatusOr<SumReport> SumPart::Answer(const Instruction& instruction, CohortTerms terms, absl::Time now) {
  return std::visit(
      [&](const auto& asked) -> StatusOr<SumReport> {
        if constexpr (requires { this->Say(asked, terms, now); }) {
          AISLE_ASSIGN_OR_RETURN(SumMessage message, Say(asked, terms, now));
          return SumReport{.round = asked.round, .attempt = asked.attempt, .message = std::move(message)};
        } else {
          return InvalidArgument("no step of the secure sum");
        }
      },
      instruction);
}

StatusOr<std::string> SumPart::Mask(const SharesInbox& inbox, std::string_view vector) {
  AISLE_ASSIGN_OR_RETURN(secagg::Member member, secagg::Member::Decode(record_->Reveal()));
  if (const auto refused = member.Take(inbox)) return Refusal(*refused);
  record_ = member.Encode();
  std::vector<uint32_t> values(vector.size() / sizeof(uint32_t));
  std::memcpy(values.data(), vector.data(), vector.size());
  member.Mask(0, values);
  return std::string(reinterpret_cast<const char*>(values.data()), vector.size());
}

}  // namespace aisle::test
