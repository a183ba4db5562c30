#include "privacy/secagg/member_state.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "base/codec.h"
#include "privacy/secagg/keys.h"

namespace aisle::secagg {
namespace {

constexpr uint8_t kFormat = 2;
constexpr size_t kPemSizeMax = 16 << 10;
constexpr size_t kSignatureSizeMax = 256;

// What is public goes first, in a writer; then the secrets, in memory that is wiped; then SHA-256 of both.

void Write(ByteWriter& out, const CohortTerms& terms) {
  out.String(terms.round.job.str()).U32(terms.round.number).U32(terms.attempt).Put(terms.plan).U64(terms.length);
  out.U32(terms.cohort_min).U32(terms.corrupt_permille).U32(terms.dropout_permille);
}

void Write(ByteWriter& out, const Advert& advert) {
  out.String(advert.certificate_pem).String(advert.channel_key).String(advert.mask_key).String(advert.nonce);
  out.String(advert.signature);
}

void Write(ByteWriter& out, const PinnedRoster& roster) {
  out.Put(roster.cohort.root).U32(roster.cohort.size).U32(roster.parameters.degree).U32(roster.parameters.threshold);
  out.U32(roster.position);
  for (const Neighbour& neighbour : roster.neighbours) {
    out.U32(neighbour.position).String(neighbour.store.str()).String(neighbour.certificate_pem);
    out.String(neighbour.channel_key).String(neighbour.mask_key);
  }
  out.String(roster.dealt_signature);
}

enum FromNeighbour : uint8_t { kNothing = 0, kRightShares = 1, kWrongShares = 2 };

void Write(ByteWriter& out, const PinnedInbox& inbox) {
  out.Put(inbox.digest);
  for (size_t i = 0; i < inbox.held.size(); ++i) {
    const FromNeighbour came = inbox.held[i] ? kRightShares : inbox.dealt[i] ? kWrongShares : kNothing;
    out.U8(came);
  }
}

void Write(ByteWriter& out, const PinnedSurvivors& survivors) {
  out.Put(survivors.root).String(survivors.signature);
  for (const MemberStatus status : survivors.neighbours) out.U8(static_cast<uint8_t>(status));
}

void Write(ByteWriter& out, const std::vector<std::optional<ShareKind>>& given) {
  for (const auto& kind : given) out.U8(kind ? static_cast<uint8_t>(*kind) : 0);
}

// All secrets of the state, in the order in which they are stored.
template <typename State, typename Visit>
void ForEachSecret(State& state, const Visit& visit) {
  visit(state.secret, kCohortSecretSize);
  if (!state.roster) return;
  for (auto& neighbour : state.roster->neighbours) visit(neighbour.opening, kChannelKeySize);
  if (!state.inbox) return;
  for (auto& held : state.inbox->held) {
    if (!held) continue;
    visit(held->mask, kShareSize);
    visit(held->seed, kShareSize);
  }
}

Status Contradicts(std::string_view how) { return DataLoss("the cohort's record contradicts itself: {}", how); }

StatusOr<CohortTerms> ReadTerms(ByteReader& in) {
  CohortTerms terms;
  const std::string_view job = in.String(kNameLengthMax);
  AISLE_RETURN_IF_ERROR(in.status("a cohort's record"));
  AISLE_ASSIGN_OR_RETURN(terms.round.job, JobId::Parse(job));
  terms.round.number = in.U32();
  terms.attempt = in.U32();
  terms.plan = in.ReadDigest();
  terms.length = in.U64();
  terms.cohort_min = in.U32();
  terms.corrupt_permille = in.U32();
  terms.dropout_permille = in.U32();
  return terms;
}

Advert ReadAdvert(ByteReader& in) {
  Advert advert;
  advert.certificate_pem = in.String(kPemSizeMax);
  advert.channel_key = in.String(kPublicKeySize);
  advert.mask_key = in.String(kPublicKeySize);
  advert.nonce = in.String(kNonceSize);
  advert.signature = in.String(kSignatureSizeMax);
  return advert;
}

StatusOr<Neighbour> ReadNeighbour(ByteReader& in) {
  Neighbour neighbour{.position = in.U32()};
  const std::string_view store = in.String(kNameLengthMax);
  AISLE_RETURN_IF_ERROR(in.status("a cohort's record"));
  AISLE_ASSIGN_OR_RETURN(neighbour.store, StoreId::Parse(store));
  neighbour.certificate_pem = in.String(kPemSizeMax);
  neighbour.channel_key = in.String(kPublicKeySize);
  neighbour.mask_key = in.String(kPublicKeySize);
  return neighbour;
}

StatusOr<PinnedRoster> ReadRoster(ByteReader& in, const Digest& terms) {
  PinnedRoster roster;
  roster.cohort = {.terms = terms, .root = in.ReadDigest(), .size = in.U32()};
  roster.parameters = {.degree = in.U32(), .threshold = in.U32()};
  roster.position = in.U32();
  AISLE_RETURN_IF_ERROR(in.status("a cohort's record"));
  const SumParameters& parameters = roster.parameters;
  if (parameters.degree > kNeighboursMax || parameters.degree >= roster.cohort.size || parameters.threshold < 2 ||
      parameters.threshold > parameters.degree || roster.position >= roster.cohort.size) {
    return Contradicts("its roster");
  }
  for (uint32_t i = 0; i < parameters.degree; ++i) {
    AISLE_ASSIGN_OR_RETURN(Neighbour neighbour, ReadNeighbour(in));
    const bool in_order = i == 0 || roster.neighbours.back().position < neighbour.position;
    if (!in_order || neighbour.position >= roster.cohort.size || neighbour.position == roster.position) {
      return Contradicts("its neighbours");
    }
    roster.neighbours.push_back(std::move(neighbour));
  }
  roster.dealt_signature = in.String(kSignatureSizeMax);
  return roster;
}

// The shares themselves come later, with the other secrets.
StatusOr<PinnedInbox> ReadInbox(ByteReader& in, const SumParameters& parameters) {
  PinnedInbox inbox{.digest = in.ReadDigest(), .dealt = {}, .held = {}};
  uint32_t count = 0;
  for (uint32_t i = 0; i < parameters.degree; ++i) {
    const uint8_t came = in.U8();
    if (came > kWrongShares) return Contradicts("its inbox");
    count += came == kRightShares ? 1 : 0;
    inbox.dealt.push_back(came != kNothing);
    inbox.held.push_back(came == kRightShares ? std::make_optional<HeldShares>() : std::nullopt);
  }
  if (count < parameters.threshold) return Contradicts("its inbox is below the threshold");
  return inbox;
}

StatusOr<PinnedSurvivors> ReadSurvivors(ByteReader& in, const PinnedInbox& inbox) {
  PinnedSurvivors survivors{.root = in.ReadDigest(), .neighbours = {}, .signature = {}};
  survivors.signature = in.String(kSignatureSizeMax);
  for (const bool dealt : inbox.dealt) {
    const uint8_t status = in.U8();
    if (status > static_cast<uint8_t>(MemberStatus::kSurvived) || (status != 0) != dealt) {
      return Contradicts("its survivors");
    }
    survivors.neighbours.push_back(static_cast<MemberStatus>(status));
  }
  return survivors;
}

StatusOr<std::vector<std::optional<ShareKind>>> ReadGiven(ByteReader& in, const PinnedSurvivors& survivors) {
  std::vector<std::optional<ShareKind>> given;
  for (const MemberStatus status : survivors.neighbours) {
    given.push_back(KindFor(status));
    if (in.U8() != (given.back() ? static_cast<uint8_t>(*given.back()) : 0)) return Contradicts("the shares it gave");
  }
  return given;
}

Status ReadSteps(ByteReader& in, MemberStep step, MemberState& state) {
  if (step >= MemberStep::kDealt) {
    AISLE_ASSIGN_OR_RETURN(state.roster, ReadRoster(in, state.advert.terms));
  }
  if (step >= MemberStep::kMasked) {
    AISLE_ASSIGN_OR_RETURN(state.inbox, ReadInbox(in, state.roster->parameters));
  }
  if (step >= MemberStep::kConfirmed) {
    AISLE_ASSIGN_OR_RETURN(state.survivors, ReadSurvivors(in, *state.inbox));
  }
  if (step >= MemberStep::kRevealed) {
    AISLE_ASSIGN_OR_RETURN(state.given, ReadGiven(in, *state.survivors));
  }
  return OkStatus();
}

StatusOr<std::string_view> WithoutChecksum(std::string_view bytes) {
  if (bytes.size() < Digest::kSize) return DataLoss("a cohort's record of {} bytes is cut short", bytes.size());
  const std::string_view body = bytes.substr(0, bytes.size() - Digest::kSize);
  if (Sha256::Of(body).view() != bytes.substr(body.size())) {
    return DataLoss("a cohort's record of {} bytes isn't what was written", bytes.size());
  }
  return body;
}

StatusOr<MemberState> ReadState(ByteReader& in) {
  if (const uint8_t format = in.U8(); format != kFormat) {
    return DataLoss("a cohort's record has format {}; this program reads {}", format, kFormat);
  }
  MemberState state;
  AISLE_ASSIGN_OR_RETURN(state.terms, ReadTerms(in));
  state.cohort_min = in.U32();
  const std::string_view self = in.String(kNameLengthMax);
  AISLE_RETURN_IF_ERROR(in.status("a cohort's record"));
  AISLE_ASSIGN_OR_RETURN(state.self, StoreId::Parse(self));
  state.advert = ReadAdvert(in);
  state.advert.store = state.self;
  state.advert.terms = DigestOf(state.terms);
  const uint8_t step = in.U8();
  if (step > static_cast<uint8_t>(MemberStep::kRevealed)) return Contradicts("its step");
  AISLE_RETURN_IF_ERROR(ReadSteps(in, static_cast<MemberStep>(step), state));
  ForEachSecret(state, [&](SecretBytes& secret, size_t size) { secret = SecretBytes::CopyOf(in.Raw(size)); });
  AISLE_RETURN_IF_ERROR(in.Finish("a cohort's record"));
  return state;
}

}  // namespace

std::optional<ShareKind> KindFor(MemberStatus status) {
  switch (status) {
    case MemberStatus::kSurvived:
      return ShareKind::kSeed;
    case MemberStatus::kDropped:
      return ShareKind::kMaskKey;
    default:
      return std::nullopt;
  }
}

MemberStep MemberState::step() const {
  if (given) return MemberStep::kRevealed;
  if (survivors) return MemberStep::kConfirmed;
  if (inbox) return MemberStep::kMasked;
  return roster ? MemberStep::kDealt : MemberStep::kAdvertised;
}

SecretBytes MemberState::Encode() const {
  ByteWriter out;
  out.U8(kFormat);
  Write(out, terms);
  out.U32(cohort_min).String(self.str());
  Write(out, advert);
  out.U8(static_cast<uint8_t>(step()));
  if (roster) Write(out, *roster);
  if (inbox) Write(out, *inbox);
  if (survivors) Write(out, *survivors);
  if (given) Write(out, *given);

  size_t size = out.bytes().size() + Digest::kSize;
  ForEachSecret(*this, [&](const SecretBytes&, size_t one_size) { size += one_size; });
  SecretBytes bytes(size);
  auto at = std::ranges::copy(out.bytes(), bytes.Mutable().begin()).out;
  ForEachSecret(*this, [&](const SecretBytes& one, size_t one_size) {
    AISLE_CHECK(one.size() == one_size);
    at = std::ranges::copy(one.Reveal(), at).out;
  });
  std::ranges::copy(Sha256::Of(bytes.Reveal().substr(0, size - Digest::kSize)).bytes, at);
  return bytes;
}

StatusOr<MemberState> MemberState::Decode(std::string_view bytes) {
  AISLE_ASSIGN_OR_RETURN(const std::string_view body, WithoutChecksum(bytes));
  ByteReader in(body);
  StatusOr<MemberState> state = ReadState(in);
  if (state.ok() || absl::IsDataLoss(state.status())) return state;
  return DataLoss("a cohort's record: {}", MessageOf(state.status()));
}

}  // namespace aisle::secagg
