// Certificates and requests as the authority would never make them: what a strict reader has to refuse.
#pragma once

#include <absl/time/time.h>

#include <string>
#include <vector>

#include "base/identity/authority.h"
#include "base/identity/key_pair.h"

namespace aisle::testing {

inline const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);

ChainName Chain(std::string_view name);
Identity StoreIdentity(std::string_view chain, std::string_view name);
CertificateAuthority NewAuthority(std::string_view chain = "northwind", absl::Time now = kNow);

struct ForgedName {
  enum class Form { kUri, kDns, kEmail, kIp };
  Form form = Form::kUri;
  std::string text;  // Bytes as they are, '\0' included.
};
// A certificate with exactly these names, signed by its own throw-away key.
std::string ForgeCertificate(const std::vector<ForgedName>& names, bool is_authority = false);
// A whole certificate around a signed part (DER of a TBSCertificate) that may say anything.
std::string SignAsCertificate(std::string_view signed_part, const KeyPair& issuer);
std::string PemOfDer(std::string_view certificate);
// A root over `key`, named as NewAuthority's and with its extensions, but for `changed`, in OpenSSL's configuration
// language: replaced, added, or left out where it is empty.
struct ForgedExtension {
  int nid;
  std::string value;
};
std::string ForgeRoot(const KeyPair& key, const std::vector<ForgedExtension>& changed);
// ForgeCertificate over an RSA key.
std::string ForgeRsaCertificate(const std::string& uri);

std::string ForgeRsaCsr(unsigned bits);
std::string ForgeCurveCsr(const char* curve);
// A well-formed request whose signature is by another key.
std::string ForgeUnprovenCsr();

// A folder of this test's own under TMPDIR, removed with all that is in it.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::string& path() const { return path_; }
  std::string File(std::string_view name) const { return path_ + "/" + std::string(name); }

 private:
  std::string path_;
};

}  // namespace aisle::testing
