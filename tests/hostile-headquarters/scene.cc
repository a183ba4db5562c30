#include "tests/hostile-headquarters/scene.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <stdexcept>

#include "base/identity/signing.h"
#include "base/identity/statement.h"
#include "plans/bundle.h"
#include "plans/initial_weights.h"
#include "privacy/secagg/statements.h"
#include "privacy/secagg/unmask.h"

namespace aisle::hostile {
namespace {

// A store without rows takes part all the same, with noise alone: its vector is as secret as any.
std::string PlanToml(const std::string& privacy_lines) {
  return fmt::format(R"([plan]
name = "attack"
version = 1
source = "attack.py"

[tables.points.columns]
x = {{type = "double", range = [-1, 1]}}

[training]
optimizer = "sgd"
learning_rate = 0.1
epochs = 1

[privacy]
mode = "store"
clip_norm = 1.0
noise_multiplier = 250.0
delta = 1e-6
rounds_max = 1000
metric_share = 0
{}

[cohort]
min = {}
target = 8

[limits]
memory = "1 GiB"
cpu_time = "60s"
wall_time = "60s"

[[parameters]]
name = "weight"
shape = [100]
)",
                     privacy_lines, kCohortMin);
}

constexpr std::string_view kProgram = R"(
def prepare(self, tables: Dict[str, Dict[str, Tensor]]) -> Dict[str, Tensor]:
    x = tables["points"]["x"]
    return {"unit": torch.zeros_like(x).to(4), "x": x.to(6)}

def loss(self, batch: Dict[str, Tensor]) -> Tensor:
    return torch.square(batch["x"] - self.weight.sum())

def metrics(self, batch: Dict[str, Tensor]) -> Dict[str, Tensor]:
    return {"count": torch.ones_like(batch["x"]).sum()}

def predict(self, batch: Dict[str, Tensor]) -> Dict[str, Tensor]:
    return {"y": batch["x"]}
)";

std::string SitePolicyOf(const std::string& privacy_lines) {
  return fmt::format(
      "[privacy]\nfloor_epsilon_per_year = 1e6\naggregate_epsilon_per_year = 1e6\nepsilon_max = 1e6\n{}\n",
      privacy_lines);
}

StoreId Named(char initial, uint32_t number) { return StoreId::Parse(fmt::format("{}{:03}", initial, number)).value(); }

template <typename T>
T Must(StatusOr<std::variant<T, Refused>> answer) {
  const auto* refused = std::get_if<Refused>(&answer.value());
  if (refused != nullptr) throw std::runtime_error("a made-up store refused: " + refused->detail);
  return std::get<T>(*std::move(answer));
}

}  // namespace

Scene::Scene(const Setting& setting)
    : store_(wire_.fleet().address(), wire_.fleet().authority().root_pem(), wire_.fleet().code,
             SitePolicyOf(setting.policy)) {
  for (uint32_t i = 0; i < setting.others; ++i) names_.push_back(Named(i % 2 == 0 ? 'm' : 't', i));
  for (const StoreId& name : names_) identities_.emplace(name, wire_.fleet().StoreIdentity(name.str()));
  UsePlan(setting.privacy);
}

void Scene::UsePlan(const std::string& privacy_lines) {
  const std::string toml = PlanToml(privacy_lines);
  const std::string weights = EncodeWeights(MakeInitialWeights(Plan::Parse(toml).value()).value());
  const PlanBundle bundle = MakePlanBundle({.plan_toml = toml, .program = std::string(kProgram)}, weights).value();
  plan_ = {.digest = wire_.fleet().AddBlob(bundle.Encode()), .size = bundle.Encode().size()};
  weights_ = {.digest = wire_.fleet().AddBlob(weights), .size = weights.size()};
}

TrainInstruction Scene::task() const {
  return {.round = round_,
          .plan = plan_,
          .weights = weights_,
          .deadline = absl::Now() + absl::Hours(1),
          .rounds_total = 1000,
          .plan_signature = SignPlan(wire_.fleet().plan_key(), plan_.digest).value()};
}

template <typename T>
T Scene::Expect(Said said) const {
  if (const auto* outcome = std::get_if<OutcomeReport>(&said)) {
    if (const auto* refused = std::get_if<Refused>(&outcome->outcome)) {
      throw std::runtime_error(fmt::format("the store refused: {}: {}", NameOf(refused->reason), refused->detail));
    }
  }
  if constexpr (std::is_same_v<T, OutcomeReport> || std::is_same_v<T, UploadedVector>) {
    if (auto* wanted = std::get_if<T>(&said)) return std::move(*wanted);
  } else {
    auto* report = std::get_if<SumReport>(&said);
    if (report != nullptr && report->round == round_ && report->attempt == terms_.attempt) {
      if (auto* wanted = std::get_if<T>(&report->message)) return std::move(*wanted);
    }
  }
  throw std::runtime_error("the store said something else than it was asked for");
}

