// aisle explain round|store|job: why a round was slow or aborted, why a store was left out, in sentences.
#include "cli/commands.h"
#include "cli/describe.h"
#include "cli/text.h"

namespace aisle::cli {
namespace {

// A finding is a paragraph: what happened, then what to do, indented.
std::string ParagraphOf(const v1::Finding& finding) {
  return fmt::format("{}: {}\n    {}\n", finding.cause(), Printable(finding.sentence()), Printable(finding.fix()));
}

Status Tell(Context& context, const v1::ExplainRequest& request) {
  AISLE_ASSIGN_OR_RETURN(AdminClient * admin, context.Admin());
  AISLE_ASSIGN_OR_RETURN(const v1::Explanation explanation, admin->Explain(request));
  if (context.options.json) {
    context.out.Json(explanation);
    return OkStatus();
  }
  std::string text = Printable(explanation.headline()) + "\n";
  for (const v1::Finding& finding : explanation.findings()) text += "\n" + ParagraphOf(finding);
  if (explanation.findings().empty()) text += "Nothing is wrong.\n";
  context.out.Text(text);
  return OkStatus();
}

struct ExplainOptions {
  std::string name;
};

Status ExplainRound(Context& context, const ExplainOptions& options) {
  AISLE_ASSIGN_OR_RETURN(const RoundName name, ParseRoundName(options.name));
  v1::ExplainRequest request;
  request.mutable_round()->set_job(name.job);
  request.mutable_round()->set_number(name.number.value_or(0));
  return Tell(context, request);
}

Status ExplainStore(Context& context, const ExplainOptions& options) {
  AISLE_RETURN_IF_ERROR(StoreId::Parse(options.name).status());
  v1::ExplainRequest request;
  request.set_store(options.name);
  return Tell(context, request);
}

Status ExplainJob(Context& context, const ExplainOptions& options) {
  AISLE_RETURN_IF_ERROR(JobId::Parse(options.name).status());
  v1::ExplainRequest request;
  request.set_job(options.name);
  return Tell(context, request);
}

void AddOne(CLI::App& group, Context& context, const char* what, const char* argument, const char* about,
            const char* names, Status (*run)(Context&, const ExplainOptions&)) {
  CLI::App* command = group.add_subcommand(what, about);
  ExplainOptions& options = OnRun(*command, context, run);
  command->add_option(argument, options.name, names)->required();
  AddJsonFlag(*command, context);
  AddConnectionOptions(*command, context);
}

}  // namespace

void AddExplainCommands(CLI::App& app, Context& context) {
  CLI::App* group = app.add_subcommand("explain", "Why a round, a store or a job is as it is, and what to do about it");
  group->require_subcommand(1);
  group->footer(
      "Each cause is a paragraph: its name, what happened and to whom; then what to do. The weightiest comes first.\n\n"
      "  aisle explain round demand/7     # why it was slow or aborted; who was left out\n"
      "  aisle explain store leeds-01     # why it takes no part\n"
      "  aisle explain job demand         # what keeps it, or what ended it\n");
  AddOne(*group, context, "round", "ROUND", "Why a round was slow or aborted, and who was left out",
         "JOB/N, or JOB for its latest round", ExplainRound);
  AddOne(*group, context, "store", "ID", "Why a store takes part, or doesn't", "The store's id", ExplainStore);
  AddOne(*group, context, "job", "JOB", "What keeps a job, or what ended it", "The job's id", ExplainJob);
}

}  // namespace aisle::cli
