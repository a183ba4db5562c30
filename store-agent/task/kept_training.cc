#include "store-agent/task/kept_training.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/wire_format_lite.h>

#include <filesystem>

#include "base/codec.h"
#include "base/cover.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/version.h"

namespace aisle {
namespace {

constexpr uint64_t kTaskSizeMax = 0x7fff0000;     // As a frame to the worker.
constexpr uint64_t kCheckpointTimesWeights = 16;  // The largest remembers four numbers of 8 bytes per parameter.
constexpr uint64_t kCheckpointSlack = 64 << 20;
constexpr size_t kHeadSizeMax = 16 << 20;  // Whom it leaves out.
constexpr std::string_view kPurpose = "aisle/kept-training/v1";

namespace pb = google::protobuf;

std::string StemOf(const std::string& folder, const RoundId& round) {
  return fmt::format("{}/{}-{}", folder, round.job, round.number);
}

// Bytes that protobuf writes go straight into the sealed file.
class IntoSealed final : public pb::io::CopyingOutputStream {
 public:
  explicit IntoSealed(SealedFileWriter& file) : file_(file) {}
  bool Write(const void* bytes, int size) override {
    if (status_.ok()) status_ = file_.Append({static_cast<const char*>(bytes), static_cast<size_t>(size)});
    return status_.ok();
  }
  const Status& status() const { return status_; }

 private:
  SealedFileWriter& file_;
  Status status_;
};

// What is small of a task: all but rows, plan, weights, seeds and what a checkpoint says.
v1::TrainTask SmallPartOf(const v1::TrainTask& task) {
  v1::TrainTask small;
  small.set_threads(task.threads());
  small.set_clip_norm(task.clip_norm());
  small.set_noise_seed(task.noise_seed());
  if (task.has_checkpoint_ms()) small.set_checkpoint_ms(task.checkpoint_ms());
  return small;
}

// The tables follow as fields of the same message: protobuf reads both as one.
Status WriteTask(const v1::TrainTask& task, SealedFileWriter& file) {
  std::string small = SmallPartOf(task).SerializeAsString();
  AISLE_RETURN_IF_ERROR(file.Append(small));
  Wipe(small.data(), small.size());
  IntoSealed sink(file);
  {
    pb::io::CopyingOutputStreamAdaptor adaptor(&sink);
    pb::io::CodedOutputStream out(&adaptor);
    for (const v1::TableData& table : task.tables()) {
      pb::internal::WireFormatLite::WriteTag(v1::TrainTask::kTablesFieldNumber,
                                             pb::internal::WireFormatLite::WIRETYPE_LENGTH_DELIMITED, &out);
      out.WriteVarint32(static_cast<uint32_t>(table.ByteSizeLong()));
      if (!table.SerializeToCodedStream(&out)) break;
    }
  }
  return sink.status();
}

}  // namespace

StatusOr<TrainingFolder> TrainingFolder::Open(std::string folder, const SecretBytes& store_key, absl::Duration every) {
  AISLE_RETURN_IF_ERROR(MakeFolders(folder));
  return TrainingFolder(std::move(folder), store_key, every);
}

bool TrainingFolder::HasTask(const RoundId& round) const { return FileExists(StemOf(folder_, round) + ".task"); }

Status TrainingFolder::DropAllBut(const std::optional<RoundId>& round) const {
  const std::string kept = round ? std::filesystem::path(StemOf(folder_, *round)).filename().string() : "";
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder_, error)) {
    if (entry.path().extension() != ".part" && entry.path().stem() == kept) continue;
    AISLE_RETURN_IF_ERROR(RemoveFile(entry.path().string()));
  }
  return error ? Unavailable("cannot list {}: {}", folder_, error.message()) : OkStatus();
}

KeptTraining::KeptTraining(const TrainingFolder& folder, const TrainInstruction& task, const SecretBytes& seed,
                           const Digest& forgotten, RandomSource& random)
    : folder_(folder),
      random_(random),
      task_path_(StemOf(folder.folder_, task.round) + ".task"),
      checkpoint_path_(StemOf(folder.folder_, task.round) + ".checkpoint"),
      key_(HkdfSha256(folder.store_key_, seed.Reveal(), kPurpose, Aead::kKeySize)) {
  place_ = ByteWriter()
               .String(Version())
               .String(task.round.job.str())
               .U32(task.round.number)
               .Put(task.plan.digest)
               .Put(task.weights.digest)
               .Put(forgotten)
               .Take();
}

StatusOr<std::string> KeptTraining::Read(const std::string& path, const std::string& place, uint64_t size_max,
                                         std::string& content) const {
  AISLE_ASSIGN_OR_RETURN(const uint64_t size, FileSize(path));
  if (size > size_max + size_max / 64) return DataLoss("{} has {} bytes", path, size);
  content.reserve(size);
  return ReadSealedFile(path, key_, place, [&](std::string_view piece) {
    content.append(piece);
    return OkStatus();
  });
}

