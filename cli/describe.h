// The coordinator's read models as tables and facts for people.
#pragma once

#include <absl/time/time.h>

#include <optional>
#include <string>

#include "aisle/v1/admin.pb.h"
#include "base/ids.h"
#include "base/status.h"
#include "cli/table.h"

namespace aisle::cli {

std::string StateText(v1::JobState state);    // "running".
std::string PhaseText(v1::RoundPhase phase);  // "collecting".
bool HasEnded(v1::JobState state);
bool HasEnded(v1::RoundPhase phase);
std::string RoundText(const v1::RoundRef& round);  // "demand/7".

// "loss 0.4123  wape 0.21", in the order of names; empty if there are none.
std::string MetricsText(const google::protobuf::Map<std::string, double>& metrics);
// The metric people look at first: "loss" if the plan has one, else the first by name. Empty name: there are none.
std::pair<std::string, double> MainMetric(const google::protobuf::Map<std::string, double>& metrics);

Table DescribeJobs(const v1::ListJobsResponse& jobs, absl::Time now);
Facts DescribeJob(const v1::Job& job);
Table DescribeRounds(const v1::ListRoundsResponse& rounds);
Facts DescribeRound(const v1::Round& round);
Table DescribeStoresInRound(const v1::Round& round);
Table DescribeStores(const v1::ListStoresResponse& stores, absl::Time now);
Facts DescribeStore(const v1::Store& store, absl::Time now);
Table DescribeModels(const v1::ListModelsResponse& models, absl::Time now);
Facts DescribeModel(const v1::Model& model);
Facts DescribeOverview(const v1::Overview& overview, absl::Time now);

// "JOB/N"; the number is absent for a bare "JOB". InvalidArgument for anything else.
struct RoundName {
  std::string job;
  std::optional<uint32_t> number;
};
StatusOr<RoundName> ParseRoundName(const std::string& text);

// "JOB@V"; version 0, the latest, for a bare "JOB". InvalidArgument for anything else.
struct ModelName {
  std::string job;
  uint64_t version = 0;
};
StatusOr<ModelName> ParseModelName(const std::string& text);

}  // namespace aisle::cli
