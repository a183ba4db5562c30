// Shell completion made from the command line itself, so that it can't lag behind.
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace aisle::cli {

// What can be typed after one command.
struct CompletionNode {
  std::string path;  // "aisle job submit".
  struct Word {
    std::string text;  // "submit" or "--rounds".
    std::string description;
    enum class Value { kNone, kText, kFile, kFolder, kChoice } value = Value::kNone;  // What follows an option.
    std::vector<std::string> choices;
  };
  std::vector<Word> commands;
  std::vector<Word> options;
  bool takes_file = false;           // A positional argument is a file or folder.
  std::vector<std::string> choices;  // Of a positional argument.
};

// The root first, then depth first.
std::vector<CompletionNode> CompletionTree(const CLI::App& app);

std::string BashCompletion(const std::vector<CompletionNode>& tree);
std::string ZshCompletion(const std::vector<CompletionNode>& tree);

}  // namespace aisle::cli
