#include "store-agent/policy/evaluate.h"

#include <algorithm>

#include "base/clock.h"

namespace aisle {
namespace {

using Refusals = std::vector<Refused>;

template <typename... Args>
void Refuse(Refusals& refusals, RefusalReason reason, fmt::format_string<Args...> format, Args&&... args) {
  refusals.push_back({reason, fmt::format(format, std::forward<Args>(args)...).substr(0, kDetailLengthMax)});
}

void CheckPlan(const SitePolicy& policy, const PlanFacts& facts, Refusals& refusals) {
  if (policy.AllowsPlan(facts.plan.name, facts.digest)) return;
  Refuse(refusals, RefusalReason::kPlanNotAllowed, "the site policy doesn't list plan {} ({})", facts.plan.name,
         facts.digest.ShortHex());
}

void CheckColumnKept(const TableNeed& table, const ColumnNeed& need, const TableSchema& kept, Refusals& refusals) {
  const std::optional<size_t> index = kept.IndexOf(need.name);
  if (!index) {
    Refuse(refusals, RefusalReason::kTableMissing, "table {} has no column {} here", table.name, need.name);
    return;
  }
  const ColumnType type = kept.TypeInPlans(*index);
  if (type != need.type) {
    Refuse(refusals, RefusalReason::kTableMissing, "column {}.{} is of type {} here, the plan wants {}", table.name,
           need.name, NameOf(type), NameOf(need.type));
  } else if (type == ColumnType::kBytes && kept.columns[*index].width != need.width) {
    Refuse(refusals, RefusalReason::kTableMissing, "column {}.{} has {} bytes per row here, the plan wants {}",
           table.name, need.name, kept.columns[*index].width, need.width);
  }
}

void CheckKept(const PlanFacts& facts, const SiteFacts& site, Refusals& refusals) {
  for (const TableNeed& table : facts.plan.tables) {
    const auto kept =
        std::ranges::find(site.schema.tables, table.name,
                          [](const TableSchema& schema) -> const std::string& { return schema.name.str(); });
    if (kept == site.schema.tables.end()) {
      Refuse(refusals, RefusalReason::kTableMissing, "no table {} is kept here", table.name);
      continue;
    }
    for (const ColumnNeed& column : table.columns) CheckColumnKept(table, column, *kept, refusals);
  }
}

void CheckConsent(const SitePolicy& policy, const PlanFacts& facts, Refusals& refusals) {
  for (const TableNeed& table : facts.plan.tables) {
    for (const ColumnNeed& column : table.columns) {
      if (policy.AllowsColumn(table.name, column.name)) continue;
      Refuse(refusals, RefusalReason::kColumnNotAllowed, "the site policy keeps column {}.{} from plans", table.name,
             column.name);
    }
  }
}

void CheckHours(const SitePolicy& policy, absl::Time now, Refusals& refusals) {
  if (policy.hours.IsOpen(now)) return;
  Refuse(refusals, RefusalReason::kOutsideHours, "the site trains only {}; next from {}", policy.hours.ToString(),
         FormatUtc(policy.hours.OpensAt(now)));
}

void CheckPrivacy(const SitePolicy& policy, const PlanFacts& facts, const SiteFacts& site, Refusals& refusals) {
  const PrivacyUnit unit = facts.plan.privacy.unit();
  if (!policy.units.contains(unit)) {
    Refuse(refusals, RefusalReason::kPrivacyUnit, "the site policy doesn't allow the privacy unit {}", ToString(unit));
  }
  if (const auto whose = PopulationsOf(facts.plan, site.schema, policy.customers); !whose.ok()) {
    Refuse(refusals, RefusalReason::kPrivacyUnit, "{}", MessageOf(whose.status()));
  }
}

void CheckSecureSum(const SitePolicy& policy, const PrivacyContract& contract, Refusals& refusals) {
  if (policy.secure_sum_required && !contract.secure_sum) {
    Refuse(refusals, RefusalReason::kSecureSumRequired,
           "the plan turns the secure sum off, and the site policy requires it (privacy.secure_sum)");
  }
  if (contract.secure_sum && contract.corrupt_permille < policy.corrupt_permille_min) {
    Refuse(refusals, RefusalReason::kSecureSumRequired,
           "the plan's secure sum holds against {} colluding stores in 1000; the site policy wants {} at least "
           "(privacy.corrupt_share_min)",
           contract.corrupt_permille, policy.corrupt_permille_min);
  }
}

void CheckLimits(const SitePolicy& policy, const PlanFacts& facts, Refusals& refusals) {
  const TaskLimits& asked = facts.plan.limits;
  if (asked.memory > policy.memory_max) {
    Refuse(refusals, RefusalReason::kResourceCap, "the plan asks for {} of memory; the site gives {}",
           FormatByteCount(asked.memory), FormatByteCount(policy.memory_max));
  }
  if (asked.cpu_time > policy.cpu_time_max) {
    Refuse(refusals, RefusalReason::kResourceCap, "the plan asks for {} of CPU time; the site gives {}",
           aisle::FormatDuration(asked.cpu_time), aisle::FormatDuration(policy.cpu_time_max));
  }
  if (asked.wall_time > policy.wall_time_max) {
    Refuse(refusals, RefusalReason::kResourceCap, "the plan asks for {} of time; the site gives {}",
           aisle::FormatDuration(asked.wall_time), aisle::FormatDuration(policy.wall_time_max));
  }
}

void CheckBytes(const SitePolicy& policy, const PlanFacts& facts, const SiteFacts& site, Refusals& refusals) {
  if (site.bytes_today <= policy.bytes_per_day && facts.transfer_bytes <= policy.bytes_per_day - site.bytes_today)
    return;
  Refuse(refusals, RefusalReason::kByteBudget, "{} moved today and {} to come; the site allows {} a day",
         FormatByteCount(site.bytes_today), FormatByteCount(facts.transfer_bytes),
         FormatByteCount(policy.bytes_per_day));
}

}  // namespace

std::vector<Refused> Evaluate(const SitePolicy& policy, const PlanFacts& plan, const SiteFacts& site, absl::Time now) {
  Refusals refusals;
  CheckPlan(policy, plan, refusals);
  CheckKept(plan, site, refusals);
  CheckConsent(policy, plan, refusals);
  CheckHours(policy, now, refusals);
  CheckPrivacy(policy, plan, site, refusals);
  CheckLimits(policy, plan, refusals);
  CheckBytes(policy, plan, site, refusals);
  if (plan.plan.privacy.unit() == PrivacyUnit::kNone && !HasRowsFor(plan.plan, site)) {
    Refuse(refusals, RefusalReason::kNotEnoughData, "fewer rows are here than the plan asks for");
  }
  CheckSecureSum(policy, plan.plan.privacy, refusals);
  return refusals;
}

bool HasRowsFor(const Plan& plan, const SiteFacts& site) {
  return std::ranges::all_of(plan.tables, [&](const TableNeed& table) {
    const auto rows = site.rows.find(table.name);
    return rows != site.rows.end() && rows->second >= table.rows_min;
  });
}

}  // namespace aisle
