// The secure sum at headquarters' door: what each store is asked for, and what is believed of its answers. Signatures
// are verified here, before anything is written down; the round itself (coordinator/round) knows no certificate.
#include "base/identity/statement.h"
#include "base/log.h"
#include "base/overloaded.h"
#include "coordinator/driver/coordinator.h"
#include "coordinator/round/sum_tasks.h"
#include "privacy/secagg/cohort.h"

namespace aisle {
namespace {

// What headquarters itself believes: certificates of its own roots, for what their keys have signed. The caller's
// own was proven when it connected, and its key is the one that is kept for the store.
secagg::Trust TrustIn(const std::string& roots_pem, const Certificate& caller, absl::Time now) {
  const auto trusted = [&roots_pem, &caller, now](const std::string& pem) -> StatusOr<Certificate> {
    if (pem == caller.pem()) return caller;
    AISLE_ASSIGN_OR_RETURN(Certificate certificate, Certificate::FromPem(pem));
    AISLE_RETURN_IF_ERROR(certificate.CheckIssuedBy(roots_pem, now));
    return certificate;
  };
  return {.verify_store = [trusted](const std::string& pem, const StoreId& store, std::string_view domain,
                                    std::string_view message, std::string_view signature) -> Status {
            AISLE_ASSIGN_OR_RETURN(const Certificate certificate, trusted(pem));
            AISLE_ASSIGN_OR_RETURN(const StoreId named, StoreOf(certificate.identity()));
            if (named != store) return Unauthenticated("the certificate is {}'s, not {}'s", named, store);
            return VerifyStatement(certificate, domain, message, signature);
          },
          .verify_headquarters = [](const auto&...) { return Unimplemented("headquarters doesn't listen to itself"); },
          .key_of = [](const auto&) { return Unimplemented("headquarters compares no keys of certificates"); }};
}

}  // namespace

void Coordinator::TakeStep(Certificate caller, SumReport report, Done done) {
  parts_.executor.Post([=, this, caller = std::move(caller), report = std::move(report), done = std::move(done)] {
    const StatusOr<StoreId> store = AdmitCaller(caller);
    if (!store.ok()) return done(store.status());
    ActiveJob* job = FindRound(report.round);
    if (job == nullptr) return done(RoundGone(report.round));
    if (Status said = CheckSaid(caller, *job, *store, report); !said.ok()) {
      LogWarning("a step of {} in round {} is refused: {}", *store, report.round, MessageOf(said));
      return done(said);
    }
    job->round->Submit(SumStepTaken{.store = *store, .report = report}, done);
  });
}

Status Coordinator::CheckSaid(const Certificate& caller, const ActiveJob& job, const StoreId& store,
                              const SumReport& report) const {
  const RoundMachine& machine = job.round->machine();
  AISLE_RETURN_IF_ERROR(machine.Check(SumStepTaken{.store = store, .report = report}));
  const secagg::Trust trust = TrustIn(roots_pem(), caller, parts_.executor.Now());
  if (const auto* advert = std::get_if<Advert>(&report.message)) {
    // Not necessarily under the certificate that it calls with, which may have been renewed since the advert was made.
    return secagg::VerifyAdvert(*advert, trust);
  }
  const secagg::Cohort* cohort = CohortOf(machine.phase());
  const std::optional<uint32_t> position = cohort == nullptr ? std::nullopt : cohort->PositionOf(store);
  if (!position) return OkStatus();  // Check has spoken: it can't come to this.
  if (const auto* dealt = std::get_if<DealtShares>(&report.message)) {
    return secagg::VerifyDealt(*cohort, *position, *dealt, trust);
  }
  if (const auto* confirmation = std::get_if<Confirmation>(&report.message)) {
    return secagg::VerifyConfirmation(*cohort, *position, confirmation->survivors, *confirmation, trust);
  }
  return OkStatus();  // Revealed shares prove themselves: they are what their dealers committed to.
}

std::optional<Instruction> Coordinator::StepFor(const StoreId& store, const ActiveJob& job) const {
  const RoundId& round = job.round->id();
  using Maybe = std::optional<Instruction>;
  return std::visit(Overloaded{[&](const Advertising& phase) -> Maybe { return TaskIn(phase, round); },
                               [&](const Sharing& phase) -> Maybe {
                                 // Signed as soon as the phase is durable; an earlier attempt's is another cohort's.
                                 if (!job.roster || job.roster->root != phase.sum.cohort->root()) return std::nullopt;
                                 return TaskIn(phase, round, store, *job.roster);
                               },
                               [&](const Confirming& phase) -> Maybe { return TaskIn(phase, round); },
                               [&](const Unmasking& phase) -> Maybe { return TaskIn(phase, round, store); },
                               [](const auto&) -> Maybe { return std::nullopt; }},
                    job.round->machine().phase());
}

void Coordinator::SignRoster(ActiveJob& job) {
  const auto* sharing = std::get_if<Sharing>(&job.round->machine().phase());
  if (sharing == nullptr) return;
  const secagg::Cohort& cohort = *sharing->sum.cohort;
  StatusOr<std::string> signature =
      parts_.credentials.sign(secagg::kRosterDomain, secagg::RosterStatement(cohort.name()));
  if (!signature.ok()) {
    LogError("the roster of round {} can't be signed: {}; the round will abort by its deadline", job.round->id(),
             MessageOf(signature.status()));
    return job.roster.reset();
  }
  job.roster = cohort.UnsignedHead();
  job.roster->certificate_pem = parts_.credentials.certificate_pem;
  job.roster->signature = *std::move(signature);
}

}  // namespace aisle
