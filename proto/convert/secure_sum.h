// The door between wire messages and values for the secure sum, beside fleet.h: FromProto checks every bound and
// refuses with InvalidArgument naming the field; ToProto can't fail. What is said isn't judged here, only its form.
#pragma once

#include "aisle/v1/fleet.pb.h"
#include "base/secure_sum.h"
#include "base/status.h"

namespace aisle {

// What a store says. Used by the journal as well: the same message, on the same terms.
StatusOr<SumReport> FromProto(const v1::SumStepRequest& message);
v1::SumStepRequest ToProto(const SumReport& report);

StatusOr<AdvertiseInstruction> FromProto(const v1::AdvertiseInstruction& message);
void ToProto(const AdvertiseInstruction& instruction, v1::AdvertiseInstruction* message);
StatusOr<ShareInstruction> FromProto(const v1::ShareInstruction& message);
void ToProto(const ShareInstruction& instruction, v1::ShareInstruction* message);
StatusOr<SharesInbox> FromProto(const v1::SharesInbox& message);
void ToProto(const SharesInbox& inbox, v1::SharesInbox* message);
StatusOr<ConfirmInstruction> FromProto(const v1::ConfirmInstruction& message);
void ToProto(const ConfirmInstruction& instruction, v1::ConfirmInstruction* message);
StatusOr<UnmaskInstruction> FromProto(const v1::UnmaskInstruction& message);
void ToProto(const UnmaskInstruction& instruction, v1::UnmaskInstruction* message);

}  // namespace aisle
