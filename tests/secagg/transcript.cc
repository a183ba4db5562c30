// Plays one cohort from fixed seeds and prints everything that was said in it as JSON, for the independent model
// (model.py) to compute again. Bytes are hexadecimal.
#include <fmt/core.h>

#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>

#include "privacy/secagg/member_state.h"
#include "tests/secagg/played_cohort.h"

namespace aisle::secagg {
namespace {

using Json = nlohmann::json;

std::string HexOf(const std::vector<uint32_t>& values) {
  return ToHex({reinterpret_cast<const char*>(values.data()), values.size() * sizeof(uint32_t)});
}

Json ToJson(const CohortTerms& terms) {
  return {{"job", terms.round.job.str()},      {"round", terms.round.number},      {"attempt", terms.attempt},
          {"plan", terms.plan.Hex()},          {"length", terms.length},           {"cohort_min", terms.cohort_min},
          {"corrupt", terms.corrupt_permille}, {"dropout", terms.dropout_permille}};
}

Json ToJson(const Advert& advert) {
  return {{"channel_key", ToHex(advert.channel_key)},
          {"mask_key", ToHex(advert.mask_key)},
          {"nonce", ToHex(advert.nonce)},
          {"terms", advert.terms.Hex()},
          {"signature", ToHex(advert.signature)}};
}

Json ToJson(const DealtShares& dealt) {
  Json shares = Json::array();
  for (const SealedShares& one : dealt.shares) {
    shares.push_back({one.to, ToHex(one.sealed), one.mask_commitment.Hex(), one.seed_commitment.Hex()});
  }
  return {{"shares", shares}, {"seed_digest", dealt.seed_digest.Hex()}, {"signature", ToHex(dealt.signature)}};
}

Json ToJson(const RevealedShares& revealed) {
  Json shares = Json::array();
  for (const RevealedShare& one : revealed.shares) {
    shares.push_back({one.of, static_cast<int>(one.kind), ToHex(one.share)});
  }
  return shares;
}

// What nobody but the store knows; the model starts from it.
std::string SecretOf(const Member& member) {
  return ToHex(MemberState::Decode(member.Encode().Reveal())->secret.Reveal());
}

// All that a store said, as far as it came.
Json StoreOf(PlayedCohort& played, uint32_t position) {
  const Transcript& said = played.transcript();
  Json store = {{"id", played.cohort().StoreAt(position).str()},
                {"certificate", played.cohort().AdvertOf(position).certificate_pem},
                {"secret", SecretOf(played.member(position))},
                {"vector", HexOf(played.VectorOf(position))},
                {"status", static_cast<int>(said.statuses[position])},
                {"neighbours", played.cohort().NeighboursOf(position)},
                {"advert", ToJson(played.cohort().AdvertOf(position))}};
  if (played.Deals(position)) store["dealt"] = ToJson(said.dealt.at(position));
  if (played.Survives(position)) {
    store["masked"] = HexOf(played.MaskedVectorOf(position));
    store["confirmation"] = ToHex(
        Given(played.member(position).Confirm(played.ConfirmFor(position), played.credentials(position))).signature);
  }
  if (said.revealed.contains(position)) store["revealed"] = ToJson(said.revealed.at(position));
  return store;
}

int Run(const Play& play) {
  PlayedCohort played(play);
  played.Reveal();
  Json stores = Json::array();
  for (uint32_t position = 0; position < play.size; ++position) stores.push_back(StoreOf(played, position));
  const auto masks = Reconstruct(played.transcript());
  AISLE_CHECK(masks.ok(), "{}", MessageOf(masks.status()));
  std::vector<uint32_t> sum = played.MaskedSum();
  masks->RemoveFrom(0, sum);
  const Json all = {{"terms", ToJson(played.cohort().terms())},
                    {"degree", played.cohort().parameters().degree},
                    {"threshold", played.cohort().parameters().threshold},
                    {"root", played.cohort().root().Hex()},
                    {"survivors", SurvivorsRoot(played.transcript().statuses).Hex()},
                    {"roster_signature", ToHex(played.Head().signature)},
                    {"stores", stores},
                    {"sum", HexOf(sum)}};
  fmt::print("{}\n", all.dump());
  return 0;
}

Positions Listed(std::string_view list) {
  Positions positions;
  for (size_t at = 0; at < list.size();) {
    const size_t comma = std::min(list.find(',', at), list.size());
    positions.insert(static_cast<uint32_t>(std::atoi(std::string(list.substr(at, comma - at)).c_str())));
    at = comma + 1;
  }
  return positions;
}

}  // namespace
}  // namespace aisle::secagg

// SIZE SEED LENGTH COHORT_MIN ABSENT DROPPED SILENT: the last three as in "1,5", or "" for nobody.
int main(int count, char** words) {
  if (count != 8) return 2;
  const auto number = [&](int i) { return static_cast<uint32_t>(std::atoi(words[i])); };
  return aisle::secagg::Run({.size = number(1),
                             .seed = number(2),
                             .length = number(3),
                             .cohort_min = number(4),
                             .absent = aisle::secagg::Listed(words[5]),
                             .dropped = aisle::secagg::Listed(words[6]),
                             .silent = aisle::secagg::Listed(words[7])});
}
