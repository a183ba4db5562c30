#include "base/config.h"

#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <map>
#include <set>
#include <sstream>

#include "base/clock.h"

namespace aisle {

struct ConfigTable::Document {
  std::string origin;
  toml::table root;
  std::vector<std::string> mistakes;
  std::vector<std::shared_ptr<Node>> nodes;  // Every table that was visited, for the hunt for unknown keys.
};

struct ConfigTable::Node {
  const toml::table* table = nullptr;  // Null: the table is absent.
  std::string path;                    // "limits." or empty for the root.
  std::set<std::string, std::less<>> known;

  const toml::node* Find(std::string_view key) {
    known.emplace(key);
    return table == nullptr ? nullptr : table->get(key);
  }
};

namespace {

std::string Where(const toml::node& node) { return fmt::format("line {}", node.source().begin.line); }

}  // namespace

ConfigTable::ConfigTable(std::shared_ptr<Document> document, std::shared_ptr<Node> node)
    : document_(std::move(document)), node_(std::move(node)) {
  document_->nodes.push_back(node_);
}

StatusOr<ConfigTable> ConfigTable::Parse(std::string_view text, std::string_view origin) {
  if (text.size() > kFileSizeMax) {
    return InvalidArgument("{} has {} bytes; the limit is {}", origin, text.size(), kFileSizeMax);
  }
  auto document = std::make_shared<Document>();
  document->origin = origin;
  try {
    document->root = toml::parse(text, origin);
  } catch (const toml::parse_error& error) {
    return InvalidArgument("{}:{}:{}: {}", origin, error.source().begin.line, error.source().begin.column,
                           error.description());
  }
  auto node = std::make_shared<Node>();
  node->table = &document->root;
  return ConfigTable(std::move(document), std::move(node));
}

StatusOr<ConfigTable> ConfigTable::ParseFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return NotFound("cannot open the file {}", path);
  std::string text(kFileSizeMax + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad()) return Unavailable("cannot read the file {}", path);
  text.resize(static_cast<size_t>(file.gcount()));
  return Parse(text, path);
}

bool ConfigTable::Has(std::string_view key) const { return node_->table != nullptr && node_->table->contains(key); }

void ConfigTable::Refuse(std::string_view key, std::string_view why) {
  const toml::node* found = node_->table == nullptr ? nullptr : node_->table->get(key);
  document_->mistakes.push_back(found == nullptr ? fmt::format("{}{}: {}", node_->path, key, why)
                                                 : fmt::format("{}{} ({}): {}", node_->path, key, Where(*found), why));
}

void ConfigTable::NoteIfMissing(std::string_view key) {
  if (node_->Find(key) == nullptr) Refuse(key, "is required");
}

void ConfigTable::Read(std::string_view key, std::string& value) {
  const toml::node* node = node_->Find(key);
  if (node == nullptr) return;
  if (node->is_string())
    value = node->as_string()->get();
  else
    Refuse(key, "must be a string in quotes");
}

void ConfigTable::Read(std::string_view key, bool& value) {
  const toml::node* node = node_->Find(key);
  if (node == nullptr) return;
  if (node->is_boolean())
    value = node->as_boolean()->get();
  else
    Refuse(key, "must be true or false");
}

void ConfigTable::Read(std::string_view key, double& value) {
  const toml::node* node = node_->Find(key);
  if (node == nullptr) return;
  if (node->is_number())
    value = *node->value<double>();
  else
    Refuse(key, "must be a number");
}

void ConfigTable::Read(std::string_view key, int64_t& value) {
  const toml::node* node = node_->Find(key);
  if (node == nullptr) return;
  if (node->is_integer())
    value = node->as_integer()->get();
  else
    Refuse(key, "must be a whole number");
}

void ConfigTable::Read(std::string_view key, uint64_t& value) {
  auto number = static_cast<int64_t>(value);
  if (node_->Find(key) == nullptr) return;
  Read(key, number);
  if (number < 0)
    Refuse(key, fmt::format("is {}; it can't be negative", number));
  else
    value = static_cast<uint64_t>(number);
}

void ConfigTable::Read(std::string_view key, uint32_t& value) {
  uint64_t number = value;
  Read(key, number);
  if (number > std::numeric_limits<uint32_t>::max())
    Refuse(key, fmt::format("is {}; the limit is 4294967295", number));
  else
    value = static_cast<uint32_t>(number);
}

