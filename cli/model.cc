// aisle model list|show|fetch: published model versions and their lineage.
#include <absl/time/clock.h>
#include <fcntl.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/storage/files.h"
#include "cli/commands.h"
#include "cli/describe.h"
#include "cli/fetch.h"

namespace aisle::cli {
namespace {

struct ListOptions {
  std::string job;
};

Status ListModels(Context& context, const ListOptions& options) {
  if (!options.job.empty()) AISLE_RETURN_IF_ERROR(JobId::Parse(options.job).status());
  AISLE_ASSIGN_OR_RETURN(AdminClient * admin, context.Admin());
  AISLE_ASSIGN_OR_RETURN(const v1::ListModelsResponse models, admin->ListModels(options.job));
  if (context.options.json) {
    context.out.Json(models);
  } else if (models.models().empty()) {
    context.out.Text("No model has been published yet: each committed round publishes one.\n");
  } else {
    context.out.Print(DescribeModels(models, absl::Now()));
  }
  return OkStatus();
}

struct ShowOptions {
  std::string model;
};

Status ShowModel(Context& context, const ShowOptions& options) {
  AISLE_ASSIGN_OR_RETURN(const ModelName name, ParseModelName(options.model));
  AISLE_ASSIGN_OR_RETURN(AdminClient * admin, context.Admin());
  AISLE_ASSIGN_OR_RETURN(const v1::Model model, admin->GetModel(name.job, name.version));
  if (context.options.json) {
    context.out.Json(model);
  } else {
    context.out.Print(DescribeModel(model));
  }
  return OkStatus();
}

struct FetchOptions {
  std::string model;
  std::string out;
};

Status FetchModel(Context& context, const FetchOptions& options) {
  AISLE_ASSIGN_OR_RETURN(const ModelName name, ParseModelName(options.model));
  AISLE_ASSIGN_OR_RETURN(AdminClient * admin, context.Admin());
  AISLE_ASSIGN_OR_RETURN(const v1::Model model, admin->GetModel(name.job, name.version));
  AISLE_RETURN_IF_ERROR(FetchBlobToFile(*admin, model.weights(), options.out));
  if (context.options.json) {
    context.out.Json(model);
    return OkStatus();
  }
  context.out.Text(fmt::format("{}@{} is in {}: {}, verified.\n", model.job(), model.version(), options.out,
                               FormatByteCount(model.weights().size_bytes())));
  return OkStatus();
}

}  // namespace

void AddModelCommands(CLI::App& app, Context& context) {
  CLI::App* group = app.add_subcommand("model", "See and fetch published models");
  group->require_subcommand(1);

  CLI::App* list = group->add_subcommand("list", "Published versions with their lineage, of one job or of all");
  ListOptions& listed = OnRun(*list, context, ListModels);
  list->add_option("JOB", listed.job, "The job's id [all jobs]");
  AddJsonFlag(*list, context);
  AddConnectionOptions(*list, context);

  CLI::App* show = group->add_subcommand("show", "One version: round, stores, epsilon, plan, weights");
  show->footer("  aisle model show demand@12    # version 12\n  aisle model show demand       # the latest\n");
  ShowOptions& shown = OnRun(*show, context, ShowModel);
  show->add_option("MODEL", shown.model, "JOB@VERSION, or JOB for its latest version")->required();
  AddJsonFlag(*show, context);
  AddConnectionOptions(*show, context);

  CLI::App* fetch = group->add_subcommand("fetch", "Write a version's weights to a file, verified by their hash");
  fetch->footer("The file is in Aisle's flat tensor format (docs/formats.md). A broken connection is resumed.\n");
  FetchOptions& fetched = OnRun(*fetch, context, FetchModel);
  fetch->add_option("MODEL", fetched.model, "JOB@VERSION, or JOB for its latest version")->required();
  fetch->add_option("--out", fetched.out, "Where to; replaced only when everything has arrived and verified")
      ->type_name("FILE")
      ->required();
  AddJsonFlag(*fetch, context);
  AddConnectionOptions(*fetch, context);
}

}  // namespace aisle::cli
