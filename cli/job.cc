// aisle job list|show|cancel|watch. Submitting, the longest of them, is job_submit.cc.
#include <absl/time/clock.h>

#include "cli/commands.h"
#include "cli/describe.h"
#include "cli/watch.h"

namespace aisle::cli {
namespace {

Status ListJobs(Context& context) {
  AISLE_ASSIGN_OR_RETURN(AdminClient * admin, context.Admin());
  AISLE_ASSIGN_OR_RETURN(const v1::ListJobsResponse jobs, admin->ListJobs());
  if (context.options.json) {
    context.out.Json(jobs);
  } else if (jobs.jobs().empty()) {
    context.out.Text("No jobs yet. Submit the first with: aisle job submit FILE.plan --job ID --rounds N\n");
  } else {
    context.out.Print(DescribeJobs(jobs, absl::Now()));
  }
  return OkStatus();
}

struct JobOptions {
  std::string job;
  std::string reason;
};

Status ShowOne(Context& context, const v1::Job& job) {
  if (context.options.json) {
    context.out.Json(job);
  } else {
    context.out.Print(DescribeJob(job));
  }
  return OkStatus();
}

Status ShowJob(Context& context, const JobOptions& options) {
  AISLE_RETURN_IF_ERROR(JobId::Parse(options.job).status());
  AISLE_ASSIGN_OR_RETURN(AdminClient * admin, context.Admin());
  AISLE_ASSIGN_OR_RETURN(const v1::Job job, admin->GetJob(options.job));
  return ShowOne(context, job);
}

Status CancelJob(Context& context, const JobOptions& options) {
  AISLE_RETURN_IF_ERROR(JobId::Parse(options.job).status());
  AISLE_ASSIGN_OR_RETURN(AdminClient * admin, context.Admin());
  AISLE_ASSIGN_OR_RETURN(const v1::Job job, admin->CancelJob(options.job, options.reason));
  if (context.options.json) return ShowOne(context, job);
  context.out.Text(fmt::format("{} is {}; the models it published stay.\n", job.id(), StateText(job.state())));
  return OkStatus();
}

Status WatchJob(Context& context, const JobOptions& options) {
  AISLE_RETURN_IF_ERROR(JobId::Parse(options.job).status());
  AISLE_ASSIGN_OR_RETURN(AdminClient * admin, context.Admin());
  return WatchUntilEnd(*admin, options.job, WatchFrom::kPresentRound, context.out, context.options.json);
}

JobOptions& AddOnJob(CLI::App& command, Context& context, Status (*run)(Context&, const JobOptions&)) {
  JobOptions& options = OnRun(command, context, run);
  command.add_option("JOB", options.job, "The job's id")->required();
  return options;
}

}  // namespace

void AddJobCommands(CLI::App& app, Context& context) {
  CLI::App* group = app.add_subcommand("job", "Submit, watch and cancel training jobs");
  group->require_subcommand(1);
  AddJobSubmitCommand(*group, context);

  CLI::App* list = group->add_subcommand("list", "All jobs: state, rounds, epsilon");
  OnRun(*list, context, ListJobs);
  CLI::App* show = group->add_subcommand("show", "Everything known of one job");
  AddOnJob(*show, context, ShowJob);

  CLI::App* watch = group->add_subcommand("watch", "Follow a job until it has ended");
  watch->footer(
      "A line for each ended round; on a terminal also a live line with phase, stores, epsilon, bytes and time left.\n"
      "With --json: one JobSnapshot per line, flushed, after every change. Survives a restart of the coordinator.\n"
      "Exit code 0 if the job finished, 1 if it failed or was cancelled.\n");
  AddOnJob(*watch, context, WatchJob);

  CLI::App* cancel = group->add_subcommand("cancel", "End a job now; its open round is aborted, its models stay");
  JobOptions& cancelled = AddOnJob(*cancel, context, CancelJob);
  cancelled.reason = "cancelled by an administrator";
  cancel->add_option("--reason", cancelled.reason, "Why, for the record")->type_name("TEXT")->capture_default_str();
  for (CLI::App* command : {list, show, watch, cancel}) {
    AddJsonFlag(*command, context);
    AddConnectionOptions(*command, context);
  }
}

}  // namespace aisle::cli
