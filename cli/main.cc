// The program `aisle`: understands the line, does what it says, tells how it went.
#include <algorithm>

#include "cli/commands.h"

namespace aisle::cli {
namespace {

// The command that was reached before the line stopped making sense.
const CLI::App* Deepest(const CLI::App* app) {
  while (!app->get_subcommands().empty()) app = app->get_subcommands().back();
  return app;
}

std::string PathOf(const CLI::App* app) {
  return app->get_parent() == nullptr ? app->get_name() : PathOf(app->get_parent()) + " " + app->get_name();
}

// A command group without a command: say which there are, rather than that one is missing.
std::string Choices(const CLI::App* group) {
  std::string names;
  for (const CLI::App* command : group->get_subcommands({})) names += (names.empty() ? "" : ", ") + command->get_name();
  return names;
}

std::string Explain(const CLI::ParseError& error, const CLI::App* app) {
  const std::vector<std::string> extras = app->remaining();
  const bool is_group = !app->get_subcommands({}).empty();
  if (is_group && extras.empty()) return fmt::format("`{}` needs a command: {}", PathOf(app), Choices(app));
  if (is_group) {
    return fmt::format("`{}` has no command or option '{}'; it knows: {}", PathOf(app), extras.front(), Choices(app));
  }
  if (!extras.empty()) return fmt::format("`{}` doesn't expect '{}'", PathOf(app), extras.front());
  return error.what();
}

int FinishUsage(Context& context, const CLI::ParseError& error, const CLI::App& app, bool json) {
  const CLI::App* reached = Deepest(&app);
  std::string message = Explain(error, reached);
  while (message.ends_with('\n') || message.ends_with('.')) message.pop_back();
  context.out.Report(InvalidArgument("{}; see `{} --help`", message, PathOf(reached)), json);
  return kExitUsage;
}

int Main(int argc, char** argv) {
  Context context;
  const std::unique_ptr<CLI::App> app = MakeCommandLine(context);
  try {
    app->parse(argc, argv);
  } catch (const CLI::Success& wanted) {  // --help or --version.
    return app->exit(wanted);
  } catch (const CLI::ParseError& error) {
    const bool json = std::any_of(argv, argv + argc, [](std::string_view word) { return word == "--json"; });
    return FinishUsage(context, error, *app, json);
  }
  Status status = context.action();
  if (status.ok()) status = context.out.Flush();
  return context.out.Report(status, context.options.json);
}

}  // namespace
}  // namespace aisle::cli

int main(int argc, char** argv) { return aisle::cli::Main(argc, argv); }
