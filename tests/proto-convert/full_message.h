// Messages with every field set, by what a schema says: of any release, known at compile time or not.
#pragma once

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <memory>
#include <vector>

namespace aisle {

// One message of `type`, and one more for each further field of its oneofs. Values are such that the doors of
// proto/convert let them in where it is up to a single field; enums have their last value.
std::vector<std::unique_ptr<google::protobuf::Message>> FullMessages(const google::protobuf::Descriptor& type,
                                                                     google::protobuf::MessageFactory& factory);

}  // namespace aisle
