// Where answers go: text or JSON to standard output, errors to standard error as one line (or one JSON object).
#pragma once

#include <google/protobuf/message.h>

#include <cstdio>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "base/status.h"
#include "cli/exit_codes.h"
#include "cli/table.h"

namespace aisle::cli {

// Protobuf's own JSON with the field names of the .proto files and every field present: 64-bit integers are strings and
// bytes are base64, as protobuf has it. One line if `compact`.
std::string JsonText(const google::protobuf::Message& message, bool compact);

class Output {
 public:
  Output() = default;
  explicit Output(std::FILE* out, std::FILE* error) : out_(out), error_(error) {}

  // For people: as given, and flushed, so that a reader of a pipe sees it at once.
  void Text(std::string_view text);
  void Print(const Table& table);
  void Print(const Facts& facts) { Text(facts.Render()); }
  // For programs.
  void Json(const google::protobuf::Message& message);
  void JsonLine(const google::protobuf::Message& message);
  void Json(const nlohmann::ordered_json& value);
  // Beside the answer: to standard error, so that pipes stay clean.
  void Note(std::string_view text);

  // Tells what went wrong and gives the exit code for it; kExitOk and silence for an OK status.
  ExitCode Report(const Status& status, bool json);
  // OK unless something could not be written (a full disk, say).
  Status Flush();

 private:
  std::FILE* out_ = stdout;
  std::FILE* error_ = stderr;
  bool failed_ = false;
};

}  // namespace aisle::cli
