// The Fleet calls over gRPC with TLS in both directions.
#pragma once

#include <grpcpp/channel.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "base/identity/tls_identity.h"
#include "base/net/transport.h"
#include "store-agent/transfer/byte_meter.h"
#include "store-agent/transfer/fleet_link.h"
#include "store-agent/transfer/link_care.h"

namespace google::protobuf {
class MessageLite;
}

namespace aisle {

// A connection is made when a call needs one. After a call that found nobody, the next begins with a fresh channel:
// when to try again is then the agent's own back-off alone, not gRPC's.
class GrpcFleetLink final : public FleetLink {
 public:
  static StatusOr<std::unique_ptr<GrpcFleetLink>> Open(ChannelTarget target, const TlsIdentity& identity);
  // Calls that are no transfers count there, too, with their answers: those count themselves (transfers.h). Before the
  // first call.
  void CountOn(ByteMeter& meter) { meter_ = &meter; }

  // From now on calls show this identity; calls in progress keep the old one.
  Status ChangeIdentity(const TlsIdentity& identity);

  StatusOr<CheckInAnswer> AskForWork(const CheckIn& check_in, std::stop_token stop) override;
  Status Report(const RoundId& round, const TaskOutcome& outcome, std::stop_token stop) override;
  Status Fetch(const BlobName& blob, uint64_t offset, const Sink& sink, std::stop_token stop) override;
  StatusOr<UploadStatus> AskUploadStatus(const RoundId& round, const Digest& update, std::stop_token stop) override;
  StatusOr<UploadStatus> Upload(const UploadHeader& header, const Source& source, std::stop_token stop) override;
  Status SumStep(const SumReport& report, std::stop_token stop) override;
  StatusOr<EnrolAnswer> Renew(const std::string& csr_pem) override;
  StatusOr<EnrolAnswer> RenewLate(const LateRenewal& renewal) override;  // Over a connection of its own.

 private:
  GrpcFleetLink(ChannelTarget target, std::shared_ptr<grpc::ChannelCredentials> credentials, std::string roots_pem);
  StatusOr<std::shared_ptr<grpc::Channel>> Current();
  // A call that isn't a transfer, with its answer, is counted.
  void Count(const google::protobuf::MessageLite& up, const google::protobuf::MessageLite& down);
  // Our status of gRPC's; forgets the channel if it found nobody.
  Status Judge(const grpc::Status& status, const std::shared_ptr<grpc::Channel>& used);

  const ChannelTarget target_;
  std::mutex mutex_;
  std::shared_ptr<grpc::ChannelCredentials> credentials_;      // Guarded by mutex_.
  std::shared_ptr<grpc::Channel> channel_;                     // Guarded by mutex_.
  std::string roots_pem_;                                      // Guarded by mutex_.
  std::atomic<uint32_t> headquarters_minor_ = kProtocolMinor;  // As last heard.
  LinkCare care_;
  ByteMeter* meter_ = nullptr;
};

// The one call of a store that has no certificate yet.
StatusOr<EnrolAnswer> CallEnrol(const ChannelTarget& target, const std::string& ca_pem, const SecretBytes& code,
                                const std::string& csr_pem);

}  // namespace aisle