void Scene::Train() {
  ++round_.number;
  wire_.fleet().ForgetUploads();
  const auto report = Expect<OutcomeReport>(wire_.TellAndHear(task()));
  const auto* trained = std::get_if<Trained>(&report.outcome);
  if (trained == nullptr) throw std::runtime_error("the store did not train");
  terms_ = {.round = round_,
            .attempt = 1,
            .plan = plan_.digest,
            .length = trained->update.size / 4,
            .cohort_min = kCohortMin,
            .corrupt_permille = corrupt_permille_,
            .dropout_permille = 100};
}

secagg::Credentials Scene::CredentialsOf(const StoreId& store) const {
  const TlsIdentity& identity = identities_.at(store);
  return {.certificate_pem = identity.certificate.pem(),
          .sign = [&identity](std::string_view domain, std::string_view message) {
            return SignStatement(identity.key, domain, message);
          }};
}

secagg::Trust Scene::EveryoneTrusted() const {
  return {.verify_store = [](const auto&...) { return OkStatus(); },
          .verify_headquarters = [](const auto&...) { return OkStatus(); },
          .key_of = [](const std::string& pem) -> StatusOr<Digest> { return Sha256::Of(pem); }};
}

ShareInstruction Scene::Advertise(uint32_t attempt) {
  terms_.attempt = attempt;
  members_.clear();
  adverts_.clear();
  dealt_.clear();
  adverts_.emplace(self_, Expect<Advert>(wire_.TellAndHear(AdvertiseInstruction{
                              .round = round_, .attempt = attempt, .deadline = absl::Now() + absl::Hours(1)})));
  for (const StoreId& name : names_) {
    secagg::Member member = secagg::Member::Join(terms_, kCohortMin, name, CredentialsOf(name), random_).value();
    adverts_.emplace(name, member.advert());
    members_.emplace(name, std::move(member));
  }
  cohort_ = std::make_shared<const secagg::Cohort>(secagg::Cohort::Make(terms_, adverts_).value());
  return ShareFor(position());
}

ShareInstruction Scene::ShareFor(uint32_t position) const {
  ShareInstruction share{.round = round_,
                         .attempt = terms_.attempt,
                         .deadline = absl::Now() + absl::Hours(1),
                         .roster = Signed(cohort_->UnsignedHead(), wire_.fleet().identity()),
                         .own = cohort_->EntryOf(position)};
  for (const uint32_t neighbour : cohort_->NeighboursOf(position)) {
    share.neighbours.push_back(cohort_->EntryOf(neighbour));
  }
  return share;
}

RosterHead Scene::Signed(RosterHead head, const TlsIdentity& signer) {
  head.certificate_pem = signer.certificate.pem();
  head.signature =
      SignStatement(signer.key, secagg::kRosterDomain, secagg::RosterStatement(secagg::NameOf(head))).value();
  return head;
}

std::vector<Advert> Scene::adverts() const {
  std::vector<Advert> all;
  for (const auto& [store, advert] : adverts_) all.push_back(advert);
  return all;
}

Advert Scene::AdvertOf(const StoreId& store, const CohortTerms& terms) {
  return secagg::Member::Join(terms, kCohortMin, store, CredentialsOf(store), random_).value().advert();
}

CollectInstruction Scene::Share(const ShareInstruction& share) {
  dealt_.emplace(position(), Expect<DealtShares>(wire_.TellAndHear(share)));
  for (auto& [name, member] : members_) {
    const uint32_t at = cohort_->PositionOf(name).value();
    dealt_.emplace(at, Must(member.Share(ShareFor(at), CredentialsOf(name), EveryoneTrusted())));
  }
  return {.round = round_, .deadline = absl::Now() + absl::Hours(1), .inbox = InboxFor(position())};
}

SharesInbox Scene::InboxFor(uint32_t position) const { return cohort_->InboxOf(position, dealt_); }

