#include "tests/simulation/remembered_calls.h"

#include <dlfcn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/pem.h>

#include <array>
#include <cstring>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace aisle::simulation {
namespace {

constexpr size_t kAnswersMax = 20'000;  // Of each kind; full, all are forgotten. A large world's, many times over.
constexpr size_t kKeysMax = 5'000;
constexpr size_t kPublicKeyMax = 65;  // Of P-256, uncompressed.
constexpr size_t kSecretSize = 32;    // Of X25519: private keys and what is agreed on.
constexpr size_t kDigestSize = 32;    // SHA-256.

CallsRemembered calls;

template <typename Answer>
class Memory {
 public:
  Memory() { answers_.reserve(kAnswersMax); }
  // The answer to `question`: the one that `work_out` gave when it was first asked.
  template <typename Work>
  const Answer& Ask(std::string question, const Work& work_out) {
    if (const Answer* known = Find(question)) return *known;
    return Keep(std::move(question), work_out());
  }
  const Answer* Find(const std::string& question) {
    ++calls.asked;
    const auto known = answers_.find(question);
    if (known != answers_.end()) return &known->second;
    ++calls.done;
    return nullptr;
  }
  const Answer& Keep(std::string question, Answer answer) {
    if (answers_.size() >= kAnswersMax) answers_.clear();
    return answers_.emplace(std::move(question), std::move(answer)).first->second;
  }

 private:
  std::unordered_map<std::string, Answer> answers_;
};

template <typename Function>
Function* Real(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

std::string_view Text(const unsigned char* bytes, size_t size) { return {reinterpret_cast<const char*>(bytes), size}; }

bool IsOnP256(EVP_PKEY* key) {
  std::array<char, 16> group{};
  size_t size = 0;
  return EVP_PKEY_get_group_name(key, group.data(), group.size(), &size) == 1 &&
         std::string_view(group.data(), size) == "prime256v1";
}

// Empty for keys on other curves than P-256 and X25519.
std::string PublicKeyOf(EVP_PKEY* key) {
  const int kind = key == nullptr ? EVP_PKEY_NONE : EVP_PKEY_get_base_id(key);
  if (kind != EVP_PKEY_X25519 && !(kind == EVP_PKEY_EC && IsOnP256(key))) return "";
  std::string bytes(kPublicKeyMax, '\0');
  size_t size = 0;
  const int got = EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY,
                                                  reinterpret_cast<unsigned char*>(bytes.data()), bytes.size(), &size);
  bytes.resize(got == 1 ? size : 0);
  return bytes;
}

// The public half of a key that its owner uses again and again, and changes no more.
const std::string& KnownPublicKeyOf(EVP_PKEY* key) {
  static auto* const known = new std::unordered_map<EVP_PKEY*, std::string>;
  if (const auto found = known->find(key); found != known->end()) return found->second;
  if (known->size() >= kKeysMax) {
    for (const auto& [kept, bytes] : *known) EVP_PKEY_free(kept);
    known->clear();
  }
  if (key != nullptr) EVP_PKEY_up_ref(key);  // No other key will have its address.
  return known->emplace(key, PublicKeyOf(key)).first->second;
}

// Whether `signature` is that key's over what has that digest. Empty for other keys than those on P-256.
std::string Verification(EVP_PKEY* key, std::string_view digest, std::string_view signature) {
  std::string question = KnownPublicKeyOf(key);
  if (question.size() != kPublicKeyMax || digest.size() != kDigestSize) return "";
  return question.append(digest).append(signature);  // All but the last are of one size.
}

Memory<int>& Verifications() {
  static auto* const memory = new Memory<int>;
  return *memory;
}

// All that a call is given, each with its name and size. A context of its own holds no more (base/digest.cc).
std::string Parameters(const OSSL_PARAM* params) {
  std::string all;
  for (; params->key != nullptr; ++params) {
    all.append(params->key).append(1, '\0');
    all.append(reinterpret_cast<const char*>(&params->data_size), sizeof params->data_size);
    all.append(static_cast<const char*>(params->data), params->data_size);
  }
  return all;
}

// What two keys agree on, or is derived.
struct Agreement {
  int result = 0;
  std::array<unsigned char, kSecretSize> secret{};
};

int UpRef(EVP_PKEY* key) { return EVP_PKEY_up_ref(key); }
int UpRef(X509* certificate) { return X509_up_ref(certificate); }
void Free(EVP_PKEY* key) { EVP_PKEY_free(key); }
void Free(X509* certificate) { X509_free(certificate); }

// Keeps a key or a certificate that was made, for all who ask for it: nobody changes one.
template <typename T>
class Shared {
 public:
  explicit Shared(T* made) : made_(made) {}
  ~Shared() { Free(made_); }
  Shared(const Shared&) = delete;
  Shared& operator=(const Shared&) = delete;
  Shared(Shared&& other) noexcept : made_(std::exchange(other.made_, nullptr)) {}
  Shared& operator=(Shared&&) = delete;
  T* Share() const { return made_ != nullptr && UpRef(made_) == 1 ? made_ : nullptr; }

