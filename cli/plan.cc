// aisle plan build|import|show|check: a plan from its folder to a signed file. Pricing, training alone and evaluating
// have files of their own.
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/storage/files.h"
#include "cli/commands.h"
#include "cli/describe_plan.h"
#include "cli/plan_tasks.h"
#include "cli/text.h"

namespace aisle::cli {
namespace {

struct BuildOptions {
  std::string plan;     // Folder or plan.toml.
  std::string archive;  // `plan import` only.
  std::string out;
  std::string key;
  bool unsigned_plan = false;
  std::string worker;
};

// The key given, else the identity folder's. Null for --unsigned.
StatusOr<std::unique_ptr<SigningKey>> PlanKey(const Context& context, const BuildOptions& options) {
  if (options.unsigned_plan) return std::unique_ptr<SigningKey>();
  std::string path = options.key;
  if (path.empty()) {
    const StatusOr<ChainPaths> paths = context.IdentityPaths();
    if (!paths.ok()) {
      return FailedPrecondition(
          "no key to sign with: give --key plan-signing.key, or --identity DIR, or --unsigned for a "
          "plan that no store will run");
    }
    path = paths->plan_signing_key();
  }
  AISLE_ASSIGN_OR_RETURN(SigningKey key, SigningKey::Load(path));
  return std::make_unique<SigningKey>(std::move(key));
}

Status BuildFrom(Context& context, PlanFiles files, const BuildOptions& options) {
  AISLE_ASSIGN_OR_RETURN(const std::unique_ptr<SigningKey> key, PlanKey(context, options));
  LocalWorker worker(WorkerProgram(options.worker));
  AISLE_ASSIGN_OR_RETURN(const PlanFile file, BuildAnyPlanFile(std::move(files), key.get(), worker));
  AISLE_RETURN_IF_ERROR(WriteFileDurably(options.out, file.Encode()));
  if (context.options.json) {
    AISLE_ASSIGN_OR_RETURN(const nlohmann::ordered_json json, PlanJson(file));
    context.out.Json(json);
    return OkStatus();
  }
  AISLE_ASSIGN_OR_RETURN(const Facts facts, DescribePlan(file));
  context.out.Print(facts);
  context.out.Text(fmt::format("\nWrote {}. Try it with: aisle plan check {}\n", options.out, options.out));
  return OkStatus();
}

Status BuildPlan(Context& context, const BuildOptions& options) {
  AISLE_ASSIGN_OR_RETURN(PlanFiles files, ReadPlanFiles(options.plan));
  return BuildFrom(context, std::move(files), options);
}

Status ImportPlan(Context& context, const BuildOptions& options) {
  PlanFiles files{.kind = ProgramKind::kArchive};
  AISLE_ASSIGN_OR_RETURN(files.plan_toml, ReadFile(options.plan, kPlanTomlSizeMax));
  AISLE_ASSIGN_OR_RETURN(files.program, ReadFile(options.archive, kPlanArchiveSizeMax));
  return BuildFrom(context, std::move(files), options);
}

struct FileOptions {
  std::string file;
  std::string worker;
};

Status ShowPlan(Context& context, const FileOptions& options) {
  LocalWorker worker(WorkerProgram(options.worker));
  AISLE_ASSIGN_OR_RETURN(const PlanFile file, LoadOrBuildPlan(options.file, nullptr, worker));
  if (context.options.json) {
    AISLE_ASSIGN_OR_RETURN(const nlohmann::ordered_json json, PlanJson(file));
    context.out.Json(json);
    return OkStatus();
  }
  AISLE_ASSIGN_OR_RETURN(const Facts facts, DescribePlan(file));
  AISLE_ASSIGN_OR_RETURN(const Table tables, DescribePlanTables(file));
  AISLE_ASSIGN_OR_RETURN(const Table tensors, DescribePlanTensors(file));
  context.out.Print(facts);
  context.out.Text("\nIt reads, and the agent hands it nothing else:\n");
  context.out.Print(tables);
  context.out.Text("\n");
  context.out.Print(tensors);
  return OkStatus();
}

Status CheckPlan(Context& context, const FileOptions& options) {
  LocalWorker worker(WorkerProgram(options.worker));
  AISLE_ASSIGN_OR_RETURN(const PlanFile file, LoadOrBuildPlan(options.file, nullptr, worker));
  AISLE_ASSIGN_OR_RETURN(const v1::InspectResult result, DryRun(file, worker));
  if (context.options.json) {
    context.out.Json(result);
    return OkStatus();
  }
  context.out.Print(Facts()
                        .Add("plan", file.bundle.digest().Hex())
                        .Add("dry run", "passed: it compiles, uses allowed operators only, and every method ran")
                        .Add("signature", SignatureText(file))
                        .Add("parameters", fmt::format("{}, {} of them train", CountText(result.parameters()),
                                                       CountText(result.trainable())))
                        .Add("one step", SpanText(absl::Seconds(result.seconds_per_step())))
                        .Add("operators", fmt::format("{}", fmt::join(result.operators(), "\n"))));
  return OkStatus();
}

void AddKeyOptions(CLI::App& command, Context& context, BuildOptions& options) {
  command.add_option("--out", options.out, "The plan file to write; replaced if it exists")
      ->type_name("FILE")
      ->required();
  CLI::Option* key =
      command.add_option("--key", options.key, "The plan signing key [the identity folder's plan-signing.key]")
          ->type_name("FILE");
  command.add_flag("--unsigned", options.unsigned_plan, "Don't sign: for trying out only")->excludes(key);
  command.add_option("--worker", options.worker, "The aisle-worker program [beside aisle]")->type_name("FILE");
  command
      .add_option("--identity", context.options.identity,
                  fmt::format("The folder that `aisle init` made [${}]", kIdentityVariable))
      ->type_name("DIR");
  AddJsonFlag(command, context);
}

void AddBuildCommands(CLI::App& group, Context& context) {
  CLI::App* build =
      group.add_subcommand("build", "Make one signed file of a plan's folder: plan.toml, program, first weights");
  build->footer("  aisle plan build plans/demand --out demand.plan --key chain/plan-signing.key\n");
  BuildOptions& built = OnRun(*build, context, BuildPlan);
  build->add_option("DIR", built.plan, "The plan's folder, or its plan.toml")->type_name("DIR")->required();
  AddKeyOptions(*build, context, built);

  CLI::App* import =
      group.add_subcommand("import", "Make a plan file of a model that torch.jit.script made in PyTorch");
  import->footer(
      "The archive is loaded only in a sandboxed worker, since loading one runs code, and passes the same checks as "
      "source.\n"
      "plan.toml says archive = \"…\" and has no [[parameters]]: they are the archive's own, and all of them train.\n\n"
      "  aisle plan import model.pt --plan plan.toml --out model.plan\n");
  BuildOptions& imported = OnRun(*import, context, ImportPlan);
  import->add_option("FILE", imported.archive, "The archive, as torch.jit.save wrote it")
      ->type_name("FILE")
      ->required();
  import->add_option("--plan", imported.plan, "The plan.toml that goes with it")->type_name("FILE")->required();
  AddKeyOptions(*import, context, imported);
}

}  // namespace

void AddPlanCommands(CLI::App& app, Context& context) {
  CLI::App* group = app.add_subcommand("plan", "Build, check, price and try out plans");
  group->require_subcommand(1);
  AddBuildCommands(*group, context);

  CLI::App* show = group->add_subcommand("show", "What a plan file says: data it reads, model, training, privacy");
  FileOptions& shown = OnRun(*show, context, ShowPlan);
  show->add_option("PLAN", shown.file, "The plan file, or the plan's folder")->type_name("FILE")->required();
  AddJsonFlag(*show, context);

  CLI::App* check = group->add_subcommand("check", "Dry-run a plan on made-up rows in a sandboxed worker");
  check->footer("Exit code 4, with the reason, for a plan that stores would refuse.\n");
  FileOptions& checked = OnRun(*check, context, CheckPlan);
  check->add_option("PLAN", checked.file, "The plan file, or the plan's folder")->type_name("FILE")->required();
  check->add_option("--worker", checked.worker, "The aisle-worker program [beside aisle]")->type_name("FILE");
  AddJsonFlag(*check, context);

  AddPriceCommand(*group, context);
  AddPlanTrainAloneCommand(*group, context);
  AddPlanEvaluateCommand(*group, context);
}

}  // namespace aisle::cli
