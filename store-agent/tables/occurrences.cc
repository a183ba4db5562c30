#include "store-agent/tables/occurrences.h"

#include "base/codec.h"

namespace aisle {
namespace {

// The places of a mark in the filter: pieces of the mark itself, which is evenly spread.
constexpr int kFilterShifts[] = {0, 13, 27, 41};

}  // namespace

OccurrenceCounter::OccurrenceCounter(KeyValueStore& database, Family scratch, uint64_t session, size_t held_max)
    : database_(database), scratch_(scratch), session_(session), held_max_(held_max) {}

OccurrenceCounter::~OccurrenceCounter() {
  if (filter_.empty()) return;
  const std::string prefix = ByteWriter().U64(session_).Take();
  WriteBatch batch;
  batch.DeleteRange(scratch_, prefix, EndOfPrefix(prefix));
  database_.Write(batch, Durability::kBuffered).IgnoreError();  // Else the next start clears the family.
}

StatusOr<uint32_t> OccurrenceCounter::Count(uint64_t mark) {
  if (const auto found = held_.find(mark); found != held_.end()) return found->second++;
  AISLE_ASSIGN_OR_RETURN(const uint32_t before, Spilled(mark));
  if (held_.size() >= held_max_) AISLE_RETURN_IF_ERROR(Spill());
  held_.emplace(mark, before + 1);
  return before;
}

StatusOr<uint32_t> OccurrenceCounter::Spilled(uint64_t mark) const {
  if (!MayBeSpilled(mark)) return 0u;
  AISLE_ASSIGN_OR_RETURN(const std::optional<std::string> stored, database_.Get(scratch_, KeyOf(mark)));
  return stored ? ByteReader(*stored).U32() : 0u;
}

bool OccurrenceCounter::MayBeSpilled(uint64_t mark) const {
  if (filter_.empty()) return false;
  for (const int shift : kFilterShifts) {
    if (!filter_[(mark >> shift) % kFilterBits]) return false;
  }
  return true;
}

std::string OccurrenceCounter::KeyOf(uint64_t mark) const { return ByteWriter().U64(session_).U64(mark).Take(); }

Status OccurrenceCounter::Spill() {
  WriteBatch batch;
  for (const auto& [mark, count] : held_) batch.Put(scratch_, KeyOf(mark), ByteWriter().U32(count).bytes());
  AISLE_RETURN_IF_ERROR(database_.Write(batch, Durability::kBuffered));
  filter_.resize(kFilterBits);
  for (const auto& [mark, count] : held_) {
    for (const int shift : kFilterShifts) filter_[(mark >> shift) % kFilterBits] = true;
  }
  held_.clear();
  return OkStatus();
}

}  // namespace aisle
