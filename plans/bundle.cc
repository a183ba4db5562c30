#include "plans/bundle.h"

#include <filesystem>
#include <string>

#include "aggregation/weights.h"
#include "base/codec.h"
#include "base/storage/files.h"
#include "plans/initial_weights.h"

namespace aisle {

namespace {

constexpr std::string_view kMagic = "AISLEPB1";
constexpr std::string_view kSigningDomain{"aisle/plan/v1\0", 14};

size_t ProgramSizeMax(ProgramKind kind) {
  return kind == ProgramKind::kSource ? kPlanSourceSizeMax : kPlanArchiveSizeMax;
}

std::string_view KeyOf(ProgramKind kind) { return kind == ProgramKind::kSource ? "source" : "archive"; }

Status CheckSizes(size_t toml, ProgramKind kind, size_t program) {
  if (toml > kPlanTomlSizeMax) {
    return InvalidArgument("plan.toml has {} bytes; the limit is {}", toml, kPlanTomlSizeMax);
  }
  if (program > ProgramSizeMax(kind)) {
    return InvalidArgument("the plan's {} has {} bytes; the limit is {}", KeyOf(kind), program, ProgramSizeMax(kind));
  }
  return OkStatus();
}

}  // namespace

StatusOr<PlanFiles> ReadPlanFiles(const std::string& path) {
  namespace fs = std::filesystem;
  std::error_code ignored;
  const fs::path toml_path = fs::is_directory(path, ignored) ? fs::path(path) / "plan.toml" : fs::path(path);
  PlanFiles files;
  AISLE_ASSIGN_OR_RETURN(files.plan_toml, ReadFile(toml_path.string(), kPlanTomlSizeMax));
  AISLE_ASSIGN_OR_RETURN(const Plan plan, Plan::Parse(files.plan_toml, toml_path.string()));
  files.kind = plan.program_kind;
  const fs::path program_path = toml_path.parent_path() / plan.program_file;
  AISLE_ASSIGN_OR_RETURN(files.program, ReadFile(program_path.string(), ProgramSizeMax(files.kind)));
  return files;
}

std::string PlanBundle::Encode() const {
  ByteWriter writer;
  writer.Raw(kMagic).U8(static_cast<uint8_t>(kind)).String(plan_toml).String(program);
  writer.Put(initial_weights).U64(initial_weights_size);
  return writer.Take();
}

StatusOr<PlanBundle> PlanBundle::Decode(std::string_view bytes) {
  ByteReader reader(bytes);
  PlanBundle bundle;
  if (reader.Raw(kMagic.size()) != kMagic) return DataLoss("these {} bytes are no plan bundle", bytes.size());
  const uint8_t kind = reader.U8();
  if (kind != static_cast<uint8_t>(ProgramKind::kSource) && kind != static_cast<uint8_t>(ProgramKind::kArchive)) {
    return DataLoss("a plan bundle of kind {} isn't known to this version", kind);
  }
  bundle.kind = static_cast<ProgramKind>(kind);
  bundle.plan_toml = reader.String(kPlanTomlSizeMax);
  bundle.program = reader.String(ProgramSizeMax(bundle.kind));
  bundle.initial_weights = reader.ReadDigest();
  bundle.initial_weights_size = reader.U64();
  AISLE_RETURN_IF_ERROR(reader.Finish("the plan bundle"));
  return bundle;
}

StatusOr<Plan> PlanBundle::plan() const {
  AISLE_ASSIGN_OR_RETURN(Plan parsed, Plan::Parse(plan_toml, "the bundle's plan.toml"));
  if (parsed.program_kind != kind) {
    return InvalidArgument("plan.toml names its {}, but the bundle carries a program of kind {}",
                           KeyOf(parsed.program_kind), KeyOf(kind));
  }
  return parsed;
}

StatusOr<PlanBundle> MakePlanBundle(PlanFiles files, std::string_view weights) {
  AISLE_RETURN_IF_ERROR(CheckSizes(files.plan_toml.size(), files.kind, files.program.size()));
  PlanBundle bundle{.plan_toml = std::move(files.plan_toml),
                    .kind = files.kind,
                    .program = std::move(files.program),
                    .initial_weights = Sha256::Of(weights),
                    .initial_weights_size = weights.size()};
  AISLE_ASSIGN_OR_RETURN(const Plan plan, bundle.plan());
  AISLE_ASSIGN_OR_RETURN(const Weights decoded, DecodeWeights(weights));
  AISLE_RETURN_IF_ERROR(plan.TrainableLayout(decoded.layout).status());
  return bundle;
}

std::string PlanSigningMessage(const Digest& bundle) {
  std::string message(kSigningDomain);
  message.append(bundle.view());
  return message;
}

}  // namespace aisle
