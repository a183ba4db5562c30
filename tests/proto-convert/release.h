// An earlier release as it is kept under tests/proto-convert/releases: its .proto files, and messages as its programs
// put them on the wire.
#pragma once

#include <google/protobuf/descriptor.h>
#include <google/protobuf/dynamic_message.h>

#include <string>
#include <vector>

namespace aisle {

struct KeptMessage {
  std::string type;   // "aisle.v1.RoundRef"
  std::string bytes;  // On the wire.
  std::string says;   // In protobuf's text format.
};

class Release {
 public:
  // `schema`: the .proto files as protoc's --descriptor_set_out wrote them; `folder` holds messages.txt.
  Release(const std::string& schema, std::string folder);

  std::vector<const google::protobuf::FileDescriptor*> files() const { return files_; }
  // Every message type of every file, those within others included.
  std::vector<const google::protobuf::Descriptor*> types() const;
  google::protobuf::MessageFactory& factory() { return factory_; }

  std::vector<KeptMessage> messages() const;  // messages.txt
  // What messages.txt should say: full messages of every type.
  std::string WriteMessages();

 private:
  std::string folder_;
  google::protobuf::DescriptorPool pool_;
  google::protobuf::DynamicMessageFactory factory_{&pool_};
  std::vector<const google::protobuf::FileDescriptor*> files_;
};

}  // namespace aisle
