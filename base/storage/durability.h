// What a failed sync means. The system says once that it has lost something which was written, then counts it as
// written: a later sync that goes well proves nothing about it, and readers may still be shown what a power cut will
// take back (Rebello et al. 2020, "Can Applications Recover from fsync Failures?"). So nothing in memory is worth
// keeping: the program ends, its supervisor starts it anew, and it goes on over what the disk really holds, as after
// `kill -9`.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/status.h"

namespace aisle {

// The exit code of a program that ended so: start it again.
inline constexpr int kExitDurabilityLost = 4;

// Whoever syncs says that a sync of `path` (a file, a folder, a database's folder) has failed, and that `why`; before
// anything else happens on its thread. Thread-safe. Returns where the program goes on all the same: tools that end with
// their command, and tests. The caller's own error stands in any case.
void DurabilityLost(const std::string& path, const Status& why);

// What happens then, in this program: nothing, unless set. Runs on the thread that noticed; several may at once.
using WhenDurabilityIsLost = std::function<void(const std::string& path, const Status& why)>;
void OnDurabilityLost(WhenDurabilityIsLost act);

// For main: where the loss lies in one of `folders`, tells `say` what happened and ends the program on the spot with
// kExitDurabilityLost. Nothing is tidied up, since that would write to the same disk and answer those who still wait.
void EndOnceDurabilityIsLost(std::vector<std::string> folders, std::function<void(const std::string&)> say);

}  // namespace aisle
