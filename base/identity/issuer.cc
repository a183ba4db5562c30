#include "base/identity/issuer.h"

#include "base/identity/openssl.h"

namespace aisle {
namespace {

std::string DerOf(X509* certificate) {
  unsigned char* bytes = nullptr;
  const int size = i2d_X509(certificate, &bytes);
  if (size <= 0) return "";
  std::string der(reinterpret_cast<const char*>(bytes), static_cast<size_t>(size));
  OPENSSL_free(bytes);
  return der;
}

}  // namespace

std::optional<Issuer> Issuer::FromRoot(x509_st* root) {
  const std::string der = DerOf(root);
  const std::optional<RootForm> form = ReadRootForm(der);
  if (!form) return std::nullopt;
  StatusOr<P256Key> key = P256Key::FromInfo(form->key_info);
  if (!key.ok()) return std::nullopt;
  Issuer issuer(std::string(form->name), std::string(form->key_id), *std::move(key));
  issuer.not_before_ = form->not_before;
  issuer.not_after_ = form->not_after;
  return issuer;
}

bool Issuer::Issued(const IssuedForm& form) const {
  return form.issuer == name_ && form.issuer_key_id == key_id_ &&
         key_.HasSigned(Sha256::Of(form.signed_part), form.signature);
}

}  // namespace aisle
