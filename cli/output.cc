#include "cli/output.h"

#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <nlohmann/json.hpp>

#include "base/storage/files.h"
#include "cli/progress.h"
#include "cli/text.h"

namespace aisle::cli {
namespace {

std::string LowerCase(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

// A message keeps its lines (a list of mistakes has one each), each made harmless.
std::string PrintableLines(std::string_view message) {
  std::string safe;
  for (size_t start = 0; start <= message.size();) {
    const size_t end = std::min(message.find('\n', start), message.size());
    if (start > 0) safe += '\n';
    safe += Printable(message.substr(start, end - start));
    start = end + 1;
  }
  return safe;
}

// Invalid UTF-8 is replaced rather than thrown at.
std::string Dump(const nlohmann::ordered_json& value, int indent) {
  return value.dump(indent, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace

std::string JsonText(const google::protobuf::Message& message, bool compact) {
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = !compact;
  options.always_print_primitive_fields = true;
  options.preserve_proto_field_names = true;
  std::string text;
  const auto status = google::protobuf::util::MessageToJsonString(message, &text, options);
  if (!status.ok())
    return "{}";  // Only a message with invalid UTF-8 from a faulty peer; protobuf has refused it before.
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

void Output::Text(std::string_view text) {
  failed_ |= std::fwrite(text.data(), 1, text.size(), out_) != text.size();
  failed_ |= std::fflush(out_) != 0;
}

void Output::Print(const Table& table) { Text(table.Render(TerminalWidth(out_))); }
void Output::Json(const google::protobuf::Message& message) { Text(JsonText(message, false) + "\n"); }
void Output::JsonLine(const google::protobuf::Message& message) { Text(JsonText(message, true) + "\n"); }
void Output::Json(const nlohmann::ordered_json& value) { Text(Dump(value, 1) + "\n"); }

void Output::Note(std::string_view text) { fmt::print(error_, "{}\n", PrintableLines(text)); }

ExitCode Output::Report(const Status& status, bool json) {
  if (status.ok()) return kExitOk;
  if (json) {
    const nlohmann::ordered_json error = {
        {"error", {{"code", LowerCase(CodeName(status.code()))}, {"message", std::string(MessageOf(status))}}}};
    fmt::print(error_, "{}\n", Dump(error, -1));
  } else {
    fmt::print(error_, "aisle: {}\n", PrintableLines(MessageOf(status)));
  }
  return ExitCodeOf(status.code());
}

Status Output::Flush() {
  if (std::fflush(out_) != 0 || failed_) return ErrnoStatus(errno, "write to", "standard output");
  return OkStatus();
}

}  // namespace aisle::cli
