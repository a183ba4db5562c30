// A plan in one file, as `aisle plan build` makes it and `aisle job submit` takes it.
//
//   "AISLEP01"               8 bytes
//   u64 size, bundle         plans/bundle.h, canonical bytes
//   u64 size, weights        flat tensor format: the plan's first weights, named in the bundle by their SHA-256
//   u8 1, key, signature     Ed25519 over the bundle (base/identity/signing.h): 32 and 64 bytes; or u8 0: not signed
//   SHA-256                  of everything above, so that a damaged copy is noticed before anything is believed
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/identity/signing.h"
#include "base/status.h"
#include "plans/bundle.h"

namespace aisle::cli {

struct PlanSignature {
  std::string key;        // The public half, 32 bytes: a hint who signed. Whether to trust it is the reader's business.
  std::string signature;  // 64 bytes.
};

struct PlanFile {
  PlanBundle bundle;
  std::string weights;  // Flat tensor format.
  std::optional<PlanSignature> signature;

  std::string Encode() const;
  // DataLoss for bytes that Encode could not have made, weights other than the bundle's among them. InvalidArgument,
  // saying what it might be, for a file of another kind. The signature is not checked here.
  static StatusOr<PlanFile> Decode(std::string_view bytes);
  static StatusOr<PlanFile> Load(const std::string& path);
};

// The bundle, its first weights (drawn as [[parameters]] say) and, with a key, the signature, from a plan's folder.
// FailedPrecondition for a plan of an archive: its weights are inside the archive, see plan_tasks.h.
StatusOr<PlanFile> BuildPlanFile(PlanFiles files, const SigningKey* key);
// The same with weights at hand, in the flat tensor format.
StatusOr<PlanFile> BuildPlanFile(PlanFiles files, std::string weights, const SigningKey* key);

// Unauthenticated if the signature isn't that of `key`, or of the key it names itself; FailedPrecondition without one.
Status CheckSignature(const PlanFile& file);
Status CheckSignature(const PlanFile& file, const VerifyKey& key);

}  // namespace aisle::cli
