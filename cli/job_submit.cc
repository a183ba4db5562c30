// aisle job submit: a plan becomes a job, if it would run.
#include "cli/commands.h"
#include "cli/describe.h"
#include "cli/fetch.h"
#include "cli/plan_tasks.h"
#include "cli/price.h"
#include "cli/text.h"
#include "cli/watch.h"

namespace aisle::cli {
namespace {

struct SubmitOptions {
  std::string file;
  std::string job;
  std::string from;
  std::string worker;
  uint32_t rounds = 0;
  uint32_t cohort = 0;
  uint32_t priority = 0;
  bool no_dry_run = false;
  bool watch = false;
};

// What can be said without asking anybody; the coordinator asks again.
Status CheckAgainstPlan(const SubmitOptions& options, const PlanFile& file) {
  AISLE_ASSIGN_OR_RETURN(const Plan plan, file.bundle.plan());
  AISLE_RETURN_IF_ERROR(CheckSignature(file));
  if (options.rounds > plan.privacy.rounds_max) {
    return InvalidArgument("--rounds {} is over the {} rounds of the plan's privacy contract (privacy.rounds_max)",
                           options.rounds, plan.privacy.rounds_max);
  }
  if (options.cohort != 0 && options.cohort < plan.privacy.cohort_min) {
    return InvalidArgument("--cohort {} is under the {} stores below which the plan is never summed (cohort.min)",
                           options.cohort, plan.privacy.cohort_min);
  }
  return OkStatus();
}

// A plan's folder is built on the fly and signed with the identity's own plan key.
StatusOr<PlanFile> LoadSigned(const Context& context, const std::string& path, LocalWorker& worker) {
  if (!IsPlanFolder(path)) return PlanFile::Load(path);
  AISLE_ASSIGN_OR_RETURN(const ChainPaths paths, context.IdentityPaths());
  AISLE_ASSIGN_OR_RETURN(const SigningKey key, SigningKey::Load(paths.plan_signing_key()));
  return LoadOrBuildPlan(path, &key, worker);
}

StatusOr<v1::SubmitJobRequest> MakeRequest(AdminClient& admin, const SubmitOptions& options, const PlanFile& file) {
  v1::SubmitJobRequest request;
  request.set_job(options.job);
  request.set_plan_sha256(std::string(file.bundle.digest().view()));
  request.set_plan_signature(file.signature->signature);
  AISLE_ASSIGN_OR_RETURN(const Plan plan, file.bundle.plan());
  request.set_rounds(options.rounds == 0 ? plan.privacy.rounds_max : options.rounds);
  request.set_priority(options.priority);
  request.set_cohort_target(options.cohort);
  if (!options.from.empty()) {
    AISLE_ASSIGN_OR_RETURN(const ModelName name, ParseModelName(options.from));
    AISLE_ASSIGN_OR_RETURN(const v1::Model model, admin.GetModel(name.job, name.version));
    request.set_base_model_job(model.job());
    request.set_base_model_version(model.version());
  }
  return request;
}

// What the job will cost, told before anything is sent.
Status ShowPrice(Context& context, const SubmitOptions& options, const PlanFile& file) {
  if (context.options.json) return OkStatus();
  AISLE_ASSIGN_OR_RETURN(const Plan plan, file.bundle.plan());
  const uint32_t stores = options.cohort == 0 ? plan.privacy.cohort_target : options.cohort;
  AISLE_ASSIGN_OR_RETURN(const PlanPrice price, PriceOfPlan(plan, options.rounds, {stores}));
  context.out.Text(fmt::format("privacy: {}\n\n", PriceLine(price)));
  return OkStatus();
}

Status SubmitJob(Context& context, const SubmitOptions& options) {
  AISLE_RETURN_IF_ERROR(JobId::Parse(options.job).status());
  LocalWorker worker(WorkerProgram(options.worker));
  AISLE_ASSIGN_OR_RETURN(const PlanFile file, LoadSigned(context, options.file, worker));
  AISLE_RETURN_IF_ERROR(Annotate(CheckAgainstPlan(options, file), options.file));
  AISLE_RETURN_IF_ERROR(ShowPrice(context, options, file));
  AISLE_ASSIGN_OR_RETURN(AdminClient * admin, context.Admin());
  if (!options.no_dry_run) {
    AISLE_RETURN_IF_ERROR(Annotate(DryRun(file, worker).status(),
                                   fmt::format("{} failed its dry run and was not submitted", options.file)));
  }
  AISLE_ASSIGN_OR_RETURN(const v1::SubmitJobRequest request, MakeRequest(*admin, options, file));
  AISLE_RETURN_IF_ERROR(UploadBlob(*admin, file.weights, "first weights"));
  AISLE_RETURN_IF_ERROR(UploadBlob(*admin, file.bundle.Encode(), "plan"));
  AISLE_ASSIGN_OR_RETURN(const v1::Job job, admin->SubmitJob(request));
  if (context.options.json && !options.watch) context.out.Json(job);
  if (!context.options.json) context.out.Print(DescribeJob(job));
  if (!options.watch) return OkStatus();
  if (!context.options.json) context.out.Text("\n");
  return WatchUntilEnd(*admin, options.job, WatchFrom::kFirstRound, context.out, context.options.json);
}

}  // namespace

void AddJobSubmitCommand(CLI::App& group, Context& context) {
  CLI::App* command =
      group.add_subcommand("submit", "Train a plan: dry-run it here, send it to the coordinator, start a job");
  command->footer(
      "A plan that stores would refuse is refused here, with the reason and exit code 4.\n\n"
      "  aisle job submit demand.plan --job demand --rounds 30 --watch\n"
      "  aisle job submit demand.plan --job demand-2 --rounds 10 --from demand@30\n");
  SubmitOptions& options = OnRun(*command, context, SubmitJob);
  command
      ->add_option("PLAN", options.file,
                   "The plan file, as `aisle plan build` made it; or the plan's folder, which is built and signed here")
      ->type_name("FILE")
      ->required();
  command->add_option("--job", options.job, "The new job's id: a-z, 0-9, '.', '_' and '-'")
      ->type_name("ID")
      ->required();
  command->add_option("--rounds", options.rounds, "Rounds to commit [all that the plan's privacy contract allows]")
      ->type_name("N")
      ->check(CLI::PositiveNumber);
  command->add_option("--cohort", options.cohort, "Stores per round [the plan's own target]")
      ->type_name("N")
      ->check(CLI::PositiveNumber);
  command->add_option("--priority", options.priority, "Higher goes first")->type_name("P")->capture_default_str();
  command->add_option("--from", options.from, "Start from this model, JOB[@VERSION], not from the plan's first weights")
      ->type_name("MODEL");
  command->add_flag("--no-dry-run", options.no_dry_run, "Skip the dry run: for a machine without aisle-worker");
  command->add_option("--worker", options.worker, "The aisle-worker program [beside aisle]")->type_name("FILE");
  command->add_flag("--watch", options.watch, "Then follow the job until it has ended, as `aisle job watch`");
  AddJsonFlag(*command, context);
  AddConnectionOptions(*command, context);
}

}  // namespace aisle::cli
