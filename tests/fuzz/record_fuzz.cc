// The coordinator's records, as a damaged disk or a later program might give them back.
#include "base/check.h"
#include "coordinator/catalog/record_codec.h"
#include "tests/coordinator-catalog/sample_records.h"
#include "tests/fuzz/fuzz.h"

namespace aisle::fuzz::record {
namespace {

// What was understood is written in one way only.
template <typename Record>
void TryAs(std::string_view input) {
  const StatusOr<Record> record = DecodeRecord<Record>(input);
  if (!record.ok()) return;
  const std::string bytes = EncodeRecord(*record);
  const StatusOr<Record> again = DecodeRecord<Record>(bytes);
  AISLE_CHECK(again.ok() && EncodeRecord(*again) == bytes);
}

}  // namespace

void TryInput(std::string_view input) {
  TryAs<StoreRecord>(input);
  TryAs<JobRecord>(input);
  TryAs<RoundRecord>(input);
  TryAs<ModelRecord>(input);
}

std::vector<std::string> Seeds() {
  return {EncodeRecord(SampleStore()), EncodeRecord(SampleJob()), EncodeRecord(SampleRound(Round("demand", 9))),
          EncodeRecord(SampleModel("demand", 7))};
}

}  // namespace aisle::fuzz::record

AISLE_FUZZ_TARGET(record);
