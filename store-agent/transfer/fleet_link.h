// The calls a store makes to headquarters, as blocking functions on values. What they mean is in
// proto/aisle/v1/fleet.proto.
#pragma once

#include <absl/time/time.h>

#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/fleet.h"
#include "base/status.h"

namespace aisle {

inline constexpr absl::Duration kCallTimeout = absl::Seconds(30);   // Of a short call.
inline constexpr absl::Duration kStreamTimeout = absl::Minutes(2);  // Of one stream; what is left is resumed.
inline constexpr absl::Duration kCheckInGrace =
    absl::Seconds(30);  // Beyond the wait that was agreed: 200 KB at 64 kbit/s.

struct CheckInAnswer {
  Instruction instruction;
  absl::Time headquarters_clock;
  std::optional<LedgerHead> ledger_acknowledged = {};  // The last head of this store's ledger that headquarters knows.
};
struct EnrolAnswer {
  std::string certificate_pem;
  std::string ca_pem;
  std::string store;
  std::vector<std::string> plan_keys;  // Ed25519, 32 bytes each.
};

// A renewal by a store whose certificate has ended, so that no handshake lets it show it.
struct LateRenewal {
  std::string csr_pem;
  std::string ended_certificate_pem;
  std::string proof;  // By its key: kLateRenewalDomain, base/identity/statement.h.
};

// Errors carry headquarters' code and reason (base/reason.h); Cancelled soon after `stop` was requested. Thread-safe.
class FleetLink {
 public:
  // Takes one piece of a blob; an error ends the stream.
  using Sink = std::function<Status(std::string_view data)>;
  // Gives the next piece of an update; empty at its end.
  using Source = std::function<StatusOr<std::string>()>;

  virtual ~FleetLink() = default;
  virtual StatusOr<CheckInAnswer> AskForWork(const CheckIn& check_in, std::stop_token stop) = 0;
  virtual Status Report(const RoundId& round, const TaskOutcome& outcome, std::stop_token stop) = 0;
  // InvalidArgument if headquarters says the blob has another size, or sends more than that. OK once the stream ended
  // well, which may be before the blob did.
  virtual Status Fetch(const BlobName& blob, uint64_t offset, const Sink& sink, std::stop_token stop) = 0;
  virtual StatusOr<UploadStatus> AskUploadStatus(const RoundId& round, const Digest& update, std::stop_token stop) = 0;
  virtual StatusOr<UploadStatus> Upload(const UploadHeader& header, const Source& source, std::stop_token stop) = 0;
  // One step of the secure sum.
  virtual Status SumStep(const SumReport& report, std::stop_token stop) = 0;
  virtual StatusOr<EnrolAnswer> Renew(const std::string& csr_pem) = 0;
  virtual StatusOr<EnrolAnswer> RenewLate(const LateRenewal&) {
    return Unimplemented("this link takes no late renewals");
  }
};

}  // namespace aisle
