#include "base/identity/p256_key.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/params.h>

#include "base/check.h"
#include "base/identity/openssl.h"

namespace aisle {
namespace {

EVP_PKEY* MakeCurve() {
  const openssl::KeyContextPtr context(EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
  char name[] = "prime256v1";
  OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, name, 0),
                             OSSL_PARAM_construct_end()};
  EVP_PKEY* curve = nullptr;
  AISLE_CHECK(context != nullptr && EVP_PKEY_fromdata_init(context.get()) == 1 &&
                  EVP_PKEY_fromdata(context.get(), &curve, EVP_PKEY_KEY_PARAMETERS, parameters) == 1,
              "OpenSSL offers no P-256");
  return curve;
}

// The curve without a point. Copying it and setting one takes OpenSSL a twentieth of the time of reading a key from
// DER, for which it first asks all of its decoders.
EVP_PKEY* Curve() {
  static EVP_PKEY* const curve = MakeCurve();
  return curve;
}

}  // namespace

StatusOr<P256Key> P256Key::FromInfo(std::string_view info) {
  if (info.size() != kP256InfoSize || !info.starts_with(kP256InfoPrefix)) {
    return InvalidArgument("the key isn't written as an uncompressed point on P-256");
  }
  const std::string_view point = info.substr(kP256InfoPrefix.size() - 1);  // Beginning with 4: uncompressed.
  const openssl::KeyPtr key(EVP_PKEY_dup(Curve()));
  if (key == nullptr) return openssl::Failed("copy a key");
  if (EVP_PKEY_set1_encoded_public_key(key.get(), openssl::Bytes(point), point.size()) != 1) {
    return openssl::Malformed("the key is no point on P-256");
  }
  return Of(key.get());
}

StatusOr<P256Key> P256Key::Of(evp_pkey_st* key) {
  std::shared_ptr<EVP_PKEY_CTX> ready(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr), EVP_PKEY_CTX_free);
  if (ready == nullptr || EVP_PKEY_verify_init(ready.get()) != 1) return openssl::Failed("make a key ready to verify");
  return P256Key(std::move(ready));
}

bool P256Key::HasSigned(const Digest& digest, std::string_view signature) const {
  const openssl::KeyContextPtr context(EVP_PKEY_CTX_dup(ready_.get()));
  AISLE_CHECK(context != nullptr, "OpenSSL copies no context");
  const int verdict =
      EVP_PKEY_verify(context.get(), openssl::Bytes(signature), signature.size(), digest.bytes.data(), Digest::kSize);
  ERR_clear_error();
  return verdict == 1;
}

}  // namespace aisle
