// aisle completion bash|zsh.
#include "cli/completion.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "cli/commands.h"

namespace aisle::cli {
namespace {

using Word = CompletionNode::Word;

// CLI11 spells the values that IsMember allows as "{a,b}" in the type's name.
std::vector<std::string> ChoicesIn(const std::string& type) {
  const size_t open = type.find('{');
  const size_t close = type.find('}', open);
  if (open == std::string::npos || close == std::string::npos) return {};
  return CLI::detail::split(type.substr(open + 1, close - open - 1), ',');
}

Word::Value ValueOf(const CLI::Option& option) {
  if (option.get_expected_max() == 0 || option.get_type_size_max() == 0) return Word::Value::kNone;
  const std::string type = option.get_type_name();
  if (!ChoicesIn(type).empty()) return Word::Value::kChoice;
  if (type.starts_with("FILE")) return Word::Value::kFile;
  if (type.starts_with("DIR")) return Word::Value::kFolder;
  return Word::Value::kText;
}

std::string FirstLine(const std::string& text) { return text.substr(0, text.find('\n')); }

CompletionNode NodeOf(const CLI::App& app, const std::string& path) {
  CompletionNode node{.path = path};
  for (const CLI::App* command : app.get_subcommands({})) {
    node.commands.push_back({command->get_name(), FirstLine(command->get_description()), Word::Value::kNone, {}});
  }
  for (const CLI::Option* option : app.get_options()) {
    const std::vector<std::string> choices = ChoicesIn(option->get_type_name());
    if (option->get_positional()) {
      const Word::Value value = ValueOf(*option);
      node.takes_file |= value == Word::Value::kFile || value == Word::Value::kFolder;
      node.choices.insert(node.choices.end(), choices.begin(), choices.end());
    }
    for (const std::string& name : option->get_lnames()) {
      node.options.push_back({"--" + name, FirstLine(option->get_description()), ValueOf(*option), choices});
    }
  }
  return node;
}

void Visit(const CLI::App& app, const std::string& path, std::vector<CompletionNode>& tree) {
  tree.push_back(NodeOf(app, path));
  for (const CLI::App* command : app.get_subcommands({})) Visit(*command, path + " " + command->get_name(), tree);
}

std::string Texts(const std::vector<Word>& words) {
  std::string text;
  for (const Word& word : words) text += (text.empty() ? "" : " ") + word.text;
  return text;
}

// The options of a command that take a value of one kind, as a case pattern: "--out|--data".
std::string OptionsWith(const CompletionNode& node, Word::Value value) {
  std::string pattern;
  for (const Word& option : node.options) {
    if (option.value == value) pattern += (pattern.empty() ? "" : "|") + option.text;
  }
  return pattern;
}

std::string BashValueCases(const CompletionNode& node) {
  std::string text;
  const auto add = [&](const std::string& pattern, const std::string& action) {
    if (!pattern.empty()) text += fmt::format("        {}) {}; return ;;\n", pattern, action);
  };
  for (const Word& option : node.options) {
    if (option.value == Word::Value::kChoice) {
      add(option.text, fmt::format("COMPREPLY=($(compgen -W '{}' -- \"$current\"))", fmt::join(option.choices, " ")));
    }
  }
  add(OptionsWith(node, Word::Value::kFile), "COMPREPLY=($(compgen -f -- \"$current\"))");
  add(OptionsWith(node, Word::Value::kFolder), "COMPREPLY=($(compgen -d -- \"$current\"))");
  add(OptionsWith(node, Word::Value::kText), "COMPREPLY=()");
  return text.empty() ? text : fmt::format("      case \"$previous\" in\n{}      esac\n", text);
}

// Text inside a zsh spec in single quotes.
std::string ZshText(const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '\'') {
      escaped += "'\\''";
    } else {
      if (c == '[' || c == ']' || c == ':' || c == '\\') escaped += '\\';
      escaped += c;
    }
  }
  return escaped;
}

std::string ZshAction(const Word& option) {
  switch (option.value) {
    case Word::Value::kNone:
      return "";
    case Word::Value::kFile:
      return ":file:_files";
    case Word::Value::kFolder:
      return ":folder:_files -/";
    case Word::Value::kChoice:
      return fmt::format(":value:({})", fmt::join(option.choices, " "));
    case Word::Value::kText:
      return ":value: ";
  }
  return "";
}

