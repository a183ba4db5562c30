#include "bench/secagg/whole_cohort.h"

#include <time.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <string>
#include <thread>
#include <utility>

#include "aggregation/fold.h"
#include "base/check.h"
#include "base/random.h"
#include "proto/convert/fleet.h"
#include "proto/convert/secure_sum.h"

namespace aisle::secagg {
namespace {

constexpr uint32_t kFullyMaskedEvery = 50;

double ProcessorSeconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

double WallSeconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// What `work` costs this thread.
template <typename Work>
double Timed(const Work& work) {
  const double begun = ProcessorSeconds();
  work();
  return ProcessorSeconds() - begun;
}

void CheckOk(const Status& status) { AISLE_CHECK(status.ok(), "{}", MessageOf(status)); }

template <typename T>
T Given(StatusOr<Answer<T>> answer) {
  CheckOk(answer.status());
  const Refused* refused = std::get_if<Refused>(&*answer);
  AISLE_CHECK(refused == nullptr, "{}", refused->detail);
  return std::get<T>(*std::move(answer));
}

double WireBytes(const CohortTerms& terms, SumMessage message) {
  return static_cast<double>(
      ToProto(SumReport{.round = terms.round, .attempt = terms.attempt, .message = std::move(message)}).ByteSizeLong());
}

template <typename Message, typename Instruction>
double WireBytesOf(const Instruction& instruction) {
  Message message;
  ToProto(instruction, &message);
  return static_cast<double>(message.ByteSizeLong());
}

// Runs `work` on pieces of `values`, each on a thread of its own, and returns their processor seconds together.
double InPieces(std::span<uint32_t> values, int threads,
                const std::function<void(uint64_t first, std::span<uint32_t> piece)>& work) {
  std::vector<double> costs(static_cast<size_t>(threads));
  std::vector<std::jthread> running;
  const size_t size = (values.size() + costs.size() - 1) / costs.size();
  for (size_t i = 0; i < costs.size(); ++i) {
    const size_t first = std::min(i * size, values.size());
    const auto piece = values.subspan(first, std::min(size, values.size() - first));
    running.emplace_back([&work, &cost = costs[i], first, piece] { cost = Timed([&] { work(first, piece); }); });
  }
  running.clear();  // Joins.
  double all = 0;
  for (const double cost : costs) all += cost;
  return all;
}

const char* Raw(std::span<const uint32_t> values) { return reinterpret_cast<const char*>(values.data()); }

}  // namespace

WholeCohort::WholeCohort(const Chain& chain, uint64_t length, const Assumed& assumed)
    : chain_(chain), dropout_every_(assumed.dropout_permille == 0 ? 0 : 1000 / assumed.dropout_permille), sum_(length) {
  terms_ = {.round = {.job = *JobId::Parse("bench"), .number = 1},
            .attempt = 1,
            .plan = Sha256::Of("plan"),
            .length = length,
            .cohort_min = static_cast<uint32_t>(chain.stores.size() / 2),
            .corrupt_permille = assumed.corrupt_permille,
            .dropout_permille = assumed.dropout_permille};
}

// The last of every so many drops out, and never more than the assumption says.
bool WholeCohort::Survives(uint32_t position) const {
  return dropout_every_ == 0 || position % dropout_every_ != dropout_every_ - 1 ||
         position / dropout_every_ >= chain_.stores.size() * terms_.dropout_permille / 1000;
}

Costs WholeCohort::Run(uint64_t sample, int threads) {
  Advertise();
  Deal();
  Collect(sample);
  Confirm();
  Reveal();
  Unmask(threads);
  const auto survivors = static_cast<double>(std::ranges::count(transcript_.statuses, MemberStatus::kSurvived));
  costs_.everybody = costs_.store_steps + costs_.store_masking + costs_.server_messages + costs_.server_rebuilding +
                     costs_.server_sum + costs_.server_self_masks + costs_.server_dropouts;
  costs_.store_steps /= static_cast<double>(chain_.stores.size());
  costs_.store_masking /= survivors;
  costs_.server_wall += costs_.server_messages + costs_.server_rebuilding;
  costs_.upload_of_plain = 1 + costs_.bytes_up / static_cast<double>(4 * terms_.length);
  costs_.degree = transcript_.cohort->parameters().degree;
  costs_.threshold = transcript_.cohort->parameters().threshold;
  return costs_;
}

void WholeCohort::Advertise() {
  std::map<StoreId, Advert> adverts;
  for (uint32_t position = 0; position < chain_.stores.size(); ++position) {
    SecureRandom random;
    const StoreId store = BenchStore(position);
    costs_.store_steps += Timed(
        [&] { members_.push_back(*Member::Join(terms_, terms_.cohort_min, store, chain_.stores[position], random)); });
    const Advert& advert = members_.back().advert();
    costs_.server_messages += Timed([&] { CheckOk(VerifyAdvert(advert, chain_.headquarters_trust)); });
    adverts.emplace(store, advert);
  }
  costs_.bytes_up += WireBytes(terms_, members_.front().advert());
  costs_.server_messages += Timed([&] {
    auto cohort = Cohort::Make(terms_, std::move(adverts));
    CheckOk(cohort.status());
    transcript_.cohort = std::make_shared<const Cohort>(*std::move(cohort));
  });
}

void WholeCohort::Deal() {
  const Cohort& cohort = *transcript_.cohort;
  RosterHead head = cohort.UnsignedHead();
  head.certificate_pem = chain_.headquarters.certificate_pem;
  head.signature = *chain_.headquarters.sign(kRosterDomain, RosterStatement(cohort.name()));
  for (uint32_t position = 0; position < cohort.size(); ++position) {
    ShareInstruction instruction{.round = terms_.round, .roster = head};
    costs_.server_messages += Timed([&] {
      instruction.own = cohort.EntryOf(position);
      for (const uint32_t neighbour : cohort.NeighboursOf(position)) {
        instruction.neighbours.push_back(cohort.EntryOf(neighbour));
      }
    });
    DealtShares dealt;
    costs_.store_steps += Timed([&] {
      dealt = Given(members_[position].Share(instruction, chain_.stores[position], chain_.trusts[position]));
    });
    costs_.server_messages += Timed([&] { CheckOk(VerifyDealt(cohort, position, dealt, chain_.headquarters_trust)); });
    if (position == 0) {
      costs_.bytes_down += WireBytesOf<v1::ShareInstruction>(instruction);
      costs_.bytes_up += WireBytes(terms_, dealt);
    }
    transcript_.dealt.emplace(position, std::move(dealt));
  }
}

void WholeCohort::Collect(uint64_t sample) {
  expected_.assign(sample, 0);
  std::vector<uint32_t> vector(terms_.length);
  AesCtrStream updates(SecretBytes(32), "bench/updates");
  double masked_whole = 0;
  double masking = 0;
  double survivors = 0;
  for (uint32_t position = 0; position < members_.size(); ++position) {
    transcript_.statuses.push_back(Survives(position) ? MemberStatus::kSurvived : MemberStatus::kDropped);
    if (!Survives(position)) continue;
    ++survivors;
    SharesInbox inbox;
    costs_.server_messages += Timed([&] { inbox = transcript_.cohort->InboxOf(position, transcript_.dealt); });
    costs_.store_steps += Timed([&] { AISLE_CHECK(!members_[position].Take(inbox).has_value()); });
    if (position == 0) costs_.bytes_down += WireBytesOf<v1::SharesInbox>(inbox);
    const bool whole = sample == terms_.length || position % kFullyMaskedEvery == 0;
    const auto piece = std::span(vector).first(whole ? terms_.length : sample);
    updates.Fill({reinterpret_cast<uint8_t*>(piece.data()), piece.size_bytes()});
    FoldAdd(expected_.data(), Raw(piece), sample);
    const double cost = Timed([&] { members_[position].Mask(0, piece); });
    if (whole) {
      masking += cost;
      ++masked_whole;
    }
    // The vector's end is of a store before, where this one masked the beginning only: the same bytes to add.
    const double begun = WallSeconds();
    costs_.server_sum += Timed([&] { FoldAdd(sum_.data(), Raw(vector), vector.size()); });
    costs_.server_wall += WallSeconds() - begun;
  }
  costs_.store_masking = masking / masked_whole * survivors;
}

void WholeCohort::Confirm() {
  const ConfirmInstruction instruction{.round = terms_.round, .statuses = transcript_.statuses};
  const Digest survivors = SurvivorsRoot(transcript_.statuses);
  for (uint32_t position = 0; position < members_.size(); ++position) {
    if (!Survives(position)) continue;
    Confirmation confirmation;
    costs_.store_steps +=
        Timed([&] { confirmation = Given(members_[position].Confirm(instruction, chain_.stores[position])); });
    costs_.server_messages += Timed([&] {
      CheckOk(VerifyConfirmation(*transcript_.cohort, position, survivors, confirmation, chain_.headquarters_trust));
    });
    confirmed_.emplace(position, std::move(confirmation));
  }
  costs_.bytes_down += WireBytesOf<v1::ConfirmInstruction>(instruction);
  costs_.bytes_up += WireBytes(terms_, confirmed_.begin()->second);
}

void WholeCohort::Reveal() {
  const Cohort& cohort = *transcript_.cohort;
  UnmaskInstruction instruction{.round = terms_.round, .survivors = SurvivorsRoot(transcript_.statuses)};
  for (uint32_t position = 0; position < members_.size(); ++position) {
    if (!Survives(position)) continue;
    costs_.server_messages += Timed([&] { instruction.confirmations = cohort.ConfirmationsFor(position, confirmed_); });
    RevealedShares revealed;
    costs_.store_steps += Timed(
        [&] { revealed = Given<RevealedShares>(members_[position].Reveal(instruction, chain_.trusts[position])); });
    costs_.server_messages +=
        Timed([&] { CheckOk(cohort.CheckRevealed(position, transcript_.statuses, transcript_.dealt, revealed)); });
    if (position == 0) {
      costs_.bytes_down += WireBytesOf<v1::UnmaskInstruction>(instruction);
      costs_.bytes_up += WireBytes(terms_, revealed);
    }
    transcript_.revealed.emplace(position, std::move(revealed));
  }
}

void WholeCohort::Unmask(int threads) {
  StatusOr<RecoveredMasks> masks = Internal("not yet");
  costs_.server_rebuilding += Timed([&] { masks = Reconstruct(transcript_); });
  CheckOk(masks.status());
  const double begun = WallSeconds();
  costs_.server_self_masks += InPieces(
      sum_, threads, [&](uint64_t first, std::span<uint32_t> piece) { ApplyMasks(masks->self_masks(), first, piece); });
  costs_.server_dropouts += InPieces(sum_, threads, [&](uint64_t first, std::span<uint32_t> piece) {
    ApplyMasks(masks->dropout_masks(), first, piece);
  });
  costs_.server_wall += WallSeconds() - begun;
  costs_.correct = std::equal(expected_.begin(), expected_.end(), sum_.begin());
}

}  // namespace aisle::secagg
