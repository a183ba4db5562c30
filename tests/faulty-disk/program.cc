// faulty-disk: sets and cuts a disk from outside of the programs on it (faulty_disk.h).
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tests/faulty-disk/faulty_disk.h"
#include "tests/faulty-disk/journal.h"
#include "tests/faulty-disk/power_cut.h"

namespace aisle::faulty_disk {
namespace {

constexpr const char* kUsage =
    "usage: faulty-disk cut JOURNAL --seed S\n"
    "       faulty-disk fill JOURNAL --after BYTES\n"
    "       faulty-disk empty JOURNAL\n"
    "       faulty-disk fail-syncs JOURNAL --after N [--count M]\n"
    "       faulty-disk freeze JOURNAL\n"
    "       faulty-disk thaw JOURNAL\n"
    "       faulty-disk show JOURNAL\n";

using Options = std::map<std::string, uint64_t>;

// Nullopt where something isn't `--name number`.
std::optional<Options> ParseOptions(const std::vector<std::string>& words) {
  Options options;
  for (size_t i = 0; i < words.size(); i += 2) {
    if (!words[i].starts_with("--") || i + 1 == words.size()) return std::nullopt;
    char* end = nullptr;
    options[words[i]] = std::strtoull(words[i + 1].c_str(), &end, 10);
    if (words[i + 1].empty() || *end != '\0') return std::nullopt;
  }
  return options;
}

// False if the command isn't one, or lacks an option.
bool Run(const std::string& command, const Options& options, Journal& journal) {
  const Journal::Lock lock(journal);
  SharedState& state = journal.state();
  if (command == "cut" && options.contains("--seed")) {
    std::printf("%s\n", Describe(PlayPowerCut(journal, options.at("--seed"))).c_str());
  } else if (command == "fill" && options.contains("--after")) {
    state.bounded = 1;
    state.space_left = options.at("--after");
  } else if (command == "empty") {
    state.bounded = 0;
  } else if (command == "fail-syncs" && options.contains("--after")) {
    state.syncs_before_fault = options.at("--after");
    state.syncs_at_fault = options.contains("--count") ? options.at("--count") : UINT64_MAX;
  } else if (command == "freeze" || command == "thaw") {
    state.frozen = command == "freeze" ? 1 : 0;
  } else if (command == "show") {
    const CutReport stake = AtStake(journal);
    std::printf("synced: %llu writes, %llu names; a power cut could lose %llu writes, %llu names\n",
                static_cast<unsigned long long>(stake.writes_kept), static_cast<unsigned long long>(stake.names_kept),
                static_cast<unsigned long long>(stake.writes_lost), static_cast<unsigned long long>(stake.names_lost));
  } else {
    return false;
  }
  return true;
}

}  // namespace
}  // namespace aisle::faulty_disk

int main(int count, char** words) {
  const std::vector<std::string> given(words + 1, words + count);
  if (given.size() < 2) {
    std::fputs(aisle::faulty_disk::kUsage, stderr);
    return 2;
  }
  const auto options = aisle::faulty_disk::ParseOptions({given.begin() + 2, given.end()});
  aisle::faulty_disk::Journal journal(given[1]);
  if (!options || !aisle::faulty_disk::Run(given[0], *options, journal)) {
    std::fputs(aisle::faulty_disk::kUsage, stderr);
    return 2;
  }
  return 0;
}
