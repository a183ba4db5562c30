// A large file that only its key opens: AES-256-GCM in pieces of 1 MiB, each tied to the file, its place in it and
// whether it is the last, so that none can be left out, moved or taken from another file (the STREAM construction:
// Hoang, Reyhanitabar, Rogaway, Vizar 2015, section 7).
//
//   "AISLESF1" | 16 random bytes | pieces: nonce | ciphertext | tag; all but the last of 1 MiB
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/crypto/aead.h"
#include "base/random.h"
#include "base/secret.h"
#include "base/status.h"
#include "base/storage/files.h"

namespace aisle {

inline constexpr size_t kSealedIdSize = 16;
inline constexpr size_t kSealedPieceSize = 1 << 20;  // Bytes of plain text.

// Writes beside the file and takes its place when finished. Not thread-safe.
class SealedFileWriter {
 public:
  // `place` must be the same at opening: what the content belongs to. `random` must outlive this.
  static StatusOr<SealedFileWriter> Begin(std::string path, const SecretBytes& key, std::string_view place,
                                          RandomSource& random);
  Status Append(std::string_view plain);
  // Durable when it returns: what was there before is gone then.
  Status Finish();
  // The random bytes that name this file, and no other that was ever there.
  std::string_view id() const { return std::string_view(place_).substr(place_.size() - kSealedIdSize); }

 private:
  SealedFileWriter(std::string path, const SecretBytes& key, std::string_view place, RandomSource& random);
  Status Seal(bool last);

  std::string path_;
  FileDescriptor file_;
  Aead aead_;
  std::string place_;
  RandomSource* random_;
  std::vector<char, WipingAllocator<char>> piece_;
  uint64_t pieces_ = 0;
};

// Its whole content, piece by piece; then its id. NotFound if there is no such file; DataLoss if it isn't whole, was
// changed, or belongs to another key or place: then some pieces may have been taken already.
StatusOr<std::string> ReadSealedFile(const std::string& path, const SecretBytes& key, std::string_view place,
                                     const std::function<Status(std::string_view piece)>& take);

}  // namespace aisle
