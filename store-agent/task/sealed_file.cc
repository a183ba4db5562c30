#include "store-agent/task/sealed_file.h"

#include <fcntl.h>

#include <algorithm>
#include <utility>

#include "base/codec.h"
#include "base/cover.h"

namespace aisle {
namespace {

constexpr std::string_view kSealedMagic = "AISLESF1";
constexpr size_t kHeadSize = kSealedMagic.size() + kSealedIdSize;

std::string PartOf(const std::string& path) { return path + ".part"; }

// What every piece of a file is tied to: its place in the world, the file itself.
std::string Tie(std::string_view place, std::string_view id) {
  return ByteWriter().Raw(kSealedMagic).String(place).Raw(id).Take();
}

std::string TieOf(const std::string& file, uint64_t piece, bool last) {
  return ByteWriter().Raw(file).U64(piece).U8(last ? 1 : 0).Take();
}

}  // namespace

SealedFileWriter::SealedFileWriter(std::string path, const SecretBytes& key, std::string_view place,
                                   RandomSource& random)
    : path_(std::move(path)), aead_(key), random_(&random) {
  std::string id(kSealedIdSize, '\0');
  random.Fill({reinterpret_cast<uint8_t*>(id.data()), id.size()});
  place_ = Tie(place, id);
  piece_.reserve(kSealedPieceSize);
}

StatusOr<SealedFileWriter> SealedFileWriter::Begin(std::string path, const SecretBytes& key, std::string_view place,
                                                   RandomSource& random) {
  SealedFileWriter writer(std::move(path), key, place, random);
  const std::string part = PartOf(writer.path_);
  AISLE_ASSIGN_OR_RETURN(writer.file_, OpenFile(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  AISLE_RETURN_IF_ERROR(WriteAll(writer.file_.get(), std::string(kSealedMagic).append(writer.id()), part));
  return writer;
}

Status SealedFileWriter::Append(std::string_view plain) {
  while (!plain.empty()) {
    if (piece_.size() == kSealedPieceSize) AISLE_RETURN_IF_ERROR(Seal(false));
    const std::string_view some = plain.substr(0, kSealedPieceSize - piece_.size());
    piece_.insert(piece_.end(), some.begin(), some.end());
    plain.remove_prefix(some.size());
  }
  return OkStatus();
}

Status SealedFileWriter::Seal(bool last) {
  const std::string sealed = aead_.Seal({piece_.data(), piece_.size()}, TieOf(place_, pieces_++, last), *random_);
  Wipe(piece_.data(), piece_.size());
  piece_.clear();
  return WriteAll(file_.get(), sealed, PartOf(path_));
}

Status SealedFileWriter::Finish() {
  AISLE_RETURN_IF_ERROR(Seal(true));
  AISLE_RETURN_IF_ERROR(SyncData(file_.get(), PartOf(path_)));
  file_.Close();
  return RenameDurably(PartOf(path_), path_);
}

StatusOr<std::string> ReadSealedFile(const std::string& path, const SecretBytes& key, std::string_view place,
                                     const std::function<Status(std::string_view piece)>& take) {
  AISLE_ASSIGN_OR_RETURN(const FileDescriptor file, OpenFile(path, O_RDONLY | O_CLOEXEC));
  AISLE_ASSIGN_OR_RETURN(const uint64_t size, FileSize(path));
  if (size < kHeadSize + Aead::kOverhead) return DataLoss("{} is cut off", path);
  std::string head(kHeadSize, '\0');
  AISLE_RETURN_IF_ERROR(ReadExactlyAt(file.get(), head.data(), head.size(), 0, path));
  if (!head.starts_with(kSealedMagic)) return DataLoss("{} is of another version", path);
  const std::string tie = Tie(place, std::string_view(head).substr(kSealedMagic.size()));
  const Aead aead(key);
  SecretBytes plain;
  std::string sealed;
  uint64_t pieces = 0;
  for (uint64_t at = kHeadSize; at < size; at += sealed.size()) {
    sealed.resize(std::min<uint64_t>(size - at, kSealedPieceSize + Aead::kOverhead));
    AISLE_RETURN_IF_ERROR(ReadExactlyAt(file.get(), sealed.data(), sealed.size(), at, path));
    AISLE_RETURN_IF_ERROR(aead.OpenInto(sealed, TieOf(tie, pieces++, at + sealed.size() == size), plain));
    AISLE_RETURN_IF_ERROR(take(plain.Reveal()));
  }
  return head.substr(kSealedMagic.size());
}

}  // namespace aisle
