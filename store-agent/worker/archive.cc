#include "store-agent/worker/archive.h"

#include <caffe2/serialize/inline_container.h>
#include <caffe2/serialize/read_adapter_interface.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <string>
#include <tuple>

#include "store-agent/worker/engine.h"
#include "store-agent/worker/failures.h"

namespace aisle {

namespace {

constexpr size_t kRecordsMax = 20000;

// Words that no honest plan's archive holds, in its code or its pickles.
struct Forbidden {
  std::string_view word;
  std::string_view why;
};
constexpr std::array<Forbidden, 3> kForbidden = {{
    {"__setstate__", "it would run code while being loaded"},
    {"__getstate__", "it comes with code that runs while being loaded"},
    {"torch.classes", "it holds objects implemented in C++"},
}};

class MemoryReader final : public caffe2::serialize::ReadAdapterInterface {
 public:
  explicit MemoryReader(std::string_view bytes) : bytes_(bytes) {}
  size_t size() const override { return bytes_.size(); }
  size_t read(uint64_t position, void* buffer, size_t size, const char* /*what*/) const override {
    if (position >= bytes_.size()) return 0;
    const size_t got = std::min<size_t>(size, bytes_.size() - position);
    std::memcpy(buffer, bytes_.data() + position, got);
    return got;
  }

 private:
  std::string_view bytes_;
};

Status ScanRecord(const std::string& name, std::string_view content) {
  for (const Forbidden& forbidden : kForbidden) {
    if (content.find(forbidden.word) != std::string_view::npos || name.find(forbidden.word) != std::string::npos) {
      return PlanInvalid("the archive's record {} holds {}: {}", name, forbidden.word, forbidden.why);
    }
  }
  return OkStatus();
}

Status ScanRecords(caffe2::serialize::PyTorchStreamReader& reader) {
  const std::vector<std::string> names = reader.getAllRecords();
  if (names.size() > kRecordsMax) {
    return PlanInvalid("the archive has {} records; the limit is {}", names.size(), kRecordsMax);
  }
  for (const std::string& name : names) {
    const auto [data, size] = reader.getRecord(name);
    AISLE_RETURN_IF_ERROR(ScanRecord(name, {static_cast<const char*>(data.get()), size}));
  }
  if (!reader.hasRecord("data.pkl") || !reader.hasRecord("constants.pkl") || reader.hasRecord("model.json")) {
    return PlanInvalid("this is no TorchScript archive of torch.jit.save (PyTorch 1.6 or later)");
  }
  return OkStatus();
}

}  // namespace

Status ScanArchive(std::string_view archive) {
  if (!archive.starts_with("PK\x03\x04"))
    return PlanInvalid("these {} bytes are no TorchScript archive", archive.size());
  Status scanned;
  const Status read = Guarded("reading the archive", [&] {
    caffe2::serialize::PyTorchStreamReader reader(std::make_shared<MemoryReader>(archive));
    scanned = ScanRecords(reader);
  });
  if (read.code() == StatusCode::kOutOfRange) return PlanInvalid("{}", MessageOf(read));
  return read.ok() ? scanned : read;
}

}  // namespace aisle
