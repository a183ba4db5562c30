#include "tests/proto-convert/release.h"

#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/text_format.h>

#include <fstream>
#include <sstream>
#include <utility>

#include "base/check.h"
#include "tests/proto-convert/full_message.h"

namespace aisle {
namespace {

namespace pb = google::protobuf;

void AddTypes(const pb::Descriptor& type, std::vector<const pb::Descriptor*>& types) {
  if (type.options().map_entry()) return;
  types.push_back(&type);
  for (int i = 0; i < type.nested_type_count(); ++i) AddTypes(*type.nested_type(i), types);
}

std::string Hex(std::string_view bytes) {
  std::string hex;
  for (const char byte : bytes) hex += fmt::format("{:02x}", static_cast<uint8_t>(byte));
  return hex;
}

std::string Unhex(const std::string& hex) {
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  return bytes;
}

}  // namespace

Release::Release(const std::string& schema, std::string folder) : folder_(std::move(folder)) {
  std::ifstream file(schema, std::ios::binary);
  pb::FileDescriptorSet set;
  AISLE_CHECK(set.ParseFromIstream(&file), "{} is no schema", schema);
  for (const pb::FileDescriptorProto& described : set.file()) files_.push_back(pool_.BuildFile(described));
}

std::vector<const pb::Descriptor*> Release::types() const {
  std::vector<const pb::Descriptor*> types;
  for (const pb::FileDescriptor* file : files_) {
    for (int i = 0; i < file->message_type_count(); ++i) AddTypes(*file->message_type(i), types);
  }
  return types;
}

std::vector<KeptMessage> Release::messages() const {
  std::vector<KeptMessage> messages;
  std::ifstream file(folder_ + "/messages.txt");
  for (std::string line; std::getline(file, line);) {
    std::istringstream columns(line);
    KeptMessage& message = messages.emplace_back();
    std::string hex;
    std::getline(columns, message.type, '\t');
    std::getline(columns, hex, '\t');
    std::getline(columns, message.says);
    message.bytes = Unhex(hex);
  }
  return messages;
}

std::string Release::WriteMessages() {
  pb::TextFormat::Printer printer;
  printer.SetSingleLineMode(true);
  std::string lines;
  for (const pb::Descriptor* type : types()) {
    for (const auto& message : FullMessages(*type, factory_)) {
      std::string says;
      printer.PrintToString(*message, &says);
      lines += type->full_name() + "\t" + Hex(message->SerializeAsString()) + "\t" + says + "\n";
    }
  }
  return lines;
}

}  // namespace aisle
