#include "coordinator/catalog/record_codec.h"

#include <algorithm>
#include <type_traits>

#include "base/codec.h"
#include "base/utf8.h"

namespace aisle {
namespace {

// One list of fields per record serves both directions, so that they can't drift apart. Only append to these lists.

class FieldWriter {
 public:
  explicit FieldWriter(uint8_t version) { bytes_.U8(version); }
  std::string Take() { return bytes_.Take(); }

  void Field(uint32_t value) { bytes_.U32(value); }
  void Field(uint64_t value) { bytes_.U64(value); }
  void Field(double value) { bytes_.F64(value); }
  void Field(std::string_view value) { bytes_.String(CutText(value, kRecordTextMax)); }
  void Field(const Digest& value) { bytes_.Put(value); }
  void Field(absl::Time value) { bytes_.I64(absl::ToUnixMicros(value)); }
  void Field(const BlobName& value) { bytes_.Put(value.digest).U64(value.size); }
  template <typename Tag>
  void Field(const Name<Tag>& value) {
    Field(std::string_view(value.str()));
  }
  void Field(const RoundId& value) {
    Field(value.job);
    Field(value.number);
  }
  void Field(const LedgerHead& value) { bytes_.U64(value.entries).Put(value.digest); }
  // True if there are fields behind those that the first programs knew; older records end there.
  bool HasMore() const { return true; }
  void Field(bool value) { bytes_.U8(value ? 1 : 0); }
  void Field(const EnrolmentCode& value);
  void Field(const StoreInRound& value);
  void Field(const LeftOutStore& value);
  void Field(const PhaseSpan& value);
  void Field(const StoreTimes& value);
  void Field(const AbsentStores& value);
  template <typename T>
  requires std::is_enum_v<T>
  void Enum(T value, T) { bytes_.U8(static_cast<uint8_t>(value)); }
  template <typename T>
  void Field(const std::optional<T>& value) {
    bytes_.U8(value ? 1 : 0);
    if (value) Field(*value);
  }
  template <typename T>
  void Field(const std::vector<T>& values) {
    const size_t count = std::min(values.size(), kStoresPerRoundMax);
    bytes_.U32(static_cast<uint32_t>(count));
    for (size_t i = 0; i < count; ++i) Field(values[i]);
  }
  void Field(const std::map<std::string, double>& values) {
    size_t left = std::min(values.size(), kMetricsPerRecordMax);
    bytes_.U32(static_cast<uint32_t>(left));
    for (auto entry = values.begin(); left > 0; ++entry, --left) {
      Field(std::string_view(entry->first));
      Field(entry->second);
    }
  }

 private:
  ByteWriter bytes_;
};

class FieldReader {
 public:
  explicit FieldReader(std::string_view bytes) : bytes_(bytes) {}
  // False once anything was cut or out of range.
  bool ok() const { return bytes_.ok() && !refused_; }

  void Field(uint32_t& value) { value = bytes_.U32(); }
  void Field(uint64_t& value) { value = bytes_.U64(); }
  void Field(double& value) { value = bytes_.F64(); }
  void Field(std::string& value) { value = bytes_.String(kRecordTextMax); }
  void Field(Digest& value) { value = bytes_.ReadDigest(); }
  void Field(absl::Time& value) { value = absl::FromUnixMicros(bytes_.I64()); }
  void Field(BlobName& value) {
    value.digest = bytes_.ReadDigest();
    value.size = bytes_.U64();
  }
  template <typename Tag>
  void Field(Name<Tag>& value) {
    const std::string_view text = bytes_.String(kNameLengthMax);
    if (text.empty()) return;  // An empty id is kept as such.
    StatusOr<Name<Tag>> name = Name<Tag>::Parse(text);
    refused_ |= !name.ok();
    if (name.ok()) value = *std::move(name);
  }
  void Field(RoundId& value) {
    Field(value.job);
    Field(value.number);
  }
  void Field(LedgerHead& value) {
    value.entries = bytes_.U64();
    value.digest = bytes_.ReadDigest();
  }
  bool HasMore() const { return bytes_.remaining() > 0; }
  void Field(bool& value) {
    const uint8_t flag = bytes_.U8();
    refused_ |= flag > 1;
    value = flag == 1;
  }
  void Field(EnrolmentCode& value);
  void Field(StoreInRound& value);
  void Field(LeftOutStore& value);
  void Field(PhaseSpan& value);
  void Field(StoreTimes& value);
  void Field(AbsentStores& value);
  template <typename T>
  requires std::is_enum_v<T>
  void Enum(T& value, T last) {
    const uint8_t number = bytes_.U8();
    refused_ |= number < 1 || number > static_cast<uint8_t>(last);
    value = static_cast<T>(number);
  }
  template <typename T>
  void Field(std::optional<T>& value) {
    const uint8_t present = bytes_.U8();
    refused_ |= present > 1;
    if (present == 1) Field(value.emplace());
  }
  template <typename T>
  void Field(std::vector<T>& values) {
    const uint32_t count = Count(kStoresPerRoundMax);
    for (uint32_t i = 0; i < count && ok(); ++i) Field(values.emplace_back());
  }
  void Field(std::map<std::string, double>& values) {
    const uint32_t count = Count(kMetricsPerRecordMax);
    for (uint32_t i = 0; i < count && ok(); ++i) {
      std::string name(bytes_.String(kRecordTextMax));
      refused_ |= !values.emplace(std::move(name), bytes_.F64()).second;
    }
  }

