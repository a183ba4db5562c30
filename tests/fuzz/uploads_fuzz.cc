// The spool of a round: its shared file as a damaged disk might give it back, and streams that begin, go on, overlap,
// lie about sizes and end as they like. What it calls complete is what the digest says; what it took after damage is
// still there after a restart.
#include "base/check.h"
#include "base/codec.h"
#include "coordinator/uploads/upload_spool.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/scratch.h"

namespace aisle::fuzz::uploads {
namespace {

constexpr uint64_t kSize = 32;  // Of an update.

std::string Content(char letter) { return std::string(kSize, letter); }
BlobName NameOf(std::string_view content) { return {.digest = Sha256::Of(content), .size = content.size()}; }
StoreId Store(int number) { return *StoreId::Parse(number % 2 == 0 ? "leeds-01" : "york-02"); }

std::unique_ptr<UploadSpool> OpenAt(const std::string& folder, uint64_t shared_max) {
  auto spool = UploadSpool::Open(folder, kSize, shared_max);
  AISLE_CHECK(spool.ok(), "{}", MessageOf(spool.status()));
  return *std::move(spool);
}

void CheckComplete(UploadSpool& spool, const StoreId& store, std::string_view content) {
  const StatusOr<SpooledUpdate> opened = spool.OpenVerified(store, NameOf(content));
  AISLE_CHECK(opened.ok(), "{}", MessageOf(opened.status()));
  std::string bytes(kSize, '\0');
  AISLE_CHECK(opened->ReadAt(0, bytes.data(), bytes.size()).ok() && bytes == content);
}

void Send(UploadSpool& spool, const StoreId& store, std::string_view content) {
  auto session = spool.Begin(store, NameOf(content), 0);
  AISLE_CHECK(session.ok() && (*session)->Append(content).ok());
  const StatusOr<UploadStatus> status = (*session)->Finish();
  AISLE_CHECK(status.ok() && status->complete);
}

void TryDisk(const Scratch& scratch, std::string_view input) {
  const std::string folder = scratch.Fresh("disk");
  AISLE_CHECK(MakeFolders(folder).ok());
  PutFile(folder + "/updates", input);
  {
    const auto spool = OpenAt(folder, kSharedUpdateMax);
    const StatusOr<UploadStatus> found = spool->Find(Store(0), NameOf(Content('a')));
    if (found.ok() && found->complete) CheckComplete(*spool, Store(0), Content('a'));
    Send(*spool, Store(1), Content('b'));
  }
  CheckComplete(*OpenAt(folder, kSharedUpdateMax), Store(1), Content('b'));
}

// One byte says what happens next: begin at an offset, send some bytes of either update (or others), end, forget,
// restart.
void TryStreams(const Scratch& scratch, std::string_view input, uint64_t shared_max) {
  const std::string folder = scratch.Fresh("streams");
  std::unique_ptr<UploadSpool> spool = OpenAt(folder, shared_max);
  std::unique_ptr<UploadSession> session;
  StoreId store = Store(0);
  std::string content = Content('a');
  for (ByteReader in(input.substr(0, 256)); in.remaining() > 0;) {
    const uint8_t what = in.U8();
    switch (what % 6) {
      case 0: {
        store = Store(what / 6);
        content = Content(what % 4 == 0 ? 'a' : 'b');
        auto begun = spool->Begin(store, NameOf(content), in.U8() % (kSize + 2));
        session = begun.ok() ? *std::move(begun) : nullptr;
        break;
      }
      case 1:
        if (session) (void)session->Append(content.substr(0, in.U8() % (kSize + 1)));
        break;
      case 2:
        if (session) (void)session->Append(in.Raw(std::min<size_t>(what, in.remaining())));
        break;
      case 3:
        if (const auto status = session ? session->Finish() : UploadStatus(); status.ok() && status->complete) {
          CheckComplete(*spool, store, content);
        }
        break;
      case 4:
        session.reset();
        AISLE_CHECK(spool->Forget(store).ok());
        break;
      default:
        session.reset();
        spool.reset();
        spool = OpenAt(folder, shared_max);
    }
    const StatusOr<UploadStatus> found = spool->Find(store, NameOf(content));
    AISLE_CHECK(found.ok() && found->received <= kSize);
    if (found->complete) CheckComplete(*spool, store, content);
  }
}

std::string SharedFile() {
  const Scratch scratch;
  const std::string folder = scratch.Fresh("seed");
  Send(*OpenAt(folder, kSharedUpdateMax), Store(0), Content('a'));
  Send(*OpenAt(folder, kSharedUpdateMax), Store(1), Content('c'));
  AISLE_CHECK(OpenAt(folder, kSharedUpdateMax)->Forget(Store(1)).ok());
  return ReadFile(folder + "/updates").value();
}

}  // namespace

void TryInput(std::string_view input) {
  static const Scratch scratch;
  const Chosen chosen = Choose(input, 3);
  if (chosen.which == 0) TryDisk(scratch, chosen.input);
  if (chosen.which == 1) TryStreams(scratch, chosen.input, kSharedUpdateMax);
  if (chosen.which == 2) TryStreams(scratch, chosen.input, 0);
}

std::vector<std::string> Seeds() {
  using std::string_literals::operator""s;
  const std::string cut = "\0\0\1\x10\5\0\x10\1\x20\3"s;
  const std::string whole = "\0\0\1\x20\3\4\0\0\2ab\3"s;
  return {Choosing(0, SharedFile()), Choosing(1, cut), Choosing(2, cut), Choosing(1, whole), Choosing(2, whole)};
}

}  // namespace aisle::fuzz::uploads

AISLE_FUZZ_TARGET(uploads);
