// `aisle enrol` against a Fleet service that knows one code.
#include <absl/time/clock.h>
#include <grpcpp/server_builder.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "aisle/v1/fleet.grpc.pb.h"
#include "base/identity/chain_folder.h"
#include "base/net/credentials.h"
#include "base/net/grpc_setup.h"
#include "base/net/transport.h"
#include "cli/invitation.h"
#include "store-agent/enrol/enrolment_file.h"
#include "tests/cli/run_program.h"

namespace aisle::cli {
namespace {

constexpr const char* kCode = "0123456789abcdef0123456789abcdef";

class OneCodeFleet final : public v1::Fleet::Service {
 public:
  explicit OneCodeFleet(const std::string& folder)
      : paths_{folder}, authority_(*LoadAuthority(paths_)), plan_key_(*VerifyKey::Load(paths_.plan_verify_key())) {}

 private:
  grpc::Status Enrol(grpc::ServerContext*, const v1::EnrolRequest* request, v1::EnrolResponse* response) override {
    if (request->code() != kCode) return {grpc::StatusCode::PERMISSION_DENIED, "this code is unknown"};
    SecureRandom random;
    const Identity identity = *Identity::Make(authority_.chain(), Role::kStore, "leeds-01");
    const auto certificate =
        authority_.IssueFromCsr(request->csr_pem(), {identity, absl::Hours(72), {}}, absl::Now(), random);
    if (!certificate.ok()) return {grpc::StatusCode::INVALID_ARGUMENT, "bad request"};
    response->set_certificate_pem(certificate->pem());
    response->set_ca_pem(authority_.root_pem());
    response->set_store_id("leeds-01");
    response->add_plan_public_keys(plan_key_.bytes());
    return {};
  }
  ChainPaths paths_;
  CertificateAuthority authority_;
  VerifyKey plan_key_;
};

class EnrolTest : public ::testing::Test {
 protected:
  EnrolTest() {
    SetUpGrpc();
    SecureRandom random;
    EXPECT_TRUE(InitChain({chain_, *ChainName::Parse("northwind"), {"127.0.0.1"}}, absl::Now(), random).ok());
    fleet_ = std::make_unique<OneCodeFleet>(chain_);
    grpc::ServerBuilder builder;
    ApplyServerLimits(builder);
    builder.RegisterService(fleet_.get());
    server_ = *StartServer(builder, "127.0.0.1:0",
                           *MakeServerCredentials(*LoadTlsIdentity(ChainPaths{chain_}.coordinator())));
  }
  ~EnrolTest() override { server_.server->Shutdown(absl::ToChronoTime(absl::Now())); }

  std::string Invite(const std::string& name, const std::string& code) {
    const std::string path = folder_ / name;
    EXPECT_TRUE(WriteInvitation(path, {.coordinator = "127.0.0.1:" + std::to_string(server_.port),
                                       .store = "leeds-01",
                                       .code = code,
                                       .chain = "northwind",
                                       .ca_pem = ReadAll(ChainPaths{chain_}.ca())})
                    .ok());
    return path;
  }

  TemporaryFolder folder_;
  std::string chain_ = folder_ / "chain";
  std::unique_ptr<OneCodeFleet> fleet_;
  RunningServer server_;
};

TEST_F(EnrolTest, WhatStoreAddWritesTheAgentReads) {
  const StatusOr<Invitation> invitation = ReadInvitation(Invite("enrol.toml", kCode));
  ASSERT_TRUE(invitation.ok()) << invitation.status();
  EXPECT_EQ(invitation->store.str(), "leeds-01");
  EXPECT_EQ(invitation->chain.str(), "northwind");
  EXPECT_EQ(invitation->code.Reveal(), kCode);
  EXPECT_EQ(invitation->ca_pem, ReadAll(ChainPaths{chain_}.ca()));
}

TEST_F(EnrolTest, JoinsOnceAndSaysSoTheSecondTime) {
  const std::string file = Invite("enrol.toml", kCode);
  const Ran first = RunAisle({"enrol", file, "--data", folder_ / "data"});
  ASSERT_EQ(first.code, 0) << first.error;
  EXPECT_NE(first.out.find("is now a store of northwind"), std::string::npos) << first.out;
  const Ran second = RunAisle({"enrol", file, "--data", folder_ / "data", "--json"});
  ASSERT_EQ(second.code, 0) << second.error;
  const auto json = nlohmann::json::parse(second.out, nullptr, false);
  EXPECT_EQ(json["store"], "leeds-01");
  EXPECT_EQ(json["enrolled_now"], false);
}

TEST_F(EnrolTest, RefusesAWrongCodeAnOpenFileAndNoFile) {
  EXPECT_EQ(RunAisle({"enrol", Invite("wrong.toml", std::string(32, 'f')), "--data", folder_ / "data"}).code, 6);
  const std::string open = Invite("open.toml", kCode);
  std::filesystem::permissions(open, std::filesystem::perms::others_read, std::filesystem::perm_options::add);
  const Ran ran = RunAisle({"enrol", open, "--data", folder_ / "data"});
  EXPECT_EQ(ran.code, 4);
  EXPECT_NE(ran.error.find("chmod 600"), std::string::npos) << ran.error;
  EXPECT_NE(RunAisle({"enrol", folder_ / "none", "--data", folder_ / "data"}).code, 0);
}

}  // namespace
}  // namespace aisle::cli
