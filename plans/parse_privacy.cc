#include "plans/parse_privacy.h"

#include <array>
#include <cmath>
#include <utility>

#include "plans/read_checked.h"

namespace aisle {
namespace {

// What the unit customer needs beside: who is drawn, and how much of each one's data is used.
void ReadCustomers(ConfigTable& table, PrivacyContract& privacy) {
  table.Require("sampling_rate", privacy.sampling_rate);
  if (!(privacy.sampling_rate > 0 && privacy.sampling_rate <= 1)) {
    table.Refuse("sampling_rate", fmt::format("is {}; it must be over 0 and at most 1", privacy.sampling_rate));
  }
  table.Require("customers_per_store", privacy.customers_per_store);
  RefuseOutside<uint32_t>(table, "customers_per_store", privacy.customers_per_store, 1, 100'000'000);
  table.Read("examples_per_customer_max", privacy.examples_per_customer_max);
  RefuseOutside<uint32_t>(table, "examples_per_customer_max", privacy.examples_per_customer_max, 1, 1'000'000);
  if (privacy.mode != PrivacyMode::kLocalSgd) return;
  table.Require("steps", privacy.steps);
  RefuseOutside<uint32_t>(table, "steps", privacy.steps, 1, 100'000);
  table.Require("update_norm_max", privacy.update_norm_max);
  RefuseOutside(table, "update_norm_max", privacy.update_norm_max, 1e-6, 1e6);
}

void ReadAdaptiveClip(ConfigTable& privacy_table, PrivacyContract& privacy) {
  if (!privacy_table.Has("adaptive_clip")) return;
  if (privacy.mode != PrivacyMode::kStore && privacy.mode != PrivacyMode::kCustomer) {
    privacy_table.Refuse("adaptive_clip", "is for the modes store and customer");
  }
  ConfigTable table = privacy_table.Child("adaptive_clip");
  AdaptiveClip& adaptive = privacy.adaptive_clip.emplace();
  ReadNumber(table, "quantile", adaptive.quantile, 0.01, 0.99);
  ReadNumber(table, "learning_rate", adaptive.learning_rate, 1e-3, 1);
}

void ReadNoise(ConfigTable& table, PrivacyContract& privacy) {
  if (privacy.mode == PrivacyMode::kNone) {
    privacy.noise_multiplier = 0;
    privacy.delta = 0;
    if (table.Has("noise_multiplier")) table.Refuse("noise_multiplier", "needs a unit: none means no noise");
    if (table.Has("delta")) table.Refuse("delta", "needs a unit: none promises nothing");
    return;
  }
  privacy.noise_multiplier = 1;
  privacy.delta = 1e-6;
  table.Require("noise_multiplier", privacy.noise_multiplier);
  RefuseOutside(table, "noise_multiplier", privacy.noise_multiplier, 1e-3, 256.0);
  table.Require("delta", privacy.delta);
  RefuseOutside(table, "delta", privacy.delta, 1e-12, 1e-2);
}

// A share of a cohort's stores, written as a decimal and kept in thousandths.
void ReadShare(ConfigTable& table, std::string_view key, uint32_t& permille) {
  double share = permille / 1000.0;
  table.Read(key, share);
  if (!(share >= 0 && share <= 0.3)) {
    return table.Refuse(key, fmt::format("is {}; it must be within 0 to 0.3", share));
  }
  permille = static_cast<uint32_t>(std::lround(share * 1000));
  if (std::abs(share * 1000 - permille) > 1e-6) {
    table.Refuse(key, fmt::format("is {}; it is counted in thousandths", share));
  }
}

void ReadSecureSum(ConfigTable& table, PrivacyContract& privacy) {
  privacy.secure_sum = true;
  table.Read("secure_sum", privacy.secure_sum);
  ReadShare(table, "corrupt_share", privacy.corrupt_permille);
  ReadShare(table, "dropout_share", privacy.dropout_permille);
  if (privacy.secure_sum) return;
  for (const char* key : {"corrupt_share", "dropout_share"}) {
    if (table.Has(key)) table.Refuse(key, "is for the secure sum, which this plan turns off");
  }
}

}  // namespace

void ReadPrivacy(ConfigTable root, PrivacyContract& privacy) {
  ConfigTable table = root.Child("privacy");
  if (!table.Has("mode")) table.Refuse("mode", "is required: \"customer\", \"local-sgd\", \"store\" or \"none\"");
  ReadChoice(table, "mode", privacy.mode,
             std::array{std::pair{std::string_view("none"), PrivacyMode::kNone},
                        std::pair{std::string_view("store"), PrivacyMode::kStore},
                        std::pair{std::string_view("customer"), PrivacyMode::kCustomer},
                        std::pair{std::string_view("local-sgd"), PrivacyMode::kLocalSgd}});
  privacy.clip_norm = 1;
  privacy.metric_share = 0.1;
  table.Require("clip_norm", privacy.clip_norm);
  RefuseOutside(table, "clip_norm", privacy.clip_norm, 1e-6, 1e6);
  ReadNoise(table, privacy);
  table.Require("rounds_max", privacy.rounds_max);
  RefuseOutside<uint32_t>(table, "rounds_max", privacy.rounds_max, 1, 1'000'000);
  table.Read("metric_share", privacy.metric_share);
  RefuseOutside(table, "metric_share", privacy.metric_share, 0.0, 0.9);
  if (privacy.unit() == PrivacyUnit::kCustomer) ReadCustomers(table, privacy);
  ReadAdaptiveClip(table, privacy);
  ReadSecureSum(table, privacy);
}

}  // namespace aisle
