// A chain with a coordinator that listens on loopback, and clients of every kind.
#pragma once

#include <absl/time/clock.h>
#include <aisle/v1/fleet.grpc.pb.h>

#include <memory>
#include <string>

#include "base/identity/authority.h"
#include "base/net/credentials.h"
#include "base/net/transport.h"
#include "tests/identity/forge.h"

namespace aisle::testing {

// Answers Enrol to anybody and CheckIn to stores, as seen by `chain` at `now`.
class StubFleet final : public v1::Fleet::Service {
 public:
  ChainName chain = Chain("northwind");
  absl::Time now = absl::Now();
  Status enrol_answer;  // What Enrol returns.

  grpc::Status Enrol(grpc::ServerContext* context, const v1::EnrolRequest* request,
                     v1::EnrolResponse* response) override;
  // The answer's `closed.reason` is the store that was recognised.
  grpc::Status CheckIn(grpc::ServerContext* context, const v1::CheckInRequest* request,
                       v1::CheckInResponse* response) override;
};

// Identities of any role, valid over the real clock unless told otherwise: handshakes look at no other.
class TestChain {
 public:
  explicit TestChain(std::string_view name = "northwind") : authority_(NewAuthority(name, absl::Now())) {}

  TlsIdentity Identify(Role role, std::string_view name, absl::Time issued = absl::Now(),
                       absl::Duration lifetime = absl::Hours(72)) const;
  TlsIdentity Store(std::string_view name = "s1") const { return Identify(Role::kStore, name); }
  const std::string& root_pem() const { return authority_.root_pem(); }

 private:
  CertificateAuthority authority_;
};

class ListeningFleet {
 public:
  explicit ListeningFleet(const TlsIdentity& coordinator);
  // With credentials that our own code would never make.
  explicit ListeningFleet(const std::shared_ptr<grpc::ServerCredentials>& credentials);
  ~ListeningFleet() { running_.server->Shutdown(absl::ToChronoTime(absl::Now())); }

  StubFleet& stub() { return fleet_; }
  int port() const { return running_.port; }
  std::string address() const { return "127.0.0.1:" + std::to_string(running_.port); }

 private:
  StubFleet fleet_;
  RunningServer running_;
};

// One call over a connection of its own, as a Status of ours.
class FleetClient {
 public:
  FleetClient(ChannelTarget target, const std::shared_ptr<grpc::ChannelCredentials>& credentials);
  static FleetClient Of(const ListeningFleet& fleet, const TlsIdentity& identity);
  static FleetClient WithoutCertificate(const ListeningFleet& fleet, const std::string& ca_pem);

  Status Enrol(size_t code_size = 32);
  StatusOr<std::string> CheckIn();  // The store that the coordinator recognised.

 private:
  std::unique_ptr<v1::Fleet::Stub> stub_;
};

}  // namespace aisle::testing
