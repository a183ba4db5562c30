#include "tests/proto-convert/full_message.h"

#include <algorithm>
#include <map>
#include <string>

namespace aisle {
namespace {

namespace pb = google::protobuf;
using pb::FieldDescriptor;

constexpr int kDepthMax = 6;

std::string TextFor(const FieldDescriptor& field) {
  static const std::map<std::string, std::string> kKnown = {
      {"job", "demand"},    {"id", "demand"},         {"base_model_job", "demand"}, {"store", "paris-12"},
      {"tables", "points"}, {"store_id", "paris-12"}, {"agent_version", "0.1.0"}};
  const auto known = kKnown.find(field.name());
  return known != kKnown.end() ? known->second : "some " + field.name();
}

std::string BytesFor(const FieldDescriptor& field) {
  std::string bytes(field.name().find("signature") != std::string::npos ? 64 : 32, '\0');
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(17 * field.number() + static_cast<int>(i));
  return bytes;
}

int64_t NumberFor(const FieldDescriptor& field) {
  static const std::map<std::string, int64_t> kKnown = {{"protocol_major", 1}, {"size_bytes", 4000}, {"attempt", 1}};
  const auto known = kKnown.find(field.name());
  if (known != kKnown.end()) return known->second;
  return field.name().ends_with("unix_ms") ? 1'700'000'000'000 : 10 + field.number();
}

using Chosen = const FieldDescriptor*;  // Of a oneof; the others have their first.

void Fill(pb::Message& message, int depth, Chosen chosen);

void FillField(pb::Message& message, const FieldDescriptor& field, int depth, Chosen chosen) {
  const pb::Reflection& in = *message.GetReflection();
  const bool many = field.is_repeated();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_MESSAGE:
      if (depth < kDepthMax)
        Fill(many ? *in.AddMessage(&message, &field) : *in.MutableMessage(&message, &field), depth + 1, chosen);
      return;
    case FieldDescriptor::CPPTYPE_STRING: {
      const std::string text = field.type() == FieldDescriptor::TYPE_BYTES ? BytesFor(field) : TextFor(field);
      return many ? in.AddString(&message, &field, text) : in.SetString(&message, &field, text);
    }
    case FieldDescriptor::CPPTYPE_ENUM: {
      const pb::EnumValueDescriptor* last = field.enum_type()->value(field.enum_type()->value_count() - 1);
      return many ? in.AddEnum(&message, &field, last) : in.SetEnum(&message, &field, last);
    }
    case FieldDescriptor::CPPTYPE_BOOL:
      return in.SetBool(&message, &field, true);
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return in.SetDouble(&message, &field, 1.5);
    case FieldDescriptor::CPPTYPE_FLOAT:
      return in.SetFloat(&message, &field, 1.5);
    case FieldDescriptor::CPPTYPE_INT32:
      return in.SetInt32(&message, &field, static_cast<int32_t>(NumberFor(field)));
    case FieldDescriptor::CPPTYPE_INT64:
      return in.SetInt64(&message, &field, NumberFor(field));
    case FieldDescriptor::CPPTYPE_UINT64:
      return in.SetUInt64(&message, &field, static_cast<uint64_t>(NumberFor(field)));
    case FieldDescriptor::CPPTYPE_UINT32: {
      const auto number = static_cast<uint32_t>(NumberFor(field));
      return many ? in.AddUInt32(&message, &field, number) : in.SetUInt32(&message, &field, number);
    }
  }
}

void Fill(pb::Message& message, int depth, Chosen chosen) {
  const pb::Descriptor& type = *message.GetDescriptor();
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    const pb::OneofDescriptor* oneof = field.real_containing_oneof();
    const bool chosen_here = chosen != nullptr && oneof == chosen->real_containing_oneof();
    if (oneof != nullptr && &field != (chosen_here ? chosen : oneof->field(0))) continue;
    FillField(message, field, depth, chosen);
  }
}

}  // namespace

std::vector<std::unique_ptr<pb::Message>> FullMessages(const pb::Descriptor& type, pb::MessageFactory& factory) {
  std::vector<Chosen> choices = {nullptr};
  for (int i = 0; i < type.real_oneof_decl_count(); ++i) {
    for (int j = 1; j < type.oneof_decl(i)->field_count(); ++j) choices.push_back(type.oneof_decl(i)->field(j));
  }
  std::vector<std::unique_ptr<pb::Message>> messages;
  for (const Chosen chosen : choices) {
    messages.emplace_back(factory.GetPrototype(&type)->New());
    Fill(*messages.back(), 0, chosen);
  }
  return messages;
}

}  // namespace aisle
