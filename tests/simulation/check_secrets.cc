// What may never leave a store, as seen from the wire: a vector that was not released, one that is not masked where it
// must be, and two answers in one cohort of which only one may ever be given.
#include <cstring>

#include "aisle/v1/fleet.pb.h"
#include "proto/convert/fleet.h"
#include "proto/convert/secure_sum.h"
#include "tests/simulation/checks.h"
#include "tests/simulation/world.h"

namespace aisle::simulation {
namespace {

constexpr size_t kTelling = 8;  // Bytes alike that are no accident.

class MaskCheck final : public Check {
 public:
  std::string_view name() const override { return "nothing unmasked is sent"; }

  void OnReleased(World&, const Released& released) override {
    std::string bytes(released.values.size_bytes(), '\0');
    std::memcpy(bytes.data(), released.values.data(), bytes.size());
    released_[released.store][released.update.digest] = std::move(bytes);
  }
  void OnMasked(World&, const Masked& masked) override { masked_[masked.store].insert(masked.masked.digest); }

  void OnSent(World& world, const Sent& sent) override {
    if (!sent.up) return;
    if (sent.method == Method::kUpload) return CheckUpload(world, sent);
    if (sent.method == Method::kReportOutcome) CheckReport(world, sent);
  }

 private:
  void CheckReport(World& world, const Sent& sent) {
    v1::ReportOutcomeRequest message;
    if (!message.ParseFromArray(sent.bytes.data(), static_cast<int>(sent.bytes.size())) || !message.has_trained())
      return;
    if (!world.scenario().plan.secure_sum) return;
    const StatusOr<OutcomeReport> report = FromProto(message);
    if (!report.ok() || std::get<Trained>(report->outcome).update.digest == Digest()) return;
    world.Fail(name(), fmt::format("{} told the digest of its vector for {}", sent.store, report->round));
  }

  void CheckUpload(World& world, const Sent& sent) {
    v1::UploadRequest message;
    if (!message.ParseFromArray(sent.bytes.data(), static_cast<int>(sent.bytes.size()))) return;
    if (message.has_header()) {
      const StatusOr<UploadHeader> header = FromProto(message.header());
      if (!header.ok()) return;
      offsets_[sent.call] = header->offset;
      const bool right = world.scenario().plan.secure_sum ? masked_[sent.store].contains(header->update.digest)
                                                          : released_[sent.store].contains(header->update.digest);
      if (!right)
        world.Fail(name(), fmt::format("{} sends a vector that it mustn't, for {}", sent.store, header->round));
    }
    const uint64_t offset = offsets_[sent.call];
    offsets_[sent.call] += message.data().size();
    if (world.scenario().plan.secure_sum && message.data().size() >= kTelling)
      Compare(world, sent, message.data(), offset);
  }

  void Compare(World& world, const Sent& sent, std::string_view data, uint64_t offset) {
    for (const auto& [digest, bytes] : released_[sent.store]) {
      if (offset + data.size() > bytes.size() || std::string_view(bytes).substr(offset, data.size()) != data) continue;
      world.Fail(name(), fmt::format("{} sends bytes of its vector as they are", sent.store));
    }
  }

  std::map<StoreId, std::map<Digest, std::string>> released_;
  std::map<StoreId, std::set<Digest>> masked_;
  std::map<uint64_t, uint64_t> offsets_;  // Of the next byte, by call.
};

class ShareCheck final : public Check {
 public:
  std::string_view name() const override { return "one kind of share, one set of survivors"; }

  void OnSent(World& world, const Sent& sent) override {
    if (!sent.up || sent.method != Method::kSumStep) return;
    v1::SumStepRequest message;
    if (!message.ParseFromArray(sent.bytes.data(), static_cast<int>(sent.bytes.size()))) return;
    const StatusOr<SumReport> report = FromProto(message);
    if (!report.ok()) return;
    const Cohort cohort{report->round, report->attempt, sent.store};
    if (const auto* confirmation = std::get_if<Confirmation>(&report->message)) {
      const auto [known, first] = survivors_.emplace(cohort, confirmation->survivors);
      if (!first && known->second != confirmation->survivors) {
        world.Fail(name(), fmt::format("{} confirmed two sets of survivors of {}", sent.store, report->round));
      }
    }
    if (const auto* revealed = std::get_if<RevealedShares>(&report->message)) {
      for (const RevealedShare& share : revealed->shares) {
        const auto [known, first] = kinds_[cohort].emplace(share.of, share.kind);
        if (first || known->second == share.kind) continue;
        world.Fail(name(), fmt::format("{} revealed both kinds of share of member {} in {}", sent.store, share.of,
                                       report->round));
      }
    }
  }

 private:
  using Cohort = std::tuple<RoundId, uint32_t, StoreId>;
  std::map<Cohort, Digest> survivors_;
  std::map<Cohort, std::map<uint32_t, ShareKind>> kinds_;
};

}  // namespace

std::unique_ptr<Check> NothingUnmaskedIsSent() { return std::make_unique<MaskCheck>(); }
std::unique_ptr<Check> OneKindOfShare() { return std::make_unique<ShareCheck>(); }

}  // namespace aisle::simulation