 private:
  T* made_;
};

std::string_view LeftIn(BIO* reader) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(reader, &data);
  return size > 0 ? std::string_view(data, static_cast<size_t>(size)) : std::string_view();
}

// What was read from text that began like this, and how much of it was read.
template <typename T>
struct FromText {
  Shared<T> read;
  size_t size;
};

// Reads from memory as `real` does, which is OpenSSL's. What can't be read is tried each time: errors are told, too.
template <typename T, typename Read>
T* ReadOnce(BIO* reader, const Read& real) {
  static auto* const memory = new Memory<FromText<T>>;
  if (BIO_method_type(reader) != BIO_TYPE_MEM || LeftIn(reader).empty()) return real();
  std::string text(LeftIn(reader));
  if (const FromText<T>* known = memory->Find(text)) {
    std::string passed(known->size, '\0');
    return BIO_read(reader, passed.data(), static_cast<int>(passed.size())) > 0 ? known->read.Share() : nullptr;
  }
  T* const read = real();
  if (read == nullptr) return nullptr;
  const size_t size = text.size() - LeftIn(reader).size();
  return memory->Keep(std::move(text), {.read = Shared<T>(read), .size = size}).read.Share();
}

}  // namespace

CallsRemembered RememberedCalls() { return calls; }

// In C a name has no namespace: these are OpenSSL's own.

extern "C" __attribute__((visibility("default"))) int EVP_PKEY_verify(EVP_PKEY_CTX* context, const unsigned char* sig,
                                                                      size_t siglen, const unsigned char* tbs,
                                                                      size_t tbslen) {
  static auto* const real = Real<decltype(EVP_PKEY_verify)>("EVP_PKEY_verify");
  std::string question = Verification(EVP_PKEY_CTX_get0_pkey(context), Text(tbs, tbslen), Text(sig, siglen));
  if (question.empty()) return real(context, sig, siglen, tbs, tbslen);
  return Verifications().Ask(std::move(question), [&] { return real(context, sig, siglen, tbs, tbslen); });
}

extern "C" __attribute__((visibility("default"))) int EVP_DigestSign(EVP_MD_CTX* context, unsigned char* sigret,
                                                                     size_t* siglen, const unsigned char* tbs,
                                                                     size_t tbslen) {
  static auto* const real = Real<decltype(EVP_DigestSign)>("EVP_DigestSign");
  static uint64_t made = 0;
  const int result = real(context, sigret, siglen, tbs, tbslen);
  const EVP_MD* const hash = EVP_MD_CTX_get0_md(context);
  if (result != 1 || sigret == nullptr || hash == nullptr || EVP_MD_get_type(hash) != NID_sha256) return result;
  if (++made % kVerifiedOf == 0) return result;
  std::array<unsigned char, kDigestSize> digest{};
  unsigned size = 0;
  if (EVP_Digest(tbs, tbslen, digest.data(), &size, hash, nullptr) != 1) return result;
  std::string question = Verification(EVP_PKEY_CTX_get0_pkey(EVP_MD_CTX_get_pkey_ctx(context)),
                                      Text(digest.data(), size), Text(sigret, *siglen));
  if (!question.empty()) Verifications().Keep(std::move(question), 1);
  return result;
}