 private:
  uint32_t Count(size_t count_max) {
    const uint32_t count = bytes_.U32();
    refused_ |= count > count_max;
    return refused_ ? 0 : count;
  }
  ByteReader bytes_;
  bool refused_ = false;
};

template <typename Archive, typename Record>
void EnrolmentCodeFields(Archive& archive, Record& code) {
  archive.Field(code.hash);
  archive.Field(code.expires);
  archive.Field(code.used);
  archive.Field(code.used_by);
}
void FieldWriter::Field(const EnrolmentCode& value) { EnrolmentCodeFields(*this, value); }
void FieldReader::Field(EnrolmentCode& value) { EnrolmentCodeFields(*this, value); }

template <typename Archive, typename Record>
void StoreInRoundFields(Archive& archive, Record& store) {
  archive.Field(store.store);
  archive.Enum(store.outcome, StoreOutcome::kSilent);
  archive.Field(store.detail);
}
void FieldWriter::Field(const StoreInRound& value) { StoreInRoundFields(*this, value); }
void FieldReader::Field(StoreInRound& value) { StoreInRoundFields(*this, value); }

template <typename Archive, typename Record>
void LeftOutStoreFields(Archive& archive, Record& left_out) {
  archive.Field(left_out.store);
  archive.Field(left_out.until_round);
}
void FieldWriter::Field(const LeftOutStore& value) { LeftOutStoreFields(*this, value); }
void FieldReader::Field(LeftOutStore& value) { LeftOutStoreFields(*this, value); }

template <typename Archive, typename Record>
void PhaseSpanFields(Archive& archive, Record& span) {
  archive.Enum(span.phase, RoundPhase::kUnmasking);
  archive.Field(span.began);
  archive.Field(span.expired);
}
void FieldWriter::Field(const PhaseSpan& value) { PhaseSpanFields(*this, value); }
void FieldReader::Field(PhaseSpan& value) { PhaseSpanFields(*this, value); }

template <typename Archive, typename Record>
void StoreTimesFields(Archive& archive, Record& times) {
  archive.Field(times.trained);
  archive.Field(times.collected);
  archive.Field(times.stepped);
  archive.Field(times.bytes_up);
}
void FieldWriter::Field(const StoreTimes& value) { StoreTimesFields(*this, value); }
void FieldReader::Field(StoreTimes& value) { StoreTimesFields(*this, value); }

template <typename Archive, typename Record>
void AbsentStoresFields(Archive& archive, Record& absent) {
  archive.Enum(absent.why, Absence::kSpoilt);
  archive.Field(absent.count);
  archive.Field(absent.examples);
}
void FieldWriter::Field(const AbsentStores& value) { AbsentStoresFields(*this, value); }
void FieldReader::Field(AbsentStores& value) { AbsentStoresFields(*this, value); }

// What a record type is called, its version, and its fields.
template <typename Record>
struct Format;

template <>
struct Format<StoreRecord> {
  static constexpr std::string_view kWhat = "store record";
  static constexpr uint8_t kVersion = 1;
  template <typename Archive, typename Record>
  static void Fields(Archive& archive, Record& record) {
    archive.Field(record.id);
    archive.Enum(record.state, StoreState::kRevoked);
    archive.Field(record.code);
    archive.Field(record.key_current);
    archive.Field(record.key_next);
    archive.Field(record.certificate_serial);
    archive.Field(record.certificate_not_after);
    archive.Field(record.first_seen);
    archive.Field(record.last_seen);
    archive.Field(record.agent_version);
    archive.Field(record.rounds_selected);
    archive.Field(record.rounds_collected);
    archive.Field(record.last_refusal);
    archive.Field(record.revoke_reason);
    archive.Field(record.ledger);
    archive.Field(record.ledger_at);
    archive.Field(record.ledger_trouble);
    if (!archive.HasMore()) return;
    archive.Field(record.call_refused);
    archive.Field(record.call_refused_at);
  }
};

template <>
struct Format<JobRecord> {
  static constexpr std::string_view kWhat = "job record";
  static constexpr uint8_t kVersion = 1;
  template <typename Archive, typename Record>
  static void Fields(Archive& archive, Record& record) {
    archive.Field(record.id);
    archive.Enum(record.state, JobState::kFailed);
    archive.Field(record.state_reason);
    archive.Field(record.plan);
    archive.Field(record.plan_signature);
    archive.Field(record.plan_name);
    archive.Field(record.initial_weights);
    archive.Field(record.optimizer_state);
    archive.Field(record.rounds_total);
    archive.Field(record.rounds_committed);
    archive.Field(record.rounds_aborted);
    archive.Field(record.aborted_in_a_row);
    archive.Field(record.next_round_number);
    archive.Field(record.model_version);
    archive.Field(record.priority);
    archive.Field(record.cohort_target);
    archive.Field(record.submitted_at);
    archive.Field(record.ended_at);
    if (!archive.HasMore()) return;
    archive.Field(record.version_floor);
    archive.Field(record.left_out);
  }
};

template <>
struct Format<RoundRecord> {
  static constexpr std::string_view kWhat = "round record";
  static constexpr uint8_t kVersion = 1;
  template <typename Archive, typename Record>
  static void Fields(Archive& archive, Record& record) {
    archive.Field(record.id);
    archive.Enum(record.phase, RoundPhase::kUnmasking);
    archive.Field(record.opened_at);
    archive.Field(record.closed_at);
    archive.Field(record.phase_closes_at);
    archive.Field(record.stores_selected);
    archive.Field(record.stores_trained);
    archive.Field(record.stores_collected);
    archive.Field(record.stores_refused);
    archive.Field(record.stores_failed);
    archive.Field(record.abort_reason);
    archive.Field(record.metrics);
    archive.Field(record.bytes_up);
    archive.Field(record.bytes_down);
    archive.Field(record.model_version);
    archive.Field(record.stores);
    if (!archive.HasMore()) return;
    archive.Field(record.phases);
    archive.Field(record.times);
    archive.Field(record.absent);
    archive.Field(record.cohort_min);
    archive.Field(record.cohort_target);
    archive.Field(record.update_size);
    archive.Field(record.restarts);
    archive.Field(record.commit_trouble);
  }
};

template <>
struct Format<ModelRecord> {
  static constexpr std::string_view kWhat = "model record";
  static constexpr uint8_t kVersion = 1;
  template <typename Archive, typename Record>
  static void Fields(Archive& archive, Record& record) {
    archive.Field(record.job);
    archive.Field(record.version);
    archive.Field(record.weights);
    archive.Field(record.optimizer_state);
    archive.Field(record.round);
    archive.Field(record.stores);
    archive.Field(record.plan);
    archive.Field(record.epsilon_floor);
    archive.Field(record.epsilon_aggregate);
    archive.Field(record.delta);
    archive.Field(record.privacy_unit);
    archive.Field(record.published_at);
    archive.Field(record.metrics);
    archive.Field(record.clip_norm);
    archive.Field(record.reached);
  }
};

template <typename Record>
std::string Encode(const Record& record) {
  FieldWriter writer(Format<Record>::kVersion);
  Format<Record>::Fields(writer, record);
  return writer.Take();
}

}  // namespace

std::string EncodeRecord(const StoreRecord& record) { return Encode(record); }
std::string EncodeRecord(const JobRecord& record) { return Encode(record); }
std::string EncodeRecord(const RoundRecord& record) { return Encode(record); }
std::string EncodeRecord(const ModelRecord& record) { return Encode(record); }

template <typename T>
StatusOr<T> DecodeRecord(std::string_view bytes) {
  if (bytes.empty()) return DataLoss("a {} is empty", Format<T>::kWhat);
  const auto version = static_cast<uint8_t>(bytes.front());
  if (version > Format<T>::kVersion) {
    return FailedPrecondition("a {} has format {}, written by a newer coordinator; this one knows up to {}: upgrade it",
                              Format<T>::kWhat, version, Format<T>::kVersion);
  }
  if (version == 0) return DataLoss("a {} has format 0, which no program ever wrote", Format<T>::kWhat);
  FieldReader reader(bytes.substr(1));
  T record;
  Format<T>::Fields(reader, record);
  // Bytes left over are fields that a later program of the same format added: not for us.
  if (!reader.ok()) return DataLoss("a {} of {} bytes is cut short or damaged", Format<T>::kWhat, bytes.size());
  return record;
}

template StatusOr<StoreRecord> DecodeRecord<StoreRecord>(std::string_view bytes);
template StatusOr<JobRecord> DecodeRecord<JobRecord>(std::string_view bytes);
template StatusOr<RoundRecord> DecodeRecord<RoundRecord>(std::string_view bytes);
template StatusOr<ModelRecord> DecodeRecord<ModelRecord>(std::string_view bytes);

}  // namespace aisle
