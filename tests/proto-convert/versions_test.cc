// Neighbouring versions understand each other: today's programs and those of every release that is kept under
// releases/.
#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "aisle/v1/admin.pb.h"
#include "aisle/v1/journal.pb.h"
#include "aisle/v1/worker.pb.h"
#include "proto/convert/fleet.h"
#include "proto/convert/secure_sum.h"
#include "tests/proto-convert/full_message.h"
#include "tests/proto-convert/release.h"

namespace aisle {
namespace {

namespace pb = google::protobuf;
using MessagePtr = std::unique_ptr<pb::Message>;

// So that every message is linked in and known to the generated pool.
[[maybe_unused]] const pb::Descriptor* const kAllFiles[] = {v1::Job::descriptor(), v1::CheckInRequest::descriptor(),
                                                            v1::JournalEntry::descriptor(),
                                                            v1::WorkerRequest::descriptor()};

const pb::Descriptor* Today(const std::string& type) {
  return pb::DescriptorPool::generated_pool()->FindMessageTypeByName(type);
}
MessagePtr NewToday(const std::string& type) {
  return MessagePtr(pb::MessageFactory::generated_factory()->GetPrototype(Today(type))->New());
}

class ReleaseTest : public ::testing::TestWithParam<uint32_t> {
 protected:
  const std::string name_ = fmt::format("/{}.{}", kProtocolMajor, GetParam());
  Release release_{AISLE_RELEASE_SCHEMAS + name_, AISLE_RELEASES + name_};
};

TEST(VersionsTest, EveryEarlierMinorIsKept) {
  ASSERT_GT(kProtocolMinor, 0U);
  for (uint32_t minor = 0; minor < kProtocolMinor; ++minor) {
    EXPECT_TRUE(std::filesystem::exists(AISLE_RELEASES + fmt::format("/{}.{}/messages.txt", kProtocolMajor, minor)))
        << "when kProtocolMinor is raised, the release before is kept: tests/proto-convert/releases/README.md";
  }
}

// ---- The schema only grows.

void ExpectTheSameEnum(const pb::EnumDescriptor& then, const pb::EnumDescriptor& now) {
  EXPECT_EQ(then.full_name(), now.full_name());
  for (int i = 0; i < then.value_count(); ++i) {
    const pb::EnumValueDescriptor* value = now.FindValueByNumber(then.value(i)->number());
    ASSERT_NE(value, nullptr) << then.value(i)->full_name();
    EXPECT_EQ(value->name(), then.value(i)->name());
  }
}

void ExpectTheSameField(const pb::FieldDescriptor& then, const pb::FieldDescriptor* now) {
  ASSERT_NE(now, nullptr) << then.full_name() << " is gone";
  EXPECT_EQ(then.name(), now->name()) << then.full_name();
  EXPECT_EQ(then.type(), now->type()) << then.full_name();
  EXPECT_EQ(then.label(), now->label()) << then.full_name();
  const pb::OneofDescriptor* oneof = then.real_containing_oneof();
  const auto name_of = [](const auto* part) { return part == nullptr ? "" : part->full_name(); };
  EXPECT_EQ(name_of(oneof), name_of(now->real_containing_oneof()));
  EXPECT_EQ(name_of(then.message_type()), name_of(now->message_type()));
  if (then.enum_type() != nullptr) ExpectTheSameEnum(*then.enum_type(), *now->enum_type());
}

TEST_P(ReleaseTest, NothingWasTakenAwayRenumberedOrGivenAnotherType) {
  for (const pb::Descriptor* then : release_.types()) {
    const pb::Descriptor* now = Today(then->full_name());
    ASSERT_NE(now, nullptr) << then->full_name() << " is gone";
    for (int i = 0; i < then->field_count(); ++i) {
      ExpectTheSameField(*then->field(i), now->FindFieldByNumber(then->field(i)->number()));
    }
  }
}

TEST_P(ReleaseTest, EveryCallIsStillThere) {
  for (const pb::FileDescriptor* file : release_.files()) {
    for (int i = 0; i < file->service_count(); ++i) {
      const pb::ServiceDescriptor* now =
          pb::DescriptorPool::generated_pool()->FindServiceByName(file->service(i)->full_name());
      ASSERT_NE(now, nullptr);
      for (int j = 0; j < file->service(i)->method_count(); ++j) {
        const pb::MethodDescriptor& then = *file->service(i)->method(j);
        const pb::MethodDescriptor* method = now->FindMethodByName(then.name());
        ASSERT_NE(method, nullptr) << then.full_name();
        EXPECT_EQ(method->input_type()->full_name(), then.input_type()->full_name());
        EXPECT_EQ(method->output_type()->full_name(), then.output_type()->full_name());
        EXPECT_EQ(method->client_streaming(), then.client_streaming());
        EXPECT_EQ(method->server_streaming(), then.server_streaming());
      }
    }
  }
}

// ---- What an earlier release sent is read today, and means the same.

TEST_P(ReleaseTest, ItsMessagesSayTheSameToday) {
  const std::vector<KeptMessage> messages = release_.messages();
  std::set<std::string> seen;
  for (const KeptMessage& kept : messages) {
    const MessagePtr read = NewToday(kept.type);
    ASSERT_TRUE(read->ParseFromString(kept.bytes)) << kept.type;
    const MessagePtr said = NewToday(kept.type);
    ASSERT_TRUE(pb::TextFormat::ParseFromString(kept.says, said.get())) << kept.says;
    EXPECT_TRUE(pb::util::MessageDifferencer::Equals(*read, *said)) << kept.type << ": " << read->ShortDebugString();
    EXPECT_TRUE(read->GetReflection()->GetUnknownFields(*read).empty()) << kept.type;
    seen.insert(kept.type);
  }
  for (const pb::Descriptor* type : release_.types())
    EXPECT_TRUE(seen.contains(type->full_name())) << type->full_name();
}

template <typename Message>
int LetIn(const KeptMessage& kept) {
  if (kept.type != Message::descriptor()->full_name()) return 0;
  Message message;
  EXPECT_TRUE(message.ParseFromString(kept.bytes));
  const auto value = FromProto(message);
  EXPECT_TRUE(value.ok()) << kept.says << "\n" << value.status();
  return 1;
}

TEST_P(ReleaseTest, ItsMessagesAreLetInAtTheDoors) {
  int check_ins = 0;
  int instructions = 0;
  int reports = 0;
  int headers = 0;
  for (const KeptMessage& kept : release_.messages()) {
    check_ins += LetIn<v1::CheckInRequest>(kept);
    instructions += LetIn<v1::CheckInResponse>(kept);
    reports += LetIn<v1::ReportOutcomeRequest>(kept);
    headers += LetIn<v1::UploadHeader>(kept);
  }
  EXPECT_GE(check_ins, 1);
  EXPECT_GE(instructions, 4);
  EXPECT_EQ(reports, 3);
  EXPECT_EQ(headers, 1);
}

// ---- What is sent today is read by an earlier release; what it doesn't know goes by it, and nothing else does.

// Of `now`, what a program of the release sees.
std::string SeenBy(Release& release, const pb::Descriptor& then, const pb::Message& now) {
  const MessagePtr seen(release.factory().GetPrototype(&then)->New());
  EXPECT_TRUE(seen->ParseFromString(now.SerializeAsString())) << then.full_name();
  const MessagePtr back = NewToday(then.full_name());
  EXPECT_TRUE(back->ParseFromString(seen->SerializeAsString()));
  EXPECT_TRUE(pb::util::MessageDifferencer::Equals(*back, now))
      << then.full_name() << ": it passes on what it can't read";
  seen->DiscardUnknownFields();
  return seen->ShortDebugString();
}

// `now` without what came after the release.
void Trim(pb::Message& now, const pb::Descriptor& then) {
  const pb::Reflection& in = *now.GetReflection();
  std::vector<const pb::FieldDescriptor*> fields;
  in.ListFields(now, &fields);
  for (const pb::FieldDescriptor* field : fields) {
    const pb::FieldDescriptor* known = then.FindFieldByNumber(field->number());
    if (known == nullptr) {
      in.ClearField(&now, field);
    } else if (field->message_type() != nullptr && !field->is_map()) {
      for (int i = 0; i < (field->is_repeated() ? in.FieldSize(now, field) : 1); ++i) {
        pb::Message* part =
            field->is_repeated() ? in.MutableRepeatedMessage(&now, field, i) : in.MutableMessage(&now, field);
        Trim(*part, *known->message_type());
      }
    }
  }
}

// Enum values that it has no name for are numbers to it: compare them as such.
std::string WithoutNewNames(pb::Message& message, const pb::Descriptor& then, Release& release) {
  const MessagePtr old(release.factory().GetPrototype(&then)->New());
  EXPECT_TRUE(old->ParseFromString(message.SerializeAsString()));
  return old->ShortDebugString();
}

TEST_P(ReleaseTest, TodaysMessagesAreReadByIt) {
  for (const pb::Descriptor* then : release_.types()) {
    for (const MessagePtr& now : FullMessages(*Today(then->full_name()), *pb::MessageFactory::generated_factory())) {
      const std::string seen = SeenBy(release_, *then, *now);
      Trim(*now, *then);
      EXPECT_EQ(seen, WithoutNewNames(*now, *then, release_)) << then->full_name();
    }
  }
}

INSTANTIATE_TEST_SUITE_P(, ReleaseTest, ::testing::Range(0U, kProtocolMinor),
                         [](const auto& test) { return fmt::format("Minor{}", test.param); });

// ---- What comes from the future: fields that nobody here has heard of, on every level.

void AddUnknownFields(pb::Message& message) {
  const pb::Reflection& in = *message.GetReflection();
  in.MutableUnknownFields(&message)->AddLengthDelimited(1999, "from tomorrow");
  in.MutableUnknownFields(&message)->AddVarint(2000, 7);
  std::vector<const pb::FieldDescriptor*> fields;
  in.ListFields(message, &fields);
  for (const pb::FieldDescriptor* field : fields) {
    if (field->message_type() == nullptr || field->is_map()) continue;
    if (!field->is_repeated()) {
      AddUnknownFields(*in.MutableMessage(&message, field));
      continue;
    }
    for (int i = 0; i < in.FieldSize(message, field); ++i)
      AddUnknownFields(*in.MutableRepeatedMessage(&message, field, i));
  }
}

// The door says of it what it says of the same without them: it lets it in, or refuses it for the same reason.
template <typename Message>
void ExpectUnknownFieldsToChangeNothing(int let_in_min) {
  int let_in = 0;
  for (const MessagePtr& plain : FullMessages(*Message::descriptor(), *pb::MessageFactory::generated_factory())) {
    auto& known = dynamic_cast<Message&>(*plain);
    Message strange = known;
    AddUnknownFields(strange);
    Message read;
    ASSERT_TRUE(read.ParseFromString(strange.SerializeAsString()));
    const auto expected = FromProto(known);
    const auto got = FromProto(read);
    EXPECT_EQ(got.status(), expected.status()) << known.ShortDebugString();
    if (expected.ok()) ++let_in;
  }
  EXPECT_GE(let_in, let_in_min) << Message::descriptor()->name();
}

TEST(VersionsTest, FieldsFromTheFutureGoByEveryDoor) {
  ExpectUnknownFieldsToChangeNothing<v1::CheckInRequest>(1);
  ExpectUnknownFieldsToChangeNothing<v1::CheckInResponse>(4);
  ExpectUnknownFieldsToChangeNothing<v1::ReportOutcomeRequest>(3);
  ExpectUnknownFieldsToChangeNothing<v1::UploadHeader>(1);
  ExpectUnknownFieldsToChangeNothing<v1::SumStepRequest>(2);
  ExpectUnknownFieldsToChangeNothing<v1::LedgerHead>(1);
}

// ---- The two halves of a negotiation.

TEST(VersionsTest, BothSidesSayWhichMinorTheySpeak) {
  EXPECT_EQ(ToProto(CheckIn{}).protocol_minor(), kProtocolMinor);
  EXPECT_EQ(ToProto(Instruction(ComeBack{}), absl::UnixEpoch()).protocol_minor(), kProtocolMinor);
}

TEST(VersionsTest, AStoresMinorIsHeardWhateverItIs) {
  for (const uint32_t minor : {0U, kProtocolMinor, kProtocolMinor + 1, UINT32_MAX}) {
    v1::CheckInRequest message = ToProto(CheckIn{.clock = absl::UnixEpoch()});
    message.set_protocol_minor(minor);
    EXPECT_EQ(FromProto(message)->protocol_minor, minor);
  }
}

}  // namespace
}  // namespace aisle
