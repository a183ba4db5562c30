// A plan as it travels: plan.toml and the program in one canonical byte string, named by its SHA-256.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/digest.h"
#include "base/status.h"
#include "plans/plan.h"

namespace aisle {

inline constexpr size_t kPlanTomlSizeMax = 1 << 20;
inline constexpr size_t kPlanSourceSizeMax = 1 << 20;
inline constexpr size_t kPlanArchiveSizeMax = size_t{256} << 20;

// The two files of a plan's folder. A plan's folder is its only home: the program is read from beside plan.toml.
struct PlanFiles {
  std::string plan_toml;
  ProgramKind kind = ProgramKind::kSource;
  std::string program;
};
// `path` is the folder or its plan.toml. NotFound, or InvalidArgument with every mistake of plan.toml.
StatusOr<PlanFiles> ReadPlanFiles(const std::string& path);

// Equal bundles have equal bytes, and the other way round. The initial weights travel apart, under their own hash.
struct PlanBundle {
  std::string plan_toml;
  ProgramKind kind = ProgramKind::kSource;
  std::string program;  // TorchScript source text, or the bytes of a `.pt`.
  Digest initial_weights;
  uint64_t initial_weights_size = 0;

  std::string Encode() const;
  // DataLoss for bytes that Encode could not have made; says nothing of whether the plan itself makes sense.
  static StatusOr<PlanBundle> Decode(std::string_view bytes);

  Digest digest() const { return Sha256::Of(Encode()); }
  // The parsed plan. InvalidArgument for a mistaken plan.toml, or one that declares the other kind of program.
  StatusOr<Plan> plan() const;
};

// `weights` are in the flat tensor format (aggregation/weights.h). Checks that plan, program and weights fit together.
StatusOr<PlanBundle> MakePlanBundle(PlanFiles files, std::string_view weights);

// What headquarters' plan key signs (Ed25519): a domain of its own, then the bundle's digest.
std::string PlanSigningMessage(const Digest& bundle);

}  // namespace aisle