namespace {

// Reads an array of T; false if an element has another type.
template <typename T>
bool ReadArray(const toml::node& node, std::vector<T>& values) {
  const toml::array* array = node.as_array();
  if (array == nullptr) return false;
  std::vector<T> read;
  for (const toml::node& element : *array) {
    const std::optional<T> value = element.value_exact<T>();
    if (value)
      read.push_back(*value);
    else if (std::is_same_v<T, double> && element.is_integer())
      read.push_back(*element.value<T>());
    else
      return false;
  }
  values = std::move(read);
  return true;
}

}  // namespace

void ConfigTable::Read(std::string_view key, std::vector<std::string>& value) {
  const toml::node* node = node_->Find(key);
  if (node != nullptr && !ReadArray(*node, value)) Refuse(key, "must be a list of strings");
}

void ConfigTable::Read(std::string_view key, std::vector<int64_t>& value) {
  const toml::node* node = node_->Find(key);
  if (node != nullptr && !ReadArray(*node, value)) Refuse(key, "must be a list of whole numbers");
}

void ConfigTable::Read(std::string_view key, std::vector<double>& value) {
  const toml::node* node = node_->Find(key);
  if (node != nullptr && !ReadArray(*node, value)) Refuse(key, "must be a list of numbers");
}

void ConfigTable::ReadDuration(std::string_view key, absl::Duration& value) {
  std::string text;
  if (node_->Find(key) == nullptr) return;
  Read(key, text);
  StatusOr<absl::Duration> parsed = ParseDuration(text);
  if (parsed.ok())
    value = *parsed;
  else
    Refuse(key, MessageOf(parsed.status()));
}

void ConfigTable::ReadByteCount(std::string_view key, uint64_t& value) {
  const toml::node* node = node_->Find(key);
  if (node == nullptr) return;
  if (node->is_integer()) return Read(key, value);
  std::string text;
  Read(key, text);
  StatusOr<uint64_t> parsed = ParseByteCount(text);
  if (parsed.ok())
    value = *parsed;
  else
    Refuse(key, MessageOf(parsed.status()));
}

ConfigTable ConfigTable::Child(std::string_view key) {
  const toml::node* node = node_->Find(key);
  auto child = std::make_shared<Node>();
  child->path = fmt::format("{}{}.", node_->path, key);
  if (node != nullptr && !node->is_table()) Refuse(key, "must be a table");
  if (node != nullptr) child->table = node->as_table();
  return {document_, std::move(child)};
}

std::vector<ConfigTable> ConfigTable::Children(std::string_view key) {
  std::vector<ConfigTable> children;
  const toml::node* node = node_->Find(key);
  if (node == nullptr) return children;
  const toml::array* array = node->as_array();
  if (array == nullptr || !std::ranges::all_of(*array, [](const toml::node& element) { return element.is_table(); })) {
    Refuse(key, fmt::format("must be a list of tables, [[{}{}]]", node_->path, key));
    return children;
  }
  for (size_t i = 0; i < array->size(); ++i) {
    auto child = std::make_shared<Node>();
    child->path = fmt::format("{}{}[{}].", node_->path, key, i);
    child->table = array->get(i)->as_table();
    children.push_back(ConfigTable(document_, std::move(child)));
  }
  return children;
}

std::vector<std::string> ConfigTable::Keys() const {
  std::vector<std::pair<toml::source_index, std::string>> found;
  if (node_->table != nullptr) {
    for (const auto& [key, node] : *node_->table) found.emplace_back(key.source().begin.line, std::string(key.str()));
  }
  std::ranges::stable_sort(found, {}, &std::pair<toml::source_index, std::string>::first);
  std::vector<std::string> keys;
  for (auto& [line, key] : found) keys.push_back(std::move(key));
  return keys;
}

Status ConfigTable::Finish() {
  std::map<const toml::table*, std::set<std::string, std::less<>>> known;  // A table may have been visited twice.
  for (const auto& node : document_->nodes) {
    if (node->table != nullptr) known[node->table].insert(node->known.begin(), node->known.end());
  }
  std::set<std::string> unknown;
  for (const auto& node : document_->nodes) {
    if (node->table == nullptr) continue;
    for (const auto& [key, value] : *node->table) {
      if (!known[node->table].contains(key.str())) {
        unknown.insert(fmt::format("{}{} ({}): is not a known key", node->path, key.str(), Where(value)));
      }
    }
  }
  std::vector<std::string> mistakes = document_->mistakes;
  mistakes.insert(mistakes.end(), unknown.begin(), unknown.end());
  if (mistakes.empty()) return OkStatus();
  return InvalidArgument("{} has {} mistake{}:\n  {}", document_->origin, mistakes.size(),
                         mistakes.size() == 1 ? "" : "s", fmt::join(mistakes, "\n  "));
}

}  // namespace aisle