std::optional<v1::TrainTask> KeptTraining::TakeUp() {
  if (!FileExists(task_path_)) {
    DropCheckpoint();
    return std::nullopt;
  }
  std::string bytes;
  v1::TrainTask task;
  const StatusOr<std::string> id = Read(task_path_, place_, kTaskSizeMax, bytes);
  Status read = id.status();
  if (read.ok() && !task.ParseFromString(bytes)) read = DataLoss("{} holds no task", task_path_);
  Wipe(bytes.data(), bytes.size());
  if (!read.ok()) {
    AISLE_COVER("agent.kept_training_dropped");
    LogWarning("a training that was interrupted is begun anew: {}", MessageOf(read));
    Drop();
    return std::nullopt;
  }
  AISLE_COVER("agent.training_taken_up");
  frozen_ = *id;
  return task;
}

Status KeptTraining::Freeze(const v1::TrainTask& task) {
  DropCheckpoint();
  AISLE_COVER("commit.kept_task.before");
  AISLE_ASSIGN_OR_RETURN(SealedFileWriter file, SealedFileWriter::Begin(task_path_, key_, place_, random_));
  AISLE_RETURN_IF_ERROR(WriteTask(task, file));
  AISLE_RETURN_IF_ERROR(file.Finish());
  AISLE_COVER("commit.kept_task.after");
  frozen_ = file.id();
  return OkStatus();
}

void KeptTraining::Keep(const v1::Checkpoint& piece, const v1::TrainTask& task) {
  if (given_up_) return;
  const Status added = Add(piece, task);
  if (added.ok()) return;
  LogWarning("no more checkpoints of this training: {}", MessageOf(added));
  given_up_ = true;
  // A paid noise key stays where it is.
  task.noise_seed().empty() ? Drop() : DropCheckpoint();
}

Status KeptTraining::Add(const v1::Checkpoint& piece, const v1::TrainTask& task) {
  if (frozen_.empty()) AISLE_RETURN_IF_ERROR(Freeze(task));
  if (piece.offset_bytes() == 0) {
    AISLE_ASSIGN_OR_RETURN(writer_, SealedFileWriter::Begin(checkpoint_path_, key_, CheckpointPlace(), random_));
    v1::TrainTask head;
    *head.mutable_left_out() = task.left_out();
    *head.mutable_alone() = task.alone();
    const std::string bytes = head.SerializeAsString();
    AISLE_RETURN_IF_ERROR(writer_->Append(ByteWriter().String(bytes).bytes()));
    offset_ = 0;
  }
  if (!writer_ || piece.offset_bytes() != offset_) return InvalidArgument("the worker's checkpoint is out of order");
  offset_ += piece.piece().size();
  if (offset_ > kCheckpointTimesWeights * task.weights().size() + kCheckpointSlack) {
    return ResourceExhausted("the worker's checkpoint is over {} times the weights' size", kCheckpointTimesWeights);
  }
  AISLE_RETURN_IF_ERROR(writer_->Append(piece.piece()));
  if (!piece.last()) return OkStatus();
  AISLE_COVER("commit.checkpoint.before");
  AISLE_RETURN_IF_ERROR(writer_->Finish());
  AISLE_COVER("commit.checkpoint.after");
  writer_.reset();
  return OkStatus();
}

void KeptTraining::PutInto(v1::TrainTask& task) {
  writer_.reset();  // What a run that died had begun.
  Wipe(task.mutable_resume()->data(), task.resume().size());
  task.clear_resume();
  if (frozen_.empty() || !FileExists(checkpoint_path_)) return;
  std::string content;
  const uint64_t size_max = kCheckpointTimesWeights * task.weights().size() + kCheckpointSlack + kHeadSizeMax;
  const Status read = Read(checkpoint_path_, CheckpointPlace(), size_max, content).status();
  ByteReader in(content);
  v1::TrainTask head;
  const std::string_view head_bytes = in.String(kHeadSizeMax);
  if (!read.ok() || !in.ok() || !head.ParseFromArray(head_bytes.data(), static_cast<int>(head_bytes.size()))) {
    LogWarning("the training's checkpoint can't be used: {}", MessageOf(read));
    return DropCheckpoint();
  }
  if (task.left_out().empty() && task.alone().empty()) {  // Else this process knows more than the checkpoint.
    *task.mutable_left_out() = head.left_out();
    *task.mutable_alone() = head.alone();
  }
  task.set_resume(content.data() + (content.size() - in.remaining()), in.remaining());
  Wipe(content.data(), content.size());
  LogInfo("training goes on from its last checkpoint");
}

void KeptTraining::DropCheckpoint() {
  writer_.reset();
  for (const std::string& path : {checkpoint_path_, checkpoint_path_ + ".part"}) {
    if (const Status removed = RemoveFile(path); !removed.ok()) LogWarning("{}", MessageOf(removed));
  }
}

void KeptTraining::Drop() {
  DropCheckpoint();
  frozen_.clear();
  for (const std::string& path : {task_path_, task_path_ + ".part"}) {
    if (const Status removed = RemoveFile(path); !removed.ok()) LogWarning("{}", MessageOf(removed));
  }
}

}  // namespace aisle
