// aisle enrol: at the store, joins the chain without starting the agent.
#include <absl/time/clock.h>

#include <nlohmann/json.hpp>

#include "base/net/grpc_setup.h"
#include "cli/commands.h"
#include "cli/text.h"
#include "store-agent/enrol/membership.h"
#include "store-agent/program/folder_lock.h"
#include "store-agent/transfer/grpc_fleet_link.h"

namespace aisle::cli {
namespace {

struct EnrolOptions {
  std::string invitation;
  std::string data;
  std::string coordinator;
};

struct Joined {
  Membership membership;
  bool anew = false;  // By this very call.
};

StatusOr<Joined> Join(const EnrolOptions& options) {
  AISLE_ASSIGN_OR_RETURN(const FolderLock lock, FolderLock::Take(options.data));
  SetUpGrpc();
  bool anew = false;
  const EnrolCall call = [&](const Invitation& invitation, const std::string& csr) {
    anew = true;
    const std::string& address = options.coordinator.empty() ? invitation.coordinator : options.coordinator;
    return CallEnrol({.address = address}, invitation.ca_pem, invitation.code, csr);
  };
  AISLE_ASSIGN_OR_RETURN(Membership membership,
                         TakeUpMembership(options.data + "/identity", options.invitation, call, absl::Now()));
  return Joined{std::move(membership), anew};
}

Status Enrol(Context& context, const EnrolOptions& options) {
  AISLE_ASSIGN_OR_RETURN(const Joined joined, Join(options));
  const Certificate& certificate = joined.membership.identity.certificate;
  const int64_t expires = absl::ToUnixMillis(certificate.not_after());
  if (context.options.json) {
    context.out.Json({{"store", joined.membership.store.str()},
                      {"chain", certificate.identity().chain.str()},
                      {"coordinator", joined.membership.coordinator},
                      {"enrolled_now", joined.anew},
                      {"certificate_expires_unix_ms", expires}});
    return OkStatus();
  }
  const bool ended = absl::Now() >= certificate.not_after();
  context.out.Text(
      fmt::format("{} {} a store of {}. Its certificate {} {} and {}.\n{}", joined.membership.store.str(),
                  joined.anew ? "is now" : "was already", certificate.identity().chain.str(), ended ? "ended" : "ends",
                  TimeText(expires),
                  ended ? "is renewed once aisle-agent reaches headquarters" : "renews itself while aisle-agent runs",
                  joined.anew ? "The code is used up: delete the file.\n" : ""));
  return OkStatus();
}

}  // namespace

void AddEnrolCommand(CLI::App& app, Context& context) {
  CLI::App* command = app.add_subcommand("enrol", "At the store: join the chain with an enrolment file");
  command->footer(
      "aisle-agent does the same at its first start; this shows at once whether it works. The key is made here and "
      "never\n"
      "leaves the box. If the answer got lost, run it again: the same key is asked for again.\n\n"
      "  aisle enrol leeds-01.enrol.toml --data /var/lib/aisle\n");
  EnrolOptions& options = OnRun(*command, context, Enrol);
  command->add_option("FILE", options.invitation, "The enrolment file that `aisle store add` wrote")
      ->type_name("FILE")
      ->required();
  command->add_option("--data", options.data, "The agent's data folder (`data` in agent.toml)")
      ->type_name("DIR")
      ->required();
  command->add_option("--coordinator", options.coordinator, "Where headquarters is, if the file is wrong about it")
      ->type_name("HOST:PORT");
  AddJsonFlag(*command, context);
}

}  // namespace aisle::cli
