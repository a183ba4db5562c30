#include "base/storage/durability.h"

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <utility>

#include "base/cover.h"

namespace aisle {
namespace {

std::mutex mutex;
// Never freed: a thread that meets a bad disk while the program ends still finds it.
std::shared_ptr<const WhenDurabilityIsLost>& Act() {
  static auto* const act = new std::shared_ptr<const WhenDurabilityIsLost>;
  return *act;
}

bool LiesIn(const std::string& path, const std::string& folder) {
  return path == folder || path.starts_with(folder.ends_with('/') ? folder : folder + "/");
}

}  // namespace

void DurabilityLost(const std::string& path, const Status& why) {
  AISLE_COVER("storage.durability_lost");
  std::shared_ptr<const WhenDurabilityIsLost> act;
  {
    const std::lock_guard lock(mutex);
    act = Act();
  }
  if (act != nullptr) (*act)(path, why);
}

void OnDurabilityLost(WhenDurabilityIsLost act) {
  auto shared = act ? std::make_shared<const WhenDurabilityIsLost>(std::move(act)) : nullptr;
  const std::lock_guard lock(mutex);
  Act() = std::move(shared);
}

void EndOnceDurabilityIsLost(std::vector<std::string> folders, std::function<void(const std::string&)> say) {
  OnDurabilityLost([folders = std::move(folders), say = std::move(say)](const std::string& path, const Status& why) {
    if (std::ranges::none_of(folders, [&](const std::string& folder) { return LiesIn(path, folder); })) return;
    say(
        fmt::format("{}. What was written there may be lost, and no later sync would tell: ending with code {}, to go "
                    "on over what is durable once started again. Look at the disk if this repeats",
                    MessageOf(why), kExitDurabilityLost));
    std::_Exit(kExitDurabilityLost);
  });
}

}  // namespace aisle
