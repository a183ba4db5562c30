// aisle ca show|rotate: the chain's roots, and a change of them. Both work on the coordinator's own folder.
#include <absl/time/clock.h>

#include <nlohmann/json.hpp>

#include "base/identity/root_set.h"
#include "cli/commands.h"
#include "cli/table.h"
#include "cli/text.h"

namespace aisle::cli {
namespace {

std::string Date(absl::Time time) { return time == absl::InfiniteFuture() ? "-" : TimeText(absl::ToUnixMillis(time)); }

nlohmann::ordered_json ToJson(const RootSet& roots, size_t index, absl::Time now) {
  const Root& root = roots.roots()[index];
  nlohmann::ordered_json json = {{"root", root.generation},
                                 {"stage", NameOf(roots.StageAt(index, now))},
                                 {"certificate", root.certificate_path},
                                 {"made_unix_ms", absl::ToUnixMillis(root.made)},
                                 {"issues_from_unix_ms", absl::ToUnixMillis(roots.IssuesFrom(index))},
                                 {"retired_from_unix_ms", nullptr},
                                 {"ends_unix_ms", absl::ToUnixMillis(root.not_after)}};
  const absl::Time retired = roots.RetiredFrom(index);
  if (retired != absl::InfiniteFuture()) json["retired_from_unix_ms"] = absl::ToUnixMillis(retired);
  return json;
}

Status Show(Context& context, const RootSet& roots, absl::Time now) {
  if (context.options.json) {
    nlohmann::ordered_json list = nlohmann::ordered_json::array();
    for (size_t i = 0; i < roots.roots().size(); ++i) list.push_back(ToJson(roots, i, now));
    context.out.Json({{"roots", list}});
    return OkStatus();
  }
  Table table({{"root"}, {"stage"}, {"made"}, {"issues from"}, {"retired from"}, {"ends"}, {"file"}});
  for (size_t i = 0; i < roots.roots().size(); ++i) {
    const Root& root = roots.roots()[i];
    table.Row({std::to_string(root.generation), std::string(NameOf(roots.StageAt(i, now))), Date(root.made),
               Date(roots.IssuesFrom(i)), Date(roots.RetiredFrom(i)), Date(root.not_after), root.certificate_path});
  }
  context.out.Print(table);
  return OkStatus();
}

Status ShowRoots(Context& context) {
  AISLE_ASSIGN_OR_RETURN(const ChainPaths paths, context.IdentityPaths());
  AISLE_ASSIGN_OR_RETURN(const RootSet roots, RootSet::Load(paths));
  return Show(context, roots, absl::Now());
}

Status Rotate(Context& context) {
  AISLE_ASSIGN_OR_RETURN(const ChainPaths paths, context.IdentityPaths());
  SecureRandom random;
  const absl::Time now = absl::Now();
  AISLE_ASSIGN_OR_RETURN(const Root next, AddRoot(paths, now, random));
  AISLE_ASSIGN_OR_RETURN(const RootSet roots, RootSet::Load(paths));
  if (context.options.json) return Show(context, roots, now);
  const size_t last = roots.roots().size() - 1;
  context.out.Text(fmt::format(
      "Root {} of the chain is made. The rest goes by itself, while the coordinator runs:\n"
      "  until {}  stores hear of it as they renew; the present root goes on issuing\n"
      "  from  {}  it issues; what the present root issued is still good\n"
      "  from  {}  the present root is retired\n"
      "Keep {} as safe as {}. Invitations, and copies of this folder elsewhere, that are older than today need the new "
      "roots.pem before the second date.\n",
      next.generation, Date(roots.IssuesFrom(last)), Date(roots.IssuesFrom(last)), Date(roots.RetiredFrom(last - 1)),
      next.key_path, roots.roots()[last - 1].key_path));
  return OkStatus();
}

}  // namespace

void AddCaCommands(CLI::App& app, Context& context) {
  CLI::App* group = app.add_subcommand("ca", "On the coordinator's machine: the chain's roots");
  group->require_subcommand(1);
  CLI::App* show = group->add_subcommand("show", "The chain's roots, and what stage each is in");
  OnRun(*show, context, ShowRoots);
  CLI::App* rotate =
      group->add_subcommand("rotate", "Make the chain's next root; the change takes four weeks by itself");
  rotate->footer(
      "No store is refused at any time: each hears of the new root when it renews its certificate, long before the "
      "new\n"
      "root issues anything, and the old one counts long after. The coordinator needn't be restarted. A store that is\n"
      "off for more than two weeks just then needs a new invitation.\n\n"
      "  aisle ca rotate --identity /srv/aisle/chain\n");
  OnRun(*rotate, context, Rotate);
  for (CLI::App* command : {show, rotate}) {
    command
        ->add_option("--identity", context.options.identity,
                     fmt::format("The folder that `aisle init` made [${}]", kIdentityVariable))
        ->type_name("DIR");
    AddJsonFlag(*command, context);
  }
}

}  // namespace aisle::cli
