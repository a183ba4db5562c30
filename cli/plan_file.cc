#include "cli/plan_file.h"

#include <fcntl.h>

#include <filesystem>

#include "base/codec.h"
#include "base/storage/files.h"
#include "plans/initial_weights.h"

namespace aisle::cli {
namespace {

constexpr std::string_view kMagic = "AISLEP01";
constexpr uint64_t kFileSizeMax = uint64_t{2} << 30;  // An archive, and weights of 2^28 floats beside it.

std::string_view ReadSized(ByteReader& reader) {
  const uint64_t size = reader.U64();
  return size <= reader.remaining() ? reader.Raw(size) : reader.Raw(reader.remaining() + 1);  // Fails the reader.
}

Status NotAPlanFile(std::string_view bytes) {
  const std::string_view guess = bytes.starts_with("AISLEW01") ? "it holds weights only"
                                 : bytes.starts_with("PK") ? "it may be a TorchScript archive: see `aisle plan import`"
                                                           : "make one with `aisle plan build`";
  return InvalidArgument("this is no plan file ({})", guess);
}

// Before gigabytes are read: is it a file, of a size and a beginning that make sense?
Status LooksReadable(const std::string& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) {
    return InvalidArgument("{} is a folder; make a plan file of it with `aisle plan build {} --out FILE.plan`", path,
                           path);
  }
  if (FileExists(path) && !std::filesystem::is_regular_file(path, error)) {
    return InvalidArgument("{} is no regular file", path);  // Opening a pipe would wait for its other end.
  }
  AISLE_ASSIGN_OR_RETURN(const FileDescriptor file, OpenFile(path, O_RDONLY));
  AISLE_ASSIGN_OR_RETURN(const uint64_t size, FileSize(path));
  char head[kMagic.size()] = {};
  if (size < sizeof head) return Annotate(NotAPlanFile({}), path);
  AISLE_RETURN_IF_ERROR(ReadExactlyAt(file.get(), head, sizeof head, 0, path));
  if (std::string_view(head, sizeof head) != kMagic) return Annotate(NotAPlanFile({head, sizeof head}), path);
  if (size > kFileSizeMax) return InvalidArgument("{} has {} bytes; the limit is {}", path, size, kFileSizeMax);
  return OkStatus();
}

StatusOr<std::optional<PlanSignature>> Sign(const PlanBundle& bundle, const SigningKey* key) {
  if (key == nullptr) return std::optional<PlanSignature>();
  AISLE_ASSIGN_OR_RETURN(std::string signature, SignPlan(*key, bundle.digest()));
  return std::optional<PlanSignature>({key->verify_key().bytes(), std::move(signature)});
}

}  // namespace

std::string PlanFile::Encode() const {
  const std::string bundle_bytes = bundle.Encode();
  ByteWriter writer;
  writer.Raw(kMagic).U64(bundle_bytes.size()).Raw(bundle_bytes).U64(weights.size()).Raw(weights);
  writer.U8(signature ? 1 : 0);
  if (signature) writer.Raw(signature->key).Raw(signature->signature);
  writer.Put(Sha256::Of(writer.bytes()));
  return writer.Take();
}

StatusOr<PlanFile> PlanFile::Decode(std::string_view bytes) {
  if (!bytes.starts_with(kMagic)) return NotAPlanFile(bytes);
  ByteReader reader(bytes.substr(kMagic.size()));
  const std::string_view bundle_bytes = ReadSized(reader);
  const std::string_view weights = ReadSized(reader);
  const uint8_t is_signed = reader.U8();
  PlanFile file;
  if (is_signed == 1) {
    const std::string_view key = reader.Raw(kVerifyKeySize);
    file.signature = PlanSignature{std::string(key), std::string(reader.Raw(kSignatureSize))};
  }
  const Digest digest = reader.ReadDigest();
  AISLE_RETURN_IF_ERROR(reader.Finish("the plan file"));
  if (is_signed > 1 || digest != Sha256::Of(bytes.substr(0, bytes.size() - Digest::kSize))) {
    return DataLoss("the plan file is damaged: its bytes don't match the SHA-256 at its end; copy or build it again");
  }
  AISLE_ASSIGN_OR_RETURN(file.bundle, PlanBundle::Decode(bundle_bytes));
  if (Sha256::Of(weights) != file.bundle.initial_weights) {
    return DataLoss("the plan file holds other weights than its bundle names; build it again");
  }
  file.weights = weights;
  return file;
}

StatusOr<PlanFile> PlanFile::Load(const std::string& path) {
  AISLE_RETURN_IF_ERROR(LooksReadable(path));
  AISLE_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(path, kFileSizeMax));
  StatusOr<PlanFile> file = Decode(bytes);
  if (!file.ok()) return Annotate(file.status(), path);
  return file;
}

StatusOr<PlanFile> BuildPlanFile(PlanFiles files, const SigningKey* key) {
  AISLE_ASSIGN_OR_RETURN(const Plan plan, Plan::Parse(files.plan_toml));
  AISLE_ASSIGN_OR_RETURN(const Weights weights, MakeInitialWeights(plan));
  return BuildPlanFile(std::move(files), EncodeWeights(weights), key);
}

StatusOr<PlanFile> BuildPlanFile(PlanFiles files, std::string weights, const SigningKey* key) {
  PlanFile file;
  AISLE_ASSIGN_OR_RETURN(file.bundle, MakePlanBundle(std::move(files), weights));
  file.weights = std::move(weights);
  AISLE_ASSIGN_OR_RETURN(file.signature, Sign(file.bundle, key));
  return file;
}

Status CheckSignature(const PlanFile& file, const VerifyKey& key) {
  if (!file.signature)
    return FailedPrecondition("the plan isn't signed; build it with a plan key, `aisle plan build --key`");
  return VerifyPlan({&key, 1}, file.bundle.digest(), file.signature->signature);
}

Status CheckSignature(const PlanFile& file) {
  if (!file.signature)
    return FailedPrecondition("the plan isn't signed; build it with a plan key, `aisle plan build --key`");
  AISLE_ASSIGN_OR_RETURN(const VerifyKey key, VerifyKey::FromBytes(file.signature->key));
  return CheckSignature(file, key);
}

}  // namespace aisle::cli
