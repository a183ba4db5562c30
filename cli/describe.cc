#include "cli/describe.h"

#include <charconv>
#include <map>

#include "base/clock.h"
#include "base/digest.h"
#include "cli/text.h"

namespace aisle::cli {
namespace {

using Metrics = google::protobuf::Map<std::string, double>;

// "JOB_STATE_RUNNING" -> "running".
std::string EnumText(const std::string& name, size_t prefix) {
  std::string text = name.substr(std::min(prefix, name.size()));
  for (char& c : text) c = c == '_' ? ' ' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text.empty() ? "unknown" : text;
}

std::string Of(uint32_t done, uint32_t total) { return fmt::format("{}/{}", done, total); }

absl::Duration Lasted(const v1::Round& round) {
  return absl::FromUnixMillis(round.closed_unix_ms()) - absl::FromUnixMillis(round.opened_unix_ms());
}

// The number after `separator`; nullopt without one.
StatusOr<std::optional<uint64_t>> NumberAfter(const std::string& text, size_t separator, std::string_view what) {
  if (separator == std::string::npos) return std::optional<uint64_t>();
  uint64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data() + separator + 1, end, number);
  if (error != std::errc() || stop != end || number == 0 || number > std::numeric_limits<uint32_t>::max()) {
    return InvalidArgument("'{}' has no {} number after the '{}'; numbers count from 1", text, what, text[separator]);
  }
  return std::optional<uint64_t>(number);
}

}  // namespace

std::string StateText(v1::JobState state) { return EnumText(v1::JobState_Name(state), sizeof "JOB_STATE"); }
std::string PhaseText(v1::RoundPhase phase) { return EnumText(v1::RoundPhase_Name(phase), sizeof "ROUND_PHASE"); }

bool HasEnded(v1::JobState state) {
  return state == v1::JOB_STATE_FINISHED || state == v1::JOB_STATE_CANCELLED || state == v1::JOB_STATE_FAILED;
}
bool HasEnded(v1::RoundPhase phase) { return phase == v1::ROUND_PHASE_COMMITTED || phase == v1::ROUND_PHASE_ABORTED; }

std::string RoundText(const v1::RoundRef& round) { return fmt::format("{}/{}", round.job(), round.number()); }

std::string MetricsText(const Metrics& metrics) {
  std::string text;
  for (const auto& [name, value] : std::map<std::string, double>(metrics.begin(), metrics.end())) {
    text += fmt::format("{}{} {}", text.empty() ? "" : "  ", name, NumberText(value));
  }
  return text;
}

std::pair<std::string, double> MainMetric(const Metrics& metrics) {
  const std::map<std::string, double> sorted(metrics.begin(), metrics.end());
  if (sorted.empty()) return {};
  const auto loss = sorted.find("loss");
  return loss != sorted.end() ? *loss : *sorted.begin();
}

Table DescribeJobs(const v1::ListJobsResponse& jobs, absl::Time now) {
  Table table({{"job"},
               {"state"},
               {"plan"},
               {"rounds", Align::kRight},
               {"aborted", Align::kRight},
               {"model", Align::kRight},
               {"epsilon (floor)", Align::kRight},
               {"unit"},
               {"submitted"}});
  for (const v1::Job& job : jobs.jobs()) {
    table.Row({job.id(), StateText(job.state()), job.plan_name(), Of(job.rounds_committed(), job.rounds_total()),
               CountText(job.rounds_aborted()), fmt::format("{}", job.model_version()),
               job.privacy_unit() == "none" ? "-" : NumberText(job.epsilon_floor()), job.privacy_unit(),
               AgeText(job.submitted_unix_ms(), now)});
  }
  return table;
}