std::string ZshCase(const CompletionNode& node) {
  std::string text = fmt::format("    '{}')\n", node.path);
  if (!node.commands.empty()) {
    text += "      if (( depth == CURRENT - 1 )); then\n        commands=(";
    for (const Word& word : node.commands) text += fmt::format("'{}:{}' ", word.text, ZshText(word.description));
    text += ")\n        _describe command commands\n      fi\n";
  }
  text += "      specs=(";
  for (const Word& option : node.options) {
    text += fmt::format("'*{}[{}]{}' ", option.text, ZshText(option.description), ZshAction(option));
  }
  if (node.takes_file) text += "'*:file:_files' ";
  if (!node.choices.empty()) text += fmt::format("'*:value:({})' ", fmt::join(node.choices, " "));
  return text + ") ;;\n";
}

struct Options {
  std::string shell;
};

}  // namespace

std::vector<CompletionNode> CompletionTree(const CLI::App& app) {
  std::vector<CompletionNode> tree;
  Visit(app, app.get_name(), tree);
  return tree;
}

std::string BashCompletion(const std::vector<CompletionNode>& tree) {
  std::string known;
  std::string cases;
  for (const CompletionNode& node : tree) {
    known += (known.empty() ? "" : "|") + fmt::format("'{}'", node.path);
    std::string words = node.commands.empty() ? "" : Texts(node.commands) + " ";
    words += Texts(node.options);
    for (const std::string& choice : node.choices) words += " " + choice;
    cases += fmt::format("    '{}')\n{}      words='{}'; files={} ;;\n", node.path, BashValueCases(node), words,
                         node.takes_file ? 1 : 0);
  }
  return fmt::format(
      "# Completion of {0} for bash, made by `{0} completion bash`.\n"
      "_{0}() {{\n"
      "  local current=\"${{COMP_WORDS[COMP_CWORD]}}\" previous=\"${{COMP_WORDS[COMP_CWORD-1]}}\"\n"
      "  local path='{0}' words='' files=0 word i\n"
      "  COMPREPLY=()\n"
      "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
      "    word=\"${{COMP_WORDS[i]}}\"\n"
      "    case \"$path $word\" in {1}) path=\"$path $word\" ;; esac\n"
      "  done\n"
      "  case \"$path\" in\n{2}  esac\n"
      "  COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
      "  if ((files)) && [[ $current != -* ]]; then COMPREPLY+=($(compgen -f -- \"$current\")); fi\n"
      "}}\n"
      "complete -o filenames -F _{0} {0}\n",
      tree.front().path, known, cases);
}

std::string ZshCompletion(const std::vector<CompletionNode>& tree) {
  std::string known;
  std::string cases;
  for (const CompletionNode& node : tree) {
    known += (known.empty() ? "" : "|") + fmt::format("'{}'", node.path);
    cases += ZshCase(node);
  }
  return fmt::format(
      "#compdef {0}\n"
      "# Completion of {0} for zsh, made by `{0} completion zsh`.\n"
      "_{0}() {{\n"
      "  local path_='{0}' depth=1 i\n"
      "  local -a commands specs\n"
      "  for ((i = 2; i < CURRENT; i++)); do\n"
      "    case \"$path_ ${{words[i]}}\" in {1}) path_=\"$path_ ${{words[i]}}\"; depth=$i ;; esac\n"
      "  done\n"
      "  case \"$path_\" in\n{2}  esac\n"
      "  _arguments -s $specs\n"
      "}}\n"
      "if [[ \"${{funcstack[1]}}\" == _{0} ]]; then _{0} \"$@\"; else compdef _{0} {0}; fi\n",
      tree.front().path, known, cases);
}

void AddCompletionCommand(CLI::App& app, Context& context) {
  CLI::App* command = app.add_subcommand("completion", "Print shell completion for bash or zsh");
  command->footer(
      "  eval \"$(aisle completion bash)\"                              # this shell\n"
      "  aisle completion bash > /etc/bash_completion.d/aisle         # all shells\n"
      "  aisle completion zsh > ~/.zfunc/_aisle                       # with ~/.zfunc in fpath\n");
  auto options = std::make_shared<Options>();
  command->add_option("SHELL", options->shell, "bash or zsh")->required()->check(CLI::IsMember({"bash", "zsh"}));
  command->callback([&context, &app, options] {
    context.action = [&context, &app, options] {
      const std::vector<CompletionNode> tree = CompletionTree(app);
      context.out.Text(options->shell == "bash" ? BashCompletion(tree) : ZshCompletion(tree));
      return OkStatus();
    };
  });
}

}  // namespace aisle::cli
