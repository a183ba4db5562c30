// The section [privacy] of plan.toml, for parse.cc.
#pragma once

#include "base/config.h"
#include "privacy/contract.h"

namespace aisle {

// Every mistake is refused in the table. What the contract's parts ask of other sections is for the caller to check.
void ReadPrivacy(ConfigTable root, PrivacyContract& privacy);

}  // namespace aisle