Facts DescribeJob(const v1::Job& job) {
  Facts facts;
  facts.Add("job", job.id())
      .Add("state", StateText(job.state()))
      .AddIf(!job.state_reason().empty(), "reason", job.state_reason())
      .Add("plan", fmt::format("{} ({})", job.plan_name(), ToHex(job.plan_sha256()).substr(0, 12)))
      .Add("rounds", fmt::format("{} of {} committed, {} aborted", job.rounds_committed(), job.rounds_total(),
                                 job.rounds_aborted()))
      .Add("model",
           job.model_version() == 0 ? "none published yet" : fmt::format("{}@{}", job.id(), job.model_version()))
      .Add("parameters", CountText(job.parameters()) + " trainable")
      .Add("cohort", fmt::format("{} stores aimed at, at least {}", job.cohort_target(), job.cohort_min()))
      .Add("epsilon, floor", EpsilonText(job.epsilon_floor(), job.privacy_unit(), job.delta()))
      .Add("epsilon, aggregate", EpsilonText(job.epsilon_aggregate(), job.privacy_unit(), job.delta()))
      .Add("priority", fmt::format("{}", job.priority()))
      .Add("submitted", TimeText(job.submitted_unix_ms()))
      .AddIf(job.ended_unix_ms() != 0, "ended", TimeText(job.ended_unix_ms()));
  return facts;
}

Table DescribeRounds(const v1::ListRoundsResponse& rounds) {
  Table table({{"round"},
               {"phase"},
               {"stores", Align::kRight},
               {"refused", Align::kRight},
               {"failed", Align::kRight},
               {"up", Align::kRight},
               {"down", Align::kRight},
               {"took", Align::kRight},
               {"metrics"}});
  for (const v1::Round& round : rounds.rounds()) {
    table.Row({RoundText(round.round()), PhaseText(round.phase()),
               Of(round.stores_collected(), round.stores_selected()), CountText(round.stores_refused()),
               CountText(round.stores_failed()), FormatByteCount(round.bytes_up()), FormatByteCount(round.bytes_down()),
               round.closed_unix_ms() == 0 ? "-" : SpanText(Lasted(round)),
               round.abort_reason().empty() ? MetricsText(round.metrics()) : round.abort_reason()});
  }
  return table;
}

Facts DescribeRound(const v1::Round& round) {
  Facts facts;
  facts.Add("round", RoundText(round.round()))
      .Add("phase", PhaseText(round.phase()))
      .AddIf(!round.abort_reason().empty(), "reason", round.abort_reason())
      .Add("stores",
           fmt::format("{} selected, {} trained, {} collected, {} refused, {} failed", round.stores_selected(),
                       round.stores_trained(), round.stores_collected(), round.stores_refused(), round.stores_failed()))
      .AddIf(round.stores_asked() != 0, "secure sum",
             fmt::format("{} of {} stores have taken this step", round.stores_stepped(), round.stores_asked()))
      .AddIf(!round.metrics().empty(), "metrics (noised means)", MetricsText(round.metrics()))
      .AddIf(round.model_version() != 0, "model", fmt::format("{}@{}", round.round().job(), round.model_version()))
      .Add("received", FormatByteCount(round.bytes_up()))
      .Add("sent", FormatByteCount(round.bytes_down()))
      .Add("opened", TimeText(round.opened_unix_ms()));
  if (HasEnded(round.phase())) {
    facts.Add("closed", fmt::format("{}, after {}", TimeText(round.closed_unix_ms()), SpanText(Lasted(round))));
  } else {
    facts.AddIf(round.phase_closes_unix_ms() != 0, "this phase ends by", TimeText(round.phase_closes_unix_ms()));
  }
  return facts;
}

Table DescribeStoresInRound(const v1::Round& round) {
  Table table({{"store"}, {"state"}, {"detail"}});
  for (const v1::StoreInRound& store : round.stores()) table.Row({store.store(), store.state(), store.detail()});
  return table;
}

Table DescribeStores(const v1::ListStoresResponse& stores, absl::Time now) {
  Table table({{"store"},
               {"state"},
               {"last seen"},
               {"agent"},
               {"joined", Align::kRight},
               {"collected", Align::kRight},
               {"certificate ends"},
               {"last refusal"}});
  for (const v1::Store& store : stores.stores()) {
    table.Row({store.id(), store.state(), AgeText(store.last_seen_unix_ms(), now), store.agent_version(),
               CountText(store.rounds_joined()), CountText(store.rounds_collected()),
               store.certificate_expires_unix_ms() == 0 ? "-" : AgeText(store.certificate_expires_unix_ms(), now),
               store.last_refusal()});
  }
  return table;
}

