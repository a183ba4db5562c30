// The yardstick of round_bench: serves the same bytes over the same kind of streams, with the same TLS and limits, and
// keeps nothing. FetchBlob sends as many bytes as it is told at the start; Upload reads to the end and drops it all.
#include <csignal>
#include <cstdlib>
#include <iostream>

#include "aisle/v1/fleet.grpc.pb.h"
#include "base/fleet.h"
#include "base/identity/chain_folder.h"
#include "base/net/credentials.h"
#include "base/net/grpc_setup.h"
#include "base/net/transport.h"

namespace aisle {
namespace {

class Sender final : public grpc::ServerWriteReactor<v1::FetchBlobResponse> {
 public:
  explicit Sender(uint64_t size) : left_(size) {
    chunk_.set_data(std::string(std::min(left_, kChunkSize), 'x'));
    Next();
  }
  void OnWriteDone(bool ok) override { ok ? Next() : Finish(grpc::Status::CANCELLED); }
  void OnDone() override { delete this; }

 private:
  void Next() {
    if (left_ == 0) return Finish(grpc::Status::OK);
    if (left_ < chunk_.data().size()) chunk_.mutable_data()->resize(left_);
    left_ -= chunk_.data().size();
    StartWrite(&chunk_);
  }
  uint64_t left_;
  v1::FetchBlobResponse chunk_;
};

class Receiver final : public grpc::ServerReadReactor<v1::UploadRequest> {
 public:
  explicit Receiver(v1::UploadResponse* response) : response_(response) { StartRead(&message_); }
  void OnReadDone(bool ok) override {
    if (ok) {
      received_ += message_.data().size();
      return StartRead(&message_);
    }
    response_->set_received_bytes(received_);
    response_->set_complete(true);
    Finish(grpc::Status::OK);
  }
  void OnDone() override { delete this; }

 private:
  v1::UploadResponse* response_;
  v1::UploadRequest message_;
  uint64_t received_ = 0;
};

class BareFleet final : public v1::Fleet::CallbackService {
 public:
  explicit BareFleet(uint64_t size) : size_(size) {}
  grpc::ServerWriteReactor<v1::FetchBlobResponse>* FetchBlob(grpc::CallbackServerContext*,
                                                             const v1::FetchBlobRequest*) override {
    return new Sender(size_);
  }
  grpc::ServerReadReactor<v1::UploadRequest>* Upload(grpc::CallbackServerContext*,
                                                     v1::UploadResponse* response) override {
    return new Receiver(response);
  }

 private:
  const uint64_t size_;
};

Status Serve(const std::string& identity_folder, uint64_t size) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  SetUpGrpc();
  AISLE_ASSIGN_OR_RETURN(const TlsIdentity identity, LoadTlsIdentity(ChainPaths{identity_folder}.coordinator()));
  AISLE_ASSIGN_OR_RETURN(const auto credentials, MakeServerCredentials(identity));
  BareFleet fleet(size);
  grpc::ServerBuilder builder;
  ApplyServerLimits(builder);
  builder.RegisterService(&fleet);
  AISLE_ASSIGN_OR_RETURN(const RunningServer server, StartServer(builder, "127.0.0.1:0", credentials));
  std::cerr << "serving on port " << server.port << std::endl;
  int signal = 0;
  sigwait(&signals, &signal);
  server.server->Shutdown(std::chrono::system_clock::now());
  return OkStatus();
}

}  // namespace
}  // namespace aisle

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: bare_server IDENTITY_FOLDER BYTES\n";
    return 2;
  }
  const aisle::Status served = aisle::Serve(argv[1], std::strtoull(argv[2], nullptr, 10));
  if (!served.ok()) std::cerr << served << "\n";
  return served.ok() ? 0 : 1;
}
