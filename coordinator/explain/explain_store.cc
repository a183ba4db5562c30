#include "coordinator/explain/explain_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/clock.h"
#include "coordinator/explain/advice.h"
#include "coordinator/explain/explain_round.h"

namespace aisle {
namespace {

class StoreStory {
 public:
  StoreStory(const StoreFacts& facts, absl::Time now)
      : facts_(facts), record_(facts.store.record), now_(now), id_(record_.id) {}

  Explanation Tell() {
    AddStanding();
    AddSkew();
    AddRounds();
    std::ranges::move(notes_, std::back_inserter(findings_));
    return {.headline = Headline(), .findings = std::move(findings_)};
  }

 private:
  void Add(std::string_view cause, std::string sentence) {
    findings_.push_back(MakeFinding(cause, {id_}, std::move(sentence)));
  }
  // What is as it should be: said last.
  void AddNote(std::string_view cause, std::string sentence) {
    notes_.push_back(MakeFinding(cause, {id_}, std::move(sentence)));
  }
  std::string Ago(absl::Time at) const { return Lasting(now_ - at) + " ago"; }

  std::string Headline() const {
    const std::string seen = facts_.store.latest != nullptr ? "last seen " + Ago(facts_.store.last_seen)
                             : record_.last_seen            ? "last seen " + Ago(*record_.last_seen)
                             : record_.first_seen           ? "not seen since the coordinator started"
                                                            : "never seen";
    return fmt::format("{} is {}, {}, and was in {} rounds, {} of which have its update.", id_, NameOf(record_.state),
                       seen, record_.rounds_selected, record_.rounds_collected);
  }

  // What keeps it from work now.
  void AddStanding() {
    const Opening any = facts_.openings.empty() ? Opening{} : facts_.openings.front();
    const Absence why = WhyAbsent(facts_.store, any, facts_.heard_within, now_);
    switch (why) {
      case Absence::kRevoked:
        return Add("revoked", fmt::format("{} is revoked: {}.", id_, record_.revoke_reason));
      case Absence::kInvited:
        return AddInvited();
      case Absence::kCallRefused:
        return Add("key_refused", fmt::format("A box that calls itself {} was refused {}: {}.", id_,
                                              Ago(*record_.call_refused_at), record_.call_refused));
      case Absence::kCertificateOut:
        return Add("certificate_ended", fmt::format("{}'s certificate ended {}, and it was silent before.", id_,
                                                    Ago(*record_.certificate_not_after)));
      case Absence::kSilent:
        return AddSilent();
      case Absence::kLedgerTrouble:
        return Add("ledger_trouble", fmt::format("{} gets no task: {}.", id_, record_.ledger_trouble));
      default:
        return AddPresent();
    }
  }

  void AddInvited() {
    const bool ended = record_.code && record_.code->expires < now_;
    if (ended) {
      return Add("code_ended",
                 fmt::format("{} never joined, and its one-time code ended {}.", id_, Ago(record_.code->expires)));
    }
    Add("not_joined", record_.code ? fmt::format("{} is invited and hasn't used its one-time code, which ends {}.", id_,
                                                 FormatUtc(record_.code->expires))
                                   : fmt::format("{} is invited and has no code that works.", id_));
  }

  void AddSilent() {
    if (!record_.first_seen) return Add("never_seen", fmt::format("{} has joined and never called since.", id_));
    Add("silent", fmt::format("{} was not heard of for longer than {}.", id_, Lasting(facts_.heard_within)));
  }

  // It calls: so each job may have its own reason.
  void AddPresent() {
    if (facts_.works_for) AddNote("working", fmt::format("{} works for round {}.", id_, *facts_.works_for));
    for (const Opening& opening : facts_.openings) {
      const Absence why = WhyAbsent(facts_.store, opening, facts_.heard_within, now_);
      if (opening.secure_sum && facts_.store.latest->protocol_minor < kSecureSumMinor) {
        Add("agent_too_old", fmt::format("{}'s agent {} is too old for the secure sum of job {}.", id_,
                                         facts_.store.latest->agent_version, opening.job));
      } else if (why == Absence::kTableMissing) {
        Add("table_missing", fmt::format("{} doesn't keep a table that job {} reads: it needs {}.", id_, opening.job,
                                         fmt::format("{}", fmt::join(opening.tables, ", "))));
      } else if (why == Absence::kPlanDeclined) {
        Add("plan_declined", fmt::format("{} has refused job {}'s plan ({}).", id_, opening.job,
                                         record_.last_refusal.empty() ? "no reason is known" : record_.last_refusal));
      } else if (why == Absence::kPassedOver) {
        AddNote("passed_over",
                fmt::format("{} is willing and able; job {} takes others first, who were in fewer rounds.", id_,
                            opening.job));
      }
    }
    if (!facts_.store.latest->willing && !facts_.works_for) {
      Add("unwilling", fmt::format("{} calls, but isn't willing: its site policy says when it works.", id_));
    }
    if (facts_.openings.empty()) AddNote("no_job", fmt::format("No job is active, so {} has nothing to do.", id_));
  }

  void AddSkew() {
    if (facts_.store.latest == nullptr) return;
    const absl::Duration skew = facts_.store.latest->clock - facts_.store.last_seen;
    if (absl::AbsDuration(skew) <= facts_.skew_max) return;
    findings_.insert(findings_.begin(), MakeFinding("clock_skew", {id_},
                                                    fmt::format("{}'s clock is {} {} headquarters'.", id_,
                                                                Lasting(absl::AbsDuration(skew)),
                                                                skew > absl::ZeroDuration() ? "ahead of" : "behind")));
  }

  // What came of its last rounds: the causes that name it.
  void AddRounds() {
    std::vector<std::pair<Finding, size_t>> causes;
    for (const RoundRecord& round : facts_.rounds) {
      for (Finding& finding : ExplainRound(round, {}, now_).findings) {
        if (std::ranges::find(finding.stores, id_) == finding.stores.end()) continue;
        const auto known =
            std::ranges::find_if(causes, [&](const auto& entry) { return entry.first.cause == finding.cause; });
        if (known != causes.end()) {
          ++known->second;
        } else {
          finding.sentence = fmt::format("in round {}: {}", round.id, finding.sentence);
          causes.emplace_back(std::move(finding), 1);
        }
      }
    }
    std::ranges::stable_sort(causes, [](const auto& a, const auto& b) { return a.second > b.second; });
    for (const auto& [finding, count] : causes) {
      const bool said =
          std::ranges::any_of(findings_, [&](const Finding& other) { return other.cause == finding.cause; });
      if (said) continue;
      Add(finding.cause,
          fmt::format("In {} of its last {} rounds; latest {}", count, facts_.rounds.size(), finding.sentence));
    }
  }

  const StoreFacts& facts_;
  const StoreRecord& record_;
  const absl::Time now_;
  const StoreId& id_;
  std::vector<Finding> findings_;
  std::vector<Finding> notes_;
};

}  // namespace

Explanation ExplainStore(const StoreFacts& facts, absl::Time now) { return StoreStory(facts, now).Tell(); }

}  // namespace aisle
