// Headquarters played by the test: a Fleet server on loopback with certificates of its own chain, which misbehaves as
// told.
#pragma once

#include <absl/synchronization/notification.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "aisle/v1/fleet.grpc.pb.h"
#include "base/identity/authority.h"
#include "base/identity/signing.h"
#include "base/identity/tls_identity.h"
#include "base/net/transport.h"
#include "base/random.h"

namespace aisle {

class FakeFleet final : public v1::Fleet::Service {
 public:
  FakeFleet();
  ~FakeFleet() override { Stop(); }

  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  const CertificateAuthority& authority() const { return *authority_; }
  TlsIdentity StoreIdentity(std::string_view name = "s1", absl::Duration lifetime = absl::Hours(72));
  const SigningKey& plan_key() const { return *plan_key_; }
  const TlsIdentity& identity() const { return *identity_; }  // The coordinator's.
  void Stop();
  void Listen(int port = 0);  // Again, after Stop, on the same port.

  // What FetchBlob gives, and how.
  struct BlobSettings {
    uint64_t chunk_size = 1000;
    std::optional<uint64_t> cut_after;          // Bytes of one stream, then Unavailable.
    std::optional<uint64_t> announced_size;     // Instead of the true one.
    absl::Notification* wait_before = nullptr;  // Say nothing until then.
  };
  struct UploadSettings {
    std::optional<uint64_t> cut_after;  // Bytes of one stream, then Unavailable.
    std::optional<uint64_t> end_after;  // Bytes of one stream, then OK, but not complete.
    bool forget_all = false;            // GetUploadStatus says 0.
    bool claim_too_much = false;        // GetUploadStatus says more than there is.
    grpc::Status answer;                // Of a whole upload.
  };

  std::mutex mutex;                          // Guards everything below.
  std::map<std::string, std::string> blobs;  // By digest bytes.
  BlobSettings fetching;
  UploadSettings uploading;
  std::string uploaded;
  uint64_t upload_bytes_received = 0;     // With repeats.
  std::vector<uint64_t> upload_messages;  // Bytes of data in each message of the latest upload.
  int fetches = 0;
  bool careful_fetch = false;  // Of the latest.
  std::string code = std::string(32, 'a');
  absl::Duration lifetime = absl::Hours(72);
  std::string enrolled_as = "s1";
  int enrolments = 0;
  int renewals = 0;
  v1::RenewRequest last_renewal;
  grpc::Status enrol_answer;
  std::function<grpc::Status(grpc::ServerContext&, const v1::CheckInRequest&, v1::CheckInResponse&)> on_check_in;
  std::function<grpc::Status(const v1::ReportOutcomeRequest&)> on_report;
  std::function<grpc::Status(const v1::SumStepRequest&)> on_sum_step;
  std::function<grpc::Status(const v1::UploadHeader&, const std::string&)> on_uploaded;  // Of a whole, right upload.

  Digest AddBlob(const std::string& content);
  void ForgetUploads();  // Another round begins.

  grpc::Status Enrol(grpc::ServerContext*, const v1::EnrolRequest*, v1::EnrolResponse*) override;
  grpc::Status Renew(grpc::ServerContext*, const v1::RenewRequest*, v1::RenewResponse*) override;
  grpc::Status CheckIn(grpc::ServerContext*, const v1::CheckInRequest*, v1::CheckInResponse*) override;
  grpc::Status FetchBlob(grpc::ServerContext*, const v1::FetchBlobRequest*,
                         grpc::ServerWriter<v1::FetchBlobResponse>*) override;
  grpc::Status GetUploadStatus(grpc::ServerContext*, const v1::GetUploadStatusRequest*,
                               v1::GetUploadStatusResponse*) override;
  grpc::Status Upload(grpc::ServerContext*, grpc::ServerReader<v1::UploadRequest>*, v1::UploadResponse*) override;
  grpc::Status ReportOutcome(grpc::ServerContext*, const v1::ReportOutcomeRequest*,
                             v1::ReportOutcomeResponse*) override;
  grpc::Status SumStep(grpc::ServerContext*, const v1::SumStepRequest*, v1::SumStepResponse*) override;

 private:
  std::string Certify(const std::string& csr);
  SecureRandom random_;
  std::optional<CertificateAuthority> authority_;
  std::optional<SigningKey> plan_key_;
  std::optional<TlsIdentity> identity_;
  RunningServer running_;
  int port_ = 0;
};

}  // namespace aisle
