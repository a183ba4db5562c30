#include "privacy/ledger_record.h"

#include <algorithm>

#include "base/check.h"
#include "base/codec.h"

namespace aisle {
namespace {

constexpr std::string_view kDomain{"aisle/ledger/v2\0", 16};
constexpr size_t kSizeSize = 4;
constexpr size_t kRecordSizeMax = kSizeSize + kLedgerBodySizeMax + Digest::kSize;
constexpr size_t kSectorSize = 512;  // The least that a disk writes whole.

Digest ChainDigest(const Digest& previous, std::string_view sized_body) {
  Sha256 hash;
  hash.Update(kDomain);
  hash.Update(previous.view());
  hash.Update(sized_body);
  return hash.Finish();
}

// Was some sector of `tail`, which begins at `offset` of the file, never written?
bool HasUnwrittenSector(std::string_view tail, size_t offset) {
  while (!tail.empty()) {
    const std::string_view part = tail.substr(0, kSectorSize - offset % kSectorSize);
    if (std::ranges::all_of(part, [](char c) { return c == 0; })) return true;
    tail.remove_prefix(part.size());
    offset += part.size();
  }
  return false;
}

std::optional<ReadRecord> ReadIntact(std::string_view file, size_t offset, const Digest& previous) {
  ByteReader reader(file.substr(offset));
  const std::string_view body = reader.String(kLedgerBodySizeMax);
  const Digest digest = reader.ReadDigest();
  if (!reader.ok() || ChainDigest(previous, file.substr(offset, kSizeSize + body.size())) != digest) {
    return std::nullopt;
  }
  return ReadRecord{.body = body, .digest = digest, .end = file.size() - reader.remaining()};
}

// One interrupted append leaves less than one record, so anything longer is harm of another kind.
bool IsTorn(std::string_view tail, size_t offset) {
  if (tail.size() > kRecordSizeMax) return false;
  ByteReader reader(tail);
  const uint32_t size = reader.U32();
  const bool incomplete =
      !reader.ok() || (size <= kLedgerBodySizeMax && tail.size() < kSizeSize + size + Digest::kSize);
  return incomplete || HasUnwrittenSector(tail, offset);
}

}  // namespace

LedgerRecord MakeRecord(const Digest& previous, std::string_view body) {
  AISLE_CHECK(body.size() <= kLedgerBodySizeMax, "a ledger record of {} bytes", body.size());
  const std::string sized_body = ByteWriter().String(body).Take();
  const Digest digest = ChainDigest(previous, sized_body);
  return {.bytes = sized_body + std::string(digest.view()), .digest = digest};
}

StatusOr<std::optional<ReadRecord>> ReadRecordAt(std::string_view file, size_t offset, const Digest& previous) {
  std::optional<ReadRecord> record = ReadIntact(file, offset, previous);
  if (record.has_value()) return record;
  if (IsTorn(file.substr(offset), offset)) return std::optional<ReadRecord>();
  return DataLoss(
      "the record at byte {} doesn't continue the chain: the file was edited or damaged; restore it before "
      "anything more is spent",
      offset);
}

}  // namespace aisle
