// Certificates, requests, keys, names and codes, from whoever connects; and what headquarters keeps of codes.
#include "base/check.h"
#include "base/identity/authority.h"
#include "base/identity/der.h"
#include "base/identity/issued_form.h"
#include "base/identity/signing.h"
#include "base/identity/statement.h"
#include "base/identity/trusted_roots.h"
#include "coordinator/enrolment/enrolment.h"
#include "tests/fuzz/fuzz.h"

namespace aisle::fuzz::identity {
namespace {

const absl::Time kAt = absl::FromUnixSeconds(1'800'000'000);

// What is read without OpenSSL is what OpenSSL reads.
void TryForm(std::string_view input, const StatusOr<Certificate>& certificate) {
  const std::optional<std::string> der = der::FromCertificatePem(input);
  const std::optional<IssuedForm> form = der ? ReadIssuedForm(*der) : std::nullopt;
  if (!form || !P256Key::FromInfo(form->key_info).ok()) return;
  AISLE_CHECK(certificate.ok() && certificate->identity() == form->identity);
  AISLE_CHECK(certificate->not_before() == form->not_before && certificate->not_after() == form->not_after);
  AISLE_CHECK(certificate->key_digest() == Sha256::Of(form->key_info));
}

void TryCertificate(std::string_view input) {
  const StatusOr<Certificate> certificate = Certificate::FromPem(input);
  TryForm(input, certificate);
  if (!certificate.ok()) return;
  (void)certificate->ServerNames();
  (void)certificate->CheckIssuedBy(input, kAt);
  AISLE_CHECK(!VerifyStatement(*certificate, "aisle/fuzz", "message", input).ok());
  const StatusOr<Certificate> again = Certificate::FromPem(certificate->pem());
  AISLE_CHECK(again.ok() && again->identity() == certificate->identity());
  AISLE_CHECK(again->key_digest() == certificate->key_digest());
}

}  // namespace

void TryInput(std::string_view input) {
  TryCertificate(input);
  (void)TrustedRoots::FromPem(input);
  (void)KeyOfCsr(input);
  // OpenSSL tries all its decoders on what might be a key, which takes long; without this there is nothing to decode.
  if (input.find(" KEY-----") != std::string_view::npos) {
    (void)KeyPair::FromPem(SecretBytes::CopyOf(input));
    (void)VerifyKey::FromPem(input);
  }
  (void)VerifyKey::FromBytes(input);
  if (const StatusOr<Identity> identity = Identity::ParseUri(input); identity.ok()) {
    AISLE_CHECK(identity->Uri() == input);
  }
  (void)OneTimeCode::Parse(input);
  if (const StatusOr<EnrolmentRecord> record = DecodeRecord(input); record.ok()) {
    AISLE_CHECK(EncodeRecord(*record) == input);
  }
}

std::vector<std::string> Seeds() {
  SecureRandom random;
  const KeyPair key = KeyPair::Generate().value();
  const auto authority =
      CertificateAuthority::Create(*ChainName::Parse("northwind"), KeyPair::Generate().value(), kAt, random).value();
  const Identity store = Identity::Make(authority.chain(), Role::kStore, "leeds-01").value();
  const Identity coordinator = Identity::Make(authority.chain(), Role::kCoordinator, "coordinator").value();
  EnrolmentRecord record = IssueCode(*StoreId::Parse("leeds-01"), EnrolmentPolicy{}, kAt, random).record;
  const std::string unused = EncodeRecord(record);
  record.redeemed = {.key = key.digest(), .at = kAt};
  return {authority.root_pem(),
          authority.Issue(key, {store, absl::Hours(72), {}}, kAt, random).value().pem(),
          authority.Issue(key, {coordinator, absl::Hours(72), {"hq.example", "::1", "10.0.0.1"}}, kAt, random)
              .value()
              .pem(),
          MakeCsr(key).value(),
          std::string(key.ToPem().value().Reveal()),
          SigningKey::Generate(random).value().verify_key().ToPem().value(),
          store.Uri(),
          "0123-4567-89ab-cdef-0123-4567-89AB-CDEF",
          unused,
          EncodeRecord(record)};
}

}  // namespace aisle::fuzz::identity

AISLE_DEAR_FUZZ_TARGET(identity, 4);
