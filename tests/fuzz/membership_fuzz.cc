// What makes a box a store: its identity folder, as a damaged disk or a person might leave it, and what headquarters
// answers to one that joins or renews.
#include "store-agent/enrol/membership.h"

#include "aisle/v1/fleet.pb.h"
#include "base/check.h"
#include "base/identity/authority.h"
#include "base/identity/chain_folder.h"
#include "base/identity/root_set.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/messages.h"
#include "tests/fuzz/scratch.h"

namespace aisle::fuzz::membership {
namespace {

const absl::Time kAt = absl::FromUnixSeconds(1'800'000'000);

struct Chain {
  SecureRandom random;
  CertificateAuthority authority =
      CertificateAuthority::Create(*ChainName::Parse("northwind"), KeyPair::Generate().value(), kAt, random).value();
  KeyPair key = KeyPair::Generate().value();
  std::string plan_key = SigningKey::Generate(random).value().verify_key().bytes();
  std::string invitation = fmt::format(
      "coordinator = \"hq.example:7400\"\nstore = \"leeds-01\"\nchain = \"northwind\"\n"
      "code = \"01234567-89abcdef-01234567-89abcdef\"\nca_pem = '''\n{}'''\n",
      authority.root_pem());

  std::string CertificateOf(const KeyPair& of) {
    return authority
        .Issue(of, {Identity::Make(authority.chain(), Role::kStore, "leeds-01").value(), absl::Hours(72), {}}, kAt,
               random)
        .value()
        .pem();
  }
  std::string Bundle() { return std::string(key.ToPem().value().Reveal()) + CertificateOf(key) + authority.root_pem(); }
  std::string Headquarters() const {
    return fmt::format("coordinator = \"hq.example:7400\"\ninvitation = \"00\"\nplan_keys = [\"{}\"]\n",
                       ToHex(plan_key));
  }
};

Chain& House() {
  static Chain chain;
  return chain;
}

StatusOr<Membership> TakeUp(const std::string& folder, const EnrolCall& call = {}) {
  return TakeUpMembership(folder, call ? folder + "/enrol.toml" : "", call, kAt);
}

EnrolCall Unasked() {
  return [](const Invitation&, const std::string&) -> StatusOr<EnrolAnswer> { return Unavailable("nobody answers"); };
}

std::string Box(const Scratch& scratch) {
  std::string folder = scratch.Fresh("box");
  AISLE_CHECK(MakeFolders(folder).ok());
  return folder;
}

void TryHeadquarters(const Scratch& scratch, std::string_view input) {
  static const std::string bundle = House().Bundle();
  const std::string folder = Box(scratch);
  PutFile(folder + "/identity.pem", bundle);
  PutFile(folder + "/headquarters.toml", input);
  if (const auto membership = TakeUp(folder); membership.ok()) AISLE_CHECK(!membership->plan_keys.empty());
}

void TryIdentity(const Scratch& scratch, std::string_view input) {
  static const std::string headquarters = House().Headquarters();
  const std::string folder = Box(scratch);
  PutFile(folder + "/headquarters.toml", headquarters);
  PutFile(folder + "/identity.pem", input);
  (void)TakeUp(folder);
}

// Headquarters' answer to the key that the box asks for: `{certificate}` stands for the certificate of that key.
void TryAnswer(const Scratch& scratch, std::string_view input) {
  v1::EnrolResponse answer;
  if (!answer.ParseFromArray(input.data(), static_cast<int>(input.size()))) return;
  const std::string folder = Box(scratch);
  PutFile(folder + "/enrol.toml", House().invitation);
  PutFile(folder + "/pending.pem", House().key.ToPem().value().Reveal());
  static const std::string certificate = House().CertificateOf(House().key);
  const auto call = [&](const Invitation&, const std::string&) -> StatusOr<EnrolAnswer> {
    return EnrolAnswer{
        .certificate_pem = answer.certificate_pem() == "{certificate}" ? certificate : answer.certificate_pem(),
        .ca_pem = answer.ca_pem() == "{root}" ? House().authority.root_pem() : answer.ca_pem(),
        .store = answer.store_id(),
        .plan_keys = {answer.plan_public_keys().begin(), answer.plan_public_keys().end()}};
  };
  if (!TakeUp(folder, call).ok()) return;
  const auto again = TakeUp(folder);  // What was kept must be of use.
  AISLE_CHECK(again.ok(), "{}", MessageOf(again.status()));
  AISLE_CHECK(again->store.str() == "leeds-01");
}

void TryInvitation(const Scratch& scratch, std::string_view input) {
  const std::string folder = Box(scratch);
  PutFile(folder + "/enrol.toml", input);
  PutFile(folder + "/pending.pem", House().key.ToPem().value().Reveal());
  AISLE_CHECK(!TakeUp(folder, Unasked()).ok());
}

void TryRoots(const Scratch& scratch, std::string_view input) {
  const ChainPaths paths{.folder = scratch.Fresh("chain")};
  AISLE_CHECK(MakeFolders(paths.folder).ok());
  PutFile(paths.ca(), House().authority.root_pem());
  PutFile(paths.ca(2), input);
  if (const StatusOr<RootSet> roots = RootSet::Load(paths); roots.ok()) (void)roots->TrustedAt(kAt);
}

}  // namespace

void TryInput(std::string_view input) {
  static const Scratch scratch;
  static constexpr std::array kParsers = {TryHeadquarters, TryIdentity, TryAnswer, TryInvitation, TryRoots};
  const Chosen chosen = Choose(input, kParsers.size());
  kParsers[chosen.which](scratch, chosen.input);
}

std::vector<std::string> Seeds() {
  v1::EnrolResponse answer;
  answer.set_certificate_pem("{certificate}");
  answer.set_ca_pem("{root}");
  answer.set_store_id("leeds-01");
  answer.add_plan_public_keys(House().plan_key);
  return {Choosing(0, House().Headquarters()), Choosing(1, House().Bundle()), Choosing(2, Spelled(answer)),
          Choosing(3, House().invitation), Choosing(4, House().authority.root_pem())};
}

}  // namespace aisle::fuzz::membership

AISLE_DEAR_FUZZ_TARGET(membership, 8);
