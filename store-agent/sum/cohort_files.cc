#include "store-agent/sum/cohort_files.h"

#include <algorithm>
#include <system_error>

#include "base/codec.h"
#include "base/cover.h"
#include "base/storage/files.h"

namespace aisle {
namespace {

constexpr std::string_view kCohortMagic = "AISLECO1";
constexpr uint64_t kFileSizeMax = 16 << 20;  // 256 neighbours with the largest certificates.
constexpr size_t kKeySizeMax = 16 << 10;

StatusOr<KeptCohort> Decode(std::string_view bytes) {
  ByteReader in(bytes);
  if (in.Raw(kCohortMagic.size()) != kCohortMagic) return DataLoss("it is cut off or of another version");
  const Digest update = in.ReadDigest();
  const std::string_view pem = in.String(kKeySizeMax);
  const size_t head_size = bytes.size() - in.remaining();
  const Digest checksum = in.ReadDigest();
  AISLE_RETURN_IF_ERROR(in.status("cohort file"));
  if (Sha256::Of(bytes.substr(0, head_size)) != checksum) return DataLoss("its checksum is wrong");
  AISLE_ASSIGN_OR_RETURN(secagg::Member member, secagg::Member::Decode(in.Raw(in.remaining())));
  StatusOr<KeyPair> key = KeyPair::FromPem(SecretBytes::CopyOf(pem));
  if (!key.ok()) return DataLoss("{}", MessageOf(key.status()));
  return KeptCohort{.update = update, .key = *std::move(key), .member = std::move(member)};
}

}  // namespace

StatusOr<CohortFiles> CohortFiles::Open(std::string folder) {
  AISLE_RETURN_IF_ERROR(MakeFolders(folder));
  return CohortFiles(std::move(folder));
}

std::string CohortFiles::PathOf(const RoundId& round) const {
  return fmt::format("{}/{}-{}.cohort", folder_, round.job, round.number);
}

StatusOr<std::optional<KeptCohort>> CohortFiles::Load(const RoundId& round) const {
  const std::string path = PathOf(round);
  StatusOr<std::string> read = ReadFile(path, kFileSizeMax);
  if (read.status().code() == StatusCode::kNotFound) return std::optional<KeptCohort>();
  AISLE_RETURN_IF_ERROR(read.status());  // There, but not to be read: not the same as never joined.
  std::string bytes = *std::move(read);
  StatusOr<KeptCohort> kept = Decode(bytes);
  Wipe(bytes.data(), bytes.size());
  if (!kept.ok()) return DataLoss("{} is damaged: {}", path, MessageOf(kept.status()));
  if (kept->member.terms().round != round) return DataLoss("{} is of another round", path);
  return std::optional<KeptCohort>(*std::move(kept));
}

Status CohortFiles::Save(const KeptCohort& cohort) const {
  AISLE_ASSIGN_OR_RETURN(const SecretBytes pem, cohort.key.ToPem());
  ByteWriter head;
  head.Raw(kCohortMagic).Put(cohort.update).U32(static_cast<uint32_t>(pem.size()));
  const SecretBytes member = cohort.member.Encode();
  const size_t summed = head.bytes().size() + pem.size();
  SecretBytes bytes(summed + Digest::kSize + member.size());
  auto at = std::ranges::copy(head.bytes(), bytes.Mutable().begin()).out;
  at = std::ranges::copy(pem.Reveal(), at).out;
  at = std::ranges::copy(Sha256::Of(bytes.Reveal().substr(0, summed)).bytes, at).out;
  std::ranges::copy(member.Reveal(), at);
  AISLE_COVER("commit.cohort.before");
  AISLE_RETURN_IF_ERROR(WriteFileDurably(PathOf(cohort.member.terms().round), bytes.Reveal(), 0600));
  AISLE_COVER("commit.cohort.after");
  return OkStatus();
}

Status CohortFiles::Drop(const RoundId& round) const {
  AISLE_COVER("commit.cohort_dropped.before");
  return RemoveFile(PathOf(round));
}

Status CohortFiles::DropAllBut(const std::optional<RoundId>& round) const {
  return RemoveFilesBut(folder_, round ? PathOf(*round) : "");
}

}  // namespace aisle
