// aisle round list|show: what happened in a job's rounds.
#include "cli/commands.h"
#include "cli/describe.h"

namespace aisle::cli {
namespace {

struct ListOptions {
  std::string job;
  uint32_t last = 100;
};

Status ListRounds(Context& context, const ListOptions& options) {
  AISLE_RETURN_IF_ERROR(JobId::Parse(options.job).status());
  AISLE_ASSIGN_OR_RETURN(AdminClient * admin, context.Admin());
  AISLE_ASSIGN_OR_RETURN(const v1::ListRoundsResponse rounds, admin->ListRounds(options.job, options.last));
  if (context.options.json) {
    context.out.Json(rounds);
  } else if (rounds.rounds().empty()) {
    context.out.Text(fmt::format("{} has had no round yet.\n", options.job));
  } else {
    context.out.Print(DescribeRounds(rounds));
  }
  return OkStatus();
}

struct ShowOptions {
  std::string round;
};

StatusOr<uint32_t> LatestRound(AdminClient& admin, const std::string& job) {
  AISLE_ASSIGN_OR_RETURN(const v1::ListRoundsResponse rounds, admin.ListRounds(job, 1));
  if (rounds.rounds().empty()) return NotFound("{} has had no round yet", job);
  return rounds.rounds(rounds.rounds_size() - 1).round().number();
}

Status ShowRound(Context& context, const ShowOptions& options) {
  AISLE_ASSIGN_OR_RETURN(const RoundName name, ParseRoundName(options.round));
  AISLE_ASSIGN_OR_RETURN(AdminClient * admin, context.Admin());
  uint32_t number = name.number.value_or(0);
  if (!name.number) {
    AISLE_ASSIGN_OR_RETURN(number, LatestRound(*admin, name.job));
  }
  AISLE_ASSIGN_OR_RETURN(const v1::Round round, admin->GetRound(name.job, number));
  if (context.options.json) {
    context.out.Json(round);
    return OkStatus();
  }
  context.out.Print(DescribeRound(round));
  if (!round.stores().empty()) {
    context.out.Text("\n");
    context.out.Print(DescribeStoresInRound(round));
  }
  return OkStatus();
}

}  // namespace

void AddRoundCommands(CLI::App& app, Context& context) {
  CLI::App* group = app.add_subcommand("round", "See what happened in a job's rounds");
  group->require_subcommand(1);

  CLI::App* list = group->add_subcommand("list", "A job's latest rounds: stores in, bytes, time, metrics");
  ListOptions& listed = OnRun(*list, context, ListRounds);
  list->add_option("JOB", listed.job, "The job's id")->required();
  list->add_option("--last", listed.last, "How many rounds, counted from the latest")
      ->type_name("N")
      ->check(CLI::Range(1U, 10000U))
      ->capture_default_str();
  AddJsonFlag(*list, context);
  AddConnectionOptions(*list, context);

  CLI::App* show = group->add_subcommand("show", "One round, with the state of each of its stores");
  show->footer("  aisle round show demand/7     # round 7\n  aisle round show demand       # the latest round\n");
  ShowOptions& shown = OnRun(*show, context, ShowRound);
  show->add_option("ROUND", shown.round, "JOB/N, or JOB for its latest round")->required();
  AddJsonFlag(*show, context);
  AddConnectionOptions(*show, context);
}

}  // namespace aisle::cli
