#include "tests/store-agent-transfer/fake_fleet.h"

#include <algorithm>

#include "base/net/credentials.h"
#include "base/net/status_conversion.h"

namespace aisle {
namespace {

grpc::Status Cut() { return {grpc::StatusCode::UNAVAILABLE, "the line was cut"}; }

}  // namespace

FakeFleet::FakeFleet() {
  const ChainName chain = ChainName::Parse("northwind").value();
  authority_ = CertificateAuthority::Create(chain, KeyPair::Generate().value(), absl::Now(), random_).value();
  plan_key_ = SigningKey::Generate(random_).value();
  KeyPair key = KeyPair::Generate().value();
  const CertificateTerms terms{.identity = Identity::Make(chain, Role::kCoordinator, "hq").value(),
                               .lifetime = absl::Hours(24),
                               .server_names = {"127.0.0.1", "localhost"}};
  Certificate certificate = authority_->Issue(key, terms, absl::Now(), random_).value();
  identity_ = TlsIdentity{authority_->root_pem(), std::move(certificate), std::move(key)};
  Listen();
}

void FakeFleet::Listen(int port) {
  grpc::ServerBuilder builder;
  ApplyServerLimits(builder);
  builder.RegisterService(this);
  running_ = StartServer(builder, "127.0.0.1:" + std::to_string(port == 0 ? port_ : port),
                         MakeServerCredentials(*identity_).value())
                 .value();
  port_ = running_.port;
}

void FakeFleet::Stop() {
  if (running_.server == nullptr) return;
  running_.server->Shutdown(absl::ToChronoTime(absl::Now()));
  running_.server = nullptr;
}

TlsIdentity FakeFleet::StoreIdentity(std::string_view name, absl::Duration lifetime_of_it) {
  KeyPair key = KeyPair::Generate().value();
  const CertificateTerms terms{.identity = Identity::Make(authority_->chain(), Role::kStore, name).value(),
                               .lifetime = lifetime_of_it};
  Certificate certificate = authority_->Issue(key, terms, absl::Now(), random_).value();
  return {authority_->root_pem(), std::move(certificate), std::move(key)};
}

std::string FakeFleet::Certify(const std::string& csr) {
  const CertificateTerms terms{.identity = Identity::Make(authority_->chain(), Role::kStore, enrolled_as).value(),
                               .lifetime = lifetime};
  return authority_->IssueFromCsr(csr, terms, absl::Now(), random_).value().pem();
}

Digest FakeFleet::AddBlob(const std::string& content) {
  const std::lock_guard lock(mutex);
  const Digest digest = Sha256::Of(content);
  blobs[std::string(digest.view())] = content;
  return digest;
}

void FakeFleet::ForgetUploads() {
  const std::lock_guard lock(mutex);
  uploaded.clear();
}

grpc::Status FakeFleet::Enrol(grpc::ServerContext*, const v1::EnrolRequest* request, v1::EnrolResponse* response) {
  const std::lock_guard lock(mutex);
  ++enrolments;
  if (request->code() != code) return {grpc::StatusCode::NOT_FOUND, "no such code"};
  response->set_certificate_pem(Certify(request->csr_pem()));
  response->set_ca_pem(authority_->root_pem());
  response->set_store_id(enrolled_as);
  response->add_plan_public_keys(plan_key_->verify_key().bytes());
  return enrol_answer;
}

grpc::Status FakeFleet::Renew(grpc::ServerContext*, const v1::RenewRequest* request, v1::RenewResponse* response) {
  const std::lock_guard lock(mutex);
  ++renewals;
  last_renewal = *request;
  response->set_certificate_pem(Certify(request->csr_pem()));
  response->set_ca_pem(authority_->root_pem());
  response->add_plan_public_keys(plan_key_->verify_key().bytes());
  return enrol_answer;
}

grpc::Status FakeFleet::CheckIn(grpc::ServerContext* context, const v1::CheckInRequest* request,
                                v1::CheckInResponse* response) {
  if (!on_check_in) return {grpc::StatusCode::UNAVAILABLE, "not now"};
  response->set_clock_unix_ms(absl::ToUnixMillis(absl::Now()));
  return on_check_in(*context, *request, *response);
}

grpc::Status FakeFleet::FetchBlob(grpc::ServerContext*, const v1::FetchBlobRequest* request,
                                  grpc::ServerWriter<v1::FetchBlobResponse>* writer) {
  std::string content;
  BlobSettings settings;
  {
    const std::lock_guard lock(mutex);
    ++fetches;
    careful_fetch = request->careful();
    settings = fetching;
    const auto found = blobs.find(request->sha256());
    if (found == blobs.end()) return {grpc::StatusCode::NOT_FOUND, "no such blob"};
    content = found->second;
  }
  if (settings.wait_before != nullptr) settings.wait_before->WaitForNotification();
  uint64_t sent = 0;
  for (uint64_t at = request->offset_bytes(); at < content.size();) {
    uint64_t size = std::min<uint64_t>(settings.chunk_size, content.size() - at);
    if (settings.cut_after) size = std::min(size, *settings.cut_after - sent);
    v1::FetchBlobResponse response;
    if (sent == 0) response.set_total_size_bytes(settings.announced_size.value_or(content.size()));
    response.set_data(content.substr(at, size));
    if (!writer->Write(response)) return grpc::Status::CANCELLED;
    at += size;
    sent += size;
    if (settings.cut_after && sent == *settings.cut_after) return Cut();
  }
  return grpc::Status::OK;
}

grpc::Status FakeFleet::GetUploadStatus(grpc::ServerContext*, const v1::GetUploadStatusRequest*,
                                        v1::GetUploadStatusResponse* response) {
  const std::lock_guard lock(mutex);
  response->set_received_bytes(uploading.forget_all ? 0 : uploaded.size());
  if (uploading.claim_too_much) response->set_received_bytes(uint64_t{1} << 40);
  return grpc::Status::OK;
}

grpc::Status FakeFleet::Upload(grpc::ServerContext*, grpc::ServerReader<v1::UploadRequest>* reader,
                               v1::UploadResponse* response) {
  const std::lock_guard lock(mutex);
  v1::UploadRequest request;
  uint64_t received = 0;
  v1::UploadHeader header;
  upload_messages.clear();
  while (reader->Read(&request)) {
    upload_messages.push_back(request.data().size());
    if (request.has_header()) {
      header = request.header();
      if (header.offset_bytes() > uploaded.size()) return {grpc::StatusCode::OUT_OF_RANGE, "a gap"};
      uploaded.resize(header.offset_bytes());
    }
    std::string data = request.data();
    if (uploading.end_after) data.resize(std::min<uint64_t>(data.size(), *uploading.end_after - received));
    if (uploading.cut_after) data.resize(std::min<uint64_t>(data.size(), *uploading.cut_after - received));
    uploaded += data;
    received += data.size();
    upload_bytes_received += data.size();
    if (uploading.cut_after && received == *uploading.cut_after) return Cut();
    if (uploading.end_after && received == *uploading.end_after) break;
  }
  response->set_received_bytes(uploaded.size());
  const bool whole = uploaded.size() == header.size_bytes();
  if (whole && !uploading.answer.ok()) return uploading.answer;
  if (whole && Sha256::Of(uploaded).view() != header.sha256()) {
    uploaded.clear();
    return ToGrpc(DataLoss("another digest"));
  }
  response->set_complete(whole);
  return whole && on_uploaded ? on_uploaded(header, uploaded) : grpc::Status::OK;
}

grpc::Status FakeFleet::SumStep(grpc::ServerContext*, const v1::SumStepRequest* request, v1::SumStepResponse*) {
  return on_sum_step ? on_sum_step(*request) : grpc::Status(grpc::StatusCode::UNIMPLEMENTED, "no secure sum here");
}

grpc::Status FakeFleet::ReportOutcome(grpc::ServerContext*, const v1::ReportOutcomeRequest* request,
                                      v1::ReportOutcomeResponse*) {
  return on_report ? on_report(*request) : grpc::Status::OK;
}

}  // namespace aisle
