#include "store-agent/agent/task_record.h"

#include "base/codec.h"
#include "base/overloaded.h"

namespace aisle::agent {
namespace {

constexpr std::string_view kMagic = "AISLETR1";
constexpr size_t kSeedSize = 32;
constexpr size_t kSignatureSizeMax = 4096;

// The summed ones say the store's terms after what their plain kin say.
enum class Kind : uint8_t {
  kPreparing = 1,
  kReleasing,
  kFinished,
  kUploaded,
  kRefused,
  kFailed,
  kSummedReleasing,
  kSummedFinished,
  kSummedUploaded,
};

void Put(ByteWriter& out, Kind kind, const RoundId& round) {
  out.U8(static_cast<uint8_t>(kind)).String(round.job.str()).U32(round.number);
}
void Put(ByteWriter& out, const BlobName& blob) { out.Put(blob.digest).U64(blob.size); }

BlobName ReadBlob(ByteReader& in) {
  const Digest digest = in.ReadDigest();
  return {.digest = digest, .size = in.U64()};
}

void Put(ByteWriter& out, const std::optional<CohortTerms>& sum) {
  if (!sum) return;
  out.Put(sum->plan).U64(sum->length).U32(sum->cohort_min).U32(sum->corrupt_permille).U32(sum->dropout_permille);
}

CohortTerms ReadTerms(ByteReader& in, const RoundId& round) {
  CohortTerms terms{.round = round, .plan = in.ReadDigest()};
  terms.length = in.U64();
  terms.cohort_min = in.U32();
  terms.corrupt_permille = in.U32();
  terms.dropout_permille = in.U32();
  return terms;
}

void PutReleasing(ByteWriter& out, const ReleasingRecord& record) {
  Put(out, record.sum ? Kind::kSummedReleasing : Kind::kReleasing, record.round);
  Put(out, record.sum);
}

void PutHeld(ByteWriter& out, Kind plain, Kind summed, const HeldUpdate& held) {
  Put(out, held.sum ? summed : plain, held.round);
  Put(out, held.update);
  Put(out, held.sum);
}

HeldUpdate ReadHeld(ByteReader& in, RoundId round, bool summed) {
  HeldUpdate held{.round = std::move(round), .update = ReadBlob(in)};
  if (summed) held.sum = ReadTerms(in, held.round);
  return held;
}

void PutTask(ByteWriter& out, const PreparingRecord& record) {
  Put(out, Kind::kPreparing, record.task.round);
  Put(out, record.task.plan);
  Put(out, record.task.weights);
  out.I64(absl::ToUnixMillis(record.task.deadline)).U32(record.task.rounds_total).String(record.task.plan_signature);
  out.F64(record.task.clip_norm).String(record.seed.Reveal());
}

TaskRecord ReadTask(ByteReader& in, RoundId round) {
  TrainInstruction task{.round = std::move(round)};
  task.plan = ReadBlob(in);
  task.weights = ReadBlob(in);
  task.deadline = absl::FromUnixMillis(in.I64());
  task.rounds_total = in.U32();
  task.plan_signature = in.String(kSignatureSizeMax);
  task.clip_norm = in.F64();
  return PreparingRecord{.task = std::move(task), .seed = SecretBytes::CopyOf(in.String(kSeedSize))};
}

void PutOutcome(ByteWriter& out, const GivenUpRecord& record) {
  if (const auto* refused = std::get_if<Refused>(&record.outcome)) {
    Put(out, Kind::kRefused, record.round);
    out.U8(static_cast<uint8_t>(refused->reason)).String(refused->detail.substr(0, kDetailLengthMax));
    return;
  }
  const auto& failed = std::get<Failed>(record.outcome);
  Put(out, Kind::kFailed, record.round);
  out.U8(static_cast<uint8_t>(failed.reason)).String(failed.detail.substr(0, kDetailLengthMax));
}

StatusOr<TaskRecord> ReadOutcome(ByteReader& in, Kind kind, RoundId round) {
  const uint8_t reason = in.U8();
  std::string detail(in.String(kDetailLengthMax));
  const int reasons = kind == Kind::kRefused ? kRefusalReasonCount : kFailureReasonCount;
  if (reason < 1 || reason > reasons) return DataLoss("the task record holds the unknown reason {}", reason);
  if (kind == Kind::kRefused) {
    return GivenUpRecord{std::move(round), Refused{static_cast<RefusalReason>(reason), std::move(detail)}};
  }
  return GivenUpRecord{std::move(round), Failed{static_cast<FailureReason>(reason), std::move(detail)}};
}

StatusOr<TaskRecord> ReadBody(ByteReader& in) {
  const auto kind = static_cast<Kind>(in.U8());
  auto job = JobId::Parse(in.String(kNameLengthMax));
  if (!job.ok()) return DataLoss("the task record names no job");
  RoundId round{.job = std::move(job).value(), .number = in.U32()};
  switch (kind) {
    case Kind::kPreparing:
      return ReadTask(in, std::move(round));
    case Kind::kReleasing:
      return ReleasingRecord{.round = std::move(round)};
    case Kind::kSummedReleasing:
      return ReleasingRecord{.round = round, .sum = ReadTerms(in, round)};
    case Kind::kFinished:
    case Kind::kSummedFinished:
      return FinishedRecord{ReadHeld(in, std::move(round), kind == Kind::kSummedFinished)};
    case Kind::kUploaded:
    case Kind::kSummedUploaded:
      return UploadedRecord{ReadHeld(in, std::move(round), kind == Kind::kSummedUploaded)};
    case Kind::kRefused:
    case Kind::kFailed:
      return ReadOutcome(in, kind, std::move(round));
  }
  return DataLoss("the task record is of the unknown kind {}", static_cast<int>(kind));
}

}  // namespace

const RoundId& RoundOf(const TaskRecord& record) {
  return std::visit(Overloaded{[](const PreparingRecord& preparing) -> const RoundId& { return preparing.task.round; },
                               [](const FinishedRecord& finished) -> const RoundId& { return finished.held.round; },
                               [](const UploadedRecord& uploaded) -> const RoundId& { return uploaded.held.round; },
                               [](const auto& other) -> const RoundId& { return other.round; }},
                    record);
}

SecretBytes EncodeRecord(const TaskRecord& record) {
  ByteWriter out;
  out.Raw(kMagic);
  std::visit(
      Overloaded{
          [&](const PreparingRecord& preparing) { PutTask(out, preparing); },
          [&](const ReleasingRecord& releasing) { PutReleasing(out, releasing); },
          [&](const FinishedRecord& finished) { PutHeld(out, Kind::kFinished, Kind::kSummedFinished, finished.held); },
          [&](const UploadedRecord& uploaded) { PutHeld(out, Kind::kUploaded, Kind::kSummedUploaded, uploaded.held); },
          [&](const GivenUpRecord& given_up) { PutOutcome(out, given_up); }},
      record);
  const Digest checksum = Sha256::Of(out.bytes());
  out.Put(checksum);
  std::string bytes = out.Take();
  SecretBytes sealed = SecretBytes::CopyOf(bytes);
  Wipe(bytes.data(), bytes.size());
  return sealed;
}

StatusOr<TaskRecord> DecodeRecord(std::string_view bytes) {
  if (bytes.size() < kMagic.size() + Digest::kSize) return DataLoss("the task record is cut off");
  const std::string_view body = bytes.substr(0, bytes.size() - Digest::kSize);
  if (Sha256::Of(body).view() != bytes.substr(body.size())) return DataLoss("the task record's checksum is wrong");
  ByteReader in(body);
  if (in.Raw(kMagic.size()) != kMagic) return DataLoss("the task record is of another version");
  StatusOr<TaskRecord> record = ReadBody(in);
  if (!record.ok()) return record;
  AISLE_RETURN_IF_ERROR(in.Finish("task record"));
  const auto* preparing = std::get_if<PreparingRecord>(&*record);
  if (preparing != nullptr && preparing->seed.size() != kSeedSize) return DataLoss("the task record's seed is cut off");
  return record;
}

}  // namespace aisle::agent
