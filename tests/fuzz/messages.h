// For targets whose input is a protobuf message that a door turns into a value.
#pragma once

#include <string>
#include <string_view>

#include "base/check.h"
#include "base/status.h"

namespace aisle::fuzz {

// Bytes with one spelling for each message.
template <typename Message>
std::string Spelled(const Message& message) {
  std::string bytes;
  AISLE_CHECK(message.SerializeToString(&bytes));
  return bytes;
}

// Takes `input` for a Message and puts it through the door: whatever comes in must go out again, and in again as the
// very same. `in` gives a StatusOr, `out` a Message.
template <typename Message, typename In, typename Out>
void TryDoor(std::string_view input, In in, Out out) {
  Message message;
  if (!message.ParseFromArray(input.data(), static_cast<int>(input.size()))) return;
  const auto value = in(message);
  if (!value.ok()) {
    AISLE_CHECK(value.status().code() == StatusCode::kInvalidArgument ||
                value.status().code() == StatusCode::kUnimplemented);
    AISLE_CHECK(!MessageOf(value.status()).empty());
    return;
  }
  const Message written = out(*value);
  Message arrived;  // A string that isn't UTF-8 can be written, and spoils the whole message where it arrives.
  AISLE_CHECK(arrived.ParseFromString(Spelled(written)));
  const auto again = in(arrived);
  AISLE_CHECK(again.ok(), "{}", MessageOf(again.status()));
  AISLE_CHECK(Spelled(out(*again)) == Spelled(written));
}

}  // namespace aisle::fuzz
