// The stored form of records: canonical bytes that outlive the program that wrote them.
//
// A record starts with a version byte. A newer version than ours is refused (FailedPrecondition: "written by a newer
// coordinator; upgrade"), never guessed at. Within a version, fields may be added at the end: older records then give
// the new fields their defaults, and older programs skip what they don't know. Anything cut, out of range or over a
// limit is DataLoss naming the record.
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"
#include "coordinator/catalog/records.h"

namespace aisle {

inline constexpr size_t kRecordTextMax = 4096;  // Bytes of one text field.
inline constexpr size_t kStoresPerRoundMax = 100'000;
inline constexpr size_t kMetricsPerRecordMax = 256;

std::string EncodeRecord(const StoreRecord& record);
std::string EncodeRecord(const JobRecord& record);
std::string EncodeRecord(const RoundRecord& record);
std::string EncodeRecord(const ModelRecord& record);

// T is one of the four record types.
template <typename T>
StatusOr<T> DecodeRecord(std::string_view bytes);

}  // namespace aisle
