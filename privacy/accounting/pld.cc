#include "privacy/accounting/pld.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "privacy/accounting/pld_compose.h"
#include "privacy/accounting/rdp.h"

namespace aisle {
namespace {

// Of all mechanisms' single losses, and of all windows, together: 8 MiB and 128 MiB.
constexpr double kLossPointsMax = 1 << 20;
constexpr double kWindowPointsMax = 1 << 24;
constexpr double kCheapMesh = 4e-3;
constexpr double kCheapPoints = 1 << 12;
constexpr int kRefinementsMax = 6;

// Whole orders, whose divergences are quick.
constexpr double kOrders[] = {2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024};

bool IsPlainGaussian(const LossMechanism& mechanism) {
  const auto* gaussian = std::get_if<SampledGaussian>(&mechanism);
  return gaussian != nullptr && gaussian->sampling_rate == 1;
}

// k Gaussians are one with z / sqrt(k), exactly.
double& NoiseOf(LossMechanism& mechanism) { return std::get<SampledGaussian>(mechanism).noise_multiplier; }
double Merged(double z, double other, double count) { return 1 / std::sqrt(1 / (z * z) + count / (other * other)); }

}  // namespace

// What is asked, and from a first look by Renyi divergences: about which delta, epsilon and order it will be about.
struct PldAccountant::Question {
  bool of_delta = false;  // Given epsilon, asks for delta.
  double epsilon = 0;
  double delta = 0;
  double order = 2;
  double error = 0;  // How much over the truth epsilon may be.
};

Status PldAccountant::Add(const LossMechanism& mechanism, uint64_t count) {
  AISLE_RETURN_IF_ERROR(Validate(mechanism));
  if (count == 0) return OkStatus();
  if (count > kReleasesMax || releases_ + static_cast<double>(count) > static_cast<double>(kReleasesMax)) {
    return InvalidArgument("{} releases after {}; at most {} can be accounted for", count, releases_, kReleasesMax);
  }
  const auto added = static_cast<double>(count);
  const bool plain = IsPlainGaussian(mechanism);
  const auto same = std::ranges::find_if(entries_, [&](const Entry& entry) {
    return plain ? IsPlainGaussian(entry.mechanism) : entry.mechanism == mechanism;
  });
  if (same == entries_.end() && entries_.size() == kMechanismsMax) {
    return InvalidArgument("over {} different mechanisms", kMechanismsMax);
  }
  releases_ += added;
  if (same == entries_.end()) {
    entries_.push_back({mechanism, plain ? 1 : added});
    if (plain) NoiseOf(entries_.back().mechanism) /= std::sqrt(added);
  } else if (plain) {
    NoiseOf(same->mechanism) =
        Merged(NoiseOf(same->mechanism), std::get<SampledGaussian>(mechanism).noise_multiplier, added);
  } else {
    same->count += added;
  }
  return OkStatus();
}

// Fills in what was not asked for: Renyi's epsilon at the delta, or Chernoff's delta at the epsilon.
PldAccountant::Question PldAccountant::Plan(const Question& asked) const {
  Question planned = asked;
  (asked.of_delta ? planned.delta : planned.epsilon) = std::numeric_limits<double>::infinity();
  for (const double order : kOrders) {
    double rdp = 0;
    for (const Entry& entry : entries_) rdp += entry.count * RdpOf(entry.mechanism, order);
    const double epsilon = asked.of_delta ? 0 : EpsilonAt(order, rdp, asked.delta);
    const double delta = asked.of_delta ? std::exp((order - 1) * (rdp - asked.epsilon)) : 0;
    if (asked.of_delta ? delta >= planned.delta : epsilon >= planned.epsilon) continue;
    planned.order = order;
    (asked.of_delta ? planned.delta : planned.epsilon) = asked.of_delta ? delta : epsilon;
  }
  planned.delta = std::clamp(planned.delta, kDeltaMin, 1.0);
  planned.error = std::clamp(accuracy_.share * planned.epsilon, accuracy_.finest, accuracy_.epsilon);
  return planned;
}

// Connecting the dots at distance h spreads each release's loss by a variance of at most h^2 / 4 and keeps E[exp(-L)],
// so at tilt t it adds at most t (1 + t) h^2 / 8 to the log-moment, and (1 + t) h^2 / 8 to epsilon; it also never adds
// more than h. From this the mesh follows, and is made finer if the tilt turns out higher than Renyi's best order said.
double PldAccountant::Answer(const Question& question, Adjacency adjacency) const {
  double count = 0;
  for (const Entry& entry : entries_) count += entry.count;
  const Truncation truncation{.above = question.delta * (question.of_delta ? 1e-8 : 1e-6) / count,
                              .below = std::clamp(1e-2 * question.error / count, 1e-30, 1e-6)};
  double breadth = 0;
  for (const Entry& entry : entries_) {
    const LossRange range = RangeOf(entry.mechanism, adjacency, truncation);
    breadth += range.high - range.low;
  }
  double finest = breadth / kLossPointsMax;  // No finer mesh is allowed.
  const double windows = std::min(LossComposition::kPointsMax, kWindowPointsMax / static_cast<double>(entries_.size()));
  // Where few rare losses make up delta, moments say little of it; a finer mesh then costs next to nothing.
  const double cheap = std::max(kCheapMesh, breadth / kCheapPoints);
  double mesh = std::max(finest, std::min(cheap, std::sqrt(8 * question.error / (count * question.order))));
  for (int refinement = 0;; ++refinement) {
    std::vector<LossPart> parts;
    for (const Entry& entry : entries_) {
      parts.push_back({Discretise(entry.mechanism, adjacency, truncation, mesh), entry.count});
    }
    const LossComposition composition(std::move(parts));
    const LossTilt tilt =
        question.of_delta ? composition.TiltForEpsilon(question.epsilon) : composition.TiltForDelta(question.delta);
    finest = std::max(finest, 1.1 * tilt.points * mesh / windows);
    const double error = count * std::min(mesh, mesh * mesh * (1 + tilt.t) / 8);
    const double wanted = std::max(finest, mesh * std::max(0.1, std::sqrt(question.error / error)));
    const bool fits = tilt.points <= windows;
    if (fits && (wanted > mesh / 1.5 || refinement >= kRefinementsMax)) {
      return question.of_delta ? composition.Delta(question.epsilon, tilt) : composition.Epsilon(question.delta, tilt);
    }
    mesh = fits ? wanted : finest;
  }
}

double PldAccountant::WorseDirection(const Question& question) const {
  const double remove = Answer(question, Adjacency::kRemove);
  const bool same = std::ranges::all_of(entries_, [](const Entry& entry) { return IsSymmetric(entry.mechanism); });
  return same ? remove : std::max(remove, Answer(question, Adjacency::kAdd));
}

StatusOr<double> PldAccountant::Epsilon(double delta) const {
  if (!(delta >= kDeltaMin && delta < 1)) {
    return InvalidArgument("a delta of {}; it must be from {} to under 1", delta, kDeltaMin);
  }
  if (entries_.empty()) return 0;
  const Question question = Plan({.of_delta = false, .delta = delta});
  return std::min(question.epsilon, WorseDirection(question));
}

StatusOr<double> PldAccountant::Delta(double epsilon) const {
  if (!(epsilon >= 0 && epsilon <= kEpsilonMax)) {
    return InvalidArgument("an epsilon of {}; it must be from 0 to {}", epsilon, kEpsilonMax);
  }
  if (entries_.empty()) return 0;
  Question question = Plan({.of_delta = true, .epsilon = epsilon});
  double delta = WorseDirection(question);
  // Renyi's delta, which says how much may be cut off, can be far over the truth; the answer is a better one.
  for (int round = 0; round < kRefinementsMax && delta < 1e-3 * question.delta && delta > kDeltaMin; ++round) {
    question.delta = delta;
    delta = std::min(delta, WorseDirection(question));
  }
  return delta;
}

}  // namespace aisle