extern "C" __attribute__((visibility("default"))) int EVP_PKEY_derive(EVP_PKEY_CTX* context, unsigned char* key,
                                                                      size_t* keylen) {
  static auto* const real = Real<decltype(EVP_PKEY_derive)>("EVP_PKEY_derive");
  static auto* const memory = new Memory<Agreement>;
  std::string own = KnownPublicKeyOf(EVP_PKEY_CTX_get0_pkey(context));
  std::string peer = PublicKeyOf(EVP_PKEY_CTX_get0_peerkey(context));
  if (own.size() != kSecretSize || peer.size() != kSecretSize || key == nullptr || *keylen < kSecretSize) {
    return real(context, key, keylen);
  }
  if (peer < own) std::swap(own, peer);  // From either side it is the same secret.
  const Agreement& agreed = memory->Ask(own + peer, [&] {
    Agreement worked_out;
    size_t size = kSecretSize;
    worked_out.result = real(context, worked_out.secret.data(), &size);
    return worked_out;
  });
  if (agreed.result != 1) return agreed.result;
  std::memcpy(key, agreed.secret.data(), kSecretSize);
  *keylen = kSecretSize;
  return 1;
}

extern "C" __attribute__((visibility("default"))) EVP_PKEY* EVP_PKEY_new_raw_private_key(int type, ENGINE* engine,
                                                                                         const unsigned char* priv,
                                                                                         size_t len) {
  static auto* const real = Real<decltype(EVP_PKEY_new_raw_private_key)>("EVP_PKEY_new_raw_private_key");
  static auto* const memory = new Memory<Shared<EVP_PKEY>>;
  if (type != EVP_PKEY_X25519 || engine != nullptr || len != kSecretSize) return real(type, engine, priv, len);
  const Shared<EVP_PKEY>& made =
      memory->Ask(std::string(Text(priv, len)), [&] { return Shared<EVP_PKEY>(real(type, engine, priv, len)); });
  return made.Share();
}

extern "C" __attribute__((visibility("default"))) int EVP_KDF_derive(EVP_KDF_CTX* context, unsigned char* key,
                                                                     size_t keylen, const OSSL_PARAM params[]) {
  static auto* const real = Real<decltype(EVP_KDF_derive)>("EVP_KDF_derive");
  static auto* const memory = new Memory<Agreement>;
  if (keylen != kSecretSize || params == nullptr || EVP_KDF_is_a(EVP_KDF_CTX_kdf(context), "HKDF") != 1)
    return real(context, key, keylen, params);
  const Agreement& derived = memory->Ask(Parameters(params), [&] {
    Agreement worked_out;
    worked_out.result = real(context, worked_out.secret.data(), kSecretSize, params);
    return worked_out;
  });
  if (derived.result == 1) std::memcpy(key, derived.secret.data(), kSecretSize);
  return derived.result;
}

extern "C" __attribute__((visibility("default"))) EVP_PKEY* PEM_read_bio_PrivateKey(BIO* bp, EVP_PKEY** x,
                                                                                    pem_password_cb* cb, void* u) {
  static auto* const real = Real<decltype(PEM_read_bio_PrivateKey)>("PEM_read_bio_PrivateKey");
  if (x != nullptr) return real(bp, x, cb, u);
  return ReadOnce<EVP_PKEY>(bp, [&] { return real(bp, nullptr, cb, u); });
}

extern "C" __attribute__((visibility("default"))) X509* PEM_read_bio_X509(BIO* bp, X509** x, pem_password_cb* cb,
                                                                          void* u) {
  static auto* const real = Real<decltype(PEM_read_bio_X509)>("PEM_read_bio_X509");
  if (x != nullptr) return real(bp, x, cb, u);
  return ReadOnce<X509>(bp, [&] { return real(bp, nullptr, cb, u); });
}

}  // namespace aisle::simulation