ConfirmInstruction Scene::Collect(const CollectInstruction& collect, const std::vector<StoreId>& dropped) {
  masked_ = Expect<UploadedVector>(wire_.TellAndHear(collect)).bytes;
  statuses_.assign(cohort_->size(), MemberStatus::kSurvived);
  for (const StoreId& name : dropped) statuses_[cohort_->PositionOf(name).value()] = MemberStatus::kDropped;
  for (auto& [name, member] : members_) {
    if (member.Take(InboxFor(cohort_->PositionOf(name).value()))) throw std::runtime_error("a made-up store refused");
  }
  return {.round = round_, .attempt = terms_.attempt, .deadline = absl::Now() + absl::Hours(1), .statuses = statuses_};
}

std::string Scene::SignatureOf(const StoreId& store, const std::vector<MemberStatus>& statuses) {
  return CredentialsOf(store)
      .sign(secagg::kSurvivorsDomain, secagg::SurvivorsStatement(cohort_->name(), secagg::SurvivorsRoot(statuses)))
      .value();
}

UnmaskInstruction Scene::Confirm(const ConfirmInstruction& confirm) {
  const auto confirmation = Expect<Confirmation>(wire_.TellAndHear(confirm));
  UnmaskInstruction unmask{.round = round_,
                           .attempt = terms_.attempt,
                           .deadline = absl::Now() + absl::Hours(1),
                           .survivors = confirmation.survivors};
  for (const uint32_t neighbour : cohort_->NeighboursOf(position())) {
    if (confirm.statuses[neighbour] != MemberStatus::kSurvived) continue;
    unmask.confirmations.push_back(
        {.from = neighbour, .signature = SignatureOf(cohort_->StoreAt(neighbour), confirm.statuses)});
  }
  return unmask;
}

RevealedShares Scene::Unmask(const UnmaskInstruction& unmask) {
  return Expect<RevealedShares>(wire_.TellAndHear(unmask));
}

std::vector<uint32_t> Scene::Sum(const ConfirmInstruction& confirm, const RevealedShares& revealed) {
  std::vector<uint32_t> sum(terms_.length);
  std::memcpy(sum.data(), masked_.data(), masked_.size());
  secagg::Transcript transcript{
      .cohort = cohort_, .dealt = dealt_, .statuses = confirm.statuses, .revealed = {{position(), revealed}}};
  for (auto& [name, member] : members_) {
    const uint32_t at = cohort_->PositionOf(name).value();
    if (confirm.statuses[at] != MemberStatus::kSurvived) continue;
    member.Mask(0, sum);  // Of a vector of zeros.
    UnmaskInstruction unmask{.round = round_, .attempt = terms_.attempt};
    unmask.survivors = Must(member.Confirm(confirm, CredentialsOf(name))).survivors;
    for (const uint32_t neighbour : cohort_->NeighboursOf(at)) unmask.confirmations.push_back({.from = neighbour});
    transcript.revealed.emplace(at, Must<RevealedShares>(member.Reveal(unmask, EveryoneTrusted())));
  }
  secagg::Reconstruct(transcript).value().RemoveFrom(0, sum);
  return sum;
}

std::optional<RefusalReason> Scene::RefusalOf(const Instruction& instruction) {
  const Said said = wire_.TellAndHear(instruction);
  const auto* outcome = std::get_if<OutcomeReport>(&said);
  if (outcome == nullptr) return std::nullopt;
  const auto* refused = std::get_if<Refused>(&outcome->outcome);
  return refused == nullptr ? std::nullopt : std::optional(refused->reason);
}

ShareInstruction Scene::ShareOf(const std::vector<Advert>& adverts) {
  std::vector<Digest> leaves;
  for (const Advert& advert : adverts) leaves.push_back(secagg::LeafOf(advert));
  const secagg::MerkleTree tree(leaves);
  ShareInstruction share{.round = round_, .attempt = terms_.attempt, .deadline = absl::Now() + absl::Hours(1)};
  share.roster =
      Signed({.terms = secagg::DigestOf(terms_), .size = static_cast<uint32_t>(adverts.size()), .root = tree.root()});
  for (uint32_t i = 0; i < adverts.size(); ++i) {
    RosterEntry entry{.position = i, .advert = adverts[i], .proof = tree.ProofOf(i)};
    if (adverts[i].store == self_) {
      share.own = std::move(entry);
    } else {
      share.neighbours.push_back(std::move(entry));
    }
  }
  return share;
}

std::string Scene::SecretVector() const {
  for (const auto& file : std::filesystem::directory_iterator(store_.folder().File("agent-data/spool"))) {
    if (file.path().filename().string().find("masked") == std::string::npos) {
      return store_.folder().Read("agent-data/spool/" + file.path().filename().string());
    }
  }
  throw std::runtime_error("the store holds no vector");
}

}  // namespace aisle::hostile
