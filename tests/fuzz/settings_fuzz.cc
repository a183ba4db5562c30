// What people write by hand or carry to a store: the site policy, the programs' settings, the invitation; and the small
// grammars in them.
#include "base/check.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/digest.h"
#include "base/storage/files.h"
#include "coordinator/program/config.h"
#include "store-agent/enrol/enrolment_file.h"
#include "store-agent/policy/hours.h"
#include "store-agent/policy/site_policy.h"
#include "store-agent/program/config.h"
#include "tests/fuzz/fuzz.h"

namespace aisle::fuzz::settings {

void TryInput(std::string_view input) {
  (void)SitePolicy::Parse(input);
  (void)AgentConfig::Parse(input, "agent.toml");
  (void)CoordinatorConfig::Parse(input, "coordinator.toml");
  (void)ParseInvitation(input, "enrol.toml");
  (void)ParseHourWindow(input);
  (void)ParseDuration(input);
  (void)ParseByteCount(input);
  (void)FromHex(input);
}

// The samples show every key there is.
std::vector<std::string> Seeds() {
  const auto sample = [](const char* name) {
    StatusOr<std::string> text = ReadFile(std::string(AISLE_CONFIG_FOLDER) + "/" + name);
    AISLE_CHECK(text.ok(), "{}", MessageOf(text.status()));
    return *std::move(text);
  };
  return {sample("site-policy.toml"),
          sample("agent.toml"),
          sample("coordinator.toml"),
          R"(coordinator = "hq.example:7400"
store = "leeds-01"
chain = "northwind"
code = "01234567-89abcdef-01234567-89abcdef"
ca_pem = '''
-----BEGIN CERTIFICATE-----
-----END CERTIFICATE-----
'''
)",
          "22:00-06:00",
          "1h30m",
          "1.5 GiB",
          "00ff"};
}

}  // namespace aisle::fuzz::settings

AISLE_FUZZ_TARGET(settings);