Facts DescribeStore(const v1::Store& store, absl::Time now) {
  Facts facts;
  facts.Add("store", store.id())
      .Add("state", store.state())
      .Add("last seen", AgeText(store.last_seen_unix_ms(), now))
      .AddIf(!store.agent_version().empty(), "agent", store.agent_version())
      .Add("rounds", fmt::format("{} joined, {} collected", store.rounds_joined(), store.rounds_collected()))
      .Add("certificate ends", TimeText(store.certificate_expires_unix_ms()))
      .AddIf(!store.last_refusal().empty(), "last refusal", store.last_refusal())
      .AddIf(!store.ledger_sha256().empty(), "privacy ledger",
             fmt::format("{} entries {}, head {}", store.ledger_entries(), AgeText(store.ledger_unix_ms(), now),
                         ToHex(store.ledger_sha256())))
      .AddIf(!store.ledger_trouble().empty(), "LEDGER TROUBLE", store.ledger_trouble());
  return facts;
}

Table DescribeModels(const v1::ListModelsResponse& models, absl::Time now) {
  Table table({{"model"},
               {"round"},
               {"stores", Align::kRight},
               {"size", Align::kRight},
               {"epsilon (floor)", Align::kRight},
               {"unit"},
               {"published"},
               {"metrics"}});
  for (const v1::Model& model : models.models()) {
    table.Row({fmt::format("{}@{}", model.job(), model.version()), RoundText(model.round()), CountText(model.stores()),
               FormatByteCount(model.weights().size_bytes()),
               model.privacy_unit() == "none" ? "-" : NumberText(model.epsilon_floor()), model.privacy_unit(),
               AgeText(model.published_unix_ms(), now), MetricsText(model.metrics())});
  }
  return table;
}

Facts DescribeModel(const v1::Model& model) {
  Facts facts;
  facts.Add("model", fmt::format("{}@{}", model.job(), model.version()))
      .Add("round", RoundText(model.round()))
      .Add("stores in the sum", CountText(model.stores()))
      .Add("plan", ToHex(model.plan_sha256()).substr(0, 12))
      .Add("weights", fmt::format("{}, SHA-256 {}", FormatByteCount(model.weights().size_bytes()),
                                  ToHex(model.weights().sha256())))
      .Add("epsilon, floor", EpsilonText(model.epsilon_floor(), model.privacy_unit(), model.delta()))
      .Add("epsilon, aggregate", EpsilonText(model.epsilon_aggregate(), model.privacy_unit(), model.delta()))
      .AddIf(!model.metrics().empty(), "metrics (noised means)", MetricsText(model.metrics()))
      .Add("published", TimeText(model.published_unix_ms()));
  return facts;
}

Facts DescribeOverview(const v1::Overview& overview, absl::Time now) {
  Facts facts;
  facts.Add("chain", overview.chain())
      .Add("coordinator", overview.version())
      .Add("up since",
           fmt::format("{} ({})", TimeText(overview.started_unix_ms()), AgeText(overview.started_unix_ms(), now)))
      .Add("stores", fmt::format("{} enrolled, {} waiting for work", CountText(overview.stores_enrolled()),
                                 CountText(overview.stores_waiting())))
      .Add("jobs", fmt::format("{} active", CountText(overview.jobs_active())))
      .Add("memory", fmt::format("{}, {} at its peak", FormatByteCount(overview.resident_bytes()),
                                 FormatByteCount(overview.resident_peak_bytes())));
  return facts;
}

StatusOr<RoundName> ParseRoundName(const std::string& text) {
  const size_t slash = text.rfind('/');
  const std::string job = text.substr(0, slash);
  AISLE_RETURN_IF_ERROR(JobId::Parse(job).status());
  AISLE_ASSIGN_OR_RETURN(const std::optional<uint64_t> number, NumberAfter(text, slash, "round"));
  return RoundName{job, number ? std::optional(static_cast<uint32_t>(*number)) : std::nullopt};
}

StatusOr<ModelName> ParseModelName(const std::string& text) {
  const size_t at = text.rfind('@');
  const std::string job = text.substr(0, at);
  AISLE_RETURN_IF_ERROR(JobId::Parse(job).status());
  AISLE_ASSIGN_OR_RETURN(const std::optional<uint64_t> version, NumberAfter(text, at, "version"));
  return ModelName{job, version.value_or(0)};
}

}  // namespace aisle::cli
