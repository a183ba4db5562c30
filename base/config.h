// TOML into plain structs with defaults: unknown keys are refused, all mistakes are told at once.
#pragma once

#include <absl/time/time.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace aisle {

// One table of a TOML file. Reading a key marks it as known; what is left unread when Finish is called is a mistake, as
// is every wrong type and every missing required key. A field keeps its default where the key is absent or wrong.
//
//   AISLE_ASSIGN_OR_RETURN(ConfigTable root, ConfigTable::ParseFile(path));
//   root.Read("listen", config.listen);
//   ConfigTable limits = root.Child("limits");           // Absent child: an empty table.
//   limits.ReadByteCount("upload_size_max", config.upload_size_max);
//   AISLE_RETURN_IF_ERROR(root.Finish());                // InvalidArgument listing every mistake with its line.
class ConfigTable {
 public:
  static constexpr size_t kFileSizeMax = 1 << 20;
  // InvalidArgument with line and column for text that isn't TOML. `origin` names it in messages.
  static StatusOr<ConfigTable> Parse(std::string_view text, std::string_view origin);
  static StatusOr<ConfigTable> ParseFile(const std::string& path);

  bool Has(std::string_view key) const;
  void Read(std::string_view key, std::string& value);
  void Read(std::string_view key, bool& value);
  void Read(std::string_view key, double& value);
  void Read(std::string_view key, int64_t& value);
  void Read(std::string_view key, uint64_t& value);
  void Read(std::string_view key, uint32_t& value);
  void Read(std::string_view key, std::vector<std::string>& value);
  void Read(std::string_view key, std::vector<int64_t>& value);
  void Read(std::string_view key, std::vector<double>& value);
  void ReadDuration(std::string_view key, absl::Duration& value);  // "90s".
  void ReadByteCount(std::string_view key, uint64_t& value);       // "64 MiB" or a plain number.
  // Notes a mistake if the key is absent, then reads as above.
  template <typename T>
  void Require(std::string_view key, T& value) {
    NoteIfMissing(key);
    Read(key, value);
  }
  ConfigTable Child(std::string_view key);
  std::vector<ConfigTable> Children(std::string_view key);  // An array of tables, [[key]].
  std::vector<std::string> Keys() const;                    // In the file's order.

  // Adds a mistake of the caller's own, such as a value out of range: "limits.rounds: 0 is below 1".
  void Refuse(std::string_view key, std::string_view why);
  Status Finish();

 private:
  struct Document;
  struct Node;
  ConfigTable(std::shared_ptr<Document> document, std::shared_ptr<Node> node);
  void NoteIfMissing(std::string_view key);
  std::shared_ptr<Document> document_;
  std::shared_ptr<Node> node_;
};

}  // namespace aisle
