// What a store keeps on its disk between two calls: its place in a cohort, the count of its bytes, the head of its
// ledger, a training in the making, a blob that is being fetched. Files that only the store's key opens are written
// with that key here, so that what is in them is reached.
#include "base/check.h"
#include "base/codec.h"
#include "store-agent/ledger/ledger_file.h"
#include "store-agent/sum/cohort_files.h"
#include "store-agent/task/kept_training.h"
#include "store-agent/transfer/blob_cache.h"
#include "store-agent/transfer/byte_meter.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/messages.h"
#include "tests/fuzz/scratch.h"
#include "tests/secagg/played_cohort.h"

namespace aisle::fuzz::kept {
namespace {

const absl::Time kAt = absl::FromUnixSeconds(1'800'000'000);
const RoundId kRound{.job = *JobId::Parse("demand"), .number = 7};

class StandingClock final : public Clock {
 public:
  absl::Time Now() const override { return kAt; }
};

// Its head is followed by the SHA-256 of it, which no fuzzer finds by trying: the input is both with that left out.
std::string WithDigest(std::string_view input) {
  ByteReader in(input);
  (void)in.Raw(8 + Digest::kSize);
  (void)in.String(16 << 10);
  const size_t head = in.ok() ? input.size() - in.remaining() : input.size();
  return std::string(input.substr(0, head)) + std::string(Sha256::Of(input.substr(0, head)).view()) +
         std::string(input.substr(head));
}

void TryCohort(const Scratch& scratch, std::string_view input) {
  const CohortFiles files = CohortFiles::Open(scratch.Fresh("cohorts")).value();
  PutFile(scratch.path() + "/cohorts/demand-7.cohort", WithDigest(input));
  const auto loaded = files.Load(kRound);
  if (loaded.ok() && *loaded) AISLE_CHECK(files.Save(**loaded).ok() && files.Load(kRound).ok());
}

void TryMeter(const Scratch& scratch, std::string_view input) {
  const std::string folder = scratch.Fresh("meter");
  AISLE_CHECK(MakeFolders(folder).ok());
  PutFile(folder + "/bytes", input);
  const StandingClock clock;
  ByteMeter meter(folder + "/bytes", clock);
  meter.CountUp(1);
  AISLE_CHECK(meter.Save().ok() && ByteMeter(folder + "/bytes", clock).today() == meter.today());
}

void TryLedgerHead(const Scratch& scratch, std::string_view input) {
  static const StoreId store = *StoreId::Parse("leeds-01");
  static const std::string ledger = Ledger::Open(store, kAt).bytes;
  const std::string folder = scratch.Fresh("ledger");
  AISLE_CHECK(MakeFolders(folder).ok());
  PutFile(folder + "/ledger", ledger);
  PutFile(folder + "/head", input);
  (void)LedgerFile::Open(folder, store, kAt);
}

// The pieces of a checkpoint as a worker sends them, in whatever order; then the task is taken up again.
void TryTraining(const Scratch& scratch, std::string_view input) {
  static SecureRandom random;
  static const SecretBytes key = DrawKey(random);
  const TrainInstruction instruction{.round = kRound, .plan = {.size = 1}, .weights = {.size = 1}};
  const TrainingFolder folder = TrainingFolder::Open(scratch.Fresh("training"), key, absl::Seconds(1)).value();
  v1::TrainTask task;
  std::string whole;
  {
    KeptTraining kept(folder, instruction, key, Digest{}, random);
    std::optional<std::string> pieces;  // Of the one under way.
    for (ByteReader in(input); in.remaining() > 0;) {
      v1::Checkpoint piece;
      const std::string_view bytes = in.String(1 << 12);
      if (!in.ok() || !piece.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) break;
      if (piece.offset_bytes() == 0) pieces = "";
      if (!pieces || piece.offset_bytes() != pieces->size()) return;  // It keeps no more.
      *pieces += piece.piece();
      kept.Keep(piece, task);
      if (!piece.last()) continue;
      whole = *pieces;
      pieces.reset();
    }
  }
  KeptTraining again(folder, instruction, key, Digest{}, random);
  if (!again.TakeUp()) return;
  again.PutInto(task);
  AISLE_CHECK(task.resume() == whole);
}

// A blob that comes down in pieces, some of them others', cut and gone on with: what is whole is what its name says.
void TryDownload(const Scratch& scratch, std::string_view input) {
  static const std::string content(48, 'w');
  static const BlobName name{.digest = Sha256::Of(content), .size = content.size()};
  const BlobCache cache = BlobCache::Open(scratch.Fresh("blobs")).value();
  std::optional<PartialBlob> part;
  for (ByteReader in(input.substr(0, 128)); in.remaining() > 0;) {
    const uint8_t what = in.U8();
    if (!part || what % 4 == 0) {
      part.reset();
      if (auto begun = cache.Begin(name); begun.ok()) part.emplace(*std::move(begun));
    } else if (what % 4 == 1) {
      (void)part->Append(content.substr(0, in.U8()));
    } else if (what % 4 == 2) {
      (void)part->Append(in.Raw(std::min<size_t>(what, in.remaining())));
    } else {
      const bool finished = part->Finish().ok();
      part.reset();
      AISLE_CHECK(!finished || cache.Has(name));
    }
    if (cache.Has(name)) AISLE_CHECK(cache.Read(name).value() == content);
  }
}

// The file itself.
void TrySealed(const Scratch& scratch, std::string_view input) {
  static const SecretBytes key = SecretBytes::CopyOf(std::string(32, 'k'));
  const std::string folder = scratch.Fresh("sealed");
  AISLE_CHECK(MakeFolders(folder).ok());
  PutFile(folder + "/file", input);
  std::string content;
  const auto read = ReadSealedFile(folder + "/file", key, "place", [&](std::string_view piece) {
    content += piece;
    return OkStatus();
  });
  if (read.ok()) AISLE_CHECK(content == "content");
}

std::string SealedSeed() {
  const Scratch scratch;
  AISLE_CHECK(MakeFolders(scratch.Fresh("seed")).ok());
  const std::string path = scratch.path() + "/seed/file";
  SecureRandom random;
  auto writer = SealedFileWriter::Begin(path, SecretBytes::CopyOf(std::string(32, 'k')), "place", random).value();
  AISLE_CHECK(writer.Append("content").ok() && writer.Finish().ok());
  return ReadFile(path).value();
}

std::string CohortSeed() {
  secagg::PlayedCohort played({.size = 4});
  played.Collect();
  return ByteWriter()
      .Raw("AISLECO1")
      .Put(Sha256::Of("update"))
      .String(KeyPair::Generate().value().ToPem().value().Reveal())
      .Raw(played.member(1).Encode().Reveal())
      .Take();
}

std::string Pieces() {
  v1::Checkpoint first, second;
  first.set_piece("so far");
  second.set_piece(" so good");
  second.set_offset_bytes(first.piece().size());
  second.set_last(true);
  return ByteWriter().String(Spelled(first)).String(Spelled(second)).Take();
}

}  // namespace

void TryInput(std::string_view input) {
  static const Scratch scratch;
  static constexpr std::array kParsers = {TryCohort, TryMeter, TryLedgerHead, TryTraining, TrySealed, TryDownload};
  const Chosen chosen = Choose(input, kParsers.size());
  kParsers[chosen.which](scratch, chosen.input);
}

std::vector<std::string> Seeds() {
  const LedgerHead head = Ledger::Open(*StoreId::Parse("leeds-01"), kAt).ledger.head();
  return {Choosing(0, CohortSeed()),
          Choosing(1, ByteWriter().Raw("AISLEBM1").I64(absl::ToUnixSeconds(kAt) / 86400).U64(12345).Take()),
          Choosing(2, ByteWriter().Raw("AISLELH1").U64(head.entries).Put(head.digest).Take()),
          Choosing(3, Pieces()),
          Choosing(4, SealedSeed()),
          Choosing(5, std::string("\0\1\x20\0\1\x10\3\0", 8)),
          Choosing(5, std::string("\0\1\x10\6spoilt\3\0", 12))};
}

}  // namespace aisle::fuzz::kept

AISLE_DEAR_FUZZ_TARGET(kept, 4);
