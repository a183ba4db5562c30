// aisle store add|list|show|revoke: the chain's stores as headquarters knows them.
#include <absl/time/clock.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/storage/files.h"
#include "cli/commands.h"
#include "cli/describe.h"
#include "cli/invitation.h"
#include "cli/text.h"

namespace aisle::cli {
namespace {

constexpr absl::Duration kCodeLifetimeMax = absl::Hours(24 * 90);

struct AddOptions {
  std::string store;
  std::string out;
  std::string code_lifetime = "7d";
  std::string store_coordinator;
};

// Refuses before the code is made: a code that can't be written down would be lost.
Status CheckTarget(const std::string& path) {
  if (FileExists(path)) {
    return AlreadyExists("{} exists already; move it away or choose another with --out (nothing was changed)", path);
  }
  return OkStatus();
}

Status AddStore(Context& context, const AddOptions& options) {
  AISLE_ASSIGN_OR_RETURN(const StoreId store, StoreId::Parse(options.store));
  AISLE_ASSIGN_OR_RETURN(const absl::Duration lifetime, ParseDuration(options.code_lifetime));
  if (lifetime < absl::Minutes(1) || lifetime > kCodeLifetimeMax) {
    return InvalidArgument("--code-lifetime {} is outside of 1m to 90d", options.code_lifetime);
  }
  const std::string path = options.out.empty() ? store.str() + ".enrol.toml" : options.out;
  AISLE_RETURN_IF_ERROR(CheckTarget(path));
  AISLE_ASSIGN_OR_RETURN(AdminClient * admin, context.Admin());
  AISLE_ASSIGN_OR_RETURN(const v1::Overview overview, admin->GetOverview());
  AISLE_ASSIGN_OR_RETURN(const v1::AddStoreResponse added, admin->AddStore(store.str(), lifetime));
  const std::string coordinator =
      options.store_coordinator.empty() ? context.CoordinatorAddress() : options.store_coordinator;
  const Status written = WriteInvitation(path, {.coordinator = coordinator,
                                                .store = added.store(),
                                                .code = added.code(),
                                                .chain = overview.chain(),
                                                .ca_pem = added.ca_pem()});
  if (!written.ok()) return Annotate(written, "the code was made but couldn't be kept; run this again for a new one");
  if (context.options.json) {
    context.out.Json({{"store", added.store()},
                      {"file", path},
                      {"coordinator", coordinator},
                      {"code_expires_unix_ms", added.code_expires_unix_ms()}});
    return OkStatus();
  }
  context.out.Text(
      fmt::format("{} is invited. Bring {} to its box (it holds a one-time code: handle it like a key), then "
                  "start aisle-agent there.\nThe code can be used once, until {}.\n",
                  added.store(), path, TimeText(added.code_expires_unix_ms())));
  return OkStatus();
}

Status ListStores(Context& context) {
  AISLE_ASSIGN_OR_RETURN(AdminClient * admin, context.Admin());
  AISLE_ASSIGN_OR_RETURN(const v1::ListStoresResponse stores, admin->ListStores());
  if (context.options.json) {
    context.out.Json(stores);
  } else if (stores.stores().empty()) {
    context.out.Text("No stores yet. Invite the first with: aisle store add ID\n");
  } else {
    context.out.Print(DescribeStores(stores, absl::Now()));
  }
  return OkStatus();
}

struct ShowOptions {
  std::string store;
};

Status ShowStore(Context& context, const ShowOptions& options) {
  AISLE_RETURN_IF_ERROR(StoreId::Parse(options.store).status());
  AISLE_ASSIGN_OR_RETURN(AdminClient * admin, context.Admin());
  AISLE_ASSIGN_OR_RETURN(const v1::ListStoresResponse stores, admin->ListStores());
  for (const v1::Store& store : stores.stores()) {
    if (store.id() != options.store) continue;
    if (context.options.json) {
      context.out.Json(store);
    } else {
      context.out.Print(DescribeStore(store, absl::Now()));
    }
    return OkStatus();
  }
  return NotFound("no store is called '{}'; `aisle store list` names all {}", options.store, stores.stores_size());
}

struct RevokeOptions {
  std::string store;
  std::string reason;
};

Status RevokeStore(Context& context, const RevokeOptions& options) {
  AISLE_RETURN_IF_ERROR(StoreId::Parse(options.store).status());
  AISLE_ASSIGN_OR_RETURN(AdminClient * admin, context.Admin());
  AISLE_ASSIGN_OR_RETURN(const v1::Store store, admin->RevokeStore(options.store, options.reason));
  if (context.options.json) {
    context.out.Json(store);
  } else {
    context.out.Text(fmt::format("{} is revoked: its certificate opens nothing any more.\n", store.id()));
  }
  return OkStatus();
}

struct ReinstateOptions {
  std::string store;
};

Status ReinstateStore(Context& context, const ReinstateOptions& options) {
  AISLE_RETURN_IF_ERROR(StoreId::Parse(options.store).status());
  AISLE_ASSIGN_OR_RETURN(AdminClient * admin, context.Admin());
  AISLE_ASSIGN_OR_RETURN(const v1::Store store, admin->ReinstateStore(options.store));
  if (context.options.json) {
    context.out.Json(store);
  } else {
    context.out.Text(
        fmt::format("{0} may join again, with a new code: aisle store add {0}\nWhat it had before (certificate, key, "
                    "code) stays void.\n",
                    store.id()));
  }
  return OkStatus();
}

void AddAddCommand(CLI::App& group, Context& context) {
  CLI::App* command = group.add_subcommand("add", "Invite a store: make its one-time code and enrolment file");
  command->footer(
      "The file holds the coordinator's address, the chain's root certificate and a code that works once, for this "
      "store\n"
      "only. A store that is known already gets a new code; its old one stops working.\n\n"
      "  aisle store add leeds-01 --out leeds-01.enrol.toml\n");
  AddOptions& options = OnRun(*command, context, AddStore);
  command->add_option("ID", options.store, "The store's id: a-z, 0-9, '.', '_' and '-', at most 64 characters")
      ->required();
  command->add_option("--out", options.out, "Where to write the enrolment file [ID.enrol.toml]; never overwritten")
      ->type_name("FILE");
  command->add_option("--code-lifetime", options.code_lifetime, "How long the code can be used, 1m to 90d")
      ->type_name("DURATION")
      ->capture_default_str();
  command
      ->add_option("--store-coordinator", options.store_coordinator,
                   "The coordinator's address as the store dials it, if it differs from yours")
      ->type_name("HOST:PORT");
  AddJsonFlag(*command, context);
  AddConnectionOptions(*command, context);
}

}  // namespace

void AddStoreCommands(CLI::App& app, Context& context) {
  CLI::App* group = app.add_subcommand("store", "Invite, list, revoke and reinstate stores");
  group->require_subcommand(1);
  AddAddCommand(*group, context);

  CLI::App* list = group->add_subcommand("list", "All stores: state, last contact, rounds, last refusal");
  OnRun(*list, context, ListStores);
  AddJsonFlag(*list, context);
  AddConnectionOptions(*list, context);

  CLI::App* show = group->add_subcommand("show", "Everything known of one store");
  ShowOptions& shown = OnRun(*show, context, ShowStore);
  show->add_option("ID", shown.store, "The store's id")->required();
  AddJsonFlag(*show, context);
  AddConnectionOptions(*show, context);

  CLI::App* revoke = group->add_subcommand("revoke", "Shut a store out; its open calls end at once");
  RevokeOptions& revoked = OnRun(*revoke, context, RevokeStore);
  revoke->add_option("ID", revoked.store, "The store's id")->required();
  revoke->add_option("--reason", revoked.reason, "Why, for the record")->type_name("TEXT")->required();
  AddJsonFlag(*revoke, context);
  AddConnectionOptions(*revoke, context);

  CLI::App* reinstate = group->add_subcommand("reinstate", "Let a revoked store join again, with a new code");
  ReinstateOptions& reinstated = OnRun(*reinstate, context, ReinstateStore);
  reinstate->add_option("ID", reinstated.store, "The store's id")->required();
  AddJsonFlag(*reinstate, context);
  AddConnectionOptions(*reinstate, context);
}

}  // namespace aisle::cli
