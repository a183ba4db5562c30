// aisle overview: the coordinator at a glance.
#include <absl/time/clock.h>

#include "cli/commands.h"
#include "cli/describe.h"

namespace aisle::cli {
namespace {

Status ShowOverview(Context& context) {
  AISLE_ASSIGN_OR_RETURN(AdminClient * admin, context.Admin());
  AISLE_ASSIGN_OR_RETURN(const v1::Overview overview, admin->GetOverview());
  if (context.options.json) {
    context.out.Json(overview);
  } else {
    context.out.Print(DescribeOverview(overview, absl::Now()));
  }
  return OkStatus();
}

}  // namespace

void AddOverviewCommand(CLI::App& app, Context& context) {
  CLI::App* command = app.add_subcommand("overview", "The coordinator at a glance: stores, jobs, memory, version");
  OnRun(*command, context, ShowOverview);
  AddJsonFlag(*command, context);
  AddConnectionOptions(*command, context);
}

}  // namespace aisle::cli
